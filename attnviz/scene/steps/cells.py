"""A vector in a strip that may have fewer cells than the vector has numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

# The narrowest cell that can be told from its neighbours, and pointed at.
_NARROWEST: Final = 2.0
# The part of the cells that has the strongest colour: one large number would leave all others pale.
_STRONGEST: Final = 0.01


def cells_of(values: Float32, width: float) -> NDArray[np.intp]:
    """Which number each cell of a strip of that width shows, [cell], ascending: every number, or of each run of neighbours the
    largest by its amount, for a mean would hide just the numbers that stand out."""
    n = len(values)
    n_cell = min(n, max(int(width / _NARROWEST), 1))
    if n_cell == n:
        return np.arange(n)
    starts = np.arange(n_cell) * n // n_cell
    amounts = np.abs(values)
    run = np.searchsorted(starts, np.arange(n), side="right") - 1
    largest = np.maximum.reduceat(amounts, starts)
    found = np.flatnonzero(amounts == largest[run])
    return found[np.unique(run[found], return_index=True)[1]]


def strongest_of(vectors: Sequence[Float32], width: float) -> float:
    """The number from which on the cells of some strips of one width have the strongest colour."""
    shown = [vector[cells_of(vector, width)] for vector in vectors]
    return max(float(np.quantile(np.abs(np.concatenate(shown)), 1.0 - _STRONGEST)), 1e-30) if shown else 1.0


def colours_of(values: Float32, scale: float) -> NDArray[np.intp]:
    """The place of each number in a two-sided ramp of 256 colours, 0 in the middle: [number] 0 to 255."""
    share = np.clip(values.astype(np.float64) / scale, -1.0, 1.0)
    return np.rint(127.5 + 127.5 * share).astype(np.intp)
