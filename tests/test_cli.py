"""The command line as its contract says: what it writes, exit status 0 or 2, one line on stderr, nothing half-written."""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from attnviz import __version__, cli
from attnviz.analysis.between import Between
from attnviz.cli.options import SINKS
from attnviz.cli.parser import make_parser
from attnviz.engine.config import Kind
from attnviz.export.figure import Background
from attnviz.library.closed import CLOSED_MODELS
from attnviz.library.found import FoundModel
from attnviz.library.listing import model_lines
from attnviz.session.grid_choice import SummaryName
from attnviz.session.logarithm import LONG
from attnviz.session.settings import Settings, save_settings
from attnviz.session.view import PictureKind, Quantity, SinkKind, Treatment
from tests.engine.tiny_bert import write_bert
from tests.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

ANIMAL = "The animal didn't cross the street because it was tired."
VERBS = ("get", "models", "attend", "render", "compare", "roles", "report", "corpus")


def run(*arguments: object) -> int:
    """The exit status of `attnviz` with these arguments, in this process."""
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        return int(exit_.code)


def fresh(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`python -m attnviz` with these arguments, in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "attnviz", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_bert(tmp_path / "tiny")


def refused(capsys: pytest.CaptureFixture[str], out: Path, *arguments: object) -> str:
    return refusal(capsys, out, run, *arguments)


# What the verbs do


def test_attend_writes_npz_as_the_contract_has_it(minilm_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("attend", "--model", minilm_path, "--text", ANIMAL, "--layers", "0,3-5", "-o", out / "x.npz") == 0
    assert capsys.readouterr().err == ""
    with np.load(out / "x.npz", allow_pickle=False) as file:
        assert file["layers"].tolist() == [0, 3, 4, 5]
        assert file["attention"].shape == (4, 12, 15, 15)
        tokens = file["tokens"].tolist()
        weight = file["attention"][1, 1, tokens.index("it"), tokens.index("animal")]
        assert round(float(weight), 2) == 0.70
        assert json.loads(str(file["provenance"]))["text"] == ANIMAL


@pytest.mark.parametrize("form", ["npz", "json", "csv"])
def test_attend_writes_every_form(tiny: Path, out: Path, form: str) -> None:
    assert run("attend", "--model", tiny, "--text", "the cat", "--pair", "sings", "-o", out / f"x.{form}") == 0
    assert [path.name for path in out.iterdir()] == [f"x.{form}"]


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
@pytest.mark.usefixtures("qapp")
def test_render_writes_every_form(tiny: Path, out: Path, form: str) -> None:
    arguments = ("--layer", 1, "--heads", "0,2-3", "--width", "140mm", "--dpi", 100, "--theme", "dark", "--transparent")
    assert run("render", "--model", tiny, "--text", "the cat sings", *arguments, "-o", out / f"x.{form}") == 0
    assert (out / f"x.{form}").stat().st_size > 1_000


@pytest.mark.parametrize(
    "extra",
    [(), ("--focus", "cat"), ("--focus", 2), ("--min-weight", 0.2), ("--strongest", 100), ("--specials",), ("--view", "arcs")],
)
@pytest.mark.usefixtures("qapp")
def test_render_draws_what_is_asked_for(tiny: Path, out: Path, extra: tuple[object, ...]) -> None:
    assert run("render", "--model", tiny, "--text", "the cat sings", "--layer", 0, *extra, "-o", out / "x.svg") == 0
    drawn = (out / "x.svg").read_text(encoding="utf-8")
    assert ("[CLS]</text>" in drawn) == ("--specials" in extra)
    assert ("weights from 0.20" in drawn) == ("--min-weight" in extra)
    assert ("strongest 100 %" in drawn) == ("--strongest" in extra)


@pytest.mark.usefixtures("qapp")
def test_a_what_if_is_said_on_stderr_and_in_each_file(tiny: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("render", "--model", tiny, "--text", "the cat", "--layer", 0, "--head-count", 2, "-o", out / "x.svg") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "What if this model had 2 heads? It was trained with 4" in line
    assert "What if this model had 2 heads?" in (out / "x.svg").read_text(encoding="utf-8")
    assert run("attend", "--model", tiny, "--text", "the cat", "--head-count", 2, "-o", out / "x.json") == 0
    content = json.loads((out / "x.json").read_text(encoding="utf-8"))
    assert content["provenance"]["head_count"] == 2
    assert np.array(content["attention"]).shape == (2, 2, 4, 4)


def test_a_text_that_was_cut_is_said_on_stderr(tiny: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("attend", "--model", tiny, "--text", "cat " * 100, "-o", out / "x.npz") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "32 tokens" in line
    assert "70" in line


def test_an_old_file_is_replaced(tiny: Path, out: Path) -> None:
    (out / "x.json").write_text("old")
    assert run("attend", "--model", tiny, "--text", "the cat", "-o", out / "x.json") == 0
    assert json.loads((out / "x.json").read_text(encoding="utf-8"))["tokens"] == ["[CLS]", "the", "cat", "[SEP]"]


def test_models_lists_the_default_model(minilm_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models") == 0
    listed = capsys.readouterr().out
    (line,) = (line for line in listed.splitlines() if line.endswith(str(minilm_path)))
    assert line.split()[:4] == ["minilm", "bert", "6", "x"]
    assert "6 x 12" in line
    assert "91 MB" in line


def found(name: str, why_not: str | None = None) -> FoundModel:
    return FoundModel(name, Path("/somewhere") / name, "Ollama", 1_200_000_000, "llama", 16, 32, 1, why_not)


def test_models_are_listed_in_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    models = [found("a"), found("a-much-longer-name:7b", "attnviz does not run it yet."), found("esc\x1b[2J")]
    monkeypatch.setattr("attnviz.library.discovery.find_models", lambda recent: models)
    assert run("models") == 0
    headings, first, second, reason, third, closed = capsys.readouterr().out.splitlines()
    for heading, cell in (("NAME", "a"), ("FAMILY", "llama"), ("PLACE", "Ollama"), ("PATH", "/somewhere")):
        assert headings.index(heading) == first.index(f" {cell}") + 1 == second.index(f" {cell}") + 1
    assert "16 x 32  1.2 GB" in first
    assert (first[0], second[0], third[0]) == (" ", "!", " ")
    assert reason.strip() == "cannot be run: attnviz does not run it yet."
    assert "\x1b" not in third
    assert closed == CLOSED_MODELS


def test_on_a_terminal_what_cannot_be_run_is_dim(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = list(model_lines([found("a"), found("b", "Not yet.")], in_colour=True))
    assert [line.startswith("\x1b[2m") for line in lines] == [False, False, True, True]


def test_models_opened_lately_are_listed_too(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "data"))
    save_settings(Settings(recent=[str(tiny)]))
    assert run("models") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.endswith(str(tiny)))
    assert "recent" in line


def test_models_says_how_to_get_one_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("attnviz.library.discovery.find_models", lambda recent: [])
    assert run("models") == 0
    hint, closed = capsys.readouterr().out.splitlines()
    assert "attnviz get minilm" in hint
    assert closed == CLOSED_MODELS


def test_closed_models_are_named_and_so_are_the_open_ones() -> None:
    for name in ("GPT-4", "Gemini", "Claude", "GPT-2", "gpt-oss", "Gemma", "LLaMA", "Mistral"):
        assert name in CLOSED_MODELS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("",), "names no repository"),
        (("../../x",), "names no repository"),
        (("a/b/c",), "names no repository"),
        (("two words",), "names no repository"),
        (("minilm", "--variant", "Q4_K_M"), "--variant"),
    ],
)
def test_get_refuses_what_it_cannot_fetch(
    out: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, out, "get", *arguments)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"attnviz {__version__}\n"


def verbs() -> dict[str, argparse.ArgumentParser]:
    (table,) = (action for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(table.choices)


def test_the_verbs_are_those_of_the_contract() -> None:
    assert set(verbs()) == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_explains_each_option_of_a_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(verb, "--help") == 0
    shown = capsys.readouterr().out
    for action in verbs()[verb]._actions:
        assert action.help
        for name in action.option_strings or [action.dest]:
            assert name in shown


def test_help_names_the_length_from_which_a_matrix_is_logarithmic(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("render", "--help") == 0
    assert f"of {LONG} tokens and more" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("attend", "--model --text --pair --head-count --layers --logits --output -o"),
        ("render", "--model --text --pair --head-count --layer --heads --view --width --dpi --theme --transparent --output -o"),
    ],
)
def test_the_options_of_the_contract_are_there(verb: str, options: str) -> None:
    known = {name for action in verbs()[verb]._actions for name in action.option_strings}
    assert set(options.split()) <= known


# In a process of its own


NO_QT = """
import sys
from attnviz.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as exit_:
    status = exit_.code
assert status == 0, status
assert not {"PySide6", "shiboken6"} & {name.split(".")[0] for name in sys.modules}
"""


@pytest.mark.parametrize("verb", ["attend", "models", "get --help", "render --help", "--help"])
def test_what_does_not_paint_never_loads_qt(tiny: Path, out: Path, verb: str) -> None:
    more: Sequence[object] = ("--model", tiny, "--text", "the cat", "-o", out / "x.csv") if verb == "attend" else ()
    command = [sys.executable, "-W", "error", "-c", NO_QT, *verb.split(), *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_render_needs_no_display_and_no_help_from_the_environment(tiny: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    done = fresh("render", "--model", tiny, "--text", "the cat", "--layer", 0, "-o", out / "x.pdf")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (out / "x.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("arguments", [("render", "--layer", "9"), ("attend", "--head-count", "3"), ("attend", "--layers", "x")])
def test_a_wrong_call_is_one_line_and_status_2(tiny: Path, out: Path, arguments: tuple[str, ...]) -> None:
    verb, *rest = arguments
    done = fresh(verb, "--model", tiny, "--text", "the cat", *rest, "-o", out / ("x.pdf" if verb == "render" else "x.npz"))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert list(out.iterdir()) == []


def test_a_text_in_broken_bytes_is_read_with_the_replacement_character(tiny: Path, out: Path) -> None:
    for name in ("x.json", "x.svg"):
        verb = ("attend",) if name == "x.json" else ("render", "--layer", "0")
        command = [sys.executable, "-m", "attnviz", *verb, "--model", str(tiny), "--text", b"cat \xff cat", "-o", str(out / name)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert "cat \ufffd cat" in (out / name).read_text(encoding="utf-8")


# What cannot be done


@pytest.mark.parametrize("verb", [("attend",), ("render", "--layer", "0")], ids=["attend", "render"])
@pytest.mark.parametrize("text", ["", "   ", "\t\n", "\x00\x07\x1b", "\u200b", "x" * 1_000_000], ids=lambda text: ascii(text[:9]))
def test_a_text_that_cannot_be_read_is_refused(
    tiny: Path, out: Path, capsys: pytest.CaptureFixture[str], verb: tuple[str, ...], text: str
) -> None:
    name = "x.npz" if verb == ("attend",) else "x.png"
    line = refused(capsys, out, *verb, "--model", tiny, "--text", text, "-o", out / name)
    assert "text" in line
    assert len(line) < 300


def broken_models(base: Path) -> dict[str, Path]:
    base.mkdir()
    (base / "empty").mkdir()
    cut = write_bert(base / "cut")
    (cut / "model.safetensors").write_bytes((cut / "model.safetensors").read_bytes()[:3_000])
    pickled = write_bert(base / "pickled")
    (pickled / "model.safetensors").unlink()
    (pickled / "pytorch_model.bin").write_bytes(pickle.dumps([1]))
    strange = write_bert(base / "strange", config={"attn_logit_softcapping": 30.0})
    (base / "file.txt").write_text("no model")
    return {
        "empty": base / "empty",
        "cut": cut,
        "pickled": pickled,
        "pickle": pickled / "pytorch_model.bin",
        "strange": strange,
        "file": base / "file.txt",
        "missing": base / "nowhere",
        "endless": base / ("x" * 3_000),
        "lines": base / "two\nlines",
    }


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("empty", "config.json"),
        ("cut", "model.safetensors"),
        ("pickled", "pytorch_model.bin"),
        ("pickle", "pytorch_model.bin"),
        ("strange", "attn_logit_softcapping"),
        ("file", "file.txt"),
        ("missing", "nowhere"),
        ("endless", "xxx"),
        ("lines", "two lines"),
    ],
)
@pytest.mark.parametrize("verb", [("attend", "x.npz"), ("render", "x.pdf", "--layer", "0")], ids=["attend", "render"])
def test_what_is_no_model_is_refused_by_name(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], verb: tuple[str, ...], kind: str, said: str
) -> None:
    name, output, *rest = verb
    model = broken_models(tmp_path / "broken")[kind]
    assert said in refused(capsys, out, name, "--model", model, "--text", "cat", *rest, "-o", out / output)


def test_an_unknown_model_name_is_refused(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, out, "attend", "--model", "no-such-model", "--text", "cat", "-o", out / "x.npz")
    assert "no-such-model" in line
    assert "attnviz models" in line


def test_the_home_of_nobody_is_refused(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, out, "attend", "--model", "~nobody-of-that-name/m", "--text", "cat", "-o", out / "x.npz")
    assert "~nobody-of-that-name" in line


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--layers", "2"), "Layer 2"),
        (("--layers", "0-99"), "Layer 2"),
        (("--layers", "5-3"), "5-3"),
        (("--layers", ""), "--layers"),
        (("--layers", "one"), "one"),
        (("--layers", "-1"), "--layers"),
        (("--layers", "0-999999999"), "range"),
        (("--head-count", "3"), "Head count 3"),
        (("--head-count", "0"), "Head count 0"),
        (("--head-count", "-4"), "-4"),
        (("--head-count", "two"), "two"),
        (("--logits",), "logits"),
        (("--nonsense",), "nonsense"),
    ],
)
def test_attend_refuses_what_the_model_does_not_have(
    tiny: Path, out: Path, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, out, "attend", "--model", tiny, "--text", "cat", *wrong, "-o", out / "x.npz")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--layer", "2"), "layers 0 to 1"),
        (("--layer", "-1"), "Layer -1"),
        (("--layer", "x"), "--layer"),
        (("--heads", "4"), "heads 0 to 3"),
        (("--heads", "3-1"), "3-1"),
        (("--heads", ","), "--heads"),
        (("--head-count", "2", "--heads", "2"), "heads 0 to 1"),
        (("--head-count", "1", "--heads", "1"), "just head 0"),
        (("--width", "wide"), "wide"),
        (("--width", "1in"), "1.5 to 60"),
        (("--width", "9000mm"), "1.5 to 60"),
        (("--width", "-5in"), "--width"),
        (("--dpi", "0"), "0 dpi"),
        (("--dpi", "-300"), "-300"),
        (("--dpi", "100000"), "100000 dpi"),
        (("--dpi", "many"), "many"),
        (("--width", "60in", "--dpi", "4800"), "pixels"),
        (("--strongest", "0"), "--strongest 0"),
        (("--strongest", "101"), "--strongest 101"),
        (("--strongest", "nan"), "--strongest nan"),
        (("--min-weight", "1.5"), "--min-weight 1.5"),
        (("--min-weight", "nan"), "--min-weight nan"),
        (("--min-weight", "0.1", "--strongest", "50"), "not allowed"),
        (("--focus", "dog"), "dog"),
        (("--focus", "99"), "99"),
        (("--theme", "pink"), "pink"),
        (("--view", "pie"), "pie"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("qapp")
def test_render_refuses_what_cannot_be_drawn(
    tiny: Path, out: Path, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...], said: str
) -> None:
    layer = () if "--layer" in wrong else ("--layer", "0")
    assert said in refused(capsys, out, "render", "--model", tiny, "--text", "cat", *layer, *wrong, "-o", out / "x.png")


