"""Paints the evidence for what a head does: sentences, their arcs and their underlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from attnviz.paint.arcs import paint_arcs
from attnviz.paint.fonts import font
from attnviz.paint.page import paint_page
from attnviz.paint.paths import cubic_path

if TYPE_CHECKING:
    from attnviz.scene.atlas.evidence_scene import EvidenceScene

_DASHES: Final = [3.0, 3.0]  # in widths of the line
_UNDERLINE: Final = 2.0


def paint_evidence_scene(scene: EvidenceScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The whole picture. hairline: the width of the thinnest arcs, logical pixels; 0 means one device pixel."""
    paint_arcs(scene, painter, hairline)
    if len(scene.missed):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_pen(scene.missed_colour, max(hairline, 1.0), is_dashed=True))
        painter.drawPath(cubic_path(scene.missed))
    for line in scene.underlines:
        painter.setPen(_pen(line.colour, _UNDERLINE, line.is_dashed))
        painter.drawLine(QLineF(line.left, line.y, line.right, line.y))
    paint_page(scene, painter)
    for word in scene.words:
        painter.setFont(font(scene.font_size, word.bold))
        painter.setPen(QColor(getattr(scene.theme, word.ink)))
        painter.drawText(QPointF(word.left, word.baseline), word.text)


def _pen(colour: str, width: float, is_dashed: bool) -> QPen:
    pen = QPen(QColor(colour), width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if is_dashed:
        pen.setDashPattern(_DASHES)
    return pen
