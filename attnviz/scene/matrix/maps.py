"""The maps of a sight as a matrix shows them. What was made of them stays with the sight: a picture of it in another size, or on
another scale, asks for the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from attnviz.errors import Cancelled, never
from attnviz.scene.matrix.pooling import FEWEST_TO_COARSEN, rows_in_fours

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.session.sight import Sight

MOST_PANELS: Final = 12  # beyond, a panel in a window is too small to read
_AT_ONCE: Final = 1 << 18  # cells, which stay in the cache while rows and columns are looked through


@dataclass(frozen=True, eq=False)
class Maps:
    """The weights of the first heads without what is hidden, [panel, row, column], each row in one piece of memory; the strongest
    cell of each row and of each column in any panel, of signed weights by its size, but 0 for those in dimmed columns: [row],
    [column]; in_fours: as `MatrixPanel` has it, for each panel."""

    weights: Float32
    of_rows: Float32
    of_columns: Float32
    in_fours: tuple[tuple[Float32, ...], ...]


_KEPT: WeakKeyDictionary[Sight, Maps] = WeakKeyDictionary()  # they go with their sights
_LOCK = Lock()  # made on one thread and asked for on another


def maps_of(sight: Sight, is_signed: bool = False, cancelled: Callable[[], bool] = never) -> Maps:
    """The maps of a sight; is_signed: whether its weights are, always the same. Raises Cancelled between two panels, once
    `cancelled()` says so."""
    kept = kept_maps(sight)
    if kept is not None:
        return kept
    weights, dimmed = _shown_maps(sight), dimmed_columns(sight)
    of_rows, of_columns = np.zeros(weights.shape[1], np.float32), np.zeros(weights.shape[2], np.float32)
    in_fours: list[tuple[Float32, ...]] = []
    for panel in weights:
        if cancelled():
            raise Cancelled
        _raise_peaks(panel, dimmed, is_signed, of_rows, of_columns)
        # One of several panels in a window has one or two hundred pixels, a panel by itself enough to do without.
        is_coarse = len(weights) > 1 and len(panel) >= FEWEST_TO_COARSEN
        in_fours.append(rows_in_fours(panel, is_signed) if is_coarse else ())
    of_columns[dimmed] = 0.0
    made = Maps(weights, of_rows, of_columns, tuple(in_fours))
    with _LOCK:
        _KEPT[sight] = made
    return made


def kept_maps(sight: Sight) -> Maps | None:
    """The maps that `maps_of` would give, if they are made already."""
    with _LOCK:
        return _KEPT.get(sight)


def dimmed_columns(sight: Sight) -> NDArray[np.bool_]:
    """Which columns of a sight's maps are dimmed."""
    return np.isin(sight.keys, list(sight.dimmed))


def _shown_maps(sight: Sight) -> Float32:
    """The weights of the first heads without what is hidden, [panel, row, column], each row in one piece of memory."""
    shown = replace(sight, weights=sight.weights[:MOST_PANELS]).shown
    # An index by a list, where what is hidden lies between, would interleave the rows, and each later step is slower.
    return shown if shown.strides[2] == shown.itemsize else np.ascontiguousarray(shown)


def _raise_peaks(panel: Float32, dimmed: NDArray[np.bool_], is_signed: bool, of_rows: Float32, of_columns: Float32) -> None:
    """Raise the strongest cells of rows and columns, in place, to those of a panel, [row, column]; what is dimmed counts for no
    row."""
    loud = ~dimmed
    step = max(1, _AT_ONCE // max(panel.shape[1], 1))
    for start in range(0, len(panel), step):
        rows = slice(start, start + step)
        block = panel[rows] if not is_signed else np.abs(panel[rows])
        np.maximum(of_columns, block.max(axis=0, initial=0.0), out=of_columns)
        block = block if loud.all() else block[:, loud]
        np.maximum(of_rows[rows], block.max(axis=1, initial=0.0), out=of_rows[rows])
