"""What a grid says of roles: a line below each head that has a job, what its colours mean, and the truth where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.probing.measures import GROUPS
from attnviz.scene.atlas.colours import group_colour
from attnviz.scene.grid.build import build_grid
from attnviz.scene.grid.scene import GridScene, cell_text
from attnviz.scene.page import Layout
from attnviz.scene.role_words import head_notes, short_roles, told_roles
from attnviz.scene.theme import load_theme
from attnviz.session.grid_choice import GridChoice
from attnviz.session.request import Request
from attnviz.session.run import Run, Runner
from attnviz.session.view import View
from tests.engine.tiny_bert import write_bert
from tests.probing.summaries import role, summary_for
from tests.scene.pictures import label_room, stand_in_measure

if TYPE_CHECKING:
    from attnviz.probing.summary import RoleSummary

LIGHT, DARK = load_theme("light"), load_theme("dark")
WINDOW, PAPER = Layout(900.0, 480.0), Layout(5.5 * 96, caption=True)
HEADS = {(0, 1): ("obj>", "first"), (1, 3): ("obj>", "previous", "pronoun", "nsubj<"), (1, 0): ("first",)}
GRID = View(picture="grid")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder, runner, text = write_bert(tmp_path_factory.mktemp("bert") / "tiny"), Runner(), "the cat sings"
    muted = Request(folder, text, changes=NOTHING.with_muted(HeadAt("encoder", 0, 1), True))
    requests = {"trained": Request(folder, text), "what-if": Request(folder, text, None, 2), "muted": muted}
    return {name: runner.run(request) for name, request in requests.items()}


@pytest.fixture(scope="module")
def summary(runs: dict[str, Run]) -> RoleSummary:
    return summary_for(runs["trained"], HEADS)


def build(run: Run, summary: RoleSummary | None, view: View = GRID, layout: Layout = WINDOW, theme: object = LIGHT) -> GridScene:
    return build_grid(run, view, theme, layout, stand_in_measure, summary)


def lines(scene: GridScene) -> str:
    return "\n".join(label.text for label in scene.labels)


# --- the marks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_each_head_with_a_job_has_its_groups_colours_below_it(runs: dict[str, Run], summary: RoleSummary, theme: object) -> None:
    scene = build(runs["trained"], summary, theme=theme)
    wanted = {(0, 1): ["grammar"], (1, 3): ["grammar", "place", "reference"]}
    for cell in scene.cells:
        below = [mark for mark in scene.marks if cell.left <= mark.box.left < cell.right and 0 < mark.box.top - cell.bottom < 4]
        below.sort(key=lambda mark: mark.box.left)
        groups = wanted.get((cell.layer, cell.head), [])
        assert [mark.colour for mark in below] == [group_colour(group, theme) for group in groups]
        if groups:
            assert below[0].box.left == cell.left
            assert below[-1].box.right == pytest.approx(cell.right)
    assert len(scene.marks) == 4


@pytest.mark.parametrize("layout", [WINDOW, PAPER, Layout(320.0, 260.0), Layout(1400.0, 900.0)])
@pytest.mark.parametrize("choice", [GridChoice(), GridChoice("entropy"), GridChoice("entropy", is_sorted=True, most=0.5)])
def test_marks_touch_no_square_and_no_text(runs: dict[str, Run], summary: RoleSummary, layout: Layout, choice: GridChoice) -> None:
    every = {(layer, head): ("obj>", "previous") for layer in range(2) for head in range(4)}
    scene = build(runs["trained"], summary_for(runs["trained"], every), replace(GRID, grid=choice), layout)
    assert len(scene.marks) == 16
    rooms = [label_room(label, stand_in_measure) for label in scene.labels]
    for mark in scene.marks:
        box = mark.box
        for cell in scene.cells:
            assert box.bottom < cell.top or box.top > cell.bottom or box.left >= cell.right or box.right <= cell.left
        for room in rooms:
            apart = room.right <= box.left or room.left >= box.right or room.bottom <= box.top or room.top + 2 >= box.bottom
            assert apart, (room, box)
        assert box.bottom <= scene.plate.bottom


def test_a_mark_is_nearer_to_its_own_square_than_to_the_one_below(runs: dict[str, Run], summary: RoleSummary) -> None:
    scene = build(runs["trained"], summary, layout=Layout(320.0, 200.0))
    first, below = scene.cell(0, 1), scene.cell(1, 1)
    mark = next(mark for mark in scene.marks if mark.box.left == first.left and mark.box.top < below.top)
    assert mark.box.top - first.bottom < below.top - mark.box.bottom


def test_a_faded_heads_mark_is_faded(runs: dict[str, Run], summary: RoleSummary) -> None:
    scene = build(runs["trained"], summary, replace(GRID, grid=GridChoice("entropy", most=0.0)))
    assert all(cell.is_faded for cell in scene.cells)
    assert all(mark.is_faded for mark in scene.marks)
    assert not any(mark.is_faded for mark in build(runs["trained"], summary).marks)


def test_resting_places_are_no_jobs_and_have_no_mark(runs: dict[str, Run]) -> None:
    scene = build(runs["trained"], summary_for(runs["trained"], {(0, 0): ("first", "punctuation")}))
    assert scene.marks == ()
    assert "no head has a role over 600 sentences (made-up probe)" in lines(scene)
    assert GROUPS["rest"] not in lines(scene)


# --- the legend -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", [WINDOW, PAPER, Layout(320.0, 300.0)])
def test_the_legend_names_the_corpus_and_just_the_groups_that_are_marked(
    runs: dict[str, Run], summary: RoleSummary, layout: Layout
) -> None:
    scene = build(runs["trained"], summary, layout=layout)
    assert "marked: heads with a role over 600 sentences (made-up probe)" in lines(scene).replace("\n", " ")
    named = [label.text for label in scene.labels if label.text in GROUPS.values()]
    assert named == ["position", "grammar and meaning", "reference"]
    assert [dot.colour for dot in scene.dots] == [group_colour(group, LIGHT) for group in ("place", "grammar", "reference")]
    for dot in scene.dots:
        assert 0 <= dot.x - dot.radius < dot.x + dot.radius <= scene.width


@pytest.mark.parametrize("size", [(900.0, 480.0), (480.0, 415.0), (376.0, 415.0), (640.0, 300.0)])
def test_the_legend_makes_no_window_scroll(runs: dict[str, Run], summary: RoleSummary, size: tuple[float, float]) -> None:
    assert build(runs["trained"], summary, layout=Layout(*size)).height == size[1]
    assert build(runs["trained"], None, layout=Layout(*size)).height == size[1]


def test_without_a_measuring_the_grid_is_as_ever(runs: dict[str, Run]) -> None:
    scene = build(runs["trained"], None)
    assert scene.marks == ()
    assert scene.dots == ()
    assert "role" not in lines(scene)
    assert all(cell.roles is None for cell in scene.cells)


@pytest.mark.parametrize("changed", ["what-if", "muted"])
def test_a_what_if_marks_nothing_and_says_why_in_the_window_alone(runs: dict[str, Run], summary: RoleSummary, changed: str) -> None:
    window, paper = build(runs[changed], summary), build(runs[changed], summary, layout=PAPER)
    for scene in (window, paper):
        assert scene.marks == ()
        assert scene.dots == ()
        assert "role" not in "".join(map(cell_text, scene.cells))
    assert "roles: known of the heads as trained, not of these" in lines(window)
    assert "role" not in lines(paper)


def test_the_squares_stay_where_they_are_when_a_what_if_begins(runs: dict[str, Run], summary: RoleSummary) -> None:
    places = [
        [(cell.left, cell.top, cell.right, cell.bottom) for cell in build(runs[name], summary, layout=layout).cells]
        for name in ("trained", "muted")
        for layout in (WINDOW, Layout(1180.0, 600.0))
    ]
    assert places[:2] == places[2:]


def test_a_map_of_several_heads_has_no_roles(runs: dict[str, Run], summary: RoleSummary) -> None:
    scene = build(runs["trained"], summary, replace(GRID, is_mean=True))
    assert scene.marks == ()
    assert "role" not in lines(scene) + "".join(map(cell_text, scene.cells))


# --- the words --------------------------------------------------------------------------------------------------------


def test_the_pointer_says_the_first_two_roles_with_all_that_they_stand_on(runs: dict[str, Run], summary: RoleSummary) -> None:
    scene = build(runs["trained"], summary)
    figures = "(75\N{EN DASH}81 %, baseline 48 %, 654 cases)"
    assert cell_text(scene.cell(0, 1)).split("\n")[1:] == [
        f"object \N{RIGHTWARDS ARROW} verb 78 % {figures}",
        "rests on first token 78 % (75\N{EN DASH}81 %, baseline 6 %, 654 cases)",
    ]
    assert cell_text(scene.cell(1, 3)).split("\n")[2].endswith("baseline 6 %, 654 cases)   +2")
    assert cell_text(scene.cell(0, 0)).split("\n")[1:] == ["no role found"]


def test_a_heads_roles_are_told_in_full_or_that_there_is_none(summary: RoleSummary) -> None:
    sure = "95 % interval 75\N{EN DASH}81 %, 654 cases"
    assert told_roles([role("obj>"), role("first")], summary) == [
        f"object \N{RIGHTWARDS ARROW} verb: 78 %, baseline 48 % (fixed offset \N{MINUS SIGN}2), {sure}",
        f"rests on first token: 78 %, baseline 6 % (even attention), {sure}",
    ]
    assert told_roles([], summary) == ["no role found over 600 sentences"]


def test_in_short_a_head_has_its_jobs_alone() -> None:
    assert short_roles([role("obj>"), role("pronoun"), role("first")]) == "obj\N{RIGHTWARDS ARROW}verb, pronoun"
    assert short_roles([role("first")]) == short_roles([]) == "no role found"


def test_a_head_that_is_named_has_a_note_where_it_has_a_job(runs: dict[str, Run], summary: RoleSummary) -> None:
    assert head_notes(runs["trained"], View(layer=0), summary) == {1: "roles: object \N{RIGHTWARDS ARROW} verb"}
    assert list(head_notes(runs["trained"], View(layer=1), summary)) == [3]
    assert head_notes(runs["what-if"], View(layer=0), summary) == {}
    assert head_notes(runs["trained"], View(layer=0), None) == {}
