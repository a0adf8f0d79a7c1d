"""Paints a grid of heads: all squares as one image, and what marks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter

from attnviz.paint.frames import paint_frame, paint_strip
from attnviz.paint.page import paint_page, rect_of, see_through
from attnviz.scene.ramps import N_STEP, ramp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.scene.grid.scene import GridScene
    from attnviz.scene.theme import Theme

_FADED: Final = 0.2  # what is left of the colours of a square outside the filter, and of its mark
# Pixels per logical pixel for files whose own resolution says nothing about the eye's: 400 dpi.
_IN_FILES: Final = 400 / 96
_MOST_PIXELS: Final = 24_000_000  # of the image of all squares; in a closer view its pixels are seen


def paint_grid_scene(scene: GridScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The whole picture."""
    del hairline  # it has no lines but the frame
    paint_ground(scene, painter)
    if scene.cells:
        paint_squares(scene, squares_image(scene, painter_scale(painter)), painter)
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


def paint_squares(scene: GridScene, image: QImage, painter: QPainter) -> None:
    """An image of `squares_image` in its place."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)  # a PDF would have them as JPEG
    left, top, right, bottom = _extent(scene)
    painter.drawImage(QRectF(left, top, right - left, bottom - top), image)
    painter.restore()


def paint_marks(scene: GridScene, painter: QPainter) -> None:
    """The text, the bar of colours, the frame of the selected head and the lines below heads with a role."""
    paint_page(scene, painter)
    paint_strip(scene.bar, painter)
    if scene.selected is not None:
        paint_frame(scene.cell(*scene.selected), scene.theme.accent, 2.0, painter)
    for mark in scene.marks:
        painter.fillRect(rect_of(mark.box), see_through(mark.colour, _FADED if mark.is_faded else 1.0))


def squares_image(scene: GridScene, scale: float) -> QImage:
    """All squares as one image, clear between them; scale: its pixels per logical pixel.

    A map with more parts than its square has pixels shows the largest of those that share one, so that nothing is lost.
    """
    left, top, right, bottom = _extent(scene)
    scale = min(scale, (_MOST_PIXELS / max((right - left) * (bottom - top), 1)) ** 0.5)
    cell = scene.cells[0]
    width, height = (max(1, round(side * scale)) for side in (cell.right - cell.left, cell.bottom - cell.top))
    canvas = np.zeros((max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))), np.uint32)
    squares = _enlarged(_coloured(scene, height, width), height, width)
    for square, cell in zip(squares, scene.cells, strict=True):
        x, y = round((cell.left - left) * scale), round((cell.top - top) * scale)
        part = canvas[y : y + height, x : x + width]
        part[:] = square[: part.shape[0], : part.shape[1]]
    image = QImage(canvas.data, canvas.shape[1], canvas.shape[0], 4 * canvas.shape[1], QImage.Format.Format_ARGB32_Premultiplied)
    return image.copy()  # the array goes


def _coloured(scene: GridScene, height: int, width: int) -> NDArray[np.uint32]:
    """Each square's map in at most height x width colours, [cell, height, width], each 0xffrrggbb."""
    levels = _largest(_largest(scene.levels, 1, height), 2, width)
    tables = np.stack([_colours(scene.theme, cell.head, cell.is_faded) for cell in scene.cells])
    places = np.arange(len(levels), dtype=np.intp)[:, None, None] * N_STEP + levels
    return np.take(tables.ravel(), places)


def _colours(theme: Theme, head: int, is_faded: bool) -> NDArray[np.uint32]:  # [256], 0xffrrggbb
    """A head's ramp, or what is left of it where the head stands back."""
    levels = ramp(theme, head).astype(np.float32)
    if is_faded:
        levels = levels[0] + np.float32(_FADED) * (levels - levels[0])
    red, green, blue = np.rint(levels).astype(np.uint32).T
    return np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue


def _largest(levels: NDArray[np.uint8], axis: int, most: int) -> NDArray[np.uint8]:
    """The levels with at most `most` along an axis, each the largest of those that it stands for."""
    n = levels.shape[axis]
    if n <= most:
        return levels
    return np.maximum.reduceat(levels, np.arange(most, dtype=np.intp) * n // most, axis=axis)


def _enlarged(colours: NDArray[np.uint32], height: int, width: int) -> NDArray[np.uint32]:
    """Each map in just height x width pixels; one without parts is clear."""
    n, rows, columns = colours.shape
    if not (rows and columns):
        return np.zeros((n, height, width), np.uint32)
    tall = np.take(colours, np.arange(height) * rows // height, axis=1)
    return np.take(tall, np.arange(width) * columns // width, axis=2)


def _extent(scene: GridScene) -> tuple[float, float, float, float]:
    """The box of all squares, whose first is the first line's first."""
    first = scene.cells[0]
    return first.left, first.top, max(cell.right for cell in scene.cells), max(cell.bottom for cell in scene.cells)
