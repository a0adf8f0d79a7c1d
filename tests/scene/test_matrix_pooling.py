"""More cells than pixels: each pixel is the strongest of its own, whatever the scale and the part that is seen."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.scene.matrix import pooling
from attnviz.scene.matrix.colour_scale import ColourScale
from attnviz.scene.matrix.pooling import PanelPixels, pixel_span
from attnviz.scene.matrix.scene import MatrixPanel, MatrixScene, TokenSide, cell_colours
from attnviz.scene.oklab import levels_of
from attnviz.scene.ramps import difference_ramp, ramp
from attnviz.scene.theme import load_theme

if TYPE_CHECKING:
    from collections.abc import Iterator

LIGHT = load_theme("light")
STEPS = st.floats(0.02, 1.5)


def scene_of(weights: np.ndarray, scale: ColourScale | None = None) -> MatrixScene:
    n_row, n_column = weights.shape
    rows, columns = (TokenSide(tuple(range(n)), ("t",) * n, (False,) * n, (False,) * n, ()) for n in (n_row, n_column))
    return MatrixScene(
        width=800.0,
        height=600.0,
        theme=LIGHT,
        labels=(),
        dots=(),
        bands=(),
        description="",
        quantity="attention",
        queries=rows,
        keys=columns,
        panels=(MatrixPanel(1, "L0.H1", weights, 100.0, 100.0, True, True),),
        masked=None,
        dimmed=np.zeros(n_column, bool),
        scale=ColourScale(1.0) if scale is None else scale,
        bar=None,
        cell_width=0.5,
        cell_height=0.5,
        row_room=20.0,
        column_room=20.0,
        side_size=10,
        focus=None,
    )


def colours(scene: MatrixScene, step_y: float, step_x: float) -> np.ndarray:
    n_row, n_column = scene.panels[0].weights.shape
    spans = pixel_span(range(n_row), n_row, step_y), pixel_span(range(n_column), n_column, step_x)
    return PanelPixels(scene, scene.panels[0]).colours(*spans)


@pytest.fixture(params=[1, 1 << 30], ids=["in fours", "as they are"])
def coarse(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pooling, "FEWEST_TO_COARSEN", request.param)


@given(st.data(), st.integers(1, 300), STEPS)
def test_each_cell_that_is_seen_falls_on_one_pixel_and_each_pixel_has_a_cell(data: st.DataObject, n: int, step: float) -> None:
    start = data.draw(st.integers(0, n - 1))
    seen = range(start, data.draw(st.integers(start + 1, n)))
    span = pixel_span(seen, n, step)
    assert (np.diff(span.bounds) >= 1).all()
    assert span.bounds[0] <= seen.start
    assert seen.stop <= span.bounds[-1] <= n
    assert span.are_cells == (step >= 1)
    assert not span.are_cells or len(span) == len(seen)


@given(st.data(), st.integers(2, 300), STEPS)
def test_cells_share_their_pixel_with_the_same_ones_whatever_is_seen(data: st.DataObject, n: int, step: float) -> None:
    def cells_of(seen: range) -> dict[int, tuple[int, int]]:
        span = pixel_span(seen, n, step)
        return {span.first + at: bounds for at, bounds in enumerate(pairwise(span.bounds.tolist()))}

    start = data.draw(st.integers(0, n - 1))
    part, whole = cells_of(range(start, data.draw(st.integers(start + 1, n)))), cells_of(range(n))
    assert part.items() <= whole.items()
    if step < 1:  # and it lies where its cells do
        assert all(abs(pixel + 0.5 - step * (a + b) / 2) <= 1.0 for pixel, (a, b) in whole.items())


def test_nothing_seen_is_no_pixel() -> None:
    assert len(pixel_span(range(3, 3), 10, 0.2)) == len(pixel_span(range(3, 3), 10, 2.0)) == 0


@given(st.integers(1, 40), st.integers(1, 40), STEPS, STEPS, st.integers(0, 2**32 - 1))
def test_a_pixel_has_the_colour_of_its_strongest_cell(n_row: int, n_column: int, step_y: float, step_x: float, seed: int) -> None:
    weights = np.random.default_rng(seed).random((n_row, n_column), np.float32) ** 6
    seen = colours(scene_of(weights), step_y, step_x)
    rows, columns = pixel_span(range(n_row), n_row, step_y), pixel_span(range(n_column), n_column, step_x)
    strongest = [[weights[a:b, c:d].max() for c, d in pairwise(columns.bounds.tolist())] for a, b in pairwise(rows.bounds.tolist())]
    scene = scene_of(np.array(strongest, np.float32))
    np.testing.assert_array_equal(seen, cell_colours(scene, scene.panels[0]))


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("step", [0.013, 0.09, 0.11, 0.3, 0.5, 0.99])
def test_one_strong_weight_among_zeros_is_as_strong_at_every_scale(step: float) -> None:
    n = 900
    for row, column in ((0, 0), (n - 1, n - 1), (0, n - 1), (451, 3), (n - 2, 450), (777, 778)):
        weights = np.zeros((n, n), np.float32)
        weights[row, column] = 1.0
        places = np.argwhere((colours(scene_of(weights), step, step) == ramp(LIGHT, 1)[255]).all(axis=2))
        assert len(places) == 1
        assert abs(places[0] + 0.5 - step * (np.array([row, column]) + 0.5)).max() <= 1.0


@pytest.mark.usefixtures("coarse")
def test_of_differences_that_is_shown_which_is_furthest_from_nought() -> None:
    weights = np.zeros((100, 100), np.float32)
    weights[3, 7], weights[4, 8] = 0.4, -0.9
    weights[50, 70], weights[52, 71] = 0.8, -0.2
    scene = scene_of(weights, ColourScale(1.0, is_signed=True))
    seen, whole = colours(scene, 0.05, 0.05), difference_ramp(LIGHT)
    wanted = cell_colours(scene, scene.panels[0])
    np.testing.assert_array_equal(seen[0, 0], wanted[4, 8])
    np.testing.assert_array_equal(seen[2, 3], wanted[50, 70])
    np.testing.assert_array_equal(seen[1, 1], whole[127])


def test_a_pixel_is_masked_or_dimmed_where_all_of_its_cells_are() -> None:
    n = 40
    weights = np.tril(np.full((n, n), 0.5, np.float32))
    scene = replace(scene_of(weights), masked=np.triu(np.ones((n, n), bool), 1))
    is_masked = (colours(scene, 0.25, 0.25) == levels_of(LIGHT.panel)).all(axis=2)
    np.testing.assert_array_equal(is_masked, np.triu(np.ones((10, 10), bool), 1))
    dimmed = np.zeros(n, bool)
    dimmed[:6] = True  # one pixel and a half
    scene = replace(scene_of(np.full((n, n), 0.5, np.float32)), dimmed=dimmed)
    cells, seen = cell_colours(scene, scene.panels[0]), colours(scene, 0.25, 0.25)
    np.testing.assert_array_equal(seen[:, 0], cells[:10, 0])
    np.testing.assert_array_equal(seen[:, 1:], cells[:10, 7:16])  # what is loud stays as strong beside it


def test_a_strong_weight_that_is_dimmed_does_not_stand_for_a_loud_one() -> None:
    weights = np.full((8, 8), 0.3, np.float32)
    weights[:, 0] = 1.0
    dimmed = np.arange(8) == 0
    scene = replace(scene_of(weights), dimmed=dimmed)
    seen = colours(scene, 0.25, 0.25).astype(int)
    assert np.abs(seen[:, 0] - seen[:, 1]).max() < 40  # 0.35 of it is left, beside 0.3
    assert (seen[:, 0] != ramp(LIGHT, 1)[255]).any(axis=-1).all()


def test_no_copy_of_a_large_map_is_made_to_draw_it_small() -> None:
    n = 3_000
    scene = replace(scene_of(np.zeros((n, n), np.float32)), masked=np.zeros((n, n), bool))
    tracemalloc.start()
    colours(scene, 0.15, 0.15)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 0.5 * scene.panels[0].weights.nbytes
