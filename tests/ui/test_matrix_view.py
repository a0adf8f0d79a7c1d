"""The matrix on the screen: pointer, wheel and keys on the widget by itself."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pyqtgraph import ViewBox
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication

from attnviz.paint.fonts import text_width
from attnviz.paint.painter import paint_scene
from attnviz.scene.matrix.hit import NOWHERE, Spot, spot_at
from attnviz.scene.matrix.pooling import PanelPixels
from attnviz.scene.matrix.scene import MatrixScene, cell_colours
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.ramps import ramp
from attnviz.scene.theme import load_theme
from attnviz.session.view import HeadChoice, View
from attnviz.ui.pictures.matrix_view import MatrixView
from tests.paint.test_matrix_paint import synthetic
from tests.scene.pictures import SHOWN, run_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from attnviz.engine.model import Model
    from attnviz.session.run import Run

ANIMAL = "The animal didn't cross the street because it was tired."
SIZE = (900, 560)
LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def run(minilm: Model) -> Run:
    return run_of(minilm, ANIMAL)


@pytest.fixture
def view(qtbot: QtBot) -> MatrixView:
    made = MatrixView()
    qtbot.addWidget(made)
    made.resize(*SIZE)
    made.show()
    return made


@pytest.fixture
def show(view: MatrixView) -> Callable[..., MatrixScene]:
    """Shows layer 3 of a run: the heads given, or all."""

    def show_it(run: Run, *heads: int, theme: str = "light", **rest: object) -> MatrixScene:
        chosen = HeadChoice(frozenset(heads), run.trace.head_count) if heads else None
        wanted = View(picture="matrix", layer=3, heads=chosen, **rest)
        scene = build_scene(run, wanted, load_theme(theme), Layout(*SIZE), text_width)
        view.set_scene(scene)
        return scene

    return show_it


def middle(view: MatrixView, row: int, column: int, panel: int = 0) -> QPointF:
    cells = view.placed()[panel]
    return QPointF(cells.left + (column + 0.5) * cells.width, cells.top + (row + 0.5) * cells.height)


def point(qtbot: QtBot, view: MatrixView, at: QPointF) -> None:
    qtbot.mouseMove(view, at.toPoint())
    view.look_at(at)


def wheel(view: MatrixView, at: QPointF, angle: int, key: Qt.KeyboardModifier = NO_KEY) -> None:
    still = Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(at, view.mapToGlobal(at), QPoint(), QPoint(0, angle), Qt.MouseButton.NoButton, key, still, False)
    QApplication.sendEvent(view, event)


def pixels(image: QImage) -> np.ndarray:
    """[y, x, channel]: red, green, blue."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[..., 2::-1].astype(int)


def told(view: MatrixView) -> list[object]:
    """What the view has asked for since, by the last argument of each signal."""
    heard: list[object] = []
    view.tokenPinned.connect(heard.append)
    view.headPicked.connect(heard.append)
    return heard


# --- what is seen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("heads", [(1,), ()])
def test_the_screen_shows_what_a_figure_shows(
    view: MatrixView, show: Callable[..., MatrixScene], run: Run, heads: tuple[int, ...], theme: str
) -> None:
    show(run, 2, 3, theme="dark" if theme == "light" else "light", focus=3)  # of which nothing is left
    scene = show(run, *heads, theme=theme, focus=5)
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    image.fill(QColor(scene.theme.paper))
    painter = QPainter(image)
    paint_scene(scene, painter)
    painter.end()
    seen, wanted = pixels(view.grab().toImage()), pixels(image)
    assert seen.shape == wanted.shape
    apart = np.abs(seen - wanted).max(axis=2)
    assert (apart > 40).mean() < 0.001  # edges may fall on another pixel
    assert np.abs(wanted - wanted[2, 2]).max() > 100


def test_cells_have_their_colours_at_any_zoom(view: MatrixView, show: Callable[..., MatrixScene], minilm: Model) -> None:
    scene = show(run_of(minilm, text_of(minilm, 60)), 4)
    colours = cell_colours(scene, scene.panels[0]).astype(int)
    for factor in (1.0, 1.7, 2.9):
        view.zoom_by(factor)
        (cells,) = view.placed()
        seen = pixels(view.grab().toImage())
        for row in list(cells.rows)[1:-1:5]:
            for column in list(cells.columns)[1:-1:5]:
                at = (cells.left + (column + 0.2) * cells.width, cells.top + (row + 0.2) * cells.height)
                around = seen[int(at[1]), int(at[0])]
                assert np.abs(around - colours[row, column]).max() <= 3


