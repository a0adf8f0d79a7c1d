"""A person's hands on the window: points, clicks, drags, types, waits for the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QMimeData
    from PySide6.QtWidgets import QMenu, QWidget
    from pytestqt.qtbot import QtBot

    from attnviz.scene.scene import Scene
    from attnviz.session.run import Run
    from attnviz.session.state import State
    from attnviz.ui.stops import StopSlider
    from attnviz.ui.window import MainWindow

NO_KEY = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton
PATIENCE_MS = 20_000


class Hands:
    """Acts on one window."""

    def __init__(self, qtbot: QtBot, window: MainWindow) -> None:
        self.qtbot = qtbot
        self.window = window
        self.reader = window.reader
        self.canvas = window.reader.canvas

    # --- what is there --------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self.window.session.state

    @property
    def run(self) -> Run:
        assert self.state.run is not None
        return self.state.run

    @property
    def scene(self) -> Scene:
        assert self.canvas.scene is not None
        return self.canvas.scene

    def position(self, word: str) -> int:
        """The position of a token by its text."""
        return self.run.trace.tokens.index(word)

    def words(self) -> list[str]:
        """The tokens on the picture."""
        return [box.text for box in self.scene.tokens]

    def sentences(self) -> list[str]:
        """The lines of text on the picture."""
        return [label.text for label in self.scene.labels]

    def look(self) -> str:
        """The line under the sentence that says what to look for."""
        return self.reader._look.text()

    def facts(self) -> str:
        """The line at the foot of the window."""
        return self.window._facts.text()

    def band(self) -> str:
        """The text on the tinted strips."""
        inks = {f"{band.kind}_ink" for band in self.scene.bands}
        return " ".join(label.text for label in self.scene.labels if label.ink in inks)

    # --- waiting --------------------------------------------------------------------------------------------------

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=PATIENCE_MS)

    def settle(self) -> None:
        """Wait until nothing is typed, asked for, computed or laid out any more."""
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # a layout to come makes the picture anew
        self.until(self.is_idle)

    def is_idle(self) -> bool:
        state = self.state
        read = state.run is not None and state.run.request.text == state.text
        coming = self.reader.sentence._pause.isActive() or not self.reader.pictures.is_settled()
        return not state.busy and not coming and (read or state.failure is not None)

    # --- pointer --------------------------------------------------------------------------------------------------

    def at_token(self, token: int) -> QPoint:
        """Where a token is in the picture's widget."""
        box = self.scene.token_at(token)
        assert box is not None
        return self.canvas.on_screen(box.middle, (box.top + box.bottom) / 2).toPoint()

    def at_arc(self, arc: int, t: float = 0.5) -> QPoint:
        """Where a point along an arc is in the picture's widget."""
        p = self.scene.arcs.curve[arc]
        x, y = (1 - t) ** 3 * p[0] + 3 * t * (1 - t) ** 2 * p[1] + 3 * t**2 * (1 - t) * p[2] + t**3 * p[3]
        return self.canvas.on_screen(float(x), float(y)).toPoint()

    def point(self, at: QPoint, widget: QWidget | None = None) -> None:
        """Move the pointer, no button down."""
        self._send_mouse(widget or self.canvas, QMouseEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)

    def point_token(self, token: int) -> None:
        self.point(self.at_token(token))

    def click_token(self, token: int) -> None:
        self.point_token(token)
        self.qtbot.mouseClick(self.canvas, LEFT, NO_KEY, self.at_token(token))

    def nowhere(self) -> QPoint:
        """A place in the picture's widget without token or arc."""
        return self.canvas.rect().bottomRight() - QPoint(3, 3)

    def drag(self, widget: QWidget, *places: QPoint) -> None:
        """Press at the first place, move through the others, release at the last."""
        self.qtbot.mousePress(widget, LEFT, NO_KEY, places[0])
        for place in places[1:]:
            self._send_mouse(widget, QMouseEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, LEFT)
        self.qtbot.mouseRelease(widget, LEFT, NO_KEY, places[-1])

    def wheel(self, widget: QWidget, at: QPoint, clicks: int, keys: Qt.KeyboardModifier = NO_KEY) -> None:
        """Turn the wheel, up for clicks > 0."""
        self.turn(widget, at, QPoint(0, 120 * clicks), keys)

    def turn(self, widget: QWidget, at: QPoint, by: QPoint, keys: Qt.KeyboardModifier = NO_KEY) -> None:
        """Turn the wheel by so many eighths of a degree, sideways and up."""
        event = QWheelEvent(
            QPointF(at),
            QPointF(widget.mapToGlobal(at)),
            QPoint(),
            by,
            Qt.MouseButton.NoButton,
            keys,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)

    def double_click(self, widget: QWidget, at: QPoint, button: Qt.MouseButton = LEFT) -> None:
        """All that a double-click sends: press, release, double-click, release."""
        self.qtbot.mouseClick(widget, button, NO_KEY, at)
        self.qtbot.mouseDClick(widget, button, NO_KEY, at)
        self.qtbot.mouseRelease(widget, button, NO_KEY, at)

    def drop(self, widget: QWidget, content: QMimeData) -> bool:
        """Drag `content` over a widget and let go; whether it was taken."""
        at = widget.rect().center()
        keys = (Qt.DropAction.CopyAction, content, LEFT, NO_KEY)
        entered = QDragEnterEvent(at, *keys)
        QApplication.sendEvent(widget, entered)
        if not entered.isAccepted():
            return False
        dropped = QDropEvent(QPointF(at), *keys)
        QApplication.sendEvent(widget, dropped)
        return dropped.isAccepted()

    # --- keys -----------------------------------------------------------------------------------------------------

    def key(self, key: Qt.Key | str, widget: QWidget | None = None, keys: Qt.KeyboardModifier = NO_KEY) -> None:
        """Press a key where `widget` (None: the picture) has the focus."""
        target = widget or self.canvas
        self.activate()
        target.setFocus()
        self.qtbot.keyClick(target, key, keys)

    def type(self, text: str) -> None:
        """Write in place of the sentence, key by key, and wait for its picture."""
        self.activate()
        self.reader.sentence.setFocus()
        self.key("a", self.reader.sentence, CTRL)
        self.qtbot.keyClicks(self.reader.sentence, text)
        self.settle()

    def activate(self) -> None:
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)

    # --- controls -------------------------------------------------------------------------------------------------

    def at_stop(self, slider: StopSlider, stop: int) -> QPoint:
        """Where a stop of a slider is: found by trying, as a person would."""
        place = slider._stops.index(stop)
        return QPoint(round(slider._x(place)), 12)

    def click_stop(self, slider: StopSlider, stop: int) -> None:
        self.qtbot.mouseClick(slider, LEFT, NO_KEY, self.at_stop(slider, stop))
        self.settle()

    def choose_from(self, button: QWidget, menu: QMenu, number: int) -> None:
        """Open the menu of a button and click its entry."""
        QTimer.singleShot(0, lambda: self.click_entry(menu, number))
        self.qtbot.mouseClick(button, LEFT)
        self.until(lambda: not menu.isVisible())

    def click_entry(self, menu: QMenu, number: int) -> None:
        self.until(menu.isVisible)
        self.qtbot.mouseClick(menu, LEFT, NO_KEY, menu.actionGeometry(menu.actions()[number]).center())

    def choose_menu(self, slot: str) -> None:
        """Click the entry of the menu bar that calls a slot."""
        action = self.window.actions_by_slot[slot]
        bar = self.window.menuBar()
        for title in bar.actions():
            menu = title.menu()
            if action in menu.actions():
                self.qtbot.mouseClick(bar, LEFT, NO_KEY, bar.actionGeometry(title).center())
                self.click_entry(menu, menu.actions().index(action))
                return
        raise AssertionError(slot)

    def _send_mouse(
        self, widget: QWidget, kind: QMouseEvent.Type, at: QPoint, button: Qt.MouseButton, held: Qt.MouseButton
    ) -> None:
        event = QMouseEvent(kind, QPointF(at), QPointF(widget.mapToGlobal(at)), button, held, NO_KEY)
        QApplication.sendEvent(widget, event)
