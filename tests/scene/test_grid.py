"""The grid of heads as data: each head has its square, nothing overlaps or leaves the picture, every number is the measured one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.model import Model, load_model
from attnviz.scene.grid.build import build_grid
from attnviz.scene.grid.plan import plan_grid
from attnviz.scene.grid.scene import GridScene, HeadCell, cell_text
from attnviz.scene.page import Layout
from attnviz.scene.theme import load_theme
from attnviz.session.grid_choice import SUMMARY_NAMES, GridChoice
from attnviz.session.survey import survey_of
from attnviz.session.view import HeadChoice, Sinks, View
from attnviz.session.weights import MEAN
from tests.golden.families_reader import write_model
from tests.scene.pictures import SHOWN, Room, label_room, run_of, stand_in_measure, text_of

if TYPE_CHECKING:
    from attnviz.session.run import Run

ANIMAL = "The animal didn't cross the street because it was tired."
LIGHT = load_theme("light")
WINDOW = Layout(900.0, 480.0)
PAPER = Layout(5.5 * 96, caption=True)


@dataclass(frozen=True)
class GridView(View):
    """A view that has a choice for the grid."""

    grid: GridChoice = field(default_factory=GridChoice)


@pytest.fixture(scope="module")
def runs(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    made = {str(n): run_of(minilm, text_of(minilm, n)) for n in (1, 5, 40, 120)}
    made |= {"animal": run_of(minilm, ANIMAL), "what-if": run_of(minilm, ANIMAL, 4, 0.76)}
    made |= {"one head": run_of(minilm, ANIMAL, 1, 0.57), "48 heads": run_of(minilm, ANIMAL, 48, 0.7)}
    made |= {"left out": run_of(minilm, "cat " * 600)}
    models = {case: load_model(write_model(case, tmp_path_factory.mktemp(case))) for case in ("t5-tied", "gpt2-bare")}
    made |= {"decoder": run_of(models["gpt2-bare"], ANIMAL)}
    return made | {"two texts": run_of(models["t5-tied"], "Why not cross the street?", pair="The fox, because it was tired.")}


def build(run: Run, view: View | None = None, layout: Layout = WINDOW) -> GridScene:
    return build_grid(run, view or GridView(layer=1), LIGHT, layout, stand_in_measure)


def choices() -> list[GridChoice]:
    return [GridChoice(), *(GridChoice(name, is_sorted) for name in SUMMARY_NAMES for is_sorted in (False, True))]


def check_geometry(scene: GridScene) -> None:
    taken = [label_room(label, stand_in_measure) for label in scene.labels if label.text]
    taken += [Room(f"L{c.layer}.H{c.head}", c.left, c.top, c.right, c.bottom) for c in scene.cells]
    bar = scene.bar
    taken.append(Room("bar", bar.left, bar.top, bar.left + bar.width, bar.top + bar.height))
    left, top, right, bottom = (np.array([getattr(room, side) for room in taken]) for side in ("left", "top", "right", "bottom"))
    for room in taken:
        assert room.within(scene.width, scene.height), f"{room} leaves {scene.width} x {scene.height}"
    slack = 0.5
    over = (left[:, None] < right - slack) & (left < right[:, None] - slack)
    over &= (top[:, None] < bottom - slack) & (top < bottom[:, None] - slack)
    np.fill_diagonal(over, False)
    assert not over.any(), [(taken[a], taken[b]) for a, b in np.argwhere(over)[:3]]
    for box in (scene.plate, scene.current):
        if box is not None:
            assert 0 <= box.left < box.right <= scene.width
            assert 0 <= box.top < box.bottom <= scene.height


def texts_below(scene: GridScene, cell: HeadCell) -> list[str]:
    return [each.text for each in scene.labels if cell.left <= each.x <= cell.right and 0 < each.baseline - cell.bottom < 16]


NAMES = ["1", "5", "40", "120", "animal", "what-if", "one head", "48 heads", "left out", "decoder", "two texts"]


@pytest.mark.parametrize("layout", [WINDOW, Layout(700.0, 480.0), Layout(1180.0, 560.0), Layout(320.0, 220.0)])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_overlaps_and_nothing_leaves_the_window(runs: dict[str, Run], name: str, layout: Layout) -> None:
    for choice in choices():
        check_geometry(build(runs[name], GridView(layer=1, grid=choice), layout))
    check_geometry(build(runs[name], GridView(layer=1, is_mean=True, grid=GridChoice("entropy")), layout))


@pytest.mark.parametrize("inches", [1.5, 3.25, 5.5, 13.0])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_overlaps_and_nothing_leaves_the_paper(runs: dict[str, Run], name: str, inches: float) -> None:
    for choice in (GridChoice(), GridChoice("entropy"), GridChoice("sink_share", True, 0.2)):
        check_geometry(build(runs[name], GridView(layer=1, grid=choice), Layout(96 * inches, caption=True)))
    check_geometry(build(runs[name], GridView(layer=1, is_mean=True), Layout(96 * inches, caption=True)))


@pytest.mark.parametrize("name", NAMES)
def test_each_head_of_each_layer_has_one_square(runs: dict[str, Run], name: str) -> None:
    for choice in choices():
        scene = build(runs[name], GridView(layer=1, grid=choice))
        trace = runs[name].trace
        wanted = [(layer, head) for layer in range(trace.n_layer) for head in range(trace.head_count)]
        assert sorted((cell.layer, cell.head) for cell in scene.cells) == wanted
        assert len({(cell.right - cell.left, cell.bottom - cell.top) for cell in scene.cells}) == 1


def test_the_squares_of_a_window_are_large_and_whole_in_it(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"])
    assert scene.height == WINDOW.height
    assert min(cell.bottom - cell.top for cell in scene.cells) >= 44
    assert max(cell.bottom for cell in scene.cells) < WINDOW.height


def test_layers_run_down_and_heads_across(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"])
    for cell in scene.cells:
        assert (cell.row, cell.column) == (cell.layer, cell.head)
    lines = [[cell.left for cell in scene.cells if cell.row == row] for row in range(6)]
    assert all(line == sorted(line) for line in lines)
    tops = [cell.top for cell in scene.cells if cell.column == 0]
    assert tops == sorted(tops)


def test_each_square_shows_the_root_of_its_own_heads_weights(runs: dict[str, Run]) -> None:
    for choice in (GridChoice(), GridChoice("distance", True)):
        view = GridView(sinks=SHOWN, grid=choice)
        scene = build(runs["animal"], view)
        for cell, levels in zip(scene.cells, scene.levels, strict=True):
            weights = runs["animal"].trace.attention(cell.layer)[cell.head]
            np.testing.assert_allclose(levels / 255.0, np.sqrt(weights), atol=0.51 / 255)


def test_norms_share_one_scale_over_all_layers(runs: dict[str, Run]) -> None:
    trace = runs["animal"].trace
    scene = build(runs["animal"], GridView(quantity="norms"))
    lengths = [np.linalg.norm(trace.value_vectors(layer), axis=-1)[:, None, 1:-1] for layer in range(6)]
    weights = [trace.attention(layer)[:, 1:-1, 1:-1] * lengths[layer] for layer in range(6)]
    largest = max(float(each.max()) for each in weights)
    for cell, levels in zip(scene.cells, scene.levels, strict=True):
        np.testing.assert_allclose(levels / 255.0, np.sqrt(weights[cell.layer][cell.head] / largest), atol=0.52 / 255)
    assert f"{largest:.3g}" in [label.text for label in scene.labels]


@pytest.mark.parametrize("summary", SUMMARY_NAMES)
def test_the_number_below_each_square_is_the_heads_own(runs: dict[str, Run], summary: str) -> None:
    scene = build(runs["animal"], GridView(grid=GridChoice(summary)), Layout(1180.0, 640.0))
    values = getattr(survey_of(runs["animal"].trace, View()).summary, summary)
    for cell in scene.cells:
        value = float(values[cell.layer, cell.head])
        wanted = {"entropy": f"{value:.2f}", "distance": f"{value:.1f}", "sink_share": f"{100 * value:.0f} %"}[summary]
        assert texts_below(scene, cell) == [wanted]
        assert getattr(cell, summary) == pytest.approx(value)


def test_sorted_squares_rise_and_each_says_its_head(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"], GridView(grid=GridChoice("entropy", True)))
    for row in range(6):
        line = [cell for cell in scene.cells if cell.row == row]
        assert [cell.column for cell in line] == list(range(12))
        assert all(a.entropy <= b.entropy for a, b in pairwise(line))
        for cell in line:
            assert f"H{cell.head}" in texts_below(scene, cell)
    assert "lowest entropy" in [label.text for label in scene.labels]
    assert not {"H0", "H11"} & {label.text for label in scene.labels if label.baseline < scene.cells[0].top}


@pytest.mark.parametrize("is_sorted", [False, True])
def test_heads_outside_the_filter_are_faded_and_counted(runs: dict[str, Run], is_sorted: bool) -> None:
    choice = GridChoice("entropy", is_sorted, 1.5, 2.2)
    scene = build(runs["animal"], GridView(grid=choice))
    for cell in scene.cells:
        assert cell.is_faded == (not 1.5 <= cell.entropy <= 2.2)
    n = sum(cell.is_faded for cell in scene.cells)
    assert 0 < n < 72
    assert any(f"faded: {n} of 72, below 1.50 or above 2.20" in label.text for label in scene.labels)


def test_a_choice_without_a_number_changes_nothing(runs: dict[str, Run]) -> None:
    plain = build(runs["animal"])
    odd = build(runs["animal"], GridView(layer=1, grid=GridChoice(None, True, 9.0, 9.0)))
    assert odd.cells == plain.cells
    assert odd.labels == plain.labels


def test_the_only_shown_head_is_selected_and_named_in_bold(runs: dict[str, Run]) -> None:
    assert build(runs["animal"]).selected is None
    scene = build(runs["animal"], GridView(layer=3, heads=HeadChoice(frozenset({1}), 12)))
    assert scene.selected == (3, 1)
    assert [label.text for label in scene.labels if label.bold] == ["L3", "H1"]
    cell = scene.cell(3, 1)
    assert scene.current.top <= cell.top < cell.bottom <= scene.current.bottom
    assert scene.cell(2, 1).bottom <= scene.current.top + 6


@pytest.mark.parametrize("shown", [{17, 29}, {0}, {47}, set(range(20))])
def test_names_that_must_be_thinned_are_those_of_heads_in_equal_steps_from_the_first(runs: dict[str, Run], shown: set[int]) -> None:
    heads = HeadChoice(frozenset(shown), 48)
    scene = build(runs["48 heads"], GridView(layer=4, heads=heads), Layout(700.0, 480.0))
    named = {int(label.text[1:]): label for label in scene.labels if re.fullmatch(r"H\d+", label.text)}
    step = sorted(named)[1]
    assert 1 < step < 6
    assert set(range(0, 48, step)) <= set(named) <= set(range(0, 48, step)) | shown
    bold = {label.text for label in scene.labels if label.bold}
    assert bold == {"L4"} | {f"H{head}" for head in named if head in shown}
    for head, label in named.items():
        cell = scene.cell(0, head)
        assert label.x == (cell.left + cell.right) / 2


def test_the_mean_of_the_shown_heads_is_one_square_a_layer(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"], GridView(layer=2, is_mean=True, heads=HeadChoice(frozenset({1, 4}), 12)), PAPER)
    assert [(cell.layer, cell.head) for cell in scene.cells] == [(layer, MEAN) for layer in range(6)]
    assert scene.selected == (2, MEAN)
    text = " ".join(label.text for label in scene.labels)
    assert "mean of heads 1, 4 of 12" in text
    assert "each square is one layer" in text
    assert {"L0", "L5"} <= {label.text for label in scene.labels}


def test_where_the_weight_went_is_the_mean_of_all_layers(runs: dict[str, Run]) -> None:
    trace = runs["animal"].trace
    share = np.mean([trace.attention(layer)[:, 1:-1, [0, -1]].sum(-1).mean() for layer in range(6)])
    text = " ".join(label.text for label in build(runs["animal"]).labels)
    assert f"all layers: hidden: [CLS] [SEP], mean {round(100 * float(share))} % of the attention" in text


def test_a_picture_of_nothing_says_so_and_has_no_square(runs: dict[str, Run], minilm: Model) -> None:
    for scene in (
        build(runs["animal"], GridView(is_mean=True, heads=HeadChoice(frozenset(), 12))),
        build(run_of(minilm, "..."), GridView(sinks=Sinks(frozenset({"special", "punctuation"})))),
        build(replace(runs["two texts"], trace=runs["two texts"].model.trace("Why?")), GridView(kind="cross")),
    ):
        assert scene.cells == ()
        assert scene.plate is None
        assert scene.current is None
        assert any(label.text.startswith("nothing is drawn") for label in scene.labels)
        check_geometry(scene)


def test_all_heads_are_there_when_none_is_shown(runs: dict[str, Run]) -> None:
    assert len(build(runs["animal"], GridView(heads=HeadChoice(frozenset(), 12))).cells) == 72


def test_squares_between_two_texts_keep_their_proportions(runs: dict[str, Run]) -> None:
    run = runs["two texts"]
    scene = build(run, GridView(kind="cross", sinks=SHOWN, grid=GridChoice("distance")))
    cell = scene.cells[0]
    wanted = len(run.trace.decoder_tokens) / len(run.trace.tokens)
    assert (cell.bottom - cell.top) / (cell.right - cell.left) == pytest.approx(wanted, rel=0.15)
    assert "mean distance: not defined between two texts" in [label.text for label in scene.labels]
    assert "distance" not in cell_text(cell)
    assert "look" in scene.labels[0].text


def test_the_pointer_finds_each_square_and_none_between_them(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"])
    for cell in scene.cells:
        for x, y in ((cell.left, cell.top), (cell.right - 0.1, cell.bottom - 0.1)):
            assert scene.cell_at(x, y) is cell
        assert scene.cell_at(cell.right + 1, cell.top + 1) is None
        assert scene.cell_in(cell.row, cell.column) is cell
    assert scene.cell_in(6, 0) is None


def test_the_tip_says_the_three_numbers(runs: dict[str, Run]) -> None:
    cell = build(runs["animal"]).cell(3, 1)
    wanted = f"L3.H1   entropy {cell.entropy:.2f} nats   mean distance {cell.distance:.1f}   {100 * cell.sink_share:.0f} % on sinks"
    assert cell_text(cell) == wanted


def test_a_coarse_square_says_what_it_stands_for(runs: dict[str, Run]) -> None:
    lines = [label.text for label in build(runs["left out"]).labels]
    assert "510 x 510 weights in 64 x 64 cells, each with the largest of its own" in lines
    assert not any("cells" in label.text for label in build(runs["animal"]).labels)


@given(
    n_layer=st.integers(1, 48),
    n_head=st.integers(1, 64),
    shape=st.tuples(st.integers(1, 600), st.integers(1, 600)),
    width=st.integers(300, 1600),
    height=st.integers(0, 1200),
    strip=st.sampled_from([0, 12, 16]),
)
def test_a_plan_fits_the_width_and_scrolls_only_where_squares_would_be_too_small(
    n_layer: int, n_head: int, shape: tuple[int, int], width: int, height: int, strip: int
) -> None:
    cells = (min(shape[0], 64), min(shape[1], 64))
    plan = plan_grid(n_layer * n_head, n_head, cells, shape, (width, height), strip)
    across, down = plan.extent(n_layer * n_head)
    assert across <= width
    assert min(plan.width, plan.height) >= 1
    assert plan.n_place == n_head
    assert not height or down <= height or plan.width <= 12


@given(n=st.integers(1, 64), width=st.integers(300, 1600), height=st.integers(200, 1200))
def test_maps_side_by_side_lie_so_that_they_are_largest(n: int, width: int, height: int) -> None:
    plan = plan_grid(n, 0, (13, 13), (13, 13), (width, height), 16)
    for n_place in range(1, n + 1):
        assert plan_grid(n, n_place, (13, 13), (13, 13), (width, height), 16).width <= plan.width
