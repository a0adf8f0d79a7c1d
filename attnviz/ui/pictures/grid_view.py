"""The grid of heads on the screen.

The squares in sight are painted once into an image; the head under the pointer and the selected one are overlays and rebuild
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF

from attnviz.paint.frames import paint_frame
from attnviz.paint.grid import paint_ground, paint_marks, paint_squares, painter_scale, squares_image, squares_in
from attnviz.scene.grid.scene import GridScene, HeadCell, cell_text
from attnviz.ui.pictures.heads_view import HeadsView

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from attnviz.paint.grid import SquaresImage


class GridView(HeadsView):
    """Shows one grid of heads at a time, or nothing. A map of several heads together counts as head MEAN of its layer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(cell_text, parent)
        self.setAccessibleName("Grid of heads")
        self._squares: SquaresImage | None = None
        self._from: tuple[int, int] | None = None  # where the keys were last, while no head is selected

    @property
    def scene(self) -> GridScene | None:
        """The scene on the screen, with the head that is selected."""
        return self._scene if isinstance(self._scene, GridScene) else None

    def set_scene(self, scene: GridScene | None) -> None:
        if not _has_same_squares(self.scene, scene):
            self._squares = None
        super().set_scene(scene)

    def paint_picture(self, scene: GridScene, painter: QPainter) -> None:
        paint_ground(scene, painter)
        if scene.cells:
            paint_squares(self._squares_in_sight(scene, painter_scale(painter)), painter)
        paint_marks(scene, painter)
        if self._hovered is not None and self.hovered != scene.selected:
            paint_frame(self._hovered, scene.theme.muted, 1.5, painter)

    def pick(self, cell: HeadCell) -> None:
        self._from = (cell.layer, cell.head)
        self.bring_into_sight(cell.left, cell.top, cell.right, cell.bottom)
        super().pick(cell)

    def start(self) -> HeadCell | None:
        """Where the keys were last, else the first head of the view's layer."""
        scene = self.scene
        cell = None if self._from is None else scene.cell(*self._from)
        if cell is not None or not scene.cells:
            return cell
        top = -1.0 if scene.current is None else scene.current.top
        return next((cell for cell in scene.cells if cell.top >= top), scene.cells[0])

    def has_started(self) -> bool:
        return super().has_started() or self._from is not None

    def _squares_in_sight(self, scene: GridScene, scale: float) -> SquaresImage:
        """The image of the squares on the screen. While they move at one scale it is made with others round them, and lasts for
        several frames; while the scale changes it serves one frame alone."""
        seen = QRectF(QPointF(*self.viewport.to_scene(0, 0)), QPointF(*self.viewport.to_scene(self.width(), self.height())))
        kept, (lines, columns) = self._squares, squares_in(scene, seen)
        is_of_scale = kept is not None and kept.scale == scale
        if not (is_of_scale and _holds(kept.lines, lines) and _holds(kept.columns, columns)):
            self._squares = squares_image(scene, scale, seen, ahead=is_of_scale)
        return self._squares


def _holds(places: range, others: range) -> bool:
    return not others or (places.start <= others.start and others.stop <= places.stop)


def _has_same_squares(before: GridScene | None, now: GridScene | None) -> bool:
    """Whether two scenes differ in what is round the squares alone."""
    if before is None or now is None:
        return False
    if before.levels is not now.levels or before.theme != now.theme or len(before.cells) != len(now.cells):
        return False
    return all(_drawn(one) == _drawn(other) for one, other in zip(before.cells, now.cells, strict=True))


def _drawn(cell: HeadCell) -> tuple[int | bool, ...]:
    """What its square is painted by; its numbers, of which one may be NaN, are not."""
    return cell.layer, cell.head, cell.left, cell.top, cell.right, cell.bottom, cell.is_faded
