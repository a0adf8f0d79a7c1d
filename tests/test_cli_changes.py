"""Changed heads, set weights and written tokens from the command line, and the commands that write them again."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.cli import main
from attnviz.engine.changes import NOTHING, Changes, HeadAt, WeightAt
from attnviz.engine.model import load_model
from attnviz.export.command import figure_command, numbers_command
from attnviz.export.figure import Paper, save_figure
from attnviz.session.request import Request
from attnviz.session.run import Runner
from attnviz.session.view import HeadChoice, View
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

TEXT = "the cat sings in the house"


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return write_model("bert-mlm", tmp_path / "encoder")


@pytest.fixture
def writer(tmp_path: Path) -> Path:
    return write_model("llama-gqa", tmp_path / "writer")


def attended(folder: Path, tmp_path: Path, *options: str) -> dict[str, np.ndarray]:
    """What `attend` writes with these options."""
    file = tmp_path / "x.npz"
    assert main(["attend", "--model", str(folder), f"--text={TEXT}", *options, "-o", str(file)]) == 0
    with np.load(file) as arrays:
        return dict(arrays)


def refusal(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, *options: str) -> str:
    """The one line with which `attend` refuses these options."""
    file = tmp_path / "x.npz"
    assert main(["attend", "--model", str(folder), f"--text={TEXT}", *options, "-o", str(file)]) == 2
    assert not file.exists()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        (("--mute", "L1.H0,L0.H2"), NOTHING.with_muted(HeadAt("encoder", 1, 0), True).with_muted(HeadAt("encoder", 0, 2), True)),
        (("--mute", "L1.H0", "--muting", "uniform"), NOTHING.with_muted(HeadAt("encoder", 1, 0), True).with_muting("uniform")),
        (("--mute", "L0.H0", "--muting", "frozen"), NOTHING.with_muted(HeadAt("encoder", 0, 0), True).with_muting("frozen")),
        (
            ("--strength", "L1.H1=0.25", "--strength", "L0.H0=2"),
            NOTHING.with_strength(HeadAt("encoder", 1, 1), 0.25).with_strength(HeadAt("encoder", 0, 0), 2.0),
        ),
        (("--weight", "L1.H2:#1>#3=0.5"), NOTHING.with_weight(WeightAt("encoder", 1, 2, 1, 3), 0.5)),
        (("--weight", "L1.H2:the>in=0.5"), None),
        (("--weight", "encoder:L1.H2:#1>#3=0.5"), NOTHING.with_weight(WeightAt("encoder", 1, 2, 1, 3), 0.5)),
    ],
)
def test_the_options_change_the_run(encoder: Path, tmp_path: Path, options: tuple[str, ...], changes: Changes | None) -> None:
    model = load_model(encoder)
    tokens = model.trace(TEXT).tokens
    if changes is None:
        changes = NOTHING.with_weight(WeightAt("encoder", 1, 2, tokens.index("the"), tokens.index("in")), 0.5)
    written = attended(encoder, tmp_path, *options)
    trace = model.trace(TEXT, changes=changes)
    assert np.array_equal(written["hidden"], trace.hidden)
    assert np.array_equal(written["attention"][1], trace.attention(1))
    facts = json.loads(str(written["provenance"]))
    assert facts["changes"]["muting"] == changes.muting
    assert len(facts["changes"]["muted"]) == len(changes.muted)
    assert facts["cosine_to_trained"] < 1.0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--mute", "L1H0"), "write heads as L3.H1"),
        (("--mute", "L9.H0"), "There is no layer 9"),
        (("--mute", "L0.H9"), "There is no head 9"),
        (("--strength", "L0.H1"), "write L3.H1=0.5"),
        (("--strength", "L0.H1=2.5"), "between 0 and 2"),
        (("--weight", "L0.H1:#1=0.5"), "write L3.H1:it>animal=0.1"),
        (("--weight", "L0.H1:nobody>the=0.5"), 'no token "nobody"'),
        (("--weight", "L0.H1:#1>#99=0.5"), "There is no key token 99"),
        (("--weight", "L0.H1:#1>#2=0.7", "--weight", "L0.H1:#1>#3=0.7"), "sums to 1"),
        (("--mute", "cross:L0.H1"), 'no "cross" attention'),
        (("--written", "3,x"), "numbers of tokens"),
        (("--write", "2"), "does not write"),
        (("--temperature", "-1"), "--temperature"),
    ],
)
def test_what_cannot_be_changed_is_refused_in_one_line(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refusal(capsys, encoder, tmp_path, *options)


def test_a_model_writes_and_its_tokens_can_be_given_again(writer: Path, tmp_path: Path) -> None:
    written = attended(writer, tmp_path, "--write", "4")
    ids = json.loads(str(written["provenance"]))["written"]
    assert len(ids) == 4
    again = attended(writer, tmp_path, "--written", ",".join(map(str, ids)))
    assert again["ids"].tolist() == written["ids"].tolist()
    assert np.allclose(again["hidden"], written["hidden"], atol=2e-5)
    drawn = [attended(writer, tmp_path, "--write", "6", "--temperature", "3", "--seed", seed)["ids"].tolist() for seed in "0012"]
    assert drawn[0] == drawn[1]
    assert len({tuple(ids) for ids in drawn}) > 1


def test_the_command_of_a_changed_picture_writes_it_again(qapp: QApplication, encoder: Path, tmp_path: Path) -> None:
    changes = NOTHING.with_muted(HeadAt("encoder", 0, 1), True).with_muting("frozen")
    changes = changes.with_strength(HeadAt("encoder", 1, 2), 1.0 / 3.0).with_weight(WeightAt("encoder", 1, 1, 2, 5), 1e-6)
    run = Runner().run(Request(encoder, TEXT, changes=changes))
    view = View(1, HeadChoice(frozenset({1}), 3), focus=2)
    save_figure(run, view, tmp_path / "a.svg", Paper())
    name, *arguments = shlex.split(figure_command(run, view, tmp_path / "b.svg", Paper()))
    assert name == "attnviz"
    assert main(arguments) == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert "were silent" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_the_command_of_a_written_text_keeps_prompt_and_tokens_apart(writer: Path, tmp_path: Path) -> None:
    runner = Runner()
    run = runner.run(Request(writer, TEXT, written=(5, 9, 14)))
    name, *arguments = shlex.split(numbers_command(run, View(), tmp_path / "x.json", is_shown_only=False))
    assert name == "attnviz"
    assert f"--text={TEXT}" in arguments
    assert main(arguments) == 0
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["ids"][-3:] == [5, 9, 14]


def test_a_decoders_cross_attention_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_model("t5-tied", tmp_path / "two sides")
    changes = NOTHING.with_muted(HeadAt("cross", 1, 0), True)
    run = Runner().run(Request(folder, TEXT, "a dog", changes=changes))
    name, *arguments = shlex.split(numbers_command(run, View(), tmp_path / "x.npz", is_shown_only=False))
    assert name == "attnviz"
    assert main(arguments) == 0
    assert "cross L1.H0 were silent" in capsys.readouterr().err
    with np.load(tmp_path / "x.npz") as file:
        assert np.array_equal(file["decoder_hidden"], run.trace.decoder_hidden)
