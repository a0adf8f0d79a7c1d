"""Paints an atlas of heads: its cells, their text, and what marks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from attnviz.paint.frames import paint_frame, paint_strip
from attnviz.paint.page import paint_page

if TYPE_CHECKING:
    from attnviz.scene.atlas.scene import AtlasCell, AtlasScene, Swatch

_FRAME: Final = 2.0
_LEGEND_THICK: Final = 3
_TICK_OUT: Final = 3.0  # how far the baseline's mark reaches beyond the bar


def paint_atlas_scene(scene: AtlasScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The whole picture. hairline: the width of the lines round empty cells, logical pixels; 0 means one device pixel."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for cell in scene.cells:
        _paint_cell(cell, scene.thick, scene, painter)
    for swatch in scene.swatches:
        _paint_cell(swatch, _LEGEND_THICK, scene, painter)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_hairlines(scene, painter, hairline)
    _paint_bar(scene, painter)
    paint_page(scene, painter)
    painter.setPen(Qt.PenStyle.NoPen)
    for dot in scene.held:
        painter.setBrush(QColor(dot.colour))
        painter.drawEllipse(QPointF(dot.x, dot.y), dot.radius, dot.radius)
    if scene.selected is not None:
        paint_frame(scene.cell(*scene.selected), scene.theme.accent, _FRAME, painter)


def _paint_cell(cell: AtlasCell | Swatch, thick: int, scene: AtlasScene, painter: QPainter) -> None:
    width, height = cell.right - cell.left, cell.bottom - cell.top
    if cell.fill is not None:
        painter.fillRect(QRectF(cell.left, cell.top, width, height), QColor(cell.fill))
    if cell.foot is not None:
        painter.fillRect(QRectF(cell.left, cell.bottom - thick, width, thick), QColor(cell.foot))


def _paint_hairlines(scene: AtlasScene, painter: QPainter, hairline: float) -> None:
    """The lines round cells that have no colour, inside of them."""
    painter.setPen(QPen(QColor(scene.theme.hairline), hairline))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for cell in (*scene.cells, *scene.swatches):
        if cell.fill is None:
            painter.drawRect(QRectF(cell.left + 0.5, cell.top + 0.5, cell.right - cell.left - 1, cell.bottom - cell.top - 1))


def _paint_bar(scene: AtlasScene, painter: QPainter) -> None:
    bar = scene.bar
    if bar is None:
        return
    paint_strip(bar, painter)
    painter.setPen(QPen(QColor(scene.theme.hairline), 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(bar.left - 0.5, bar.top - 0.5, bar.width + 1, bar.height + 1))
    if bar.tick is not None:
        painter.setPen(QPen(QColor(scene.theme.ink), 1.5))
        painter.drawLine(QLineF(bar.tick, bar.top - _TICK_OUT, bar.tick, bar.top + bar.height + _TICK_OUT))
