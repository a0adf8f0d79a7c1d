"""One head's map, small but whole, beside the grid of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from attnviz.analysis.thumbnails import thumbnails
from attnviz.scene.ramps import ramp, steps_of

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from attnviz.session.head_reading import HeadReading
    from attnviz.ui.appearance import Appearance

SIDE: Final = 176  # leaves room for the head's strongest pairs in a window of 760 pixels


class HeadPreview(QWidget):
    """The weights of one head in its colours, as its square in the grid has them: rows look, columns are looked at."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._reading: HeadReading | None = None
        self._image: QImage | None = None
        self.setFixedSize(SIDE, SIDE)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Map of the head")
        appearance.changed.connect(self._on_appearance_changed)

    def show_reading(self, reading: HeadReading | None) -> None:
        """Show a head's weights, or an empty sheet."""
        self._reading, self._image = reading, None
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as it can be, and as tall as the map's proportions ask for."""
        if self._reading is None:
            return QSize(SIDE, SIDE)
        rows, columns = self._reading.weights.shape
        return QSize(round(SIDE * min(1.0, columns / rows)), max(24, round(SIDE * min(1.0, rows / columns))))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._appearance.theme.paper))
        if self._reading is not None:
            painter.drawImage(QRectF(self.rect()), self._map_image(self._reading))

    def _map_image(self, reading: HeadReading) -> QImage:
        if self._image is None:
            # Where a token has less than a pixel the largest of those that share one is shown.
            weights = thumbnails(reading.weights[None], round(SIDE * self.devicePixelRatioF()))[0]
            steps = steps_of(np.sqrt(weights / np.float32(reading.scale)))
            levels = np.ascontiguousarray(ramp(self._appearance.theme, reading.head)[steps])
            rows, columns = steps.shape
            self._image = QImage(levels.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()
        return self._image

    def _on_appearance_changed(self) -> None:
        self._image = None
        self.update()
