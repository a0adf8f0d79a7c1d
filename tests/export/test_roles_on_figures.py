"""Roles on an exported grid: marked as in the window, said where they come from, and written again by the figure's command."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Final

import pytest

from attnviz.cli import main
from attnviz.export.command import figure_command
from attnviz.export.figure import Paper, figure_facts, figure_scene, save_figure
from attnviz.probing.summary import keep_summary
from attnviz.session.request import Request
from attnviz.session.run import Run, Runner
from attnviz.session.view import View
from tests.engine.tiny_bert import write_bert
from tests.probing.summaries import summary_for

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.probing.summary import RoleSummary

pytestmark = pytest.mark.usefixtures("qapp")
GRID: Final = View(1, picture="grid")
PAPER: Final = Paper(5.5, 72)
UNMARKED: Final = {
    "arcs": View(1),
    "mean": View(1, picture="grid", is_mean=True),
    "rollout": View(1, picture="grid", quantity="rollout"),
}


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bert(tmp_path_factory.mktemp("bert") / "tiny")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return Runner().run(Request(folder, "the cat sings"))


@pytest.fixture(scope="module")
def what_if(folder: Path) -> Run:
    return Runner().run(Request(folder, "the cat sings", None, 2))


@pytest.fixture(scope="module")
def roles(run: Run) -> RoleSummary:
    return summary_for(run, {(0, 1): ("obj>",), (1, 3): ("previous", "pronoun")})


def again(command: str) -> int:
    """Run a command as a shell would."""
    return main(shlex.split(command)[1:])


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_grid_with_roles_comes_out_the_same(run: Run, roles: RoleSummary, tmp_path: Path, suffix: str) -> None:
    keep_summary(roles)
    first, second, plain = (tmp_path / f"{name}{suffix}" for name in "abc")
    save_figure(run, GRID, first, PAPER, roles)
    command = figure_command(run, GRID, second, PAPER, roles)
    assert "--roles" in shlex.split(command)
    assert again(command) == 0
    assert first.read_bytes() == second.read_bytes()
    save_figure(run, GRID, plain, PAPER)
    assert plain.read_bytes() != first.read_bytes()


@pytest.mark.parametrize("view", UNMARKED.values(), ids=UNMARKED)
def test_a_picture_without_marks_is_as_if_nothing_were_known(run: Run, roles: RoleSummary, tmp_path: Path, view: View) -> None:
    assert figure_command(run, view, tmp_path / "x.png", PAPER, roles) == figure_command(run, view, tmp_path / "x.png", PAPER)
    assert figure_facts(run, view, roles) == figure_facts(run, view)
    assert figure_scene(run, view, PAPER, roles).labels == figure_scene(run, view, PAPER).labels


def test_a_what_if_is_as_if_nothing_were_known(what_if: Run, roles: RoleSummary, tmp_path: Path) -> None:
    assert "--roles" not in shlex.split(figure_command(what_if, GRID, tmp_path / "x.png", PAPER, roles))
    assert figure_facts(what_if, GRID, roles) == figure_facts(what_if, GRID)
    assert figure_scene(what_if, GRID, PAPER, roles).labels == figure_scene(what_if, GRID, PAPER).labels


def test_a_figure_says_over_which_corpus_its_roles_were_measured(run: Run, roles: RoleSummary) -> None:
    told = json.loads(figure_facts(run, GRID, roles))["roles"]
    assert told == {"corpus": "made-up probe", "corpus_sha256": 64 * "0", "sentences": 600}


REFUSED: Final = {
    "--view grid": "are not measured yet; measure them first: attnviz roles --model",
    "--view arcs --layer 0": "Roles are marked on the grid alone",
    "--view grid --head-count 2": "known of the heads as trained, not of these; leave out --roles",
    "--view grid --mean": "this grid shows several heads as one; leave out --roles",
}


@pytest.mark.parametrize("options", REFUSED)
def test_roles_that_cannot_be_marked_are_one_clear_line(
    folder: Path, roles: RoleSummary, tmp_path: Path, options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if options != "--view grid":
        keep_summary(roles)
    out = tmp_path / "x.png"
    assert again(f"attnviz render --model {folder} --text 'the cat' --roles {options} -o {out}") == 2
    told = capsys.readouterr().err
    assert REFUSED[options] in told
    assert len(told.strip().splitlines()) == 1
    assert not out.exists()
