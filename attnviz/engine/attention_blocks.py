"""Attention in blocks of rows, shared between processors: what a block needs stays in a processor's own cache, and no more of the
attention than its blocks need be there at one time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.heads import apply_attention, key_columns, n_visible, visible_keys
from attnviz.engine.threads import at_once, n_processor
from attnviz.engine.watch import EVERY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected

# Bytes of a block's attention: as much as stays in the second-level cache of most processors.
_BLOCK: Final = 1 << 20
# Fewer make slow products; and fewer than those make as many blocks as there are processors not worth it.
_FEWEST_ROWS: Final = 16
_FEW_ROWS: Final = 32
# Weights whose attention is worth a second thread: they take some 0.4 ms.
_WORTH_A_THREAD: Final = 150_000
# Multiplications of a product that take as long as the softmax of one weight.
_OF_SOFTMAX: Final = 200


class Mixing:
    """What some queries take from the values, and their attention, made when the rows are asked for, each once.

    v: [key, n_kv_head·d_head], None for the attention alone; rows: which queries, one after the other, all of them by default.
    attention: [head, row, key], None unless it is wanted whole; sink: their sinks' share, [head, row], None where there are none;
    grain: the rows of a block. Rows are asked for in whole blocks, so that they are the same to the last bit with whichever others.
    """

    def __init__(
        self, projected: Projected, v: Float32 | None, head_count: int, rows: slice = EVERY, is_whole: bool = True
    ) -> None:
        self.projected = projected
        self._v = v
        self._head_count = head_count
        self._queries = range(len(projected.q))[rows]
        n, n_key = len(self._queries), len(projected.k)
        self.attention = np.empty((head_count, n, n_key), np.float32) if is_whole else None
        self.sink = None if projected.sinks is None else np.empty((head_count, n), np.float32)
        self.grain = _rows_of_a_block(head_count, n, n_key)
        columns = key_columns(projected.looked_at, projected.stack, head_count)
        self._columns = _by_columns(columns) if self.grain < n else columns

    @np.errstate(all="ignore")  # a product beyond float32 is infinity, which a soft-cap brings back
    def take(self, rows: slice = EVERY) -> Float32 | None:
        """What these of the rows take from the values, [row, n_head·d_head], None without any values; their attention is there
        when it returns."""
        stack, some = self.projected.stack, range(len(self._queries))[rows]
        context = None if self._v is None else np.empty((len(some), stack.n_head * stack.d_head), np.float32)
        # The last ones first: in a causal model they see the most.
        blocks = [some[start : start + self.grain] for start in range(0, len(some), self.grain)][::-1]
        tasks = [partial(self._take, block, context, some.start) for block in blocks]
        if len(some) * len(self.projected.k) * self._head_count >= _WORTH_A_THREAD:
            at_once(tasks)
        else:
            for task in tasks:
                task()
        return context

    @property
    def costs(self) -> NDArray[np.int64]:
        """What the attention of each row takes, in multiplications of a product, [row]."""
        projected = self.projected
        of_key = 2 * projected.stack.n_head * projected.stack.d_head + _OF_SOFTMAX * self._head_count
        return n_visible(len(projected.k), projected.look, self._queries) * of_key

    def _take(self, block: range, context: Float32 | None, start: int) -> None:
        """One block of the rows, counted among them; start: the one that the context begins with."""
        projected = self.projected
        own, here = slice(block.start, block.stop), self._queries[block.start : block.stop]
        keys = visible_keys(len(projected.k), projected.look, here)
        out = None
        if self.attention is not None:
            self.attention[:, own, : keys.start] = 0.0
            self.attention[:, own, keys.stop :] = 0.0
            out = self.attention[:, own, keys]
        weights, sink = projected.block(self._head_count, here, keys, out, columns=self._columns)
        if self.sink is not None:
            self.sink[:, own] = sink
        if context is not None:
            apply_attention(weights, self._v[keys], projected.stack, context[block.start - start : block.stop - start])


def block_bytes(head_count: int, n_query: int, n_key: int) -> int:
    """What the blocks that are made at one time take, beside the attention that is kept."""
    return min(n_processor() * max(_BLOCK, 4 * _FEWEST_ROWS * head_count * n_key), 4 * head_count * n_query * n_key)


def _rows_of_a_block(head_count: int, n_query: int, n_key: int) -> int:
    """As many as fit the cache, such that each processor has as many blocks."""
    most = max(_FEWEST_ROWS, _BLOCK // (4 * max(head_count * n_key, 1)))
    n_block = -(-n_query // (most * n_processor())) * n_processor()
    return max(min(most, _FEW_ROWS), -(-n_query // max(n_block, 1)))


def _by_columns(columns: Float32) -> Float32:
    """The same, each row of it in one piece: blocks of few rows by keys that lie so make 140 GFLOP/s on one thread, else 50 (500
    keys of width 32). Copied some keys at a time, which takes a third of the time."""
    n_key = columns.shape[2]
    flat, laid_out = columns.reshape(-1, n_key), np.empty((columns.shape[0] * columns.shape[1], n_key), np.float32)
    for start in range(0, n_key, 64):
        keys = slice(start, start + 64)
        laid_out[:, keys] = flat[:, keys]
    return laid_out.reshape(columns.shape)
