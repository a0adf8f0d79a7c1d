"""Rows of a text, a number and a bar: how much of something each of them has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QScrollArea, QWidget

from attnviz.paint.fonts import font, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent

    from attnviz.ui.appearance import Appearance

ROW: Final = 22
_TEXT: Final = 86.0
_NUMBER: Final = 92
_GAP: Final = 7.0


@dataclass(frozen=True)
class Bar:
    """One row. share: of a full bar, 0 to 1; mark: where on the bar a stroke stands for what it was before, None for none; colour:
    of the bar, None for the theme's accent; note: small, at the right end."""

    text: str
    number: str
    share: float
    mark: float | None = None
    colour: str | None = None
    note: str = ""
    is_quiet: bool = False


class BarList(QWidget):
    """Shows rows; where `is_open` they can be clicked, or reached by the arrow keys and opened by Enter."""

    rowClicked = Signal(int)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None, is_open: bool = False, name: str = "") -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        if is_open:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._appearance = appearance
        self._bars: tuple[Bar, ...] = ()
        self._notes, self._start = 34.0, 126.0
        self._is_open = is_open
        self._under: int | None = None
        self.setMouseTracking(is_open)
        if is_open:
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def bars(self) -> tuple[Bar, ...]:
        """The rows as they stand there."""
        return self._bars

    def show_bars(self, bars: Sequence[Bar]) -> None:
        """Show these rows, in this order."""
        self._bars = tuple(bars)
        self._notes = max((text_width(bar.note, 11, False) + 10 for bar in self._bars if bar.note), default=2.0)
        self._start = _NUMBER + max((text_width(bar.number, 13, False) for bar in self._bars), default=0.0) + _GAP
        self.setFixedHeight(ROW * len(self._bars))
        self.setAccessibleDescription(", ".join(" ".join(filter(None, (bar.text, bar.number, bar.note))) for bar in self._bars))
        if self._under is not None and self._under >= len(self._bars):
            self._under = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, ROW * len(self._bars))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room = max(24.0, self.width() - self._start - self._notes)
        first = max(0, event.rect().top() // ROW)
        last = min(len(self._bars), event.rect().bottom() // ROW + 1)
        for number in range(first, last):
            bar, y = self._bars[number], number * ROW
            baseline = y + 15.5
            painter.setPen(Qt.PenStyle.NoPen)
            if number == self._under:
                painter.setBrush(QColor(theme.focus_ground))
                painter.drawRoundedRect(QRectF(-4, y, self.width() + 4, ROW), 4, 4)
            painter.setBrush(QColor(bar.colour or theme.accent))
            painter.drawRoundedRect(QRectF(self._start, y + 7, max(1.5, room * min(max(bar.share, 0.0), 1.0)), 8), 2, 2)
            if bar.mark is not None:
                painter.setBrush(QColor(theme.ink))
                painter.drawRect(QRectF(self._start + room * min(max(bar.mark, 0.0), 1.0) - 0.75, y + 4, 1.5, 14))
            painter.setFont(font(13))
            painter.setPen(QColor(theme.muted if bar.is_quiet else theme.ink))
            painter.drawText(QPointF(0, baseline), fitted(bar.text, _TEXT))
            painter.setPen(QColor(theme.ink))
            painter.drawText(QPointF(_NUMBER, baseline), bar.number)
            painter.setFont(font(11))
            painter.setPen(QColor(theme.muted))
            painter.drawText(QPointF(self.width() - text_width(bar.note, 11, False) - 2, baseline), bar.note)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if self._is_open and self._bars and event.key() in steps:
            at = -1 if self._under is None and steps[event.key()] > 0 else self._under or 0
            self._set_under(min(max(at + steps[event.key()], 0), len(self._bars) - 1))
        elif self._is_open and self._under is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.rowClicked.emit(self._under)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if self._is_open and self._bars and self._under is None:
            self._set_under(0)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._set_under(None)
        super().focusOutEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._is_open:
            self._set_under(self._row_at(event.position().y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().y())
        if self._is_open and row is not None and event.button() == Qt.MouseButton.LeftButton:
            self.rowClicked.emit(row)

    def leaveEvent(self, event: QEvent) -> None:
        self._set_under(None)

    def _row_at(self, y: float) -> int | None:
        row = int(y // ROW)
        return row if 0 <= row < len(self._bars) else None

    def _set_under(self, row: int | None) -> None:
        if row != self._under:
            self._under = row
            if row is not None and self.hasFocus():
                self._bring_into_sight(row)
            self.update()

    def _bring_into_sight(self, row: int) -> None:
        """Have the panel that scrolls show a row that was reached by keys."""
        area = self.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if area is not None:
            at = self.mapTo(area.widget(), QPoint(0, row * ROW + ROW // 2))
            area.ensureVisible(at.x(), at.y(), 0, 2 * ROW)


def fitted(text: str, width: float) -> str:
    """A text of the size of a row, its end cut off beyond a width."""
    if text_width(text, 13, False) <= width:
        return text
    while text and text_width(text + "\N{HORIZONTAL ELLIPSIS}", 13, False) > width:
        text = text[:-1]
    return text + "\N{HORIZONTAL ELLIPSIS}"