@pytest.mark.parametrize(
    ("verb", "name"),
    [("attend", "x.png"), ("attend", "x"), ("attend", ""), ("render", "x.npz"), ("render", "x"), ("render", "x.jpg")],
)
@pytest.mark.usefixtures("qapp")
def test_another_ending_is_refused(tiny: Path, out: Path, capsys: pytest.CaptureFixture[str], verb: str, name: str) -> None:
    rest = ("--layer", 0) if verb == "render" else ()
    assert "ending" in refused(capsys, out, verb, "--model", tiny, "--text", "cat", *rest, "-o", out / name)


@pytest.mark.parametrize(("verb", "name"), [("attend", "x.npz"), ("render", "x.svg")])
@pytest.mark.usefixtures("qapp")
def test_a_place_that_cannot_be_written_is_refused(
    tiny: Path, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str, name: str
) -> None:
    rest = ("--layer", 0) if verb == "render" else ()
    command = (verb, "--model", tiny, "--text", "cat", *rest, "-o")
    assert "nowhere" in refused(capsys, out, *command, out / "nowhere" / name)
    (out / name).mkdir()
    assert "folder" in refused(capsys, out, *command, out / name)
    (out / name).rmdir()
    (out / name).write_text("old")
    assert str(out / name) in refused(capsys, out, *command, out / name / name)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", denied)
    assert "permission denied" in refused(capsys, out, *command, out / name)


