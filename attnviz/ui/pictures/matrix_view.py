"""The matrix on the screen: follows pointer and keys, and shows any part of it at any scale.

This module loads pyqtgraph, which takes 0.3 s: it is imported when the first matrix is asked for, not when the program starts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt, Signal

from attnviz.paint.fonts import text_width
from attnviz.scene.matrix.hit import NOWHERE, Spot, spot_at, spot_text
from attnviz.scene.matrix.scene import MatrixScene
from attnviz.ui.pictures.lens import Lens
from attnviz.ui.pictures.matrix_items import MatrixPlot
from attnviz.ui.pictures.picture_view import PictureView
from attnviz.ui.pictures.tips import paint_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QPainter, QWheelEvent
    from PySide6.QtWidgets import QWidget

    from attnviz.scene.matrix.scene import Cells

_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}


class MatrixView(PictureView):
    """Shows one matrix, or panels of several, or nothing. All panels show the same part of theirs."""

    focusMoved = Signal(object)  # position of the token in focus by pointer or pin, or None
    tokenPinned = Signal(object)  # position of the token, or None
    headPicked = Signal(int)  # of several panels one was clicked: the head to show alone

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Attention matrix")
        self._plot = MatrixPlot(self)
        self._lens = Lens()
        self._spot = NOWHERE
        self._pointer = QPointF()

    @property
    def scene(self) -> MatrixScene | None:
        """The scene on the screen, in the focus it was built with."""
        return self._scene if isinstance(self._scene, MatrixScene) else None

    @property
    def focus_token(self) -> int | None:
        """The token whose row or column is lit: under the pointer, else pinned."""
        if self.scene is None:
            return None
        hovered = self._spot.token(self.scene)
        return self.scene.focus if hovered is None else hovered

    @property
    def spot(self) -> Spot:
        """What is under the pointer."""
        return self._spot

    @property
    def zoom(self) -> float:
        """How much larger cells are than in the whole picture."""
        return self._lens.zoom

    def placed(self) -> list[Cells]:
        """Where the cells of each panel lie, in the scene."""
        return [] if self.scene is None else [self._lens.place(self.scene.cells(panel)) for panel in self.scene.panels]

    def set_scene(self, scene: MatrixScene | None, settle: bool = True) -> None:
        """Show a scene in place of the last one; zoom and place are kept while its tokens and panels are."""
        if _is_another(self.scene, scene):
            self._lens.fit()
        super().set_scene(scene, settle)
        was_over, self._spot = self._spot != NOWHERE, NOWHERE
        self._plot.light((None, None))
        if scene is not None:
            self._plot.show_scene(scene)
            self._see()
            if was_over:
                self.look_at(self._pointer)
        self.focusMoved.emit(self.focus_token)

    def set_focus(self, token: int | None) -> None:
        """Pin a token, or none: an overlay, the picture stays as it is."""
        if self.scene is not None:
            known = token in self.scene.queries.positions or token in self.scene.keys.positions
            self._scene = replace(self.scene, focus=token if known else None)
            self._plot.set_focus(self.scene)
            self.focusMoved.emit(self.focus_token)
            self.update()

    def paint_picture(self, scene: MatrixScene, painter: QPainter) -> None:
        self._plot.render(painter, QRectF(0, 0, scene.width, scene.height), self._plot.rect())

    def paint_over(self, scene: MatrixScene, painter: QPainter) -> None:
        text = spot_text(scene, self._spot)
        if text is not None:
            paint_tip(text, self._pointer, self, scene, painter)

    def look_at(self, at: QPointF) -> None:
        if self.scene is None:
            return
        self._pointer = at
        self._set_spot(spot_at(self.scene, self.placed(), *self.viewport.to_scene(at.x(), at.y()), text_width))
        picks = self._spot != NOWHERE and (self._spot.panel is None or len(self.scene.panels) > 1)
        self.setCursor(Qt.CursorShape.PointingHandCursor if picks else Qt.CursorShape.ArrowCursor)

    def look_away(self) -> None:
        self._set_spot(NOWHERE)

    def click(self, at: QPointF) -> None:
        if self._spot.panel is not None and len(self.scene.panels) > 1:
            self.headPicked.emit(self.scene.panels[self._spot.panel].head)
        else:
            token = self._spot.token(self.scene)
            self.tokenPinned.emit(None if token == self.scene.focus else token)

    def fit(self) -> None:
        """Show all cells."""
        self._lens.fit()
        self._see()

    def pan(self, dx: float, dy: float) -> None:
        """Move the cells as far as there are more to see."""
        if self.scene is not None and self.scene.panels:
            zoom = self.viewport.zoom
            self._lens.pan(dx / zoom, dy / zoom, self.scene.cells(self.scene.panels[0]))
            self._see()

    def moved(self) -> None:
        """The picture itself is always seen whole, smaller in a window that is too small for it; the lens is inside its panels."""
        if self._scene is not None:
            self.viewport.fit(self._scene.width, self._scene.height, self.width(), self.height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel zooms, with Ctrl as without: a matrix that is seen whole has nothing to scroll."""
        self._zoom(1.0015 ** event.angleDelta().y(), event.position())
        self.look_at(event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        if step is not None:
            self.move_pin(step)
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab walks through the tokens and leaves after the last one."""
        return self.move_pin(1 if forward else -1, wrap=False) or super().focusNextPrevChild(forward)

    def move_pin(self, step: int, wrap: bool = True) -> bool:
        """Pin the next or the previous token; False where there is none and it does not wrap round."""
        if self.scene is None or not self.scene.panels:
            return False
        order = sorted({*self.scene.queries.positions, *self.scene.keys.positions})
        pinned = self.scene.focus
        place = order.index(pinned) + step if pinned in order else (0 if step > 0 else len(order) - 1)
        if not wrap and not 0 <= place < len(order):
            return False
        self._set_spot(NOWHERE)
        token = order[place % len(order)]
        self.tokenPinned.emit(token)
        places = (side.place_of(token) for side in (self.scene.queries, self.scene.keys))
        self._lens.bring_into_sight(*places, self.scene.cells(self.scene.panels[0]))
        self._see()
        return True

    def _zoom(self, factor: float, about: QPointF) -> None:
        if self.scene is None or not self.scene.panels:
            return
        wholes = [self.scene.cells(panel) for panel in self.scene.panels]
        under = self._spot.panel if self._spot.panel is not None else 0
        self._lens.zoom_about(factor, *self.viewport.to_scene(about.x(), about.y()), wholes[under])
        self._see()

    def _see(self) -> None:
        """Show what the lens shows."""
        self._plot.place(self.placed())
        self.update()

    def _set_spot(self, spot: Spot) -> None:
        if spot == self._spot:
            if spot.panel is not None:
                self.update()  # the label at the pointer moves with it
            return
        before, self._spot = self.focus_token, spot
        self._plot.light((spot.row, spot.column))
        if self.focus_token != before:
            self.focusMoved.emit(self.focus_token)
        self.update()


def _is_another(before: MatrixScene | None, now: MatrixScene | None) -> bool:
    """Whether a scene shows other tokens, or its panels in another size."""
    if before is None or now is None:
        return True
    old, new = (
        (scene.queries.texts, scene.keys.texts, len(scene.panels), scene.cell_width, scene.cell_height) for scene in (before, now)
    )
    return old != new
