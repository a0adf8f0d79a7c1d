"""A picture that has a place for each head, line by line: it follows pointer and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QPointF, Qt, Signal

from attnviz.ui.pictures.picture_view import PictureView
from attnviz.ui.pictures.tips import paint_tip

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QKeyEvent, QPainter
    from PySide6.QtWidgets import QWidget

    from attnviz.scene.head_place import HeadPlace
    from attnviz.scene.scene import Scene

_STEPS: Final = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class HeadsView(PictureView):
    """Shows one scene with `cells`, `cell`, `cell_at`, `cell_in` and `selected` at a time, or nothing.

    The head under the pointer is an overlay and rebuilds nothing. A click picks a head, a double-click or Enter opens it, arrows,
    Home, End and the page keys move from head to head. What is painted and told is the kinds' own.
    """

    headPicked = Signal(int, int)  # layer, head
    headOpened = Signal(int, int)

    def __init__(self, told: Callable[[Any], str], parent: QWidget | None = None) -> None:
        """told: what the pointer says of a head's place, in lines, the first one loud."""
        super().__init__(parent)
        self.told = told
        self._hovered: HeadPlace | None = None
        self._pointer: QPointF | None = None

    @property
    def hovered(self) -> tuple[int, int] | None:
        """The (layer, head) under the pointer."""
        return None if self._hovered is None else (self._hovered.layer, self._hovered.head)

    def pick(self, cell: HeadPlace) -> None:
        """Have a head picked."""
        self.headPicked.emit(cell.layer, cell.head)

    def start(self) -> HeadPlace | None:
        """Where the keys start from while no head is selected; None where there is none."""
        return self.scene.cells[0] if self.scene.cells else None

    def has_started(self) -> bool:
        """Whether a key moves on, rather than show where one is."""
        return self.scene.selected is not None

    def set_scene(self, scene: Scene | None) -> None:
        """Show a scene in place of the last one; zoom and place are kept while its heads are where they were."""
        before = self.scene
        settle = before is None or scene is None or _places(before) != _places(scene)
        super().set_scene(scene, settle)
        self._hovered = None
        if self._pointer is not None:
            self.look_at(self._pointer)
        self.describe()

    def describe(self) -> None:
        """Tell those who do not see it which head is selected, and what there is else."""
        scene = self.scene
        if scene is not None:
            cell = None if scene.selected is None else scene.cell(*scene.selected)
            selected = "" if cell is None else f"{self.told(cell)}. ".replace("\n", ", ")
            self.setAccessibleDescription(selected + scene.description)

    def paint_over(self, scene: Scene, painter: QPainter) -> None:
        if self._hovered is not None and self._pointer is not None:
            paint_tip(self.told(self._hovered), self._pointer, self, scene, painter, quiet_from=1)

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
            self.pick(self._hovered)

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
        if at is None:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.headOpened.emit(at.layer, at.head)
        else:
            wanted = self._reached(at, event)
            if wanted is None:
                super().keyPressEvent(event)
            else:
                self.pick(wanted if self.has_started() else at)

    def _at(self) -> HeadPlace | None:
        """The head that keys start from."""
        scene = self.scene
        if scene is None:
            return None
        selected = None if scene.selected is None else scene.cell(*scene.selected)
        return self.start() if selected is None else selected

    def _reached(self, at: HeadPlace, event: QKeyEvent) -> HeadPlace | None:
        """The head that a key leads to, the same one at the end of its line; None for a key that leads nowhere."""
        scene, key = self.scene, event.key()
        if key in _STEPS:
            row, place = at.row + _STEPS[key][0], at.column + _STEPS[key][1]
            return scene.cell_in(row, place) or at
        line = [cell for cell in scene.cells if cell.row == at.row]
        column = [cell for cell in scene.cells if cell.column == at.column]
        whole = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        ends = {
            Qt.Key.Key_Home: scene.cells[0] if whole else line[0],
            Qt.Key.Key_End: scene.cells[-1] if whole else line[-1],
            Qt.Key.Key_PageUp: column[max(0, at.row - self._lines_in_sight())],
            Qt.Key.Key_PageDown: column[min(len(column) - 1, at.row + self._lines_in_sight())],
        }
        return ends.get(key)

    def _lines_in_sight(self) -> int:
        """How many lines a page turns by: most of those that the widget has room for, one at least."""
        lines = sorted({cell.top for cell in self.scene.cells})
        pitch = (lines[1] - lines[0] if len(lines) > 1 else self.height()) * self.zoom
        return max(1, int(0.8 * self.height() / pitch))

    def _set_hovered(self, cell: HeadPlace | None) -> None:
        self.setCursor(Qt.CursorShape.ArrowCursor if cell is None else Qt.CursorShape.PointingHandCursor)
        if cell is not None or self._hovered is not None:
            self._hovered = cell
            self.update()


def _places(scene: Scene) -> list[tuple[int, int, int, int]]:
    return [(cell.left, cell.top, cell.right, cell.bottom) for cell in scene.cells]
