"""`attnviz compare`: what it prints and writes, what it takes over for the other run, what it refuses in one line."""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz import cli
from attnviz.cli.compare import options_of_other
from attnviz.cli.options import add_what_to_run
from attnviz.cli.parser import make_parser
from attnviz.session.measures import MEASURE_NAMES
from tests.engine.tiny_bert import write_bert
from tests.golden.families_reader import write_model
from tests.refusals import refusal
from tests.session.compared import BOY, TIRED, WIDE

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> int:
    try:
        return cli.main(["compare", *map(str, arguments)])
    except SystemExit as exit_:
        return int(exit_.code)


def refused(capsys: pytest.CaptureFixture[str], out: Path, *arguments: object) -> str:
    return refusal(capsys, out, run, *arguments)


def table(printed: str) -> dict[str, list[str]]:
    """The rows of a printed table by their names."""
    rows = {}
    for line in printed.splitlines():
        name = next((text for text in MEASURE_NAMES.values() if line.startswith(text)), None)
        if name is not None:
            rows[name] = line.removeprefix(name).replace(" %", "%").split()
    return rows


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_bert(tmp_path / "tiny")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


# What it prints


def test_one_head_against_twelve_as_a_table(minilm_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--model", minilm_path, "--text", BOY, "--head-count", 1, "--with-trained") == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[:2] == ["A  with 1 head", "B  trained with 12 heads"]
    assert table(printed.out) == {
        "heads": ["1", "12"],
        "entropy of a row, nats": ["1.14", "1.67"],
        "distinct targets per token": ["1.00", "5.96"],
        "largest weight of a row": ["0.13", "0.20"],
        "distance to the keys, tokens": ["1.69", "2.51"],
        "share on sinks": ["85%", "53%"],
        "cosine of the output to the trained run": ["0.63", "1.00"],
    }
    assert "What if this model had 1 head" in printed.err


def test_with_a_layer_its_own_measures_stand_beside_the_means(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--model", tiny, "--text", "the cat sings", "--with-text", "the cat", "--layer", 1, "--specials") == 0
    printed = capsys.readouterr().out
    assert "layer 1   mean of all layers" in printed
    assert {len(values) for values in table(printed).values()} == {4}
    lines = [line for line in printed.splitlines() if any(line.startswith(text) for text in MEASURE_NAMES.values())]
    assert len({len(line) for line in lines}) == 1  # in columns


def test_the_cosines_of_a_token_are_printed_layer_by_layer(minilm_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ("--text", "I deposited money in the bank.", "--with-text", "She opened an account at the bank.")
    assert run("--model", minilm_path, *texts, "--cosines", "bank") == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'cosine of the vectors of "bank" in A and "bank" in B' in lines
    assert {"entering layer 0   0.99", "entering layer 5   0.92", "leaving layer 5    0.86"} <= set(lines)
    assert not any(line.startswith("entropy") for line in lines)


def test_measures_are_printed_beside_a_file_where_they_are_asked_for(
    tiny: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--model", tiny, "--text", "the cat", "--with-trained", "--layer", 0, "-o", out / "x.json")
    assert run(*arguments) == 0
    assert capsys.readouterr().out == ""
    assert run(*arguments, "--measures") == 0
    assert "entropy" in capsys.readouterr().out


# What it writes


@pytest.mark.parametrize("form", ["png", "svg", "pdf", "npz", "json", "csv"])
@pytest.mark.parametrize("view", ["arcs", "matrix"])
@pytest.mark.parametrize("setting", ["side", "difference"])
@pytest.mark.usefixtures("qapp")
def test_every_form_of_every_picture_is_written(tiny: Path, out: Path, form: str, view: str, setting: str) -> None:
    arguments = ("--layer", 1, "--heads", "0,2", "--view", view, "--setting", setting, "--dpi", 90, "--focus", "cat")
    assert run("--model", tiny, "--text", "the cat", "--with-text", "a cat sings", *arguments, "-o", out / f"x.{form}") == 0
    assert (out / f"x.{form}").stat().st_size > 500


def test_what_a_model_wrote_stands_behind_both(tmp_path: Path, out: Path) -> None:
    model = write_model("llama-gqa", tmp_path / "writer")
    arguments = ("--model", model, "--text", "the fox", "--write", 2, "--mute", "L0.H1", "--layer", 1, "-o", out / "x.json")
    assert run(*arguments, "--with-trained") == 0
    facts = json.loads((out / "x.json").read_text(encoding="utf-8"))["provenance"]
    assert len(facts["written"]) == 2
    assert facts["written"] == facts["against"]["written"]
    assert "changes" in facts
    assert "changes" not in facts["against"]
    assert run(*arguments, "--with-text", "the den") == 0
    facts = json.loads((out / "x.json").read_text(encoding="utf-8"))["provenance"]
    assert "written" not in facts["against"]
    assert facts["changes"] == facts["against"]["changes"]


def test_a_difference_of_equal_runs_is_nothing(tiny: Path, out: Path) -> None:
    assert run("--model", tiny, "--text", "the cat", "--with-trained", "--layer", 0, "-o", out / "x.npz") == 0
    with np.load(out / "x.npz") as file:
        assert not file["difference"].any()


# The other run


def other_options(*arguments: str) -> argparse.Namespace:
    return options_of_other(make_parser().parse_args(["compare", "--text", "a", *arguments]), (3, 4))


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("--head-count 2 --mute L0.H1 --with-trained", {"head_count": None, "mute": None, "written": "3,4"}),
        ("--head-count 2 --mute L0.H1 --with-text b", {"head_count": 2, "mute": ["L0.H1"], "text": "b", "written": None}),
        ("--weight L0.H1:a>b=1 --mute L0.H1 --with-text b", {"weight": None, "mute": ["L0.H1"]}),
        ("--mute L0.H1 --muting uniform --with-head-count 4", {"head_count": 4, "mute": None, "muting": "zero"}),
        ("--head-count 2 --with-model m", {"head_count": None, "model": "m", "text": "a", "written": None}),
        ("--head-count 2 --with-model m --with-head-count 3", {"head_count": 3, "model": "m"}),
        ("--with-trained --with-mute L1.H1 --with-muting frozen", {"mute": ["L1.H1"], "muting": "frozen"}),
        ("--pair b --with-pair=", {"pair": None, "written": None}),
        ("--write 3 --with-trained", {"write": 0, "written": "3,4"}),
        ("--write 3 --with-write 2 --with-text b", {"write": 2, "written": None}),
        ("--attention cross --with-trained", {"attention": "cross"}),
    ],
)
def test_the_other_run_is_the_same_but_for_what_is_said(arguments: str, wanted: dict[str, Any]) -> None:
    found = vars(other_options(*arguments.split()))
    assert {name: found[name] for name in wanted} == wanted


def test_every_option_of_what_to_run_has_one_for_the_other_run() -> None:
    plain = argparse.ArgumentParser(allow_abbrev=False)
    add_what_to_run(plain)
    there = vars(make_parser().parse_args(["compare", "--text", "a", "--with-trained"]))
    for name in vars(plain.parse_args(["--text", "a"])):
        assert name == "attention" or there[f"with_{name}"] is None


# What it refuses


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Compare with what?"),
        (("--with-trained", "-o", "x.txt"), "use one of .png"),
        (("--with-trained", "-o", "x.png"), "Which layer?"),
        (("--with-trained", "--layer", 7), "Layer 7 does not exist"),
        (("--with-trained", "--layer", 0, "-o", "nowhere/x.png"), "no such folder"),
        (("--with-head-count", 3), "3"),
        (("--with-mute", "L9.H0"), "no layer 9"),
        (("--with-text", ""), "The text is empty"),
        (("--with-text", "a", "--cosines", "cat"), "has no counterpart in B"),
        (("--with-text", "a", "--cosines", "dog"), 'There is no token "dog"'),
        (("--with-trained", "--view", "grid"), "invalid choice"),
        (("--with-trained", "--min-weight", 3), "--min-weight"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    tiny: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...],
    told: str,
) -> None:
    monkeypatch.chdir(out)
    assert told in refused(capsys, out, "--model", tiny, "--text", "the cat", *arguments)


def test_models_of_other_shapes_have_no_cosines(
    tiny: Path, minilm_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, out, "--model", minilm_path, "--text", "the cat", "--with-model", tiny, "--cosines", "cat")
    assert "cannot be compared" in line


def test_two_models_have_measures(tiny: Path, minilm_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--model", minilm_path, "--text", "the cat", "--with-model", tiny) == 0
    rows = table(capsys.readouterr().out)
    assert rows["heads"] == ["12", "4"]
    assert all(math.isfinite(float(value.rstrip("%"))) for values in rows.values() for value in values)


def test_help_says_how_both_runs_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    printed = capsys.readouterr().out
    for option in ("--with-trained", "--with-text", "--with-head-count", "--with-model", "--setting", "--measures", "--cosines"):
        assert option in printed
    assert f'"{TIRED}"' not in printed or WIDE