@pytest.mark.parametrize("n", [450, 777])
def test_no_column_is_lost_where_cells_are_smaller_than_pixels(
    view: MatrixView, show: Callable[..., MatrixScene], run: Run, n: int
) -> None:
    scene = show(run, 1)
    view.set_scene(synthetic(scene, np.zeros((n, n), np.float32)))
    empty = pixels(view.grab().toImage())
    for column in range(3, n, 17):
        weights = np.zeros((n, n), np.float32)
        weights[:, column] = scene.scale.top
        view.set_scene(synthetic(scene, weights))
        # Smoothing may touch a pixel of the far corner by a level or six.
        changed = np.flatnonzero((np.abs(pixels(view.grab().toImage()) - empty) > 12).any(axis=(0, 2)))
        (cells,) = view.placed()
        assert changed.size
        assert abs(changed.mean() + 0.5 - (cells.left + (column + 0.5) * cells.width)) < 1.5


@pytest.mark.parametrize("place", [(0, 0), (4_095, 4_095), (1_234, 3_000)])
def test_one_strong_weight_among_sixteen_million_stays_in_sight_while_it_is_zoomed_in_on(
    view: MatrixView, show: Callable[..., MatrixScene], run: Run, place: tuple[int, int]
) -> None:
    scene = replace(show(run, 1), bar=None)
    weights = np.zeros((4_096, 4_096), np.float32)
    weights[place] = scene.scale.top
    view.set_scene(synthetic(scene, weights))
    strongest = ramp(scene.theme, 1)[255].astype(int)
    for step in range(30):
        (cells,) = view.placed()
        at = np.array([cells.top + (place[0] + 0.5) * cells.height, cells.left + (place[1] + 0.5) * cells.width])
        found = np.argwhere(np.abs(pixels(view.grab().toImage()) - strongest).max(axis=2) <= 40)  # a frame may lie on a part of it
        found = found[np.abs(found + 0.5 - at).max(axis=1) <= 1.6 + cells.width]  # tokens are as dark
        assert len(found)
        wheel(view, QPointF(at[1], at[0]), 240 if step % 7 else 60)
        view.pan(*{0: (5, 5), 4_095: (-5, -5)}.get(place[0], (0.3, -0.7)))  # corners stay in theirs


