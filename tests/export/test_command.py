"""The command that a picture gives writes that picture again, to the byte."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from attnviz.analysis.edges import Threshold
from attnviz.cli import main
from attnviz.export.command import figure_command, numbers_command
from attnviz.export.figure import Paper, save_figure
from attnviz.export.shown import save_shown
from attnviz.session.grid_choice import GridChoice
from attnviz.session.request import Request
from attnviz.session.run import Run, Runner
from attnviz.session.view import HeadChoice, Sinks, View
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

TEXT: Final = '- the fox\'s "den" $HOME 3 times'
HEADS: Final = HeadChoice(frozenset({0, 2}), 6)
VIEWS: Final = {
    "arcs": View(1, HEADS, focus=3, threshold=Threshold("weight", 0.15)),
    "words": View(0, words=True, sinks=Sinks(frozenset({"special", "punctuation"}), "renormalise"), quantity="norms", is_mean=True),
    "matrix": View(1, HeadChoice(frozenset({1}), 6), picture="matrix", is_log=True, sinks=Sinks(frozenset(), "hide")),
    "linear matrix": View(1, HEADS, picture="matrix", is_log=False),
    "rollout": View(1, HEADS, picture="matrix", quantity="rollout", sinks=Sinks(frozenset({"first"}), "dim")),
    "grid": View(1, picture="grid", grid=GridChoice("entropy", True, 0.5, 1.5)),
    "rolled grid": View(0, HEADS, picture="grid", quantity="rollout"),
    "steps": View(1, HEADS, focus=4, picture="steps"),
}
each_view: Final = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("tiny bert")
    write_model("bert-mlm", folder)
    return Runner().run(Request(folder, TEXT, "what?", 6))


def again(command: str) -> None:
    """Run a command as a shell would."""
    name, *arguments = shlex.split(command)
    assert name == "attnviz"
    assert main(arguments) == 0


@each_view
@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_figure_comes_out_the_same(qapp: QApplication, run: Run, tmp_path: Path, view: View, suffix: str) -> None:
    paper = Paper(6.25, 90, "dark", "theme") if view.is_mean else Paper(7.0, 72, "light", "theme")
    first, second = tmp_path / f"a {suffix}", tmp_path / f"b {suffix}"
    save_figure(run, view, first, paper)
    again(figure_command(run, view, second, paper))
    assert first.read_bytes() == second.read_bytes()


@each_view
def test_numbers_come_out_the_same(run: Run, tmp_path: Path, view: View) -> None:
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    save_shown(run, view, first)
    again(numbers_command(run, view, second, is_shown_only=True))
    with np.load(first) as one, np.load(second) as other:
        assert set(one) == set(other)
        for name in set(one) - {"provenance"}:
            assert np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")


def test_the_numbers_of_the_whole_run_come_out_the_same(run: Run, tmp_path: Path) -> None:
    again(numbers_command(run, View(), tmp_path / "x.npz", is_shown_only=False))
    with np.load(tmp_path / "x.npz") as file:
        assert np.array_equal(file["attention"][1], run.trace.attention(1))


def test_a_decoders_attention_and_text_are_named(qapp: QApplication, tmp_path: Path) -> None:
    write_model("t5-tied", tmp_path)
    run = Runner().run(Request(tmp_path, "the fox", "the den"))
    view = View(1, kind="cross", focus=len(run.trace.tokens))
    save_figure(run, view, tmp_path / "a.svg", Paper())
    again(figure_command(run, view, tmp_path / "b.svg", Paper()))
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
