"""The steps on the screen: what pointer and keys find, ask for and copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu

from attnviz.paint.fonts import text_width
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import load_theme
from attnviz.session.view import HeadChoice, View
from attnviz.ui.copying import leave_clipboard
from attnviz.ui.pictures import steps_view
from attnviz.ui.pictures.steps_view import StepsView
from tests.scene.pictures import run_of
from tests.scene.test_steps_scene import ANIMAL, LAYOUTS, WINDOW, check_geometry

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from attnviz.engine.model import Model
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Box, Measure
    from attnviz.scene.steps.scene import StageName, StepsScene
    from attnviz.session.run import Run

LEFT: Final = Qt.MouseButton.LeftButton


@pytest.fixture
def run(minilm: Model) -> Run:
    return run_of(minilm, ANIMAL)


def scene_of(run: Run, focus: int = 10, head: int = 1, layout: Layout = WINDOW) -> StepsScene:
    view = View(picture="steps", layer=3, focus=focus, heads=HeadChoice(frozenset({head}), 12))
    return build_scene(run, view, load_theme("light"), layout, text_width)


@pytest.fixture
def shown(qtbot: QtBot, run: Run) -> Iterator[StepsView]:
    view = StepsView()
    view.resize(1180, 560)
    qtbot.addWidget(view)
    view.set_scene(scene_of(run))
    view.show()
    qtbot.waitExposed(view)
    yield view
    leave_clipboard()


def point(qtbot: QtBot, view: StepsView, x: float, y: float) -> QPoint:
    at = view.on_screen(x, y).toPoint()
    qtbot.mouseMove(view, at)
    view.look_at(QPointF(at))
    return at


def middle(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, box.middle


def stage_box(view: StepsView, name: StageName) -> Box:
    return next(stage.box for stage in view.scene.stages if stage.name == name)


def clicked(qtbot: QtBot, view: StepsView, x: float, y: float) -> None:
    qtbot.mouseClick(view, LEFT, pos=point(qtbot, view, x, y))


def test_the_real_type_has_room_everywhere(qapp: QApplication, run: Run) -> None:
    del qapp
    measure: Measure = text_width
    for layout in LAYOUTS:
        check_geometry(scene_of(run, layout=layout), measure)


def test_the_pointer_paints_over_the_picture_and_never_anew(
    qtbot: QtBot, shown: StepsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[StepsScene] = []
    monkeypatch.setattr(steps_view, "paint_steps_scene", lambda scene, painter: painted.append(scene))
    shown.repaint()
    before = len(painted)
    still = shown.grab().toImage()
    for strip in shown.scene.strips[:40:7]:
        if strip.stage is not None:
            point(qtbot, shown, *middle(strip.box))
            assert shown.grab().toImage() != still
    assert len(painted) == before
    shown.fit()
    shown.repaint()
    assert len(painted) == before + 1


def test_a_click_on_a_row_asks_for_its_token(qtbot: QtBot, shown: StepsView) -> None:
    for row in [row for row in shown.scene.rows if row.is_query][1:4]:
        with qtbot.waitSignal(shown.tokenPinned) as pinned:
            clicked(qtbot, shown, row.box.left + 3, row.box.middle)
        assert pinned.args == [row.position]


def test_a_click_on_a_row_without_a_token_asks_for_nothing(qtbot: QtBot, shown: StepsView) -> None:
    total = shown.scene.rows[-1]
    assert total.text == "sum"
    with qtbot.assertNotEmitted(shown.tokenPinned):
        clicked(qtbot, shown, total.box.left + 3, total.box.middle)


def test_a_click_on_a_head_asks_for_it(qtbot: QtBot, shown: StepsView) -> None:
    for box in shown.scene.heads[::5]:
        with qtbot.waitSignal(shown.headPicked) as picked:
            clicked(qtbot, shown, *middle(box.box))
        assert picked.args == [box.head]


@pytest.mark.parametrize(("key", "token"), [(Qt.Key.Key_Left, 9), (Qt.Key.Key_Right, 11)])
def test_left_and_right_ask_for_the_neighbouring_token(qtbot: QtBot, shown: StepsView, key: Qt.Key, token: int) -> None:
    with qtbot.waitSignal(shown.tokenPinned) as pinned:
        qtbot.keyClick(shown, key)
    assert pinned.args == [token]


@pytest.mark.parametrize(("key", "head"), [(Qt.Key.Key_Up, 0), (Qt.Key.Key_Down, 2)])
def test_up_and_down_ask_for_the_neighbouring_head(qtbot: QtBot, shown: StepsView, key: Qt.Key, head: int) -> None:
    with qtbot.waitSignal(shown.headPicked) as picked:
        qtbot.keyClick(shown, key)
    assert picked.args == [head]


def test_keys_go_round_at_the_ends(qtbot: QtBot, shown: StepsView, run: Run) -> None:
    shown.set_scene(scene_of(run, focus=14, head=11))
    with qtbot.waitSignal(shown.tokenPinned) as pinned:
        qtbot.keyClick(shown, Qt.Key.Key_Right)
    with qtbot.waitSignal(shown.headPicked) as picked:
        qtbot.keyClick(shown, Qt.Key.Key_Down)
    assert (pinned.args, picked.args) == ([0], [0])


def test_where_no_head_is_shown_a_key_shows_the_first(qtbot: QtBot, shown: StepsView, run: Run) -> None:
    nothing = View(picture="steps", heads=HeadChoice(frozenset(), 12))
    shown.set_scene(build_scene(run, nothing, load_theme("light"), WINDOW, text_width))
    assert shown.accessibleDescription().startswith("there is nothing to follow")
    with qtbot.waitSignal(shown.headPicked) as picked:
        qtbot.keyClick(shown, Qt.Key.Key_Down)
    assert picked.args == [0]
    qtbot.keyClick(shown, Qt.Key.Key_Left)  # nothing to ask for, and nothing breaks
    qtbot.keyClick(shown, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)


def test_tab_walks_through_the_stages_and_says_each(qtbot: QtBot, shown: StepsView) -> None:
    shown.setFocus()
    assert "it looks most at animal" in shown.accessibleDescription()
    for stage in shown.scene.stages:
        assert shown.focusNextPrevChild(True)
        assert shown.accessibleDescription() == f"{stage.title}: {stage.sentence} {stage.formula}"
        assert shown.stage == stage.name
    shown.focusNextPrevChild(True)
    assert shown.stage is None
    assert "it looks most at animal" in shown.accessibleDescription()


def test_the_stage_that_keys_reached_is_copied_as_numpy(qtbot: QtBot, shown: StepsView, run: Run) -> None:
    for _ in range(5):
        shown.focusNextPrevChild(True)
    with qtbot.waitSignal(shown.copied) as said:
        qtbot.keyClick(shown, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert said.args == ["Softmax copied as NumPy"]
    names: dict[str, np.ndarray] = {}
    exec(QGuiApplication.clipboard().text(), names)
    np.testing.assert_allclose(names["attention"], run.trace.attention(3)[1, 10], atol=1e-6)


def test_the_stage_under_the_pointer_comes_before_the_one_that_keys_reached(qtbot: QtBot, shown: StepsView) -> None:
    shown.focusNextPrevChild(True)
    point(qtbot, shown, *middle(stage_box(shown, "output")))
    qtbot.keyClick(shown, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().startswith("# Output: layer 3, head 1 of 12, query 'it' (token 10)")


def test_the_word_beside_a_title_opens_the_ways_to_copy(qtbot: QtBot, shown: StepsView) -> None:
    for stage in shown.scene.stages:
        clicked(qtbot, shown, *middle(stage.copy))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        as_numpy, as_latex = menu.actions()
        assert (as_numpy.text(), as_latex.text()) == ("Copy as NumPy", "Copy as LaTeX")
        as_latex.trigger()
        menu.close()
        assert QGuiApplication.clipboard().text().startswith("\\[\n\\begin{aligned}")


@pytest.mark.parametrize("reason", list(QContextMenuEvent.Reason)[:2])
def test_a_context_menu_copies_the_stage_it_was_opened_on(qtbot: QtBot, shown: StepsView, reason: QContextMenuEvent.Reason) -> None:
    at = point(qtbot, shown, *middle(stage_box(shown, "weighted")))
    QApplication.sendEvent(shown, QContextMenuEvent(reason, at, shown.mapToGlobal(at)))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.actions()[0].trigger()
    menu.close()
    assert QGuiApplication.clipboard().text().startswith("# Weighted sum")


def test_a_drag_over_the_table_moves_the_picture_and_asks_for_nothing(qtbot: QtBot, shown: StepsView) -> None:
    shown.zoom_by(2.0)
    row = shown.scene.rows[8]
    start = point(qtbot, shown, (row.box.left + row.box.right) / 2, row.box.middle)
    place = shown.viewport.x
    with qtbot.assertNotEmitted(shown.tokenPinned):
        qtbot.mousePress(shown, LEFT, pos=start)
        QApplication.sendEvent(shown, moved_to(shown, start - QPoint(60, 0)))
        qtbot.mouseRelease(shown, LEFT, pos=start - QPoint(60, 0))
    assert shown.viewport.x == place - 60


def moved_to(view: StepsView, at: QPoint) -> QMouseEvent:
    """A movement with the left button held."""
    place = QPointF(at)
    return QMouseEvent(
        QEvent.Type.MouseMove, place, view.mapToGlobal(place), Qt.MouseButton.NoButton, LEFT, Qt.KeyboardModifier.NoModifier
    )


def test_a_scene_of_the_same_size_keeps_zoom_and_place(shown: StepsView, run: Run) -> None:
    shown.zoom_by(2.0)
    place = (shown.viewport.x, shown.viewport.y, shown.zoom)
    shown.set_scene(scene_of(run, focus=4))
    assert (shown.viewport.x, shown.viewport.y, shown.zoom) == place
    shown.set_scene(None)
    assert shown.scene is None
    shown.grab()
