"""A slider that knows only certain values, each with its label, one of them marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from attnviz.paint.fonts import font, text_width
from attnviz.ui.place_slider import PlaceSlider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QWidget

    from attnviz.ui.appearance import Appearance

_LABEL = 12
_RADIUS = 5.0
_LINE_Y = 12.0
_LABEL_Y = 34.0


class StopSlider(PlaceSlider):
    """Stops on a line. `value()` is a stop's place, `stop()` what it stands for; `valueChanged` tells of moves.

    marked: the stop with a ring round it, which is where things stand by nature (the trained head count).
    """

    def __init__(self, name: str, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._stops: tuple[int, ...] = (0,)
        self._marked: int | None = None
        self._appearance = appearance
        self.valueChanged.connect(self._on_value_changed)

    def stop(self) -> int:
        """The value chosen."""
        return self._stops[self.value()]

    def set_stops(self, stops: Sequence[int], stop: int, marked: int | None = None) -> None:
        """Offer `stops` with `stop` chosen, in silence."""
        if (tuple(stops), marked) != (self._stops, self._marked):
            self._stops, self._marked = tuple(stops), marked
            self.updateGeometry()
        was = self.blockSignals(True)
        self.setRange(0, len(self._stops) - 1)
        self.setValue(self._stops.index(stop))
        self.blockSignals(was)
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        widths = [max(text_width(str(stop), _LABEL, True), 2 * _RADIUS) for stop in self._stops]
        return QSize(round(sum(widths) + 16 * len(self._stops)), 44)

    def minimumSizeHint(self) -> QSize:
        n = len(self._stops)
        # Room for most labels; of many stops, for dots that can still be told apart.
        return QSize(min(self.sizeHint().width(), 24 + 14 * min(n, 16) + 7 * max(0, n - 16)), 44)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.faint), 1.0))
        painter.drawLine(QPointF(self._x(0), _LINE_Y), QPointF(self._x(len(self._stops) - 1), _LINE_Y))
        for place in sorted(range(len(self._stops)), key=self._importance):
            self._paint_dot(painter, place)
        for place, left in self.labels():
            chosen, stop = place == self.value(), self._stops[place]
            painter.setFont(font(_LABEL, chosen))
            painter.setPen(QColor(theme.accent if chosen else theme.ink if stop == self._marked else theme.muted))
            painter.drawText(QPointF(left, _LABEL_Y), str(stop))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 3), 6, 6)

    def labels(self) -> list[tuple[int, float]]:
        """Which stops have their numbers written, and the left end of each: the chosen one, the marked one, then from the left
        those that still have room. The dots of the others stay."""
        taken: list[tuple[float, float]] = []
        written = []
        for place in sorted(range(len(self._stops)), key=lambda place: (-self._importance(place), place)):
            width = text_width(str(self._stops[place]), _LABEL, place == self.value())
            left = self._x(place) - width / 2
            if all(left > end + 4 or left + width + 4 < start for start, end in taken):
                taken.append((left, left + width))
                written.append((place, left))
        return sorted(written)

    def _paint_dot(self, painter: QPainter, place: int) -> None:
        theme = self._appearance.theme
        centre = QPointF(self._x(place), _LINE_Y)
        chosen, marked = place == self.value(), self._stops[place] == self._marked
        painter.setPen(QPen(QColor(theme.accent if chosen else theme.ink if marked else theme.faint), 1.5 if marked else 1.0))
        painter.setBrush(QColor(theme.panel))
        if marked:
            painter.drawEllipse(centre, _RADIUS + 2.5, _RADIUS + 2.5)
        painter.setBrush(QColor(theme.accent if chosen else theme.panel))
        painter.drawEllipse(centre, *((_RADIUS, _RADIUS) if chosen or marked else (3.0, 3.0)))

    def _importance(self, place: int) -> int:
        return 2 * (place == self.value()) + (self._stops[place] == self._marked)

    def _x(self, place: int) -> float:
        inset = 16.0
        n = max(len(self._stops) - 1, 1)
        return inset + place * (self.width() - 2 * inset) / n

    def nearest(self, x: float) -> int:
        return min(range(len(self._stops)), key=lambda place: abs(self._x(place) - x))

    def _on_value_changed(self) -> None:
        self._describe()
        self.update()

    def _describe(self) -> None:
        note = ", as trained" if self.stop() == self._marked else ""
        self.setAccessibleDescription(f"{self.stop()}{note}")
