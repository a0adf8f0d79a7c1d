"""One layer's weights a few rows at a time: for somebody who reads each of them once, and has no room for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.analysis.words import merge_to_words
from attnviz.session.sight import quantity_of
from attnviz.session.weights import keeps_attention, weights_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.units import Units
    from attnviz.session.view import View

# Weights of a block, 2 MB, which stay in the second-level cache from the softmax to the last sum: 32 heads of 512 tokens took 38 ms
# a layer in blocks and 72 all at once.
_AT_ONCE: Final = 1 << 19
_FEWEST_ROWS: Final = 8  # products of fewer are slow


@dataclass(frozen=True)
class RowBlock:
    """Rows of one layer's weights: of the units that look, those from `start` on.

    weights: [map, row, key], of the keys that any of the rows may look at, the first ones; total, learned: [map, row] what each row
    is shared out of, and the part of it that goes to a learned sink (see `weights_of`).
    """

    start: int
    weights: Float32
    total: Float32
    learned: Float32

    @property
    def stop(self) -> int:
        """The end of its units."""
        return self.start + self.weights.shape[1]


def row_blocks(trace: Trace, view: View, kind: Kind, units: Units, heads: Sequence[int]) -> Iterator[RowBlock]:
    """The weights of `heads` in the view's layer as the view has them, one map each or their mean as one, before anything is left
    out; block after block, all rows of them.

    Attention of which a trace has no room for all layers is made block by block and not kept.
    """
    quantity = quantity_of(trace, view)
    is_made_here = quantity == "attention" and not keeps_attention(trace, kind)
    whole = None if is_made_here else weights_of(trace, kind, view.layer, heads, quantity, view.is_mean)
    look = trace.config.stack_of(kind).looks[view.layer]
    is_causal = look.is_causal and kind != "cross"
    queries, keys, are_words = units.query_groups, units.key_groups, units.are_words
    n_map = trace.head_count_of(kind) if whole is None else len(whole[0])
    for start, stop in _bounds(queries, n_map * len(trace.keys(kind))):
        rows = slice(queries[start].start, queries[stop - 1].stop)
        n_key = rows.stop if is_causal else len(trace.keys(kind))
        if whole is None:
            parts = _made(trace, view, kind, heads, rows, is_causal)
        else:
            parts = whole[0][:, rows, :n_key], whole[1][:, rows], whole[2][:, rows]
        yield RowBlock(start, *(parts if not are_words else _merged(parts, queries[start:stop], keys, n_key)))


def _bounds(queries: Sequence[range], row_size: int) -> Iterator[tuple[int, int]]:
    """The first unit of each block and the one behind its last; row_size: the weights of a token's row in all maps."""
    most = max(_FEWEST_ROWS, _AT_ONCE // max(row_size, 1))
    start = 0
    while start < len(queries):
        stop = start + 1
        while stop < len(queries) and queries[stop].stop - queries[start].start <= most:
            stop += 1
        yield start, stop
        start = stop


def _made(trace: Trace, view: View, kind: Kind, heads: Sequence[int], rows: slice, is_causal: bool) -> tuple[Float32, ...]:
    """The attention of those rows from queries and keys, of a causal model without the keys that come after all of them."""
    at = trace.attended(view.layer, kind)
    projected = at.projected.until(rows.stop, is_cross=False) if is_causal else at.projected
    attention, learned = projected.attention(at.head_count, rows)
    if learned is None:
        learned = np.zeros(attention.shape[:2], np.float32)
    if len(heads) < len(attention):
        attention, learned = attention[list(heads)], learned[list(heads)]
    if view.is_mean and len(heads):
        attention, learned = (part.mean(axis=0, dtype=np.float32)[None] for part in (attention, learned))
    return attention, np.ones_like(learned), learned


def _merged(
    parts: tuple[Float32, ...], queries: Sequence[range], keys: Sequence[range], n_key: int
) -> tuple[Float32, Float32, Float32]:
    """The same between words: what goes to their pieces summed, what comes from them averaged."""
    first = queries[0].start
    own = [range(group.start - first, group.stop - first) for group in queries]
    weights, *rest = parts
    means = (np.stack([part[:, group.start : group.stop].mean(axis=1) for group in own], axis=1) for part in rest)
    return merge_to_words(weights, own, [group for group in keys if group.stop <= n_key]), *means
