"""The pair of tokens that was chosen, standing out from the arcs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from attnviz.paint.paths import cubic_path

if TYPE_CHECKING:
    from attnviz.scene.scene import ArcScene, TokenBox

_WIDTH: Final = 2.5


def paint_pair(scene: ArcScene, query: int, key: int, painter: QPainter) -> None:
    """Draw the arc of a pair in the accent's colour, along the strongest that the scene has of it, else as a dashed bow, and a line
    under both tokens; nothing of tokens that are not on the picture."""
    looks, looked_at = scene.token_at(query), scene.token_at(key)
    if looks is None or looked_at is None:
        return
    arcs = scene.arcs
    of_pair = np.flatnonzero((arcs.query == query) & (arcs.key == key))
    colour = QColor(scene.theme.accent)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if of_pair.size:
        painter.setPen(QPen(colour, max(_WIDTH, float(arcs.width[of_pair[-1]]) + 1.0)))
        painter.drawPath(cubic_path(arcs.curve[of_pair[-1] : of_pair[-1] + 1]))
    else:
        painter.setPen(QPen(colour, _WIDTH, Qt.PenStyle.DashLine))
        painter.drawPath(_bow(looks, looked_at))
    painter.setPen(QPen(colour, 2.0))
    for box in (looks, looked_at):
        painter.drawLine(QPointF(box.left, box.bottom), QPointF(box.right, box.bottom))


def _bow(query: TokenBox, key: TokenBox) -> QPainterPath:
    """An arc as the picture would have it: over the line where it looks back, below where it looks ahead, straight between rows."""
    path = QPainterPath()
    if query.row != key.row:
        down = key.top > query.top
        path.moveTo(QPointF(query.middle, query.bottom if down else query.top))
        path.lineTo(QPointF(key.middle, key.top if down else key.bottom))
        return path
    back = key.index <= query.index
    y = query.top if back else query.bottom
    span = abs(query.middle - key.middle)
    rise = (-1 if back else 1) * min(max(0.5 * span, 24.0), 160.0)
    wide = 16.0 if span == 0 else 0.0
    path.moveTo(QPointF(query.middle + wide, y))
    path.cubicTo(QPointF(query.middle + wide, y + rise), QPointF(key.middle - wide, y + rise), QPointF(key.middle - wide, y))
    return path
