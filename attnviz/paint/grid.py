"""Paints a grid of heads: all squares as one image, and what marks them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter

from attnviz.paint.frames import paint_frame, paint_strip
from attnviz.paint.page import paint_page, rect_of, see_through
from attnviz.scene.ramps import N_STEP, ramp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.scene.grid.scene import GridScene, HeadCell
    from attnviz.scene.theme import Theme

_FADED: Final = 0.2  # what is left of the colours of a square outside the filter, and of its mark
# Pixels per logical pixel for files whose own resolution says nothing about the eye's: 400 dpi.
_IN_FILES: Final = 400 / 96
_MOST_PIXELS: Final = 24_000_000  # of the image of all squares
_SOON_MADE: Final = 3_000_000  # pixels of squares that are drawn between two frames


def paint_grid_scene(scene: GridScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The whole picture."""
    del hairline  # it has no lines but the frame
    paint_ground(scene, painter)
    if scene.cells:
        paint_squares(squares_image(scene, painter_scale(painter)), painter)
    paint_marks(scene, painter)


def painter_scale(painter: QPainter) -> float:
    """Device pixels per logical pixel where the painter paints on a raster; enough for print where it writes a file."""
    if painter.paintEngine().type() != QPaintEngine.Type.Raster:
        return _IN_FILES
    return painter.worldTransform().m11() * painter.device().devicePixelRatio()


def paint_ground(scene: GridScene, painter: QPainter) -> None:
    """The plate that the squares lie on, and the strip behind those of the view's layer."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for box, ink, radius in ((scene.plate, scene.theme.panel, 8.0), (scene.current, scene.theme.focus_ground, 4.0)):
        if box is not None:
            painter.setBrush(QColor(ink))
            painter.drawRoundedRect(rect_of(box), radius, radius)


def paint_squares(squares: SquaresImage, painter: QPainter) -> None:
    """An image of `squares_image` in its place."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)  # a PDF would have them as JPEG
    painter.drawImage(squares.place, squares.image)
    painter.restore()


def paint_marks(scene: GridScene, painter: QPainter) -> None:
    """The text, the bar of colours, the frame of the selected head and the lines below heads with a role."""
    paint_page(scene, painter)
    paint_strip(scene.bar, painter)
    if scene.selected is not None:
        paint_frame(scene.cell(*scene.selected), scene.theme.accent, 2.0, painter)
    for mark in scene.marks:
        painter.fillRect(rect_of(mark.box), see_through(mark.colour, _FADED if mark.is_faded else 1.0))


@dataclass(frozen=True)
class SquaresImage:
    """The squares of some lines and columns as one image, clear between them. place: its box in the picture; scale: its pixels per
    logical pixel, as was asked for; pixels: what it is made of, [y, x], each 0xaarrggbb."""

    image: QImage
    place: QRectF
    scale: float
    lines: range
    columns: range
    pixels: NDArray[np.uint32]


def squares_image(scene: GridScene, scale: float, seen: QRectF | None = None, ahead: bool = False) -> SquaresImage:
    """The squares that are in a box of the picture, all of them without one; scale: pixels per logical pixel.

    ahead: with as many round them as are made in the time of a frame. A map with more parts than its square has pixels shows the
    largest of those that share one, so that nothing is lost.
    """
    lines, columns = squares_in(scene, seen)
    asked = scale
    if seen is None:
        left, top, right, bottom = _extent(scene.cells)
        scale = min(scale, (_MOST_PIXELS / max((right - left) * (bottom - top), 1)) ** 0.5)
    elif ahead:
        lines, columns = _more(scene, scale, lines, columns)
    chosen = [place for place, cell in enumerate(scene.cells) if cell.row in lines and cell.column in columns]
    pixels, place = _drawn(scene, chosen, scale)
    image = QImage(pixels.data, pixels.shape[1], pixels.shape[0], 4 * pixels.shape[1], QImage.Format.Format_ARGB32_Premultiplied)
    return SquaresImage(image, place, asked, lines, columns, pixels)


def squares_in(scene: GridScene, seen: QRectF | None) -> tuple[range, range]:
    """The lines and the columns of squares that are in a box of the picture, in part at least; all without one."""
    cells = scene.cells
    if seen is not None:
        # A pixel more each way, lest the box that a repaint rounds up shows a square that is not there.
        left, top, right, bottom = seen.left() - 1, seen.top() - 1, seen.right() + 1, seen.bottom() + 1
        cells = [c for c in cells if c.left < right and c.right > left and c.top < bottom and c.bottom > top]
    lines, columns = {cell.row for cell in cells}, {cell.column for cell in cells}
    return tuple(range(min(places), max(places) + 1) if places else range(0) for places in (lines, columns))


