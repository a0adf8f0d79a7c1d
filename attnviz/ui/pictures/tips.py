"""Labels that say what is under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPen

from attnviz.paint.fonts import font, text_width
from attnviz.scene.words import wrap

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QWidget

    from attnviz.scene.scene import Scene

_BESIDE = 280.0  # pixels of a label's lines beside what it is about
_GAP = 6.0


def paint_tip(
    text: str,
    at: QPointF,
    widget: QWidget,
    scene: Scene,
    painter: QPainter,
    quiet_from: int | None = None,
    beside: QRectF | None = None,
) -> None:
    """A small label beside the pointer, inside the widget; of several lines where the text has them, those from `quiet_from` on
    muted, and broken where the widget is narrow. beside: what it stands below or above of and never over, narrow itself."""
    lines, n_loud = text.split("\n"), quiet_from
    if n_loud is not None:
        room = widget.width() - 28 if beside is None else min(widget.width() - 28, _BESIDE)
        lines[n_loud:] = [part for line in lines[n_loud:] for part in wrap(line, 13, max(room, 120), text_width)]
    width = max(text_width(line, 13, False) for line in lines) + 20
    height = 8 + 18 * len(lines)
    if beside is None:
        x, y = at.x() + 14, at.y() - 8 - height
    else:
        x, y = tip_beside(beside, width, height, widget.width(), widget.height())
    x = min(max(x, 4), widget.width() - width - 4)
    y = min(max(y, 4), widget.height() - height - 4)
    painter.setPen(QPen(QColor(scene.theme.hairline), 1.0))
    painter.setBrush(QColor(scene.theme.field))
    painter.drawRoundedRect(QRectF(x, y, width, height), 6, 6)
    painter.setFont(font(13))
    for number, line in enumerate(lines):
        painter.setPen(QColor(scene.theme.ink if n_loud is None or number < n_loud else scene.theme.muted))
        painter.drawText(QPointF(x + 10, y + 17.5 + 18 * number), line)


def tip_beside(place: QRectF, width: float, height: float, across: float, down: float) -> tuple[float, float]:
    """Where a label of a size begins that is not to cover a place in a room of `across` x `down`: below it, or else above, or else
    at the side that has more room."""
    below, above = place.bottom() + _GAP, place.top() - _GAP - height
    if below + height + 4 <= down:
        return place.left(), below
    if above >= 4:
        return place.left(), above
    is_left = place.left() > across - place.right()
    return (place.left() - _GAP - width if is_left else place.right() + _GAP), place.top()
