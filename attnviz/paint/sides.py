"""Paints the tokens beside and above a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from attnviz.paint.fonts import font, text_width
from attnviz.scene.matrix.sides import column_labels, row_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.matrix.scene import Cells, MatrixPanel, MatrixScene, TokenSide
    from attnviz.scene.matrix.sides import SideLabel

_JOIN_AWAY = 3.5  # from the cells, of the line that joins the pieces of a word


def paint_sides(scene: MatrixScene, panel: MatrixPanel, cells: Cells, painter: QPainter) -> None:
    """The labels of a panel that has them."""
    if panel.has_row_labels:
        paint_rows_side(scene, cells, painter)
    if panel.has_column_labels:
        paint_columns_side(scene, cells, painter)


def paint_rows_side(scene: MatrixScene, cells: Cells, painter: QPainter, lit: int | None = None) -> None:
    """The queries left of their rows; the pinned one and the one that is lit stand out."""
    side, (_, top, _, bottom) = scene.queries, cells.room
    strong = _strong(lit, side.place_of(scene.focus))
    labels = row_labels(side, cells, scene.row_space, text_width, strong)
    x = cells.room[0] - _JOIN_AWAY
    joins = []
    for place in _pieces(side, cells.rows, cells.height, scene.side_size):
        y = cells.top + (place + 0.5) * cells.height
        joins.append(QLineF(x, max(y - cells.height, top), x, min(y, bottom)))
    _paint_side(scene, side, labels, strong, joins, painter)


def paint_columns_side(scene: MatrixScene, cells: Cells, painter: QPainter, lit: int | None = None) -> None:
    """The keys above their columns; the pinned one and the one that is lit stand out."""
    side, (left, _, right, _) = scene.keys, cells.room
    strong = _strong(lit, side.place_of(scene.focus))
    labels = column_labels(side, cells, scene.column_space, text_width, strong)
    y = cells.room[1] - _JOIN_AWAY
    joins = []
    for place in _pieces(side, cells.columns, cells.width, scene.side_size):
        x = cells.left + (place + 0.5) * cells.width
        joins.append(QLineF(max(x - cells.width, left), y, min(x, right), y))
    _paint_side(scene, side, labels, strong, joins, painter)


def _pieces(side: TokenSide, places: range, step: float, size: int) -> list[int]:
    """The places whose text goes on in the one before, where each has its label: between thinned ones a line joins nothing."""
    return [place for place in places if side.joined[place]] if step >= size else []


def _strong(*places: int | None) -> list[int]:
    return [place for place in dict.fromkeys(places) if place is not None]


def _paint_side(
    scene: MatrixScene, side: TokenSide, labels: Sequence[SideLabel], strong: Sequence[int], joins: list[QLineF], painter: QPainter
) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(scene.theme.faint), 1.0))
    painter.drawLines(joins)
    for label in sorted(labels, key=lambda label: label.place not in strong):  # plates lie under what is beside them
        _paint_turned(scene, label, _ink(scene, side, label.place, strong), label.place in strong, painter)


def _ink(scene: MatrixScene, side: TokenSide, place: int, strong: Sequence[int]) -> str:
    if place == side.place_of(scene.focus):
        return scene.theme.accent
    return scene.theme.faint if side.is_quiet[place] and place not in strong else scene.theme.ink


def _paint_turned(scene: MatrixScene, label: SideLabel, ink: str, is_strong: bool, painter: QPainter) -> None:
    size, theme = scene.side_size, scene.theme
    length = text_width(label.text, size, is_strong)
    start = {"left": 0.0, "middle": -length / 2, "right": -length}[label.align]
    painter.save()
    painter.translate(label.x, label.y)
    painter.rotate(-label.turn)
    if is_strong:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.focus_ground))
        painter.drawRoundedRect(QRectF(start - 4, -size - 0.5, length + 8, 1.4 * size), 4, 4)
    painter.setPen(QColor(ink))
    painter.setFont(font(size, is_strong))
    painter.drawText(QPointF(start, 0), label.text)
    painter.restore()
