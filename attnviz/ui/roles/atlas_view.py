"""The atlas of heads on the screen: follows pointer and keys.

It is painted once into an image; the cell under the pointer and the selected one are overlays and rebuild nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPen

from attnviz.paint.painter import paint_scene
from attnviz.scene.atlas.scene import AtlasScene
from attnviz.ui.pictures.picture_view import PictureView, paint_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QPainter
    from PySide6.QtWidgets import QWidget

    from attnviz.scene.atlas.scene import AtlasCell

_STEPS: Final = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class AtlasView(PictureView):
    """Shows one atlas at a time, or nothing."""

    headPicked = Signal(int, int)  # layer, head
    headOpened = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Atlas of heads")
        self._hovered: AtlasCell | None = None
        self._pointer: QPointF | None = None

    @property
    def scene(self) -> AtlasScene | None:
        """The scene on the screen, with the head that is selected."""
        return self._scene if isinstance(self._scene, AtlasScene) else None

    @property
    def hovered(self) -> tuple[int, int] | None:
        """The (layer, head) under the pointer."""
        return None if self._hovered is None else (self._hovered.layer, self._hovered.head)

    def set_scene(self, scene: AtlasScene | None) -> None:
        """Show a scene in place of the last one; zoom and place are kept while its cells are where they were."""
        before = self.scene
        settle = before is None or scene is None or _places(before) != _places(scene)
        super().set_scene(scene, settle)
        self._hovered = None
        if self._pointer is not None:
            self.look_at(self._pointer)
        self._describe()

    def select(self, head: tuple[int, int]) -> bool:
        """Frame a head in place of the one before; False where there is no such head to be seen."""
        scene = self.scene
        cell = None if scene is None else scene.cell(*head)
        if cell is None:
            return False
        self._scene = replace(scene, selected=head)
        self.bring_into_sight(cell.left, cell.top, cell.right, cell.bottom)
        self._describe()
        self.update()
        return True

    def paint_picture(self, scene: AtlasScene, painter: QPainter) -> None:
        paint_scene(scene, painter, hairline=0.0)
        if self._hovered is not None and self.hovered != scene.selected:
            cell = self._hovered
            painter.setPen(QPen(QColor(scene.theme.muted), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(QPointF(cell.left, cell.top), QPointF(cell.right, cell.bottom)), 3, 3)

    def paint_over(self, scene: AtlasScene, painter: QPainter) -> None:
        if self._hovered is not None and self._pointer is not None:
            paint_tip(self._hovered.told.replace("   ", "\n", 1), self._pointer, self, scene, painter, quiet_from=1)

    def look_at(self, at: QPointF) -> None:
        if self.scene is None:
            return
        self._pointer = at
        self._set_hovered(self.scene.cell_at(*self.viewport.to_scene(at.x(), at.y())))

    def look_away(self) -> None:
        self._pointer = None
        self._set_hovered(None)

    def click(self, at: QPointF) -> None:
        if self._hovered is not None:
            self.headPicked.emit(self._hovered.layer, self._hovered.head)

    def double_click(self, at: QPointF) -> None:
        self.look_at(at)
        if self._hovered is None:
            self.fit()
        else:
            self.headOpened.emit(self._hovered.layer, self._hovered.head)

    def can_drag(self) -> bool:
        return self._hovered is None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        scene = self.scene
        at = None if scene is None or not scene.cells else scene.cells[0] if scene.selected is None else scene.cell(*scene.selected)
        if at is None:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.headOpened.emit(at.layer, at.head)
        else:
            wanted = _reached(scene, at, event)
            if wanted is None:
                super().keyPressEvent(event)
            else:
                self.headPicked.emit(wanted.layer, wanted.head)

    def _set_hovered(self, cell: AtlasCell | None) -> None:
        self.setCursor(Qt.CursorShape.ArrowCursor if cell is None else Qt.CursorShape.PointingHandCursor)
        if cell is not None or self._hovered is not None:
            self._hovered = cell
            self.update()

    def _describe(self) -> None:
        """Tell those who do not see it which head is selected, and what there is else."""
        scene = self.scene
        if scene is not None:
            cell = None if scene.selected is None else scene.cell(*scene.selected)
            selected = "" if cell is None else f"{cell.told}. "
            self.setAccessibleDescription(selected + scene.description)


def _reached(scene: AtlasScene, at: AtlasCell, event: QKeyEvent) -> AtlasCell | None:
    """The cell that a key leads to, the same one at the end of its line; None for a key that leads nowhere."""
    if event.key() in _STEPS:
        if scene.selected is None:  # the first key shows where one is
            return at
        row, column = (now + step for now, step in zip((at.row, at.column), _STEPS[event.key()], strict=True))
        return scene.cell_in(row, column) or at
    whole = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
    line = [cell for cell in scene.cells if cell.row == at.row]
    ends = {
        Qt.Key.Key_Home: scene.cells[0] if whole else line[0],
        Qt.Key.Key_End: scene.cells[-1] if whole else line[-1],
    }
    return ends.get(event.key())


def _places(scene: AtlasScene) -> list[tuple[int, int, int, int]]:
    return [(cell.left, cell.top, cell.right, cell.bottom) for cell in scene.cells]
