"""The visible part of an attention, gone through in blocks that a processor can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.analysis.places import as_slice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

# So many weights at a time: 256 KiB and the like-sized arrays made of them stay in a processor's own cache, and of 12 heads at
# 4,096 tokens nothing is held twice.
_BLOCK: Final = 1 << 16


@dataclass(frozen=True)
class Table:
    """Some heads, queries and keys of an attention [head, query, key]; below they are counted as they stand here, and rows through
    all heads: number of the head x number of queries + number of the query."""

    attention: Float32
    heads: NDArray[np.intp]
    queries: NDArray[np.intp]
    keys: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many heads, queries and keys."""
        return len(self.heads), len(self.queries), len(self.keys)

    @property
    def n_row(self) -> int:
        """How many rows all heads have."""
        return len(self.heads) * len(self.queries)

    def blocks(self) -> Iterator[tuple[int, Float32, NDArray[np.bool_]]]:
        """All rows in turn, in blocks [row, key], each with the number of its first row and where its weights are above 0.

        Of a short text they are the rows of many heads; of a long one some rows of one head, a power of 2 of them, so that a
        multiple of a larger power of 2 is never passed within a block. The last keys are left out if none of the rows sees them, as
        those are which a causal model hides; so are blocks that see none.
        """
        if not len(self.keys):
            return
        columns = as_slice(self.keys)
        n_row = 1 << (max(_BLOCK // len(self.keys), 1).bit_length() - 1)
        n_head = max(n_row // max(len(self.queries), 1), 1)
        for at in range(0, len(self.heads), n_head):
            of_heads = self.attention[as_slice(self.heads[at : at + n_head])]
            for first in range(0, len(self.queries), n_row):
                rows = of_heads[:, as_slice(self.queries[first : first + n_row])][:, :, columns].reshape(-1, len(self.keys))
                are_seen = rows > 0
                seen = np.flatnonzero(are_seen.any(axis=0))
                if seen.size:
                    yield at * len(self.queries) + first, rows[:, : seen[-1] + 1], are_seen[:, : seen[-1] + 1]

    def at(self, head: NDArray[np.intp], query: NDArray[np.intp], key: NDArray[np.intp]) -> Float32:
        """Single weights; the places are broadcast against each other."""
        return self.attention[self.heads[head], self.queries[query], self.keys[key]]