def _more(scene: GridScene, scale: float, lines: range, columns: range) -> tuple[range, range]:
    """The lines and columns with others round them, as far as an image of so many pixels is soon made."""
    first = scene.cells[0]
    each = max((first.right - first.left) * (first.bottom - first.top) * scale**2, 1.0)
    share = min(max((_SOON_MADE / max(each * len(lines) * len(columns), 1.0)) ** 0.5, 1.0), 3.0)
    ends = max(cell.row for cell in scene.cells) + 1, max(cell.column for cell in scene.cells) + 1
    more = [int((share - 1) / 2 * len(places)) for places in (lines, columns)]
    return tuple(
        range(max(places.start - n, 0), min(places.stop + n, end)) if places else places
        for places, n, end in zip((lines, columns), more, ends, strict=True)
    )


def _drawn(scene: GridScene, chosen: Sequence[int], scale: float) -> tuple[NDArray[np.uint32], QRectF]:
    """The pixels of some squares and their box in the picture."""
    if not chosen:
        return np.zeros((1, 1), np.uint32), QRectF()
    # Counted from the first square of all, so that squares keep their pixels whichever are in sight.
    left, top, _, _ = _extent(scene.cells)
    box = _extent([scene.cells[place] for place in chosen])
    x0, y0, x1, y1 = (round((end - origin) * scale) for end, origin in zip(box, (left, top) * 2, strict=True))
    pixels = np.zeros((max(1, y1 - y0), max(1, x1 - x0)), np.uint32)
    first, (n_row, n_column) = scene.cells[chosen[0]], scene.levels.shape[1:]
    width, height = (max(1, round(side * scale)) for side in (first.right - first.left, first.bottom - first.top))
    if n_row and n_column:
        down, across = (np.arange(side) * min(n, side) // side for n, side in ((n_row, height), (n_column, width)))
        lines = [list(line) for _, line in groupby(chosen, key=lambda place: scene.cells[place].row)]
        along = _along([round((scene.cells[place].left - left) * scale) - x0 for place in lines[0]], across, pixels.shape[1])
        for line in lines:
            y = round((scene.cells[line[0]].top - top) * scale) - y0
            beside = _side_by_side(scene, line, height, width)
            there = along if len(line) == len(lines[0]) else np.where(along < beside.shape[1], along, 0)
            part = pixels[y : y + height]
            np.take(beside.take(there, axis=1), down[: len(part)], axis=0, out=part, mode="clip")
    return pixels, QRectF(left + x0 / scale, top + y0 / scale, pixels.shape[1] / scale, pixels.shape[0] / scale)


def _along(starts: Sequence[int], across: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    """Which part of the maps of a line each of n pixels shows, from 1 on, 0 between two squares. starts: where each square begins;
    across: which part of its map each pixel of a square shows."""
    along = np.zeros(n, np.intp)
    for number, start in enumerate(starts):
        part = along[start : start + len(across)]
        part[:] = 1 + number * (across[-1] + 1) + across[: len(part)]
    return along


def _side_by_side(scene: GridScene, line: Sequence[int], height: int, width: int) -> NDArray[np.uint32]:
    """The maps of the squares of one line beside each other, in at most height x width parts each, after a clear column."""
    levels = _largest(_largest(scene.levels[line], height).swapaxes(1, 2), width)  # [cell, column, row]
    kinds = [(scene.cells[place].head, scene.cells[place].is_faded) for place in line]
    tables = np.stack([_colours(scene.theme, *kind) for kind in kinds])
    colours = tables.ravel().take(levels + N_STEP * np.arange(len(line), dtype=np.intp)[:, None, None])
    n, columns, rows = levels.shape
    beside = np.zeros((rows, 1 + n * columns), np.uint32)
    beside[:, 1:] = colours.reshape(n * columns, rows).T
    return beside


@cache
def _colours(theme: Theme, head: int, is_faded: bool) -> NDArray[np.uint32]:  # [256], 0xffrrggbb
    """A head's ramp, or what is left of it where the head stands back."""
    levels = ramp(theme, head).astype(np.float32)
    if is_faded:
        levels = levels[0] + np.float32(_FADED) * (levels - levels[0])
    red, green, blue = np.rint(levels).astype(np.uint32).T
    return np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue


def _largest(levels: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """The levels with at most `most` along the axis before the last, each the largest of those that it stands for."""
    n = levels.shape[1]
    if n <= most:
        return levels
    starts = (np.arange(most + 1) * n // most).tolist()
    return np.stack([levels[:, start:stop].max(axis=1) for start, stop in pairwise(starts)], axis=1)


def _extent(cells: Sequence[HeadCell]) -> tuple[int, int, int, int]:
    """The box of some squares, line by line."""
    left, right = min(cell.left for cell in cells), max(cell.right for cell in cells)
    return left, cells[0].top, right, max(cell.bottom for cell in cells)
