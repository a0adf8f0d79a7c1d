"""What lies under the pointer, against a dense sampling of every curve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.scene.arcs.hit import arc_under, sample, token_under
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import load_theme
from attnviz.session.view import View
from tests.scene.pictures import points_of, run_of, stand_in_measure, text_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.scene.scene import Scene

REACH = 6.0


@pytest.fixture(scope="module", params=[(15, 800.0), (60, 500.0)], ids=["one row", "several rows"])
def scene(request: pytest.FixtureRequest, minilm: Model) -> Scene:
    n_token, width = request.param
    return build_scene(
        run_of(minilm, text_of(minilm, n_token)), View(layer=3), load_theme("light"), Layout(width), stand_in_measure
    )


@pytest.fixture(scope="module")
def dense(scene: Scene) -> np.ndarray:
    return points_of(scene.arcs.curve, 200)


PLACES = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0))


def gaps(scene: Scene, dense: np.ndarray, x: float, y: float) -> np.ndarray:
    """The distance of a point to the edge of each arc's line, of near ones within 0.1."""
    gap = np.hypot(dense[..., 0] - x, dense[..., 1] - y).min(axis=1) - scene.arcs.width / 2
    near = np.flatnonzero(gap < 12.0)
    finer = points_of(scene.arcs.curve[near], 3_000)
    gap[near] = np.hypot(finer[..., 0] - x, finer[..., 1] - y).min(axis=1) - scene.arcs.width[near] / 2
    return gap


@settings(max_examples=60, deadline=None)
@given(place=PLACES, focus=st.none() | st.integers(1, 15))
def test_the_arc_under_a_point_is_one_that_is_nearest(
    scene: Scene, dense: np.ndarray, place: tuple[float, float], focus: int | None
) -> None:
    x, y = place[0] * scene.width, place[1] * scene.height
    focused = replace(scene, focus=focus)
    gap = gaps(scene, dense, x, y)
    if focus is not None:
        gap[scene.arcs.query != focus] = np.inf
    found = arc_under(focused, x, y)
    slack = 1.0  # the curve is taken as 32 straight pieces
    if found is None:
        assert gap.min() > REACH - slack
    else:
        assert gap.min() <= REACH + slack
        assert gap[found] <= max(gap.min(), 0.0) + 1.5 + slack
        clearly_near = np.flatnonzero(gap <= max(gap.min(), 0.0) + 1.5 - slack)
        assert found >= clearly_near.max(initial=0)  # of those about as near the one drawn strongest


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_point_on_an_arc_hits_an_arc(scene: Scene, dense: np.ndarray, data: st.DataObject) -> None:
    arc = data.draw(st.integers(0, len(scene.arcs) - 1))
    x, y = dense[arc, data.draw(st.integers(0, 199))]
    assert arc_under(scene, float(x), float(y)) is not None


def test_samples_begin_and_end_with_the_arc(scene: Scene) -> None:
    points = sample(scene.arcs.curve)
    assert np.allclose(points[:, 0], scene.arcs.curve[:, 0], atol=1e-3)
    assert np.allclose(points[:, -1], scene.arcs.curve[:, 3], atol=1e-3)
    assert np.allclose(points, points_of(scene.arcs.curve, points.shape[1]), atol=1e-2)


@settings(max_examples=200, deadline=None)
@given(place=PLACES)
def test_the_token_under_a_point_is_the_one_whose_box_holds_it(scene: Scene, place: tuple[float, float]) -> None:
    x, y = place[0] * scene.width, place[1] * scene.height
    found = token_under(scene, x, y)
    inside = [box.index for box in scene.tokens if box.left <= x <= box.right and box.top <= y <= box.bottom]
    if inside:
        # Pieces of one word stand a hair apart, so the room around one may reach into its neighbour.
        assert found is not None
        assert abs(found - inside[0]) <= 1
    if found is not None:
        box = scene.token_at(found)
        assert box.left - 4 <= x <= box.right + 4
        assert box.top - 2 <= y <= box.bottom + 2


def test_the_middle_of_each_token_is_that_token(scene: Scene) -> None:
    for box in scene.tokens:
        assert token_under(scene, box.middle, (box.top + box.bottom) / 2) == box.index


def test_outside_the_picture_there_is_nothing(scene: Scene) -> None:
    for x, y in ((-50.0, 10.0), (10.0, -50.0), (scene.width + 50, 10.0), (10.0, scene.height + 50)):
        assert arc_under(scene, x, y) is None
        assert token_under(scene, x, y) is None


def test_a_picture_without_arcs_has_none_under_the_pointer(minilm: Model) -> None:
    from attnviz.session.view import HeadChoice

    view = View(heads=HeadChoice(frozenset(), 12))
    empty = build_scene(run_of(minilm, "cat"), view, load_theme("light"), Layout(400.0), stand_in_measure)
    assert arc_under(empty, 200.0, 60.0) is None
