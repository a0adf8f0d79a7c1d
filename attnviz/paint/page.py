"""Paints what every picture has: lines of text, dots of a legend, tinted strips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from attnviz.paint.fonts import font, text_width

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attnviz.scene.scene import Box, Dot, Label, Scene
    from attnviz.scene.theme import Theme


def paint_page(scene: Scene, painter: QPainter) -> None:
    """A picture's bands, captions, legend and notes."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for band in scene.bands:
        painter.setBrush(QColor(getattr(scene.theme, f"{band.kind}_ground")))
        painter.drawRect(QRectF(0, band.top, scene.width, band.height))
    paint_lines(scene.labels, scene.dots, scene.theme, painter)


def rect_of(box: Box) -> QRectF:
    """A box as Qt has it."""
    return QRectF(box.left, box.top, box.right - box.left, box.bottom - box.top)


def paint_lines(labels: Iterable[Label], dots: Iterable[Dot], theme: Theme, painter: QPainter) -> None:
    """Lines of text and dots of heads."""
    painter.setPen(Qt.PenStyle.NoPen)
    for dot in dots:
        painter.setBrush(QColor(dot.colour))
        painter.drawEllipse(QPointF(dot.x, dot.y), dot.radius, dot.radius)
    for label in labels:
        paint_label(label, theme, painter)


def paint_label(label: Label, theme: Theme, painter: QPainter) -> None:
    """One line of text."""
    width = 0.0 if label.align == "left" else text_width(label.text, label.size, label.bold)
    shift = {"left": 0.0, "right": width, "middle": width / 2}[label.align]
    painter.setFont(font(label.size, label.bold))
    painter.setPen(QColor(label.colour or getattr(theme, label.ink)))
    painter.drawText(QPointF(label.x - shift, label.baseline), label.text)


def see_through(name: str, opacity: float) -> QColor:
    """A colour of that opacity, 0 to 1."""
    colour = QColor(name)
    colour.setAlphaF(min(opacity, 1.0))
    return colour
