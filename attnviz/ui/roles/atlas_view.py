"""The atlas of heads on the screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPen

from attnviz.paint.painter import paint_scene
from attnviz.scene.atlas.scene import AtlasScene
from attnviz.scene.atlas.words import unbroken
from attnviz.ui.pictures.heads_view import HeadsView
from attnviz.ui.pictures.tips import paint_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from attnviz.scene.atlas.scene import AtlasCell


class AtlasView(HeadsView):
    """Shows one atlas at a time, or nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_told, parent)
        self.setAccessibleName("Atlas of heads")

    @property
    def scene(self) -> AtlasScene | None:
        """The scene on the screen, with the head that is selected."""
        return self._scene if isinstance(self._scene, AtlasScene) else None

    def select(self, head: tuple[int, int]) -> bool:
        """Frame a head in place of the one before; False where there is no such head to be seen."""
        scene = self.scene
        cell = None if scene is None else scene.cell(*head)
        if cell is None:
            return False
        self._scene = replace(scene, selected=head)
        self.bring_into_sight(cell.left, cell.top, cell.right, cell.bottom)
        self.describe()
        self.update()
        return True

    def paint_over(self, scene: AtlasScene, painter: QPainter) -> None:
        # Of the selected head all that can be said stands beside the atlas.
        if self._hovered is not None and self.hovered != scene.selected:
            cell = self._hovered
            place = QRectF(self.on_screen(cell.left, cell.top), self.on_screen(cell.right, cell.bottom))
            text = unbroken(self.told(cell))
            paint_tip(text, place.center(), self, scene, painter, quiet_from=1, beside=place)

    def paint_picture(self, scene: AtlasScene, painter: QPainter) -> None:
        paint_scene(scene, painter, hairline=0.0)
        if self._hovered is not None and self.hovered != scene.selected:
            cell = self._hovered
            painter.setPen(QPen(QColor(scene.theme.muted), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(QPointF(cell.left, cell.top), QPointF(cell.right, cell.bottom)), 3, 3)


def _told(cell: AtlasCell) -> str:
    """What the pointer says of a head, its name in a line of its own."""
    return cell.told.replace("   ", "\n", 1)
