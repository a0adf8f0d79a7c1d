"""What grids and atlases of heads have in common: the frame round a head, and the strip of colours with what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.head_place import HeadPlace


class Strip(Protocol):
    """Colours side by side, left to right."""

    left: float
    top: float
    width: float
    height: float
    colours: Sequence[str]


def paint_frame(cell: HeadPlace | None, ink: str, width: float, painter: QPainter) -> None:
    """A frame round a head's place, outside of it; nothing without one."""
    if cell is None:
        return
    pen = QPen(QColor(ink), width)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    out = width / 2
    painter.drawRect(QRectF(cell.left - out, cell.top - out, cell.right - cell.left + width, cell.bottom - cell.top + width))


def paint_strip(strip: Strip, painter: QPainter) -> None:
    """The colours of a strip, without lines between them."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    step = strip.width / len(strip.colours)
    for at, colour in enumerate(strip.colours):
        painter.fillRect(QRectF(strip.left + at * step, strip.top, step, strip.height), QColor(colour))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
