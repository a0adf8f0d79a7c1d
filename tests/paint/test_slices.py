"""Arcs in slices: together they are the picture, the strongest come first, and none takes longer than it may."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QColor, QImage, QPainter

from attnviz.analysis.edges import Threshold
from attnviz.paint.arcs import paint_arcs
from attnviz.paint.fonts import text_width
from attnviz.paint.slices import lengths_of, slices_of
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.scene import Box
from attnviz.scene.theme import load_theme
from attnviz.session.view import View
from tests.scene.pictures import SHOWN, points_of, run_of, text_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.scene.scene import ArcScene

pytestmark = pytest.mark.usefixtures("qapp")
WIDTH, HEIGHT = 700.0, 500.0
SIGHT = Box(0.0, 0.0, WIDTH, HEIGHT)


@pytest.fixture(scope="module", params=["light", "dark"])
def scene(qapp: object, minilm: Model, request: pytest.FixtureRequest) -> ArcScene:
    run, view = run_of(minilm, text_of(minilm, 40)), View(layer=3, threshold=Threshold("mass", 1.0), sinks=SHOWN)
    return build_scene(run, view, load_theme(request.param), Layout(WIDTH, HEIGHT), text_width)


def painted(scene: ArcScene, slices: list[np.ndarray] | None) -> np.ndarray:
    """The pixels of the arcs on the scene's paper, [y, x, channel], painted at once or slice by slice."""
    image = QImage(round(scene.width), round(scene.height), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    for number, chosen in enumerate(slices or [None]):
        paint_arcs(scene, painter, 0.0, chosen, beneath=number > 0)
    painter.end()
    paper = QImage(image.size(), QImage.Format.Format_RGB32)
    paper.fill(QColor(scene.theme.paper))
    painter = QPainter(paper)
    painter.drawImage(0, 0, image)
    painter.end()
    pixels = np.frombuffer(paper.constBits(), np.uint8).reshape(paper.height(), paper.bytesPerLine() // 4, 4)
    return pixels[:, : paper.width(), :3].astype(int)


def test_slice_by_slice_the_picture_is_the_one_painted_at_once(scene: ArcScene) -> None:
    slices = slices_of(scene.arcs, SIGHT, 100_000.0, 60_000.0)
    assert len(slices) > 4
    difference = np.abs(painted(scene, slices) - painted(scene, None))
    # Hundreds of faint lines over each other are rounded in another order.
    assert difference.mean() < 0.5
    assert (difference > 4).mean() < 0.003


@given(st.floats(1_000.0, 1e6), st.floats(1_000.0, 1e6), st.floats(-600.0, 600.0))
def test_each_arc_is_in_one_slice_and_none_is_weaker_than_those_of_the_next(
    scene: ArcScene, first: float, then: float, top: float
) -> None:
    arcs = scene.arcs
    slices = slices_of(arcs, Box(0.0, top, WIDTH, top + HEIGHT), first, then)
    assert (np.sum(slices, axis=0) == 1).all()
    assert slices[0][arcs.width > 1.0].all()
    step = [np.ceil(24 * arcs.opacity[chosen & (arcs.width <= 1.0)]) for chosen in slices]
    for stronger, weaker in itertools.pairwise(step):
        assert stronger.min(initial=np.inf) >= weaker.max()


def test_a_slice_has_as_much_line_in_sight_as_it_may(scene: ArcScene) -> None:
    thin = scene.arcs.width <= 1.0
    longest = lengths_of(scene.arcs.curve).max()
    for number, chosen in enumerate(slices_of(scene.arcs, SIGHT, 50_000.0, 30_000.0)):
        limit = 30_000.0 if number else 50_000.0
        assert lengths_of(scene.arcs.curve[chosen & thin]).sum() < limit + longest


def test_arcs_out_of_sight_take_no_time_and_wait_for_none(scene: ArcScene) -> None:
    assert len(slices_of(scene.arcs, Box(0.0, 9_000.0, WIDTH, 9_500.0), 1_000.0, 1_000.0)) == 1


def test_no_arcs_are_one_empty_slice(scene: ArcScene) -> None:
    nothing = np.zeros(0, np.intp)
    none = replace(
        scene.arcs,
        **dict.fromkeys(("head", "query", "key", "colour"), nothing),
        **dict.fromkeys(("weight", "opacity", "width"), np.zeros(0, np.float32)),
        curve=np.zeros((0, 4, 2), np.float32),
    )
    (only,) = slices_of(none, SIGHT, 1_000.0, 1_000.0)
    assert only.shape == (0,)


def test_lengths_are_those_of_the_curves_within_a_fifth_and_together_within_a_seventh(scene: ArcScene) -> None:
    points = points_of(scene.arcs.curve, 200)
    exact = np.linalg.norm(np.diff(points, axis=1), axis=-1).sum(axis=1)
    assert np.allclose(lengths_of(scene.arcs.curve), exact, rtol=0.2, atol=1.0)
    assert lengths_of(scene.arcs.curve).sum() == pytest.approx(exact.sum(), rel=0.15)
