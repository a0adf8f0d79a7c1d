"""Reading one layer's projections with another number of heads.

A layer has N trained heads of width w, with keys and values repeated where several heads share them; together they are n·(N·w)
numbers of query and as many of key and value. With H heads the same numbers are read as H heads of width N·w/H, and the scale s
becomes s·√(H/N):

- merge (H < N, g = N/H): scores = (s/√g)·Σ over the group of q_h·k_hᵀ, which is the product of the group's concatenated
  queries and keys; the one attention that follows is applied to each value of the group, that is to their concatenation;
- split (H > N, g = H/N): each head's numbers are cut into g slices, scores scaled by s·√g;
- H = N is the trained model.

In the trained order groups and slices are neighbours, so all three are one reshape. What a model has per head besides, biases for
positions and sinks, is averaged over a merged group and repeated for the slices of a split head.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.ops import Float32, softmax, softmax_with_sink
from attnviz.engine.positions import by_distance
from attnviz.engine.watch import EVERY, Watch, unwatched
from attnviz.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.config import Looking, Stack


def valid_head_counts(n_head: int, d_head: int, narrowest: int = 1) -> tuple[int, ...]:
    """All head counts that a layer of `n_head` trained heads of width `d_head` can be read with, ascending.

    `narrowest` leaves out counts whose heads would be narrower than that many numbers.
    """
    merged = [count for count in range(1, n_head + 1) if n_head % count == 0]
    split = [n_head * g for g in range(2, d_head + 1) if d_head % g == 0 and d_head // g >= narrowest]
    return tuple(merged + split)


def check_head_count(head_count: int | None, n_head: int, d_head: int) -> int:
    """`head_count`, or the trained count where it is None. Raises InputError if the model cannot be read so."""
    if head_count is None:
        return n_head
    counts = valid_head_counts(n_head, d_head)
    if head_count not in counts:
        listed = ", ".join(map(str, counts))
        raise InputError(f"Head count {head_count} does not fit a model trained with {n_head} heads; use one of {listed}.")
    return head_count


def attend(
    q: Float32,
    k: Float32,
    stack: Stack,
    look: Looking,
    head_count: int,
    bias: Float32 | None = None,
    sinks: Float32 | None = None,
    rows: slice = EVERY,
    watch: Watch = unwatched,
) -> tuple[Float32, Float32 | None]:
    """Attention of one layer, [head, query, key], and the share of its sinks, [head, query], where it has them.

    q: [query, n_head·d_head] and k: [key, n_kv_head·d_head], the trained heads side by side;
    bias: [n_head, 1 or query, key] on the scores; sinks: [n_head]; rows: the queries whose attention is made.
    """
    scores = products(q[rows], k, stack, head_count, scale_of(stack, look, head_count))
    watch("scaled", scores)
    if bias is not None:
        added = _per_head(bias if bias.shape[1] == 1 else bias[:, rows], head_count)
        watch("bias", added)
        scores += added
    if look.soft_cap is not None:
        scores /= np.float32(look.soft_cap)
        np.tanh(scores, out=scores)
        scores *= np.float32(look.soft_cap)
        watch("capped", scores)
    hidden = hidden_keys(q.shape[0], k.shape[0], look)
    if hidden is not None:
        watch("hidden", hidden[rows])
        np.copyto(scores, -np.inf, where=hidden[rows])
    watch("scores", scores)
    return _shares(scores, None if sinks is None else _per_head(sinks, head_count), watch)


def apply_attention(attention: Float32, v: Float32, stack: Stack) -> Float32:
    """The weighted values, trained heads side by side: [head, query, key], [key, n_kv_head·d_head] -> [query, n_head·d_head]."""
    head_count, n, _ = attention.shape
    if head_count == stack.n_head:
        shared = attention.reshape(stack.n_kv_head, -1, n, v.shape[0])
        context = np.matmul(shared, split_heads(v, stack.n_kv_head)[:, None])
        return context.reshape(head_count, n, -1).transpose(1, 0, 2).reshape(n, -1)
    values = split_heads(repeat_heads(v, stack), head_count)
    return np.matmul(attention, values).transpose(1, 0, 2).reshape(n, -1)


def hidden_keys(n_query: int, n_key: int, look: Looking) -> NDArray[np.bool_] | None:
    """Which keys a query may not look at, [query, key], a read-only view; None if it may look at all."""
    if not look.is_causal and (look.reach is None or look.reach >= max(n_query, n_key) - 1):
        return None
    distance = np.arange(1 - n_query, n_key)
    hidden = distance > (0 if look.is_causal else look.reach)
    if look.reach is not None:
        hidden |= distance < -look.reach
    return by_distance(hidden, n_query)


def split_heads(x: Float32, head_count: int) -> Float32:
    """[token, all heads' numbers] read as [head, token, width], without a copy."""
    n, width = x.shape
    return x.reshape(n, head_count, width // head_count).transpose(1, 0, 2)


def repeat_heads(x: Float32, stack: Stack) -> Float32:
    """Keys or values with each shared head repeated: [token, n_kv_head·d_head] -> [token, n_head·d_head]."""
    if stack.n_kv_head == stack.n_head:
        return x
    n = x.shape[0]
    return np.repeat(x.reshape(n, stack.n_kv_head, -1), stack.n_head // stack.n_kv_head, axis=1).reshape(n, -1)


def scale_of(stack: Stack, look: Looking, head_count: int) -> np.float32:
    """The factor on q·k for that number of heads."""
    return np.float32(look.scale * math.sqrt(head_count / stack.n_head))


def products(q: Float32, k: Float32, stack: Stack, head_count: int, scale: np.float32) -> Float32:
    """Products of queries and keys times `scale`, [head, query, key]."""
    # The queries are scaled, not the scores: n·d products instead of H·n·n.
    queries = split_heads(q, head_count) * scale
    if head_count == stack.n_head:
        shared = queries.reshape(stack.n_kv_head, -1, *queries.shape[1:])
        keys = split_heads(k, stack.n_kv_head)[:, None]
        return np.matmul(shared, keys.swapaxes(-1, -2)).reshape(head_count, q.shape[0], k.shape[0])
    keys = split_heads(repeat_heads(k, stack), head_count)
    return np.matmul(queries, keys.swapaxes(-1, -2))


def _shares(scores: Float32, sinks: Float32 | None, watch: Watch) -> tuple[Float32, Float32 | None]:
    """Attention from scores, in place, and the share of the sinks."""
    if sinks is None:
        attention, share = softmax(scores), None
    else:
        watch("sink_score", sinks)
        attention, share = softmax_with_sink(scores, sinks)
        watch("sink_share", share)
    watch("attention", attention)
    return attention, share


def _per_head(values: Float32, head_count: int) -> Float32:
    """What the trained heads have each, [n_head, …], for another number of heads: averaged over groups or repeated."""
    n_head = values.shape[0]
    if head_count == n_head:
        return values
    if head_count < n_head:
        return values.reshape(head_count, n_head // head_count, *values.shape[1:]).mean(axis=1, dtype=np.float32)
    return values[np.arange(head_count) // (head_count // n_head)]
