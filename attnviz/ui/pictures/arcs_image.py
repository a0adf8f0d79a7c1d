"""The arcs of a scene as an image in the widget's own pixels: the strongest at once, the rest beneath them a moment later.

While very many arcs are moved or enlarged no image of them is ever finished, so the last one that was is moved and enlarged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter, QRegion

from attnviz.paint.arcs import paint_arcs
from attnviz.paint.slices import slices_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from attnviz.scene.scene import Arcs, ArcScene
    from attnviz.ui.pictures.canvas import Canvas

# Device pixels of line: Qt takes some 45 ns for each, so that 2,700 arcs of a sentence, 855,000 of them, would hold the window for
# 45 ms, on a dense screen for 90. The first slice has the 750 arcs of a sentence under the usual threshold, and takes a frame.
_FIRST: Final = 300_000.0
_THEN: Final = 250_000.0


@dataclass(frozen=True)
class _Whole:
    """An image of all arcs, and where the canvas had them when it was made."""

    image: QImage
    arcs: Arcs
    x: float
    y: float
    zoom: float

    def place_in(self, view: Canvas) -> QRectF:
        """Where it lies now; on whole pixels while it is not enlarged, which copies it as it is."""
        factor, ratio = view.viewport.zoom / self.zoom, view.devicePixelRatioF()
        left, top = view.viewport.x - factor * self.x, view.viewport.y - factor * self.y
        if factor == 1.0:
            left, top = round(left * ratio) / ratio, round(top * ratio) / ratio
        size = self.image.deviceIndependentSize() * factor
        return QRectF(left, top, size.width(), size.height())


class ArcsImage(QObject):
    """Belongs to a canvas, whose zoom and place it has; `clear` when any of them has changed."""

    completed = Signal()  # the arcs that came later are there, too

    def __init__(self, view: Canvas) -> None:
        super().__init__(view)
        self.image: QImage | None = None
        self._scene: ArcScene | None = None
        self._whole: _Whole | None = None  # the last of the same arcs, until this one is finished
        self._was_sliced = False
        self._made_at = (0.0, 0.0, 1.0)
        self._left: list[NDArray[np.bool_]] = []
        self._next = QTimer(self)  # after the events that are waiting
        self._next.setSingleShot(True)
        self._next.setInterval(0)
        self._next.timeout.connect(self._on_next)

    @property
    def is_complete(self) -> bool:
        """Whether no arcs are still to come."""
        return not self._left

    def clear(self) -> None:
        """Begin anew at the next repaint. An image of all arcs, where they are very many, is kept until the new one is whole."""
        if self.image is not None and self._was_sliced and self.is_complete:
            self._whole = _Whole(self.image, self._scene.arcs, *self._made_at)
        shown = self.parent().scene
        if self._whole is not None and (shown is None or shown.arcs is not self._whole.arcs):
            self._whole = None
        self.image, self._scene, self._left = None, None, []
        self._next.stop()

    def paint(self, scene: ArcScene, painter: QPainter) -> None:
        """Paint the scene's arcs in no focus, in the canvas's coordinates: where the last whole image has them from it until this
        one is whole, elsewhere those that are there."""
        image = self.of(scene)
        if self._whole is None:
            painter.drawImage(0, 0, image)
            return
        place = self._whole.place_in(self.parent())
        inside = place.toAlignedRect()
        painter.setClipRegion(QRegion(self.parent().rect()) - QRegion(inside))
        painter.drawImage(0, 0, image)
        painter.setClipRect(inside)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._whole.image)

    def of(self, scene: ArcScene) -> QImage:
        """The image of the scene's arcs in no focus, begun anew if it was cleared or the screen is another one."""
        view = self.parent()
        ratio = view.devicePixelRatioF()
        if self.image is None or self.image.devicePixelRatio() != ratio:
            self.clear()
            self.image = QImage(view.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
            self.image.setDevicePixelRatio(ratio)
            self.image.fill(Qt.GlobalColor.transparent)
            self._scene = scene
            self._made_at = (view.viewport.x, view.viewport.y, view.viewport.zoom)
            first, *self._left = self._slices(scene, ratio)
            self._paint(first)
            self._was_sliced = bool(self._left)
            if self._left:
                self._next.start()
            else:
                self._whole = None
        return self.image

    def complete(self) -> None:
        """Paint what is still to come now."""
        self._next.stop()
        while self._left:
            self._paint(self._left.pop(0), beneath=True)
        self._whole = None

    def _slices(self, scene: ArcScene, ratio: float) -> list[NDArray[np.bool_]]:
        scale = ratio * self.parent().zoom
        return slices_of(scene.arcs, self.parent().sight, _FIRST / scale, _THEN / scale)

    def _paint(self, chosen: NDArray[np.bool_], beneath: bool = False) -> None:
        painter = QPainter(self.image)
        self.parent().enter_scene(painter)
        paint_arcs(self._scene, painter, 0.0, chosen, beneath=beneath)
        painter.end()

    def _on_next(self) -> None:
        self._paint(self._left.pop(0), beneath=True)
        if self._left:
            self._next.start()
        else:
            self._whole = None
            self.completed.emit()
