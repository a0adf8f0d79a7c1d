"""Where more weights pass than can be drawn: the strongest of each block of tokens, and for the rest the strongest of all.

The strongest alone would leave whole parts of a long text without any. Blocks depend on the numbers of tokens and on nothing
else, so that a sliding threshold does not shift them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.analysis.table import Table
    from attnviz.engine.ops import Float32


def block_side(n_query: int, n_key: int, most: int) -> int:
    """How many queries, and keys, a block has: the smallest power of 2 with which the blocks are no more than half of `most`."""
    side = 1
    while -(-n_query // side) * -(-n_key // side) > max(most // 2, 1):
        side *= 2
    return side


class BlockMaxima:
    """The strongest weight of each block of `side` queries by `side` keys over all heads, of weights that are added by rows."""

    def __init__(self, table: Table, side: int) -> None:
        self.side = side
        self._table = table
        n_head, n_query, n_key = table.shape
        self._of_columns = np.zeros((n_head, -(-n_query // side), n_key), np.float32)  # each key's within the block's queries

    def add(self, rows: Float32, passed: NDArray[np.bool_], first: int) -> None:
        """Take those of `rows` that have passed, [row, key], one of the table's blocks; first: the number of its first row."""
        n_query, n_key = self._table.shape[1], rows.shape[1]
        head, query = divmod(first, n_query)
        weights = (rows * passed).reshape(-1, min(len(rows), n_query), n_key)
        # Reduced over an axis of its own: np.maximum.reduceat over the rows takes fifty times as long.
        step = min(self.side, weights.shape[1])
        n_whole = weights.shape[1] // step
        whole = weights[:, : n_whole * step].reshape(len(weights), n_whole, step, n_key).max(axis=2)
        self._merge(whole, head, query)
        if n_whole * step < weights.shape[1]:
            self._merge(weights[:, n_whole * step :].max(axis=1)[:, None], head, query + n_whole * step)

    def _merge(self, columns: Float32, head: int, query: int) -> None:
        first = query // self.side
        known = self._of_columns[head : head + len(columns), first : first + columns.shape[1], : columns.shape[2]]
        np.maximum(known, columns, out=known)

    def places(self, least: Float32) -> NDArray[np.int64]:
        """Where each block has its strongest, ascending, as numbers into the whole table; blocks without any are left out.

        least: [row] the smallest weight that passes. Of like ones it is that of the first head, then the first key, then the first
        query.
        """
        _, n_query, n_key = self._table.shape
        of_blocks = np.maximum.reduceat(self._of_columns, range(0, n_key, self.side), axis=2)
        strongest = of_blocks.max(axis=0)
        block = np.nonzero(strongest)
        strongest = strongest[block]
        head = of_blocks.argmax(axis=0)[block]
        queries, keys = (
            np.minimum(at[:, None] * self.side + np.arange(self.side), n - 1) for at, n in zip(block, (n_query, n_key), strict=True)
        )
        every = np.arange(len(head))
        key = keys[every, self._of_columns[head[:, None], block[0][:, None], keys].argmax(axis=1)]
        weights = self._table.at(head[:, None], queries, key[:, None])
        # Another weight may be as large without passing: in its row there are more of that size or larger ones.
        is_it = (weights == strongest[:, None]) & (weights >= least[head[:, None] * n_query + queries])
        query = queries[every, is_it.argmax(axis=1)]
        return np.sort((head * n_query + query) * n_key + key)


def spread_out(place: NDArray[np.int64], best: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """As many places as there are in `place`, ascending: those of `best`, and for the rest the strongest; and how many of the
    strongest of all are among them.

    place: those of the strongest of all, weakest first; best: those of the strongest of each block, which are no more.
    """
    most = len(place)
    is_best = np.isin(place[::-1], best, assume_unique=True)
    n_drawn = np.arange(1, most + 1) + len(best) - np.cumsum(is_best)  # if so many of the strongest are drawn
    n_strongest = int(np.count_nonzero(n_drawn <= most))
    return np.union1d(place[most - n_strongest :], best), n_strongest
