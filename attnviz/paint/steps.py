"""Paints the steps of one token's attention: strips of coloured cells, numbers, bars and the arrows between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from attnviz.paint.page import paint_label, paint_page, rect_of, see_through
from attnviz.scene.ramps import two_sided
from attnviz.scene.steps.cells import colours_of

if TYPE_CHECKING:
    from attnviz.scene.steps.scene import Connector, StepsScene, Strip

_CORNER = 5.0
_HEAD = 4.0  # the length of an arrowhead


def paint_steps_scene(scene: StepsScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The whole picture. hairline: the width of its thinnest lines, logical pixels; 0 means one device pixel."""
    paint_page(scene, painter)
    colours = [QColor(*rgb) for rgb in two_sided(scene.theme).tolist()]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for strip in scene.strips:
        _paint_strip(strip, colours, painter)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for bar in scene.bars:
        painter.setBrush(see_through(bar.colour, bar.opacity))
        painter.drawRect(rect_of(bar.box))
    painter.setPen(QPen(QColor(scene.theme.hairline), max(hairline, 1.0)))
    for rule in scene.rules:
        painter.drawLine(QPointF(rule.left, rule.y), QPointF(rule.right, rule.y))
    for connector in scene.connectors:
        _paint_connector(connector, scene, painter, hairline)
    for number in scene.numbers:
        paint_label(number.label, scene.theme, painter)


def _paint_strip(strip: Strip, colours: list[QColor], painter: QPainter) -> None:
    """The cells from left to right, each reaching a little under the next, which would show the paper through a seam."""
    box, places = strip.box, colours_of(strip.values[strip.cells], strip.scale).tolist()
    edges = np.linspace(box.left, box.right, len(places) + 1).tolist()
    height = box.bottom - box.top
    for at, place in enumerate(places):
        end = edges[min(at + 1, len(places))] if at + 1 == len(places) else edges[at + 1] + 0.4
        painter.fillRect(QRectF(edges[at], box.top, end - edges[at], height), colours[place])


def _paint_connector(connector: Connector, scene: StepsScene, painter: QPainter, hairline: float) -> None:
    """A line with round corners and a small arrowhead."""
    colour = QColor(scene.theme.accent if connector.is_strong else scene.theme.faint)
    points = [QPointF(*point) for point in connector.points]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, max(1.2 * hairline, 1.0)))
    painter.drawPath(_rounded(points))
    end, before = points[-1], points[-2]
    length = math.hypot(end.x() - before.x(), end.y() - before.y()) or 1.0
    along = QPointF((end.x() - before.x()) / length, (end.y() - before.y()) / length) * _HEAD
    across = QPointF(-along.y(), along.x()) * 0.75
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([end + along * 0.5, end - along + across, end - along - across]))


def _rounded(points: list[QPointF]) -> QPainterPath:
    path = QPainterPath(points[0])
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        path.lineTo(_towards(corner, before))
        path.quadTo(corner, _towards(corner, after))
    path.lineTo(points[-1])
    return path


def _towards(corner: QPointF, other: QPointF) -> QPointF:
    """The point where the rounding of a corner begins on the way to another one."""
    way = other - corner
    length = math.hypot(way.x(), way.y())
    return corner if length == 0 else corner + way * min(_CORNER / length, 0.5)
