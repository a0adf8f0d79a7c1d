"""The grid of heads on the screen: follows pointer and keys.

The squares are painted once into an image; the head under the pointer and the selected one are overlays and rebuild nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, Qt, Signal

from attnviz.paint.grid import paint_frame, paint_ground, paint_marks, paint_squares, painter_scale, squares_image
from attnviz.scene.grid.scene import GridScene, HeadCell, cell_text
from attnviz.ui.pictures.picture_view import PictureView, paint_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QImage, QKeyEvent, QPainter
    from PySide6.QtWidgets import QWidget

_STEPS: Final = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class GridView(PictureView):
    """Shows one grid of heads at a time, or nothing. A map of several heads together counts as head MEAN of its layer."""

    headPicked = Signal(int, int)  # layer, head
    headOpened = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Grid of heads")
        self._squares: tuple[float, QImage] | None = None
        self._hovered: HeadCell | None = None
        self._pointer: QPointF | None = None
        self._from: tuple[int, int] | None = None  # where the keys were last, while no head is selected

    @property
    def scene(self) -> GridScene | None:
        """The scene on the screen, with the head that is selected."""
        return self._scene if isinstance(self._scene, GridScene) else None

    @property
    def hovered(self) -> tuple[int, int] | None:
        """The (layer, head) under the pointer."""
        return None if self._hovered is None else (self._hovered.layer, self._hovered.head)

    def set_scene(self, scene: GridScene | None) -> None:
        """Show a scene in place of the last one; zoom and place are kept while its squares are where they were."""
        before = self.scene
        settle = before is None or scene is None or _places(before) != _places(scene)
        self._squares = None
        super().set_scene(scene, settle)
        self._hovered = None
        if self._pointer is not None:
            self.look_at(self._pointer)
        self._describe()

    def paint_picture(self, scene: GridScene, painter: QPainter) -> None:
        paint_ground(scene, painter)
        if scene.cells:
            paint_squares(scene, self._squares_image(scene, painter_scale(painter)), painter)
        paint_marks(scene, painter)
        if self._hovered is not None and self.hovered != scene.selected:
            paint_frame(scene, (self._hovered.layer, self._hovered.head), scene.theme.muted, 1.5, painter)

    def paint_over(self, scene: GridScene, painter: QPainter) -> None:
        if self._hovered is not None and self._pointer is not None:
            paint_tip(cell_text(self._hovered), self._pointer, self, scene, painter, quiet_from=1)

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
            self._pick(self._hovered)

    def double_click(self, at: QPointF) -> None:
        self.look_at(at)
        if self._hovered is None:
            self.fit()
        else:
            self.headOpened.emit(self._hovered.layer, self._hovered.head)

    def can_drag(self) -> bool:
        return self._hovered is None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        at = self._at()
        if self.scene is None or at is None:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.headOpened.emit(at.layer, at.head)
        else:
            wanted = self._reached(at, event)
            if wanted is None:
                super().keyPressEvent(event)
            elif self.scene.selected is None and self._from is None:
                self._pick(at)  # the first key shows where one is
            else:
                self._pick(wanted)

    def _reached(self, at: HeadCell, event: QKeyEvent) -> HeadCell | None:
        """The square that a key leads to, the same one at the end of its line; None for a key that leads nowhere."""
        scene, key = self.scene, event.key()
        line = [cell for cell in scene.cells if cell.row == at.row]
        column = [cell for cell in scene.cells if cell.column == at.column]
        whole = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key in _STEPS:
            row, place = at.row + _STEPS[key][0], at.column + _STEPS[key][1]
            return scene.cell_in(row, place) or at
        ends = {
            Qt.Key.Key_Home: scene.cells[0] if whole else line[0],
            Qt.Key.Key_End: scene.cells[-1] if whole else line[-1],
            Qt.Key.Key_PageUp: column[max(0, at.row - self._lines_in_sight())],
            Qt.Key.Key_PageDown: column[min(len(column) - 1, at.row + self._lines_in_sight())],
        }
        return ends.get(key)

    def _lines_in_sight(self) -> int:
        """How many lines of squares a page turns by: most of those that the widget has room for, one at least."""
        lines = sorted({cell.top for cell in self.scene.cells})
        pitch = (lines[1] - lines[0] if len(lines) > 1 else self.height()) * self.zoom
        return max(1, int(0.8 * self.height() / pitch))

    def _at(self) -> HeadCell | None:
        """The square that keys start from: the selected head's, else where they were last, else the first of the view's layer."""
        scene = self.scene
        if scene is None or not scene.cells:
            return None
        for head in (scene.selected, self._from):
            cell = None if head is None else scene.cell(*head)
            if cell is not None:
                return cell
        top = -1.0 if scene.current is None else scene.current.top
        return next((cell for cell in scene.cells if cell.top >= top), scene.cells[0])

    def _pick(self, cell: HeadCell) -> None:
        self._from = (cell.layer, cell.head)
        self.bring_into_sight(cell.left, cell.top, cell.right, cell.bottom)
        self.headPicked.emit(cell.layer, cell.head)

    def _set_hovered(self, cell: HeadCell | None) -> None:
        self.setCursor(Qt.CursorShape.ArrowCursor if cell is None else Qt.CursorShape.PointingHandCursor)
        if cell is not None or self._hovered is not None:
            self._hovered = cell
            self.update()

    def _describe(self) -> None:
        """Tell those who do not see it which head is selected, and what there is else."""
        scene = self.scene
        if scene is not None:
            cell = None if scene.selected is None else scene.cell(*scene.selected)
            selected = "" if cell is None else f"{cell_text(cell)}. ".replace("\n", ", ")
            self.setAccessibleDescription(selected + scene.description)

    def _squares_image(self, scene: GridScene, scale: float) -> QImage:
        if self._squares is None or self._squares[0] != scale:
            self._squares = (scale, squares_image(scene, scale))
        return self._squares[1]


def _places(scene: GridScene) -> list[tuple[int, int, int, int]]:
    return [(cell.left, cell.top, cell.right, cell.bottom) for cell in scene.cells]
