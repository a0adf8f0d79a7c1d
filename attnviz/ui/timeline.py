"""What the model wrote, token by token, to scrub through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy

from attnviz.paint.fonts import font, text_width
from attnviz.ui.place_slider import PlaceSlider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QWidget

    from attnviz.ui.appearance import Appearance

_SIZE: Final = 13
_GAP: Final = 10.0
_HEIGHT: Final = 34
_START: Final = "text"


class Timeline(PlaceSlider):
    """One place for the text alone and one behind each written token; `valueChanged` tells how many tokens are to be seen."""

    wheel_up = -1  # as a list scrolls

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__("Written tokens", parent)
        self._appearance = appearance
        self._texts: tuple[str, ...] = ()
        self.setToolTip("Point to where the model was: each token with the attention it was written with")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.valueChanged.connect(self._on_value_changed)

    def texts(self) -> tuple[str, ...]:
        """The written tokens."""
        return self._texts

    def show_written(self, texts: Sequence[str], n_shown: int) -> None:
        """Show the tokens and how many of them are on the picture, in silence."""
        self._texts = tuple(texts)
        was = self.blockSignals(True)
        self.setRange(0, len(self._texts))
        self.setValue(n_shown)
        self.blockSignals(was)
        self._on_value_changed()

    def sizeHint(self) -> QSize:
        return QSize(320, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(QRectF(0, 0, self.width(), self.height()))
        for place, (left, right) in enumerate(self.spans()):
            if right < 0 or left > self.width():
                continue
            is_at, is_past = place == self.value(), place <= self.value()
            if is_at:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.focus_ground))
                painter.drawRoundedRect(QRectF(left - 5, 5, right - left + 10, _HEIGHT - 10), 5, 5)
            painter.setFont(font(_SIZE, is_at))
            painter.setPen(QColor(theme.accent if is_at else theme.muted if place == 0 else theme.ink if is_past else theme.faint))
            painter.drawText(QPointF(left, 22), self._text(place))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), 6, 6)

    def spans(self) -> list[tuple[float, float]]:
        """The left and right ends of each place; the place shown is in sight."""
        spans, x = [], 20.0
        for place in range(len(self._texts) + 1):
            width = text_width(self._text(place), _SIZE, place == self.value())
            spans.append((x, x + width))
            x += width + _GAP
        _, end = spans[min(self.value() + 2, len(spans) - 1)]  # with a little of what comes next
        off = max(0.0, end + 8.0 - self.width())
        off = min(off, max(0.0, spans[self.value()][0] - 8.0))
        return [(left - off, right - off) for left, right in spans]

    def _text(self, place: int) -> str:
        return _START if place == 0 else self._texts[place - 1]

    def nearest(self, x: float) -> int:
        spans = self.spans()
        return min(range(len(spans)), key=lambda place: abs((spans[place][0] + spans[place][1]) / 2 - x))

    def _on_value_changed(self) -> None:
        at = self._text(self.value()) if self.value() <= len(self._texts) else ""
        self.setAccessibleDescription(f"{self.value()} of {len(self._texts)}: {at}")
        self.update()
