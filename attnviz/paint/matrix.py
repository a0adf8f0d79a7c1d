"""Paints a matrix of attention: cells, their numbers, the tokens beside and above, the bar of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPaintEngine, QPainter, QPen

from attnviz.paint.fonts import font, text_width
from attnviz.paint.page import paint_lines, paint_page
from attnviz.paint.sides import paint_sides
from attnviz.scene.matrix.scene import cell_colours, number_type
from attnviz.scene.oklab import levels_of
from attnviz.scene.ramps import N_STEP, colour_name, difference_ramp, ink_ramp, is_dark, ramp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from attnviz.scene.matrix.colour_bar import ColourBar
    from attnviz.scene.matrix.scene import Cells, MatrixPanel, MatrixScene
    from attnviz.scene.theme import Theme

    # The row and the column that are lit, None for none.
    Lit = tuple[int | None, int | None]

_VECTORS: Final = (QPaintEngine.Type.SVG, QPaintEngine.Type.Pdf, QPaintEngine.Type.Picture)
_MOST_VECTORS: Final = 4_096  # cells; more are an image in vector files too, which stay small and open quickly
_FILE_PIXELS: Final = 2_000  # about, of an image in a vector file
_GAPPED: Final = 11.0  # cells from which on paper parts them
_SEAM: Final = 0.3  # by which a cell reaches under the next one, lest a reader of the file shows paper between them
_SILENT, _QUIET = 0.025, 0.1  # of the ramp: on cells that are nearly paper numbers are faint, then muted, then full
_OUTLINE: Final = 1.5
_STOPS: Final = 32  # of the bar's gradient


def paint_matrix_scene(scene: MatrixScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The whole picture, in its focus if it has one."""
    paint_page(scene, painter)
    vectors = painter.paintEngine().type() in _VECTORS and sum(panel.weights.size for panel in scene.panels) <= _MOST_VECTORS
    for panel in scene.panels:
        cells, colours = scene.cells(panel), cell_colours(scene, panel)
        if vectors:
            _paint_boxes(scene, cells, colours, painter)
        else:
            _paint_image(cells, cell_image(colours), painter)
        paint_over_cells(scene, panel, colours, cells, painter)
        paint_sides(scene, panel, cells, painter)
    paint_bar(scene.bar, scene.theme, painter)


def cell_image(colours: NDArray[np.uint8]) -> QImage:
    """One pixel for each cell, from its colour, [row, column, 3]."""
    height, width = colours.shape[:2]
    packed = np.full((height, width, 4), 255, np.uint8)  # 32 bits a pixel, which painters take as it is
    packed[..., 2::-1] = colours
    return QImage(packed.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def paint_over_cells(
    scene: MatrixScene, panel: MatrixPanel, colours: NDArray[np.uint8], cells: Cells, painter: QPainter, lit: Lit = (None, None)
) -> None:
    """What lies on the cells, wherever they are: the paper between them, their numbers, the frame, the focus."""
    painter.save()
    room = QRectF(QPointF(*cells.room[:2]), QPointF(*cells.room[2:]))
    painter.setClipRect(room.adjusted(-1, -1, 1, 1), Qt.ClipOperation.IntersectClip)
    _paint_gaps(scene, cells, painter)
    _paint_numbers(scene, panel, colours, cells, painter)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(scene.theme.hairline), 1.0))
    painter.drawRect(room)
    _paint_focus(scene, cells, painter, lit)
    painter.restore()


def paint_bar(bar: ColourBar | None, theme: Theme, painter: QPainter) -> None:
    """The strip of a ramp, its numbers and its notes."""
    if bar is None:
        return
    levels = difference_ramp(theme) if bar.is_signed else ink_ramp(theme) if bar.head is None else ramp(theme, bar.head)
    start, end = QPointF(bar.left, bar.top + bar.height), QPointF(bar.left, bar.top)
    gradient = QLinearGradient(end, QPointF(bar.left + bar.width, bar.top)) if bar.is_level else QLinearGradient(start, end)
    for stop in range(_STOPS + 1):
        gradient.setColorAt(stop / _STOPS, QColor(colour_name(levels[round(stop / _STOPS * (N_STEP - 1))])))
    painter.setBrush(gradient)
    painter.setPen(QPen(QColor(theme.hairline), 1.0))
    painter.drawRect(QRectF(bar.left, bar.top, bar.width, bar.height))
    paint_lines(bar.labels, (), theme, painter)


