"""Paints a matrix of attention: cells, their numbers, the tokens beside and above, the bar of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPaintEngine, QPainter, QPen

from attnviz.paint.fonts import font, text_width
from attnviz.paint.page import paint_lines, paint_page
from attnviz.paint.sides import paint_sides
from attnviz.scene.matrix.pooling import PanelPixels, pixel_span
from attnviz.scene.matrix.scene import cell_colours, number_type
from attnviz.scene.oklab import levels_of
from attnviz.scene.ramps import N_STEP, colour_name, difference_ramp, ink_ramp, is_dark, ramp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from attnviz.scene.matrix.colour_bar import ColourBar
    from attnviz.scene.matrix.pooling import PixelSpan
    from attnviz.scene.matrix.scene import Cells, MatrixPanel, MatrixScene
    from attnviz.scene.theme import Theme

    # The row and the column that are lit, None for none.
    Lit = tuple[int | None, int | None]

_VECTORS: Final = (QPaintEngine.Type.SVG, QPaintEngine.Type.Pdf, QPaintEngine.Type.Picture)
_MOST_VECTORS: Final = 4_096  # cells; more are an image in vector files too, which stay small and open quickly
_FILE_PIXELS: Final = 2_000  # about, of a side of an image in a vector file; at most where there are more cells
_GAPPED: Final = 11.0  # cells from which on paper parts them
_SEAM: Final = 0.3  # by which a cell reaches under the next one, lest a reader of the file shows paper between them
_SILENT, _QUIET = 0.025, 0.1  # of the ramp: on cells that are nearly paper numbers are faint, then muted, then full
_OUTLINE: Final = 1.5
_LEAST_LIT: Final = 5.0  # across an outlined row or column, whose cells would else be covered by the outline
_STOPS: Final = 32  # of the bar's gradient


def paint_matrix_scene(scene: MatrixScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The whole picture, in its focus if it has one."""
    paint_page(scene, painter)
    vectors = painter.paintEngine().type() in _VECTORS and sum(panel.weights.size for panel in scene.panels) <= _MOST_VECTORS
    for panel in scene.panels:
        cells = scene.cells(panel)
        if vectors:
            _paint_boxes(scene, cells, cell_colours(scene, panel), painter)
        else:
            paint_cells(CellsImage(scene, panel), cells, painter)
        paint_over_cells(scene, panel, cells, painter)
        paint_sides(scene, panel, cells, painter)
    paint_bar(scene.bar, scene.theme, painter)


