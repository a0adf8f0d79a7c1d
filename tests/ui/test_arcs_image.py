"""Very many arcs on the screen: the strongest at once, all of them a moment later, and never those of another picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from attnviz.analysis.edges import Threshold
from attnviz.paint.arcs import paint_arcs
from attnviz.paint.fonts import text_width
from attnviz.scene.arcs.glide import Glide
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import load_theme
from attnviz.session.view import View
from attnviz.ui.pictures.canvas import Canvas
from tests.scene.pictures import SHOWN, run_of, text_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from attnviz.engine.model import Model
    from attnviz.scene.scene import ArcScene

WIDTH, HEIGHT = 900, 460
ALL = Threshold("mass", 1.0)


def scene_of(model: Model, n_token: int, layer: int, threshold: Threshold = ALL) -> ArcScene:
    run = run_of(model, text_of(model, n_token))
    view = View(layer=layer, threshold=threshold, sinks=SHOWN)
    return build_scene(run, view, load_theme("light"), Layout(WIDTH, HEIGHT), text_width)


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(WIDTH, HEIGHT)
    return canvas


def shown(canvas: Canvas, scene: ArcScene) -> np.ndarray:
    """The image of the arcs after the first repaint of a scene."""
    canvas.set_scene(scene)
    canvas.grab()
    return pixels_of(canvas._arcs.image)


def pixels_of(image: QImage) -> np.ndarray:
    """[y, x, channel], 0 to 255."""
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4).astype(int)


def whole(canvas: Canvas, scene: ArcScene) -> np.ndarray:
    """All arcs painted at once."""
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    canvas.enter_scene(painter)
    paint_arcs(scene, painter, 0.0)
    painter.end()
    return pixels_of(image)


def test_the_arcs_of_the_usual_threshold_are_there_at_once(canvas: Canvas, minilm: Model) -> None:
    scene = scene_of(minilm, 13, 3, Threshold())
    assert np.array_equal(shown(canvas, scene), whole(canvas, scene))
    assert canvas.is_complete


def test_of_very_many_arcs_the_strongest_are_there_at_once_and_all_of_them_soon(
    canvas: Canvas, minilm: Model, qtbot: QtBot
) -> None:
    scene = scene_of(minilm, 13, 3)
    assert len(scene.arcs) == 2_700
    first = shown(canvas, scene)
    expected = whole(canvas, scene)
    assert not canvas.is_complete
    opaque = expected[..., 3] > 240
    assert first[opaque, 3].mean() > 0.8 * expected[opaque, 3].mean()  # what is strong is there
    qtbot.waitUntil(lambda: canvas.is_complete)
    assert np.abs(pixels_of(canvas._arcs.image) - expected).mean() < 0.5


def test_the_rest_of_a_picture_that_was_replaced_is_not_painted(canvas: Canvas, minilm: Model, qtbot: QtBot) -> None:
    scenes = [scene_of(minilm, 13, layer) for layer in (3, 4)]
    shown(canvas, scenes[0])
    assert not canvas.is_complete
    shown(canvas, scenes[1])
    qtbot.waitUntil(lambda: canvas.is_complete)
    assert np.abs(pixels_of(canvas._arcs.image) - whole(canvas, scenes[1])).mean() < 0.5


def test_the_picture_is_painted_again_once_it_is_complete(canvas: Canvas, minilm: Model, qtbot: QtBot) -> None:
    canvas.show()
    with qtbot.waitSignals([canvas._arcs.completed, canvas.painted, canvas.painted]):
        canvas.set_scene(scene_of(minilm, 13, 3))


def test_the_pointer_is_followed_while_arcs_are_still_to_come(canvas: Canvas, minilm: Model, qtbot: QtBot) -> None:
    scene = scene_of(minilm, 13, 3)
    shown(canvas, scene)
    box = scene.tokens[5]
    canvas.look_at(canvas.on_screen(box.middle, (box.top + box.bottom) / 2))
    canvas.grab()
    assert canvas.focus_token == box.index
    assert not canvas.is_complete
    qtbot.waitUntil(lambda: canvas.is_complete)
    assert np.abs(pixels_of(canvas._arcs.image) - whole(canvas, scene)).mean() < 0.5


def test_a_picture_that_is_taken_away_leaves_nothing_to_paint(canvas: Canvas, minilm: Model, qtbot: QtBot) -> None:
    shown(canvas, scene_of(minilm, 13, 3))
    canvas.set_scene(None)
    canvas.grab()
    assert canvas.is_complete
    qtbot.wait(20)
    assert canvas._arcs.image is None


def test_after_a_motion_no_arc_is_gone_for_a_moment(canvas: Canvas, minilm: Model, qtbot: QtBot) -> None:
    scene = scene_of(minilm, 13, 3)
    canvas.show()
    canvas.set_scene(scene, Glide(scene, scene, 12, 12))
    with qtbot.waitSignal(canvas._motion.finished):
        canvas.repaint()
    canvas.repaint()
    assert canvas.is_complete
    assert np.abs(pixels_of(canvas._arcs.image) - whole(canvas, scene)).mean() < 0.5


# --- moved and enlarged -----------------------------------------------------------------------------------------------


def taken(canvas: Canvas) -> np.ndarray:
    """All that is on the screen: [y, x, channel]."""
    return pixels_of(canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32))


def settled(canvas: Canvas, scene: ArcScene, qtbot: QtBot) -> None:
    """Show all arcs of a scene, large enough to be moved every way, on a canvas that is seen: each grab of another resizes it."""
    with qtbot.waitExposed(canvas):
        canvas.show()
    shown(canvas, scene)
    canvas.zoom_by(2.0)
    canvas.grab()
    qtbot.waitUntil(lambda: canvas.is_complete)


def test_no_arc_that_was_in_sight_is_gone_while_the_picture_is_moved(canvas: Canvas, minilm: Model, qtbot: QtBot) -> None:
    settled(canvas, scene_of(minilm, 13, 3), qtbot)
    for _ in range(3):  # without a moment between them
        canvas.pan(20, -30)
        moving = taken(canvas)
    assert not canvas.is_complete
    qtbot.waitUntil(lambda: canvas.is_complete)
    at_rest = taken(canvas)
    far = np.abs(moving - at_rest)[..., :3].max(axis=2)
    assert far[: HEIGHT - 90, 60:].mean() < 0.5
    assert far[HEIGHT - 90 :].mean() > 1  # what has come into sight has its strongest alone


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_while_the_picture_is_enlarged_or_reduced_it_is_about_the_same_as_at_rest(
    canvas: Canvas, minilm: Model, qtbot: QtBot, factor: float
) -> None:
    settled(canvas, scene_of(minilm, 13, 3), qtbot)
    canvas.zoom_by(factor)
    moving, strongest = taken(canvas), pixels_of(canvas._arcs.image)
    assert not canvas.is_complete
    qtbot.waitUntil(lambda: canvas.is_complete)
    middle = slice(HEIGHT // 5, -HEIGHT // 5), slice(WIDTH // 5, -WIDTH // 5)
    at_rest = taken(canvas)
    missing = np.abs(strongest - pixels_of(canvas._arcs.image))[middle].mean()
    assert missing > 8
    assert abs(moving[middle].mean() - at_rest[middle].mean()) < 0.2 * missing


def test_another_picture_is_not_begun_with_the_arcs_of_the_last_one(canvas: Canvas, minilm: Model, qtbot: QtBot) -> None:
    scenes = [scene_of(minilm, 13, layer) for layer in (3, 4)]
    settled(canvas, scenes[0], qtbot)
    canvas.pan(0, -30)
    canvas.grab()
    canvas.set_scene(scenes[1])
    after = taken(canvas)
    fresh = Canvas()
    qtbot.addWidget(fresh)
    fresh.resize(WIDTH, HEIGHT)
    fresh.set_scene(scenes[1])
    fresh.viewport.x, fresh.viewport.y, fresh.viewport.zoom = canvas.viewport.x, canvas.viewport.y, canvas.viewport.zoom
    assert np.array_equal(after, taken(fresh))


def test_a_token_in_focus_stands_forward_of_arcs_that_are_moved(canvas: Canvas, minilm: Model, qtbot: QtBot) -> None:
    scene = scene_of(minilm, 13, 3)
    settled(canvas, scene, qtbot)
    canvas.set_focus(scene.tokens[5].index)
    canvas.pan(0, -30)
    moving = taken(canvas)
    assert not canvas.is_complete
    qtbot.waitUntil(lambda: canvas.is_complete)
    assert np.abs(moving - taken(canvas))[: HEIGHT - 30].mean() < 0.5
