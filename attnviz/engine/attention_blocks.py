"""Attention in blocks of rows, shared between processors: what a block needs stays in a processor's own cache, and no more of the
attention than its blocks need be there at one time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.heads import apply_attention, key_columns, visible_keys
from attnviz.engine.threads import at_once, n_processor

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected

# Bytes of a block's attention: as much as stays in the second-level cache of most processors.
_BLOCK: Final = 1 << 20
_FEWEST_ROWS: Final = 16  # fewer make slow products
# Weights whose attention is worth a second thread: they take some 0.4 ms.
_WORTH_A_THREAD: Final = 150_000


def attend_in_blocks(
    projected: Projected, head_count: int, rows: range, v: Float32 | None, attention: Float32 | None
) -> tuple[Float32 | None, Float32 | None]:
    """What the queries `rows` take from the values v, [row, n_head·d_head], None without any, and their sinks' share,
    [head, row], None where there are none; attention: [head, row, key], to be filled, None where nobody wants it."""
    stack, n = projected.stack, len(rows)
    context = None if v is None else np.empty((n, stack.n_head * stack.d_head), np.float32)
    share = None if projected.sinks is None else np.empty((head_count, n), np.float32)
    blocks = _blocks(projected, head_count, n)
    columns = key_columns(projected.looked_at, stack, head_count)
    if len(blocks) > 1:
        columns = _by_columns(columns)
    attend = partial(_attend, projected, head_count, rows, v, attention, context, share, columns)
    at_once([partial(attend, block) for block in blocks])
    return context, share


def block_bytes(head_count: int, n_query: int, n_key: int) -> int:
    """What the blocks that are made at one time take, beside the attention that is kept."""
    return min(n_processor() * max(_BLOCK, 4 * _FEWEST_ROWS * head_count * n_key), 4 * head_count * n_query * n_key)


def _attend(
    projected: Projected,
    head_count: int,
    rows: range,
    v: Float32 | None,
    attention: Float32 | None,
    context: Float32 | None,
    share: Float32 | None,
    columns: Float32,
    block: range,
) -> None:
    """One block of the rows, counted among them."""
    own, here = slice(block.start, block.stop), rows[block.start : block.stop]
    n_key = len(projected.k)
    # A change may give weight to any key that a query sees, and says itself which those are.
    keys = slice(0, n_key) if projected.change is not None else visible_keys(n_key, projected.look, here)
    out = None
    if attention is not None:
        attention[:, own, : keys.start] = 0.0
        attention[:, own, keys.stop :] = 0.0
        out = attention[:, own, keys]
    weights, sink = projected.block(head_count, here, keys, out, columns=columns)
    if share is not None:
        share[:, own] = sink
    if v is not None:
        apply_attention(weights, v[keys], projected.stack, context[own])


def _by_columns(columns: Float32) -> Float32:
    """The same, each row of it in one piece: blocks of few rows by keys that lie so make 140 GFLOP/s on one thread, else 50 (500
    keys of width 32). Copied some keys at a time, which takes a third of the time."""
    n_key = columns.shape[2]
    flat, laid_out = columns.reshape(-1, n_key), np.empty((columns.shape[0] * columns.shape[1], n_key), np.float32)
    for start in range(0, n_key, 64):
        keys = slice(start, start + 64)
        laid_out[:, keys] = flat[:, keys]
    return laid_out.reshape(columns.shape)


def _blocks(projected: Projected, head_count: int, n: int) -> list[range]:
    """The rows of each block, the last ones first: in a causal model they see the most."""
    of_a_row = head_count * len(projected.k)
    n_row = max(_FEWEST_ROWS, _BLOCK // (4 * max(of_a_row, 1)))
    n_row = min(n_row, -(-n // n_processor())) if n * of_a_row >= _WORTH_A_THREAD else max(n_row, n)
    return [range(start, min(start + n_row, n)) for start in range(0, n, n_row)][::-1]