def test_what_is_seen_is_drawn_once_however_often_it_is_painted(
    view: MatrixView, show: Callable[..., MatrixScene], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.set_scene(synthetic(show(run, 1), np.random.default_rng(3).random((700, 700), np.float32)))
    view.grab()
    drawn: list[object] = []
    monkeypatch.setattr(PanelPixels, "colours", lambda *asked: drawn.append(asked))
    view.look_at(middle(view, 300, 200))
    view.grab()
    assert not drawn


def test_numbers_appear_when_cells_have_room_for_them(view: MatrixView, show: Callable[..., MatrixScene], minilm: Model) -> None:
    scene = show(run_of(minilm, text_of(minilm, 60)), 4)
    paper = cell_colours(scene, scene.panels[0]).reshape(-1, 3).astype(int)
    darkest = []
    for factor in (1.0, 100.0):
        view.zoom_by(factor)
        x0, y0, x1, y1 = (int(edge) for edge in view.placed()[0].room)
        darkest.append(pixels(view.grab().toImage())[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2].sum(axis=2).min())
    assert darkest[0] >= paper.sum(axis=1).min() - 5
    assert view.placed()[0].width > 34
    assert darkest[1] < darkest[0] - 100


def test_the_same_text_keeps_its_zoom_and_another_one_is_seen_whole(
    view: MatrixView, show: Callable[..., MatrixScene], run: Run, minilm: Model
) -> None:
    show(run, 1)
    view.zoom_by(2.0)
    place = view.placed()[0]
    show(run, 1, is_log=True)
    assert view.zoom == 2.0
    assert view.placed()[0] == place
    show(run_of(minilm, "Another text."), 1)
    assert view.zoom == 1.0


def test_a_window_too_small_for_the_picture_shows_all_of_it(view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    show(run, 1)
    whole = pixels(view.grab().toImage())
    view.resize(SIZE[0] // 2, SIZE[1] // 2)
    small = pixels(view.grab().toImage())
    assert small.shape == (SIZE[1] // 2, SIZE[0] // 2, 3)
    averaged = whole.reshape(SIZE[1] // 2, 2, SIZE[0] // 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - averaged).mean() < 4
    (cells,) = view.placed()
    view.look_at(view.on_screen(cells.left + 5.5 * cells.width, cells.top + 2.5 * cells.height))
    assert view.spot == Spot(0, 2, 5)


def test_nothing_can_be_shown_and_pointed_at(qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    for empty in (None, "no heads"):
        if empty is None:
            view.set_scene(None)
        else:
            none = View(picture="matrix", heads=HeadChoice(frozenset(), 12))
            view.set_scene(build_scene(run, none, load_theme("light"), Layout(*SIZE), text_width))
        point(qtbot, view, QPointF(300, 300))
        wheel(view, QPointF(300, 300), 120)
        view.fit()
        view.pan(5, 5)
        assert not view.move_pin(1)
        assert view.focus_token is None
        qtbot.mouseClick(view, LEFT, NO_KEY, QPoint(300, 300))
        assert not view.grab().isNull()
    show(run, 1)
    assert view.scene is not None


def test_a_stale_picture_is_dimmed(qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    show(run, 1)
    fresh = pixels(view.grab().toImage())
    view.set_busy(True)
    qtbot.waitUntil(lambda: (pixels(view.grab().toImage()) != fresh).any())
    assert pixels(view.grab().toImage()).min() > fresh.min() + 50
    view.set_busy(False)
    assert (pixels(view.grab().toImage()) == fresh).all()


# --- the pointer ------------------------------------------------------------------------------------------------------


def test_a_cell_under_the_pointer_brings_its_query_into_focus(
    qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], run: Run
) -> None:
    scene = show(run, 1)
    moved: list[object] = []
    view.focusMoved.connect(moved.append)
    before = pixels(view.grab().toImage())
    for row, column in ((2, 3), (2, 4), (7, 4)):
        point(qtbot, view, middle(view, row, column))
        assert view.spot == Spot(0, row, column)
        assert view.focus_token == scene.queries.positions[row]
        assert (pixels(view.grab().toImage()) != before).any()
    assert moved == [scene.queries.positions[2], scene.queries.positions[7]]
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert view.spot == NOWHERE
    assert moved[-1] is None
    assert (pixels(view.grab().toImage()) == before).all()
    assert view.scene is scene


def test_what_is_under_the_pointer_is_looked_for_again_in_another_scene(
    view: MatrixView, show: Callable[..., MatrixScene], run: Run
) -> None:
    show(run, 1)
    before = pixels(view.grab().toImage())
    at = middle(view, 2, 3)
    view.look_at(at)
    show(run, 1, 2, 3)
    assert view.spot == spot_at(view.scene, view.placed(), at.x(), at.y(), text_width) != Spot(0, 2, 3)
    view.set_scene(None)
    assert view.spot == NOWHERE
    show(run, 1)
    assert view.spot == NOWHERE
    assert (pixels(view.grab().toImage()) == before).all()


def test_the_labels_of_the_cell_under_the_pointer_stand_out(view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    show(run, 1)
    before = pixels(view.grab().toImage())
    view.look_at(middle(view, 9, 2))
    changed = (pixels(view.grab().toImage()) != before).any(axis=2)
    (cells,) = view.placed()
    beside = np.flatnonzero(changed[int(cells.top) + 1 :, : int(cells.left) - 3].any(axis=1)) + int(cells.top) + 1
    assert beside.size
    assert ((beside - cells.top) / cells.height).min() > 8.5
    assert ((beside - cells.top) / cells.height).max() < 10.5
    above = np.flatnonzero(changed[int(cells.top) - 12 : int(cells.top) - 6].any(axis=0))
    assert above.size
    assert abs((above.min() - cells.left) / cells.width - 2.5) < 1.0


def test_a_pin_is_shown_as_if_the_scene_had_been_built_with_it(
    view: MatrixView, show: Callable[..., MatrixScene], run: Run
) -> None:
    show(run, 1, focus=4)
    built = pixels(view.grab().toImage())
    show(run, 1)
    assert (pixels(view.grab().toImage()) != built).any()
    view.set_focus(4)
    assert (pixels(view.grab().toImage()) == built).all()


def test_a_label_above_a_column_is_its_token(qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    scene = show(run, 1, 2)
    (cells, _) = view.placed()
    point(qtbot, view, QPointF(cells.left + 4.5 * cells.width, cells.top - 12))
    assert view.spot == Spot(column=4)
    assert view.focus_token == scene.keys.positions[4]


def test_a_click_pins_the_query_and_another_lets_it_go(
    qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], run: Run
) -> None:
    scene = show(run, 1)
    heard = told(view)
    at = middle(view, 4, 6).toPoint()
    qtbot.mouseClick(view, LEFT, NO_KEY, at)
    view.set_focus(scene.queries.positions[4])
    qtbot.mouseClick(view, LEFT, NO_KEY, at)
    qtbot.mouseClick(view, LEFT, NO_KEY, QPoint(4, 4))
    assert heard == [scene.queries.positions[4], None, None]


def test_a_click_on_one_of_several_panels_picks_its_head(
    qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], run: Run
) -> None:
    show(run)
    heard = told(view)
    for panel in (0, 5, 11):
        qtbot.mouseClick(view, LEFT, NO_KEY, middle(view, 3, 3, panel).toPoint())
    assert heard == [0, 5, 11]


def test_the_wheel_enlarges_what_is_under_the_pointer(
    qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], minilm: Model
) -> None:
    show(run_of(minilm, text_of(minilm, 40)), 1)
    at = middle(view, 30, 9)
    for key in (NO_KEY, Qt.KeyboardModifier.ControlModifier):
        point(qtbot, view, at)
        wheel(view, at, 240, key)
        assert view.spot == Spot(0, 30, 9)
    assert view.zoom > 1.8
    qtbot.mouseDClick(view, LEFT, NO_KEY, at.toPoint())
    assert view.zoom == 1.0


def test_enlarged_cells_take_the_free_place_and_the_bar_makes_way(view: MatrixView, run: Run) -> None:
    wanted = View(picture="matrix", layer=3, heads=HeadChoice(frozenset({1}), 12))
    scene = build_scene(run, wanted, load_theme("light"), Layout(*SIZE), text_width)
    view.set_scene(scene)
    before, (whole,) = pixels(view.grab().toImage()), view.placed()
    rooms = [whole.room]
    for _ in range(20):
        view.zoom_by(1.2)
        (cells,) = view.placed()
        left, top, right, bottom = cells.room
        assert cells.left <= left + 1e-6
        assert cells.top <= top + 1e-6
        assert cells.left + cells.n_column * cells.width >= right - 1e-6
        assert cells.top + cells.n_row * cells.height >= bottom - 1e-6
        assert left <= rooms[-1][0] + 1e-6
        assert right >= rooms[-1][2] - 1e-6
        rooms.append(cells.room)
    assert rooms[-1] == pytest.approx(scene.free)
    assert rooms[-1][2] - rooms[-1][0] > 0.75 * SIZE[0]
    bar = scene.bar.moved(rooms[-1][2] - whole.room[2])
    assert bar.left > rooms[-1][2] > whole.room[2] + 50
    seen = pixels(view.grab().toImage())
    strip = np.s_[int(bar.top) + 2 : int(bar.top + bar.height) - 2, int(bar.left) + 2 : int(bar.left + bar.width) - 2]
    old = np.s_[strip[0], int(scene.bar.left) + 2 : int(scene.bar.left + bar.width) - 2]
    assert np.abs(seen[strip] - before[old]).max() <= 6
    view.fit()
    assert view.placed()[0] == whole
    assert (pixels(view.grab().toImage()) == before).all()


def test_a_drag_moves_the_cells_and_pins_nothing(
    qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], minilm: Model
) -> None:
    show(run_of(minilm, text_of(minilm, 40)), 1)
    view.zoom_by(3.0)
    heard = told(view)
    (before,) = view.placed()
    start = QPoint(round(before.room[0]) + 200, round(before.room[1]) + 200)
    qtbot.mousePress(view, LEFT, NO_KEY, start)
    qtbot.mouseMove(view, start + QPoint(-60, -35))
    qtbot.mouseRelease(view, LEFT, NO_KEY, start + QPoint(-60, -35))
    (after,) = view.placed()
    assert (after.left, after.top) == pytest.approx((before.left - 60, before.top - 35), abs=0.1)
    assert heard == []


def test_all_panels_show_the_same_part(view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    show(run)
    view.zoom_by(2.0)
    view.pan(-20, -10)
    seen = {(placed.rows, placed.columns) for placed in view.placed()}
    assert len(seen) == 1
    assert len(next(iter(seen))[0]) < 13


# --- keys -------------------------------------------------------------------------------------------------------------


def test_arrows_walk_through_the_tokens(qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    scene = show(run, 1)
    heard = told(view)
    view.tokenPinned.connect(view.set_focus)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Left, Qt.Key.Key_Left):
        qtbot.keyClick(view, key)
    first, second, last = scene.queries.positions[0], scene.queries.positions[1], scene.queries.positions[-1]
    assert heard == [first, second, first, last, scene.queries.positions[-2]]


def test_tab_leaves_after_the_last_token(view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    scene = show(run, 1)
    view.set_focus(scene.queries.positions[-2])
    assert view.move_pin(1, wrap=False)
    view.set_focus(scene.queries.positions[-1])
    assert not view.move_pin(1, wrap=False)


def test_a_token_pinned_by_keys_is_brought_into_sight(view: MatrixView, show: Callable[..., MatrixScene], minilm: Model) -> None:
    scene = show(run_of(minilm, text_of(minilm, 80)), 1, focus=70)
    view.zoom_by(6.0)
    view.pan(10_000, 10_000)
    assert 70 not in view.placed()[0].rows
    view.move_pin(1)
    (cells,) = view.placed()
    assert scene.queries.place_of(71) in cells.rows
    assert scene.keys.place_of(71) in cells.columns


def test_what_is_shown_is_told_to_those_who_do_not_see_it(view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    show(run, 1)
    assert view.accessibleName() == "Attention matrix"
    assert "layer 3, head 1 of 12" in view.accessibleDescription()
    view.set_scene(None)
    assert view.accessibleDescription() == ""


def test_a_hidden_token_cannot_be_pinned(view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    show(run, 1)
    view.set_focus(0)  # [CLS]
    assert view.focus_token is None
    show(run, 1, sinks=SHOWN)
    view.set_focus(0)
    assert view.focus_token == 0


def test_each_repaint_is_told(qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    show(run, 1)
    with qtbot.waitSignal(view.painted):
        view.update()
    with qtbot.waitSignal(view.resized):
        view.resize(700, 500)


def test_nothing_of_pyqtgraphs_own_opens_on_a_right_click(
    qtbot: QtBot, view: MatrixView, show: Callable[..., MatrixScene], run: Run
) -> None:
    show(run, 1)
    heard = told(view)
    before = set(QApplication.topLevelWidgets())
    qtbot.mouseClick(view, Qt.MouseButton.RightButton, NO_KEY, middle(view, 3, 3).toPoint())
    assert set(QApplication.topLevelWidgets()) == before
    assert heard == []


def test_panels_that_are_shown_no_more_hold_no_scene(view: MatrixView, show: Callable[..., MatrixScene], run: Run) -> None:
    before = weakref.ref(show(run))
    show(run, 1)
    gc.collect()
    assert before() is None


def test_a_view_that_goes_leaves_nothing_behind(qtbot: QtBot, run: Run) -> None:
    gc.collect()
    before = len(ViewBox.AllViews)
    made = MatrixView()
    made.resize(*SIZE)
    made.show()
    made.set_scene(build_scene(run, View(picture="matrix"), load_theme("light"), Layout(*SIZE), text_width))
    assert len(ViewBox.AllViews) == before + 12
    made.close()
    made.deleteLater()
    del made
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert len(ViewBox.AllViews) == before