class CellsImage:
    """The cells of a panel as an image: a pixel for each cell, or for those that fall on one pixel of what it is painted on. The
    last image is kept."""

    def __init__(self, scene: MatrixScene, panel: MatrixPanel) -> None:
        self._pixels = PanelPixels(scene, panel)
        self._made_for: tuple[object, ...] | None = None
        self._image = QImage()

    def of(self, rows: PixelSpan, columns: PixelSpan) -> QImage:
        """The image of some rows and columns."""
        wanted = tuple((len(span), span.bounds[0], span.bounds[-1]) for span in (rows, columns))
        if wanted != self._made_for:
            colours = self._pixels.colours(rows, columns)
            height, width = colours.shape[:2]
            packed = np.full((height, width, 4), 255, np.uint8)  # 32 bits a pixel, which painters take as it is
            packed[..., 2::-1] = colours
            self._image = QImage(packed.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()
            self._made_for = wanted
        return self._image


def paint_cells(image: CellsImage, cells: Cells, painter: QPainter) -> None:
    """The cells that are seen: large ones kept apart, of those that share a pixel the strongest."""
    to_device = painter.deviceTransform()
    is_file = painter.paintEngine().type() in _VECTORS
    sides = []
    for start, step, n, seen, scale, offset in (
        (cells.left, cells.width, cells.n_column, cells.columns, to_device.m11(), to_device.dx()),
        (cells.top, cells.height, cells.n_row, cells.rows, to_device.m22(), to_device.dy()),
    ):
        first, last = (round(end * scale + offset) for end in (start, start + n * step))
        if is_file:  # which has pixels of its own, enough of them for any printer
            span = pixel_span(seen, n, min(1.0, _FILE_PIXELS / n))
            each, origin = step * n / min(n, _FILE_PIXELS), start
        elif last - first >= n:
            span, each, origin = pixel_span(seen, n, 1.0), step, start
        else:
            # Each pixel of the image is one of the device, from edge to edge: else some would have no place on it.
            beyond = -(-n // max(last - first, 1))  # cells of a pixel, which may lie half out of sight
            span = pixel_span(range(max(seen.start - beyond, 0), min(seen.stop + beyond, n)), n, max(last - first, 1) / n)
            each, origin = 1 / scale, (first - offset) / scale
        sides.append((span, origin + span.first * each, len(span) * each))
    (columns, left, width), (rows, top, height) = sides
    if not (len(rows) and len(columns)):
        return
    drawn = image.of(rows, columns)
    if is_file:
        # Whatever reads the file may blur what it enlarges, but not across a whole cell of several pixels.
        size = drawn.size() * max(1, _FILE_PIXELS // max(drawn.width(), drawn.height()))
        drawn = drawn.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.FastTransformation)
    painter.save()
    if not is_file:
        room = QRectF(QPointF(*cells.room[:2]), QPointF(*cells.room[2:]))
        painter.setClipRect(_on_pixels(room, painter), Qt.ClipOperation.IntersectClip)
    for hint in (QPainter.RenderHint.SmoothPixmapTransform, QPainter.RenderHint.Antialiasing):
        painter.setRenderHint(hint, on=False)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)  # a PDF would have them as JPEG
    painter.drawImage(QRectF(left, top, width, height), drawn)
    painter.restore()


def paint_over_cells(scene: MatrixScene, panel: MatrixPanel, cells: Cells, painter: QPainter, lit: Lit = (None, None)) -> None:
    """What lies on the cells, wherever they are: the paper between them, their numbers, the frame, the focus."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    room = QRectF(QPointF(*cells.room[:2]), QPointF(*cells.room[2:]))
    painter.setClipRect(room.adjusted(-2, -2, 2, 2), Qt.ClipOperation.IntersectClip)
    _paint_gaps(scene, cells, painter)
    _paint_numbers(scene, panel, cells, painter)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(scene.theme.hairline), 1.0))
    painter.drawRect(_on_pixels(room, painter).adjusted(-0.5, -0.5, 0.5, 0.5))  # beside the cells: one of them may be a pixel
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


def _on_pixels(box: QRectF, painter: QPainter) -> QRectF:
    """The box with its edges between pixels of the device, as those of an image fall."""
    if painter.paintEngine().type() in _VECTORS:
        return box
    to_device = painter.deviceTransform()
    return to_device.inverted()[0].mapRect(QRectF(*_rounded(to_device.mapRect(box))))


def _rounded(box: QRectF) -> tuple[int, int, int, int]:  # left, top, width, height
    left, top, right, bottom = (round(end) for end in (box.left(), box.top(), box.right(), box.bottom()))
    return left, top, right - left, bottom - top


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


def _paint_numbers(scene: MatrixScene, panel: MatrixPanel, cells: Cells, painter: QPainter) -> None:
    found = number_type(cells.width, cells.height, scene.scale, text_width)
    if found is None:
        return
    size, short = found
    rows, columns = cells.rows, cells.columns
    part = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
    weights, share = panel.weights[part], scene.scale.strengths(panel.weights[part])
    size_of = np.abs(weights)
    dark = is_dark(cell_colours(scene, panel, *part))
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
        room = _on_pixels(QRectF(QPointF(*cells.room[:2]), QPointF(*cells.room[2:])), painter)
        left, top, right, bottom = room.left(), room.top(), room.right(), room.bottom()
        if row is not None:
            size = max(cells.height, _LEAST_LIT)
            y = cells.top + (row + 0.5) * cells.height - size / 2
            inside = width / 2 if size == cells.height else -width / 2
            painter.drawRect(QRectF(left + inside, y, right - left - 2 * inside, size))
        if column is not None:
            size = max(cells.width, _LEAST_LIT)
            x = cells.left + (column + 0.5) * cells.width - size / 2
            inside = width / 2 if size == cells.width else -width / 2
            painter.drawRect(QRectF(x, top + inside, size, bottom - top - 2 * inside))
