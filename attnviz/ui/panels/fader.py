"""A slider for a factor or a weight, with a mark where things stand by nature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent

    from attnviz.ui.appearance import Appearance

_INSET: Final = 7.0
_SNAP: Final = 5.0  # pixels round the mark that are the mark
_HEIGHT: Final = 20


class Fader(QWidget):
    """A value from 0 to `most`. `moved` tells each value while a person moves it, `released` that a drag is over.

    Left and right move it by a step, Home and End to its ends, a double-click or Backspace to its mark.
    """

    moved = Signal(float)
    released = Signal()

    def __init__(
        self, name: str, most: float, step: float, appearance: Appearance, parent: QWidget | None = None, from_mark: bool = False
    ) -> None:
        """from_mark: the line is filled from the mark on, so that what stands as by nature is quiet."""
        super().__init__(parent)
        self._most, self._step, self._from_mark = most, step, from_mark
        self._value = self._mark = 0.0
        self._colour: str | None = None
        self._appearance = appearance
        self._is_down = False
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def value(self) -> float:
        """Where it stands."""
        return self._value

    def show_value(self, value: float, mark: float, colour: str | None = None) -> None:
        """Show a value, in silence; mark: where it stands by nature."""
        if not self._is_down:
            self._value = value
        self._mark, self._colour = mark, colour
        self.setAccessibleDescription(f"{self._value:.2f}")
        self.update()

    def at(self, value: float) -> QPointF:
        """Where a value is on the widget."""
        return QPointF(self._x(value), _HEIGHT / 2)

    def sizeHint(self) -> QSize:
        return QSize(96, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(56, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        y, is_on = _HEIGHT / 2, self.isEnabled()
        painter.setPen(QPen(QColor(theme.hairline), 3.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(self._x(0), y), QPointF(self._x(self._most), y))
        colour = QColor((self._colour or theme.accent) if is_on else theme.faint)
        painter.setPen(QPen(colour, 3.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        start = self._mark if self._from_mark else 0.0
        if self._value != start:
            painter.drawLine(QPointF(self._x(start), y), QPointF(self._x(self._value), y))
        painter.setPen(QPen(QColor(theme.faint), 1.0))
        painter.drawLine(QPointF(self._x(self._mark), y - 7), QPointF(self._x(self._mark), y + 7))
        painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.faint), 2.0 if self.hasFocus() else 1.0))
        painter.setBrush(QColor(theme.field))
        painter.drawEllipse(QRectF(self._x(self._value) - 5.5, y - 5.5, 11, 11))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._is_down = True
            self._move_to_x(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._is_down:
            self._move_to_x(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._is_down and event.button() == Qt.MouseButton.LeftButton:
            self._is_down = False
            self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._move_to(self._mark)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self._is_down = False  # a key has muted the head under the pointer
            self.update()
        super().changeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._is_down = False
        super().hideEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the panel scrolls; a wheel that changed values on its way would be a trap

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
        ends = {Qt.Key.Key_Home: 0.0, Qt.Key.Key_End: self._most, Qt.Key.Key_Backspace: self._mark}
        if event.key() in steps:
            self._move_to(round((self._value + steps[event.key()] * self._step) / self._step) * self._step)
        elif event.key() in ends:
            self._move_to(ends[event.key()])
        else:
            super().keyPressEvent(event)

    def _move_to_x(self, x: float) -> None:
        if abs(x - self._x(self._mark)) <= _SNAP:
            self._move_to(self._mark)
            return
        share = (x - _INSET) / max(self.width() - 2 * _INSET, 1.0)
        self._move_to(round(share * self._most, 2))

    def _move_to(self, value: float) -> None:
        value = min(max(value, 0.0), self._most)
        if value != self._value:
            self._value = value
            self.setAccessibleDescription(f"{value:.2f}")
            self.update()
            self.moved.emit(value)

    def _x(self, value: float) -> float:
        return _INSET + (self.width() - 2 * _INSET) * value / self._most
