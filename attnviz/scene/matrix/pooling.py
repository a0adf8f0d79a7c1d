"""A matrix in fewer pixels than it has cells: each pixel shows the strongest of the cells that fall on it.

Not their mean, in which one strong weight among a hundred is nothing, and not one of them, which leaves the others out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.matrix.scene import VEILED, colours_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.matrix.scene import MatrixPanel, MatrixScene

# Rows that are reduced once for all scales in which more than twice as many share a pixel: at 4,096 tokens a whole view then reads
# 16 MB instead of 64.
_COARSE: Final = 4
FEWEST_TO_COARSEN: Final = 1_024  # rows


@dataclass(frozen=True)
class PixelSpan:
    """The pixels along one side that show some of its cells. first: of them, counted from the matrix's edge;
    bounds: where the cells of each begin and those of the last end, [pixel + 1]; are_cells: each pixel is one cell."""

    first: int
    bounds: NDArray[np.intp]
    are_cells: bool

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def cells(self) -> slice:
        """All cells that are shown."""
        return slice(int(self.bounds[0]), int(self.bounds[-1]))

    @property
    def starts(self) -> NDArray[np.intp]:
        """Where the cells of each pixel begin, counted from the first cell that is shown, [pixel]."""
        return self.bounds[:-1] - self.bounds[0]


def pixel_span(seen: range, n: int, step: float) -> PixelSpan:
    """The pixels that the cells of a range fall on, of `n` that are `step` pixels long each; cells of a pixel or more have one.

    Which cells share a pixel is counted from the matrix's edge, so that they do not change company while it moves.
    """
    if step >= 1.0 or not seen:
        return PixelSpan(seen.start, np.arange(seen.start, seen.stop + 1, dtype=np.intp), are_cells=True)
    pixel_of = np.floor((np.arange(n) + 0.5) * step).astype(np.intp)
    first, last = pixel_of[seen.start], pixel_of[seen.stop - 1]
    return PixelSpan(int(first), np.searchsorted(pixel_of, np.arange(first, last + 2)), are_cells=False)


class PanelPixels:
    """The colours of a panel's cells at any scale. It holds the panel, and rows of it in fours once they are asked for."""

    def __init__(self, scene: MatrixScene, panel: MatrixPanel) -> None:
        self._scene, self._panel = scene, panel

    def colours(self, rows: PixelSpan, columns: PixelSpan) -> NDArray[np.uint8]:
        """The colour of each pixel, levels 0 to 255: [row, column, 3].

        Of differences the strongest is that which is furthest from 0; a dimmed weight counts by what is left of it, and a pixel is
        masked or dimmed where all of its cells are.
        """
        scene, panel, part = self._scene, self._panel, (rows.cells, columns.cells)
        if rows.are_cells and columns.are_cells:
            masked = None if scene.masked is None else scene.masked[part]
            return colours_of(scene, panel.head, panel.weights[part], scene.dimmed[columns.cells], masked)
        dimmed = scene.dimmed[columns.cells]
        are_dimmed = np.logical_and.reduceat(dimmed, columns.starts) if len(columns) else dimmed
        veil = np.where(dimmed & ~np.repeat(are_dimmed, np.diff(columns.bounds)), np.float32(VEILED), np.float32(1))
        weights = _strongest_columns(self._rows(rows, columns.cells), columns, veil, scene.scale.is_signed)
        return colours_of(scene, panel.head, weights, are_dimmed, self._masked(rows, columns))

    def _rows(self, rows: PixelSpan, columns: slice) -> tuple[Float32, ...]:
        """The strongest of the rows of each pixel, [pixel, column]; of differences the highest and the lowest."""
        kinds = _ends(self._scene.scale.is_signed)
        weights, starts, stops = (self._panel.weights,) * len(kinds), rows.bounds[:-1], rows.bounds[1:]
        n_row = len(self._panel.weights)
        if n_row >= FEWEST_TO_COARSEN and rows.bounds[-1] - rows.bounds[0] > 2 * _COARSE * len(rows):
            # Four rows that reach over the edge of a pixel count for the one in which they begin: half a pixel off at most.
            weights, stops = self._coarse, -(-stops // _COARSE)
            starts = np.minimum(-(-starts // _COARSE), stops - 1)
        return tuple(_reduced_rows(kind, part[:, columns], starts, stops) for kind, part in zip(kinds, weights, strict=True))

    @cached_property
    def _coarse(self) -> tuple[Float32, ...]:
        """As `_rows`, of each four rows."""
        return self._panel.in_fours or rows_in_fours(self._panel.weights, self._scene.scale.is_signed)

    def _masked(self, rows: PixelSpan, columns: PixelSpan) -> NDArray[np.bool_] | None:
        if self._scene.masked is None:
            return None
        masked = _reduced_rows(np.logical_and, self._scene.masked[:, columns.cells], rows.bounds[:-1], rows.bounds[1:])
        return masked if columns.are_cells else np.logical_and.reduceat(masked, columns.starts, axis=1)


def rows_in_fours(weights: Float32, is_signed: bool) -> tuple[Float32, ...]:
    """The strongest of each four rows of a map, [row, column] -> [four rows, column]; of differences the highest and the lowest."""
    n = len(weights)
    starts = np.arange(0, n, _COARSE)
    return tuple(_reduced_rows(end, weights, starts, np.minimum(starts + _COARSE, n)) for end in _ends(is_signed))


def _ends(is_signed: bool) -> tuple[np.ufunc, ...]:
    return (np.maximum, np.minimum) if is_signed else (np.maximum,)


def _strongest_columns(ends: tuple[Float32, ...], columns: PixelSpan, veil: Float32, is_signed: bool) -> Float32:
    """[pixel, column] -> [pixel, pixel], of the highest and lowest that which is further from 0."""
    if not columns.are_cells:
        ends = tuple(part if (veil == 1).all() else part * veil for part in ends)
        kinds = zip((np.maximum, np.minimum), ends, strict=False)
        ends = tuple(kind.reduceat(part, columns.starts, axis=1) for kind, part in kinds)
    return np.where(ends[0] >= -ends[1], ends[0], ends[1]) if is_signed else ends[0]


def _reduced_rows(reduce: np.ufunc, values: NDArray, starts: NDArray[np.intp], stops: NDArray[np.intp]) -> NDArray:
    """[row, column] -> [pixel, column]. Pixel by pixel: reduceat along this axis takes four times as long."""
    if len(starts) and stops[-1] - starts[0] == len(starts):
        return values[starts[0] : stops[-1]]
    out = np.empty((len(starts), values.shape[1]), values.dtype)
    for pixel, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        reduce.reduce(values[start:stop], axis=0, out=out[pixel])
    return out
