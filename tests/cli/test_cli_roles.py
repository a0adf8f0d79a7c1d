"""`attnviz roles`: what it prints and writes, that Ctrl+C loses nothing, what it refuses in one line."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz import cli
from attnviz.cli.measuring import MeasuringLine
from attnviz.cli.roles_lines import role_lines
from attnviz.corpus.opening import open_corpus
from attnviz.engine.model import Model, load_model
from attnviz.probing.kept import Shelf, shelves_folder
from attnviz.probing.roles import measure_heads
from attnviz.probing.summary import kept_summary, summary_of
from attnviz.scene.atlas.words import counts_line
from tests.corpus.template import N, write_conllu, write_json_lines, write_template_model
from tests.probing.made_up import made_up_roles
from tests.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attnviz.probing.roles import HeadRoles

MUTED = 3


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roles")
    write_json_lines(folder / "made.jsonl")
    write_conllu(folder / "made.conllu")
    write_template_model(folder / "bert")
    write_template_model(folder / "gpt", causal=True)
    return folder


@pytest.fixture(scope="module", autouse=True)
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder of these tests' own: numbers are measured once, and none of the person's are touched."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("ATTNVIZ_DATA", str(folder))
        yield folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def measured(base: Path) -> HeadRoles:
    """What the command measures, by hand."""
    return measure_heads(load_model(base / "bert"), open_corpus(base / "made.jsonl"), muted=MUTED, shelf=Shelf(None))


def run(*arguments: object) -> int:
    try:
        return cli.main(["roles", *map(str, arguments)])
    except SystemExit as exit_:
        return int(exit_.code)


def command(base: Path, model: str = "bert", corpus: str = "made.jsonl", muted: int = MUTED) -> tuple[object, ...]:
    return "--model", base / model, "--corpus", base / corpus, "--muted", muted


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run(*arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def paragraph(text: str, start: str) -> str:
    """The sentence that begins so, its lines as one."""
    found = re.search(rf"^{re.escape(start)}.*(?:\n  .*)*", text, re.MULTILINE)
    assert found is not None, text
    return " ".join(found[0].split())


def table(text: str) -> dict[str, dict[str, list[str]]]:
    """The printed table: by head and role, the cells behind it."""
    rows: dict[str, dict[str, list[str]]] = {}
    head = ""
    for line in text[text.index("HEAD ") :].split("\n\n")[0].splitlines()[1:]:
        name, *cells = re.split(r" {2,}", line)
        head = name or head
        rows.setdefault(head, {})[cells[0]] = cells[1:]
    return rows


def refused(capsys: pytest.CaptureFixture[str], out: Path, *arguments: object) -> str:
    return refusal(capsys, out, run, *arguments)


# What it prints


def test_each_head_with_a_job_has_a_line_with_all_that_it_stands_on(
    base: Path, measured: HeadRoles, capsys: pytest.CaptureFixture[str]
) -> None:
    found = table(printed(capsys, *command(base)))
    expected: dict[str, dict[str, list[str]]] = {}
    for layer, head in np.ndindex(measured.n_layer, measured.n_head):
        for role in measured.roles(layer, head):
            if role.measure.group != "rest":
                figures = [f"{100 * role.score:.0f} %", f"[{100 * role.low:.0f}–{100 * role.high:.0f}]"]
                figures += [f"{100 * role.baseline:.0f} %", role.measured.baseline.name, f"{role.measured.n_case:,}"]
                expected.setdefault(f"L{layer}.H{head}", {})[role.measure.title] = figures
    assert found == expected
    assert set(found) >= {"L0.H0", "L0.H1", "L1.H2"}
    assert list(found["L0.H0"]) == ["previous token"]
    assert found["L0.H1"]["determiner → noun"] == ["100 %", "[100–100]", "53 %", "nearest content word", str(2 * N)]


def test_heads_that_rest_and_heads_without_a_role_are_counted(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = counts_line(3, 1, 2)
    assert paragraph(printed(capsys, *command(base)), counts[:20]) == f"{counts}. Resting places: first token 1."


def test_what_was_not_measured_is_said_with_the_reason_and_never_as_zero(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, *command(base))
    told = paragraph(text, "Not measured: ")
    assert text.count("Not measured: ") == 1
    assert "retrieval (measured of models that write)" in told
    assert told.count("(it never occurs in this corpus)") == 1
    assert "auxiliary → verb and back" in told
    assert "pronoun → antecedent" in told
    assert "8 tokens back" in told
    assert not any("auxiliary → verb" in roles for roles in table(text).values())


def test_a_relation_with_few_cases_is_said_to_have_few(tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *sentences = (base / "made.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "few.jsonl").write_text("\n".join([header, *sentences[:8]]), encoding="utf-8")
    text = printed(capsys, "--model", base / "bert", "--corpus", tmp_path / "few.jsonl", "--muted", 0)
    told = paragraph(text, "Too few for a role, which asks for 20 cases in 10 texts:")
    assert "determiner → noun and back" in next(part for part in told.split("; ") if "(16 in 8)" in part)
    assert "HEAD " not in text  # none has a role, so there is no table


def test_the_heads_that_matter_most_are_named_unless_none_was_muted(
    base: Path, measured: HeadRoles, capsys: pytest.CaptureFixture[str]
) -> None:
    told = paragraph(printed(capsys, *command(base)), "Muted, these heads")
    assert measured.importance is not None
    layer, head = np.unravel_index(measured.importance.score.argmax(), measured.importance.score.shape)
    assert f"{MUTED} sentences): L{layer}.H{head} {measured.importance.score.max():.3f}" in told
    assert "Muted" not in printed(capsys, *command(base, muted=0))


def test_a_causal_model_is_said_to_look_back_alone(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, *command(base, "gpt"))
    told = paragraph(text, "Not measured: ")
    assert "next token, 2–8 tokens ahead (the model looks back alone)" in told
    (ahead,) = (part for part in told.removeprefix("Not measured: ").split("; ") if part.startswith("determiner → noun,"))
    assert "determiner → noun and back" not in ahead
    assert ahead.rstrip(".").endswith("(it never occurs in this corpus where the model, which looks back alone, can see it)")
    assert re.search(r"^Left out: \d+ links that a model that looks back alone cannot see\.$", text, re.MULTILINE)
    assert "previous token" in table(text)["L0.H0"]


def test_words_that_the_tokenizer_does_not_tell_apart_are_counted_with_an_example(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, *sentences = (base / "made.jsonl").read_text(encoding="utf-8").splitlines()
    glued = {"id": "glued\x1b", "text": "itsaw it .", "words": ["it", "saw", "it", "."], "pairs": [["nsubj", 0, 1]]}
    (tmp_path / "glued.jsonl").write_text("\n".join([header, json.dumps(glued), *sentences]), encoding="utf-8")
    text = printed(capsys, "--model", base / "bert", "--corpus", tmp_path / "glued.jsonl", "--muted", 0)
    told = paragraph(text, "Left out: 1 pair of words that the tokenizer does not tell apart")
    assert told.endswith('the first in glued?: "it" and "saw".')


def test_sentences_that_the_model_cannot_read_are_named(tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *sentences = (base / "made.jsonl").read_text(encoding="utf-8").splitlines()
    words = ["it"] * 600
    endless = [{"id": f"endless-{number}", "text": " ".join(words), "words": words} for number in range(7)]
    (tmp_path / "long.jsonl").write_text("\n".join([header, *map(json.dumps, endless), *sentences]), encoding="utf-8")
    text = printed(capsys, "--model", base / "bert", "--corpus", tmp_path / "long.jsonl", "--muted", 0)
    told = paragraph(text, "Left out: 7 sentences that the model cannot read whole")
    assert told.endswith("(endless-0, endless-1, endless-2, endless-3, endless-4 and 2 more).")


def test_the_result_stands_last_after_all_that_could_not_be_measured(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, *command(base))
    starts = ["HEAD ", "Not measured: ", "A head has a role", counts_line(3, 1, 2)[:20], "Muted, these heads"]
    places = [text.index(start) for start in starts]
    assert places == sorted(places)
    assert "\n\n" not in text[places[2] :]


def test_a_corpus_of_nothing_is_told_in_few_lines(tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        {"format": "attnviz-corpus", "version": 1, "name": "own"},
        {"id": "one", "text": "it saw it", "words": ["it", "saw", "it"]},
    ]
    (tmp_path / "one.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    text = printed(capsys, "--model", base / "bert", "--corpus", tmp_path / "one.jsonl", "--muted", 0)
    told = paragraph(text, "Not measured: ")
    assert told.startswith("Not measured: all of grammar and meaning, ")
    assert "determiner" not in text
    assert "–8 tokens back, " in told
    few = paragraph(text, "Too few for a role")
    assert few.count("(3 in 1)") == few.count("(2 in 1)") == 1


def test_roles_that_need_no_corpus_are_named() -> None:
    roles = made_up_roles(6, 8)
    texts = tuple(replace(text, sentence=None) for text in roles.plan.texts)
    counts = [" ".join(" ".join(role_lines(one)).split()) for one in (roles, replace(roles, plan=replace(roles.plan, texts=texts)))]
    titles = {role.measure.title for layer in range(6) for head in range(8) for role in roles.roles(layer, head)}
    assert "generated" not in counts[0]
    (named,) = re.findall(r"Found in generated texts, which need no corpus: (.*?)\.(?= [A-Z])", counts[1])
    assert set(named.split(", ")) == titles


def test_of_a_model_with_sides_the_attention_is_named() -> None:
    roles = made_up_roles(1, 2)
    assert role_lines(roles, has_sides=True)[0] == f"{roles.model}: 1 layer of 2 heads, encoder attention, as trained"
    assert role_lines(roles)[0] == f"{roles.model}: 1 layer of 2 heads, as trained"


def test_progress_is_shown_on_a_terminal_and_taken_away(
    base: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run(*command(base)) == 0
    shown = capsys.readouterr().err.split("\r\x1b[K")
    assert shown[1] == "opening bert"
    assert re.fullmatch(r"reading: [\d,]+ of [\d,]+ texts", shown[2])
    assert re.fullmatch(r"muting heads: 2 of 2 layers", shown[-2])
    assert shown[-1] == ""  # nothing is left standing


# What it keeps


def test_the_roles_in_short_are_kept_for_the_window(base: Path, measured: HeadRoles, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, *command(base))
    assert kept_summary(measured.model_sha256) == summary_of(measured)


def test_ctrl_c_ends_it_and_the_same_command_goes_on(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("attnviz.probing.plan.PACK_TOKENS", 40)  # so that there are many packs, read one after the other
    monkeypatch.setattr("attnviz.probing.numbers.n_processor", lambda: 1)
    read: list[int] = []
    told, reads = MeasuringLine.reading, Model.read_packed

    def pressed(self: MeasuringLine, done: int, total: int) -> None:
        told(self, done, total)
        signal.raise_signal(signal.SIGINT)

    def counted(self: Model, texts: Any, *see: Any, **named: Any) -> Any:
        if see:  # a run without it is one for the importance
            read.append(len(texts))
        return reads(self, texts, *see, **named)

    monkeypatch.setattr(Model, "read_packed", counted)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(MeasuringLine, "reading", pressed)
        assert run(*command(base)) == 130
    out, err = capsys.readouterr()
    assert (out, err) == ("", "attnviz: stopped; what was measured is kept, and the same command goes on from there.\n")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    packs = len(list(shelves_folder().glob("*/pack-*.npz")))
    read.clear()
    text = printed(capsys, *command(base))
    whole = len(list(shelves_folder().glob("*/pack-*.npz")))
    assert 1 == packs < whole
    assert len(read) == whole - packs  # what was there is not read again
    assert printed(capsys, *command(base)) == text
    assert len(read) == whole - packs


def test_ctrl_c_before_anything_is_measured_promises_nothing(
    base: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("attnviz.engine.model.load_model", interrupted)
    assert run(*command(base)) == 130
    assert capsys.readouterr().err == "attnviz: stopped.\n"


# What it writes


def test_the_json_file_has_the_scores_that_were_measured(base: Path, out: Path, measured: HeadRoles) -> None:
    assert run(*command(base), "-o", out / "x.json") == 0
    written = json.loads((out / "x.json").read_text(encoding="utf-8"))
    found = {one["key"]: one for one in written["measures"]}
    assert list(found) == list(measured.by_key)
    for key, one in measured.by_key.items():
        assert found[key]["cases"] == one.n_case
        if one.n_case:
            np.testing.assert_array_equal(np.array(found[key]["score"], np.float32), one.score)
    assert written["provenance"]["corpus"] == "made by a template"
    assert written["provenance"]["model_sha256"] == measured.model_sha256


def test_a_treebank_gives_the_numbers_of_the_same_corpus_in_json_lines(base: Path, out: Path) -> None:
    for name in ("made.jsonl", "made.conllu"):
        assert run(*command(base, corpus=name), "-o", out / f"{name}.json") == 0
    own, treebank = (json.loads((out / f"{name}.json").read_text(encoding="utf-8")) for name in ("made.jsonl", "made.conllu"))
    assert own["measures"] == treebank["measures"]
    assert own["heads"] == treebank["heads"]
    assert own["provenance"]["corpus_sha256"] != treebank["provenance"]["corpus_sha256"]


@pytest.mark.parametrize("name", ["x.csv", "x.json"])
def test_measured_anew_the_file_is_the_same_to_the_byte(
    base: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert run(*command(base), "-o", out / name) == 0
    kept = (out / name).read_bytes()
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "elsewhere"))
    assert run(*command(base), "-o", out / name) == 0
    assert (out / name).read_bytes() == kept


def test_the_csv_file_is_read_as_a_table(base: Path, out: Path, measured: HeadRoles) -> None:
    assert run(*command(base), "-o", out / "x.csv") == 0
    lines = (out / "x.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("# ")))
    (row,) = (row for row in rows if (row["layer"], row["head"], row["measure"]) == ("0", "1", "det>"))
    assert (row["score"], row["role"], row["cases"]) == ("1.0", "True", str(2 * N))
    assert {row["measure"] for row in rows} == {"importance", *(key for key, one in measured.by_key.items() if one.n_case)}


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("x.svg", (), "previous token"),
        ("x.svg", ("--colour", "importance"), "importance"),
        ("x.svg", ("--colour", "det>", "--theme", "dark"), "determiner"),
        ("x.png", ("--width", "140mm", "--dpi", 96, "--transparent"), None),
        ("x.pdf", ("--background", "theme"), None),
    ],
)
@pytest.mark.usefixtures("qapp")
def test_a_figure_is_drawn_in_each_form_and_colour(
    base: Path, out: Path, name: str, options: tuple[object, ...], said: str | None
) -> None:
    assert run(*command(base), *options, "-o", out / name) == 0
    content = (out / name).read_bytes()
    assert content[:5] in (b"\x89PNG\r", b"<?xml", b"%PDF-")
    if said is not None:
        drawn = content.decode()
        assert said in drawn
        assert "made by a template" in drawn


@pytest.mark.usefixtures("qapp")
def test_a_figure_says_where_it_comes_from(base: Path, out: Path, measured: HeadRoles) -> None:
    assert run(*command(base), "--colour", "det>", "-o", out / "x.svg") == 0
    drawn = (out / "x.svg").read_text(encoding="utf-8")
    (desc,) = re.findall(r"<desc>(.*?)</desc>", drawn, re.DOTALL)
    facts = json.loads(desc.replace("&quot;", '"').replace("&gt;", ">"))
    assert (facts["picture"], facts["colour"], facts["model_sha256"]) == ("atlas", "det>", measured.model_sha256)
    first = (out / "x.svg").read_bytes()
    assert run(*command(base), "--colour", "det>", "-o", out / "x.svg") == 0
    assert (out / "x.svg").read_bytes() == first


def test_without_a_figure_qt_is_never_loaded(base: Path, out: Path) -> None:
    code = (
        "import sys\nfrom attnviz.cli import main\nassert main(sys.argv[1:]) == 0\n"
        "assert not {'PySide6', 'shiboken6'} & {name.split('.')[0] for name in sys.modules}\n"
    )
    arguments = ["roles", *map(str, command(base)), "-o", str(out / "x.csv")]
    done = subprocess.run([sys.executable, "-W", "error", "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# What it refuses


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--corpus", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--corpus", "x.txt"), ".conllu"),
        (("--model", "no-such-model"), "attnviz models"),
        (("--muted", "-1"), "--muted"),
        (("--muted", "some"), "not a whole number"),
        (("--colour", "role"), "--colour is for a figure"),
        (("--text", "It was tired."), "--help"),
        (("extra",), "--help"),
        (("-o", "x.npz"), "the ending says the form"),
        (("-o", "x"), "the ending says the form"),
        (("-o", "nowhere/x.csv"), "there is no such folder"),
        (("-o", "x.json", "--colour", "role"), "--colour is for a figure"),
        (("-o", "x.png", "--colour", "nonsense"), "choose role, importance or a measure: previous"),
        (("-o", "x.png", "--colour", "importance", "--muted", "0"), "leave out --muted 0"),
        (("-o", "x.png", "--width", "wide"), "is not a length"),
        (("-o", "x.png", "--width", "1in"), "1.5 to 60"),
        (("-o", "x.png", "--dpi", "0"), "0 dpi"),
        (("-o", "x.png", "--theme", "pink"), "pink"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("qapp")
def test_what_cannot_be_done_is_said_before_anything_is_measured(
    base: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(out)
    monkeypatch.setattr("attnviz.probing.roles.measure_heads", None)
    told = () if "--model" in options else ("--model", base / "bert")
    assert said in refused(capsys, out, *told, *options)


def test_what_is_wrong_in_a_corpus_is_said_with_its_line(
    base: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (base / "made.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "bad.jsonl").write_text("\n".join([*lines[:4], "{"]), encoding="utf-8")
    line = refused(capsys, out, "--model", base / "bert", "--corpus", tmp_path / "bad.jsonl", "-o", out / "x.csv")
    assert "bad.jsonl, line 5" in line


@pytest.mark.usefixtures("qapp")
def test_the_score_of_what_never_occurs_is_not_drawn(base: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, out, *command(base), "--colour", "aux>", "-o", out / "x.svg")
    assert "it never occurs in this corpus" in line


def test_a_folder_in_the_place_of_the_file_is_refused(base: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "x.csv").mkdir()
    assert "folder" in refused(capsys, out, *command(base), "-o", out / "x.csv")