@pytest.mark.parametrize(
    "arguments",
    [
        ("attend",),
        ("render",),
        ("get",),
        ("get", "a/b", "c/d"),
        ("get", "a/b", "--variant"),
        ("nonsense",),
        ("attend", "--text", "cat"),
        ("render", "--text", "cat", "-o"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(
    out: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert "--help" in refused(capsys, out, *arguments)


def test_an_interrupt_is_said_and_is_status_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(recent: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("attnviz.library.discovery.find_models", interrupted)
    assert run("models") == 130
    assert capsys.readouterr().err == "attnviz: stopped.\n"


def test_a_model_in_the_place_of_a_verb_is_told_where_it_belongs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([str(tmp_path)])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "give --model before it" in line


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("view", ["arcs", "grid", "matrix", "steps"])
def test_each_picture_is_drawn_in_each_form(out: Path, tiny: Path, view: str, suffix: str) -> None:
    layer = [] if view == "grid" else ["--layer", "1"]
    path = out / f"x{suffix}"
    assert run("render", "--model", tiny, "--text", "the cat sings", "--view", view, *layer, "--width", "6in", "-o", path) == 0
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml", b"%PDF-")


@pytest.mark.parametrize("suffix", [".npz", ".json", ".csv"])
@pytest.mark.parametrize("view", ["arcs", "grid", "matrix", "steps"])
def test_what_each_picture_shows_is_written_in_each_form(out: Path, tiny: Path, view: str, suffix: str) -> None:
    layers = [] if view == "grid" else ["--layers", "1"]
    path = out / f"x{suffix}"
    assert run("attend", "--model", tiny, "--text", "the cat sings", "--view", view, *layers, "-o", path) == 0
    assert path.stat().st_size > 200


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--view", "grid", "--layers", "1"], "leave out --layers and --heads"),
        (["--view", "grid", "--heads", "1"], "leave out --layers and --heads"),
        (["--view", "steps"], "name it with --layers"),
        (["--view", "steps", "--layers", "0,1"], "name it with --layers"),
        (["--view", "steps", "--layers", "1", "--heads", "0,1"], "name one with --heads"),
        (["--specials", "--treat", "hide"], "not allowed with argument"),
    ],
)
def test_a_choice_that_a_picture_does_not_have_is_refused_rather_than_ignored(
    out: Path, tiny: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert says in refused(capsys, out, "attend", "--model", tiny, "--text", "the cat", *options, "-o", out / "x.npz")


def test_only_the_grid_draws_without_a_layer(out: Path, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for view in ("arcs", "matrix", "steps"):
        line = refused(capsys, out, "render", "--model", tiny, "--text", "the cat", "--view", view, "-o", out / "x.png")
        assert "Name it with --layer" in line


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--sinks", "nonsense"], "is not a list of special, first, punctuation"),
        (["--heads", "99"], "Head 99 does not exist"),
        (["--focus", "dog"], 'no token "dog"'),
        (["--quantity", "nonsense"], "invalid choice"),
        (["--texts", "nonsense"], "invalid choice"),
        (["--treat", "nonsense"], "invalid choice"),
    ],
)
def test_a_view_that_cannot_be_is_one_line(
    out: Path, tiny: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    for verb, layer, name in (("render", ["--layer", "0"], "x.png"), ("attend", [], "x.npz")):
        assert says in refused(capsys, out, verb, "--model", tiny, "--text", "the cat", *layer, *options, "-o", out / name)


def test_the_choices_are_those_that_a_view_has() -> None:
    (table,) = (action for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction))
    options = {option: action for action in table.choices["render"]._actions for option in action.option_strings}
    fields = {
        "--view": PictureKind,
        "--quantity": Quantity,
        "--treat": Treatment,
        "--texts": Between,
        "--attention": Kind,
        "--summary": SummaryName,
        "--background": Background,
    }
    for option, kinds in fields.items():
        assert set(options[option].choices) == set(get_args(kinds)), option
    assert set(SINKS) == set(get_args(SinkKind))
