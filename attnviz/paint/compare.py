"""Paints two runs beside each other, their table of measures and the course of a token through their layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from attnviz.paint.matrix import paint_bar
from attnviz.paint.page import paint_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from attnviz.scene.compare.scene import ChartScene, CompareScene, Line, TableScene
    from attnviz.scene.scene import Scene
    from attnviz.scene.theme import Theme

_COURSE, _POINT, _STRONG = 1.6, 2.8, 4.2


def paint_compare_scene(
    scene: CompareScene, painter: QPainter, hairline: float, paint: Callable[[Scene, QPainter, float], None]
) -> None:
    """The whole picture, each of its parts by `paint`."""
    paint_page(scene, painter)
    for part in scene.parts:
        painter.save()
        painter.translate(part.left, part.top)
        paint(part.scene, painter, hairline)
        painter.restore()
    paint_bar(scene.bar, scene.theme, painter)


def paint_table_scene(scene: TableScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The table. hairline: the width of its rules, logical pixels; 0 means one device pixel."""
    paint_page(scene, painter)
    _paint_lines(scene.lines, scene.theme, painter, hairline)


def paint_chart_scene(scene: ChartScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The chart: axes, course, points and their numbers."""
    _paint_lines(scene.lines, scene.theme, painter, hairline)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(scene.colour)
    painter.setPen(QPen(colour, _COURSE))
    painter.drawPolyline(QPolygonF([QPointF(point.x, point.y) for point in scene.points]))
    painter.setPen(QPen(QColor(scene.theme.paper), 1.2))
    painter.setBrush(colour)
    for point in scene.points:
        radius = _STRONG if point.is_strong else _POINT
        painter.drawEllipse(QPointF(point.x, point.y), radius, radius)
    paint_page(scene, painter)


def _paint_lines(lines: Iterable[Line], theme: Theme, painter: QPainter, hairline: float) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for line in lines:
        painter.setPen(QPen(QColor(getattr(theme, line.ink)), hairline))
        painter.drawLine(QLineF(line.x, line.y, line.to_x, line.to_y))
