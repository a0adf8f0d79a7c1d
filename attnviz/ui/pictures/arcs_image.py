"""The arcs of a scene as an image in the widget's own pixels: the strongest at once, the rest beneath them a moment later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter

from attnviz.paint.arcs import paint_arcs
from attnviz.paint.slices import slices_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from attnviz.scene.scene import ArcScene
    from attnviz.ui.pictures.canvas import Canvas

# Device pixels of line: Qt takes some 45 ns for each, so that 2,700 arcs of a sentence, 855,000 of them, would hold the window for
# 45 ms, on a dense screen for 90. The first slice has the 750 arcs of a sentence under the usual threshold, and takes a frame.
_FIRST: Final = 300_000.0
_THEN: Final = 250_000.0


class ArcsImage(QObject):
    """Belongs to a canvas, whose zoom and place it has; `clear` when any of them has changed."""

    completed = Signal()  # the arcs that came later are there, too

    def __init__(self, view: Canvas) -> None:
        super().__init__(view)
        self.image: QImage | None = None
        self._scene: ArcScene | None = None
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
        """Forget the image."""
        self.image, self._scene, self._left = None, None, []
        self._next.stop()

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
            first, *self._left = self._slices(scene, ratio)
            self._paint(first)
            if self._left:
                self._next.start()
        return self.image

    def complete(self) -> None:
        """Paint what is still to come now."""
        self._next.stop()
        while self._left:
            self._paint(self._left.pop(0), beneath=True)

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
            self.completed.emit()