def _paint_boxes(scene: MatrixScene, cells: Cells, colours: NDArray[np.uint8], painter: QPainter) -> None:
    """Each cell as a box of its own; those of the paper's colour are the paper, and the masked end of a row is one box."""
    seam = _SEAM if min(cells.width, cells.height) < _GAPPED else 0.0
    painter.setPen(Qt.PenStyle.NoPen)
    first_masked = np.full(cells.n_row, cells.n_column) if scene.masked is None else (~scene.masked).sum(axis=1)
    shown = (colours != levels_of(scene.theme.paper)).any(axis=2)
    for row in range(cells.n_row):
        y, end = cells.top + row * cells.height, int(first_masked[row])
        for column in np.flatnonzero(shown[row, :end]).tolist():
            box = QRectF(cells.left + column * cells.width, y, cells.width + seam, cells.height + seam)
            painter.fillRect(box, QColor(*colours[row, column].tolist()))
        if end < cells.n_column:
            box = QRectF(cells.left + end * cells.width, y, (cells.n_column - end) * cells.width, cells.height + seam)
            painter.fillRect(box, QColor(scene.theme.panel))


def _paint_image(cells: Cells, image: QImage, painter: QPainter) -> None:
    """All cells as one image, its pixels kept apart where they are enlarged and averaged where several fall into one."""
    box = QRectF(cells.left, cells.top, cells.n_column * cells.width, cells.n_row * cells.height)
    if painter.paintEngine().type() in _VECTORS:
        # Whatever reads the file may blur what it enlarges, but not across a whole cell of several pixels.
        size = image.size() * max(1, _FILE_PIXELS // max(image.width(), image.height()))
        how = Qt.TransformationMode.FastTransformation
    else:
        scale = painter.deviceTransform()
        pixels = QSize(round(abs(scale.m11()) * box.width()), round(abs(scale.m22()) * box.height()))
        size = pixels.boundedTo(image.size()).expandedTo(QSize(1, 1))
        how = Qt.TransformationMode.SmoothTransformation
    if size != image.size():
        image = image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, how)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
    painter.drawImage(box, image)


def _paint_gaps(scene: MatrixScene, cells: Cells, painter: QPainter) -> None:
    """Paper between large cells, and a line where another text begins."""
    if min(cells.width, cells.height) >= _GAPPED:
        painter.setPen(QPen(QColor(scene.theme.paper), 1.0))
        painter.drawLines(_lines(cells, cells.rows, cells.columns))
    painter.setPen(QPen(QColor(scene.theme.faint), 1.0))
    painter.drawLines(_lines(cells, scene.queries.text_starts, scene.keys.text_starts))


def _lines(cells: Cells, rows: Iterable[int], columns: Iterable[int]) -> list[QLineF]:
    """Lines above those rows and left of those columns, through all that is seen."""
    left, top, right, bottom = cells.room
    across = [QLineF(left, y, right, y) for row in rows if row and top < (y := cells.top + row * cells.height) < bottom]
    down = [QLineF(x, top, x, bottom) for column in columns if column and left < (x := cells.left + column * cells.width) < right]
    return across + down


def _paint_numbers(scene: MatrixScene, panel: MatrixPanel, colours: NDArray[np.uint8], cells: Cells, painter: QPainter) -> None:
    found = number_type(cells.width, cells.height, scene.scale, text_width)
    if found is None:
        return
    size, short = found
    rows, columns = cells.rows, cells.columns
    part = np.s_[rows.start : rows.stop, columns.start : columns.stop]
    weights, share = panel.weights[part], scene.scale.strengths(panel.weights[part])
    size_of = np.abs(weights)
    dark = is_dark(colours[part])
    # Masked ones are 0. In small type only strong ones: a map full of ".01" hides what there is to see.
    told = (size_of >= scene.scale.least_number) & (size_of >= (_QUIET * scene.scale.top if short else 0.0))
    silent = (share < _SILENT) | scene.dimmed[columns.start : columns.stop]
    quiet = share < _QUIET
    painter.setFont(font(size))
    for ink, chosen in (
        (scene.theme.faint, told & silent),
        (scene.theme.muted, told & quiet & ~silent),
        ("#ffffff", told & ~quiet & ~silent & dark),
        ("#000000", told & ~quiet & ~silent & ~dark),
    ):
        painter.setPen(QColor(ink))
        for row, column in np.argwhere(chosen).tolist():
            text = scene.scale.number(float(weights[row, column]), short)
            x = cells.left + (columns.start + column + 0.5) * cells.width - text_width(text, size, False) / 2
            y = cells.top + (rows.start + row + 0.5) * cells.height + 0.36 * size
            painter.drawText(QPointF(x, y), text)


def _paint_focus(scene: MatrixScene, cells: Cells, painter: QPainter, lit: Lit) -> None:
    """Outlines of the row and the column of what is lit, and over them of the pinned token."""
    pinned = (scene.queries.place_of(scene.focus), scene.keys.place_of(scene.focus))
    for (row, column), ink, width in ((lit, scene.theme.muted, 1.0), (pinned, scene.theme.accent, _OUTLINE)):
        painter.setPen(QPen(QColor(ink), width))
        left, top, right, bottom = cells.room
        if row is not None:
            y = cells.top + row * cells.height
            painter.drawRect(QRectF(left + width / 2, y, right - left - width, cells.height))
        if column is not None:
            x = cells.left + column * cells.width
            painter.drawRect(QRectF(x, top + width / 2, cells.width, bottom - top - width))
