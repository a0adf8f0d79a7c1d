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
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.ops import Float32, softmax, softmax_of_moderate, softmax_with_sink
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
    keys: slice = EVERY,
    out: Float32 | None = None,
    columns: Float32 | None = None,
) -> tuple[Float32, Float32 | None]:
    """Attention of one layer, [head, query, key], and the share of its sinks, [head, query], where it has them.

    q: [query, n_head·d_head] and k: [key, n_kv_head·d_head], the trained heads side by side;
    bias: [n_head, 1 or query, key] on the scores; sinks: [n_head]; rows: the queries whose attention is made, one after the other;
    keys: those that it is made for, all that any of these queries may see; out: where it goes, None for a fresh array;
    columns: what `key_columns` makes of k, where somebody has made it for several calls.
    """
    columns = (key_columns(k, stack, head_count) if columns is None else columns)[..., keys]
    place = _Place(len(q), len(k), range(len(q))[rows], range(len(k))[keys])
    made = partial(_scores, q[rows], columns, stack, look, head_count, bias, place)
    scores = made(out, watch)
    if sinks is None:
        grows = bias is not None and bias.shape[1] == 1  # ALiBi's rises with the key's position, soon beyond what is moderate
        if grows:
            softmax(scores)
        elif not softmax_of_moderate(scores):
            softmax(made(scores, unwatched))
        attention, share = scores, None
    else:
        sinks = per_head(sinks, head_count)
        watch("sink_score", sinks)
        attention, share = softmax_with_sink(scores, sinks)
        watch("sink_share", share)
    watch("attention", attention)
    return attention, share


@dataclass(frozen=True)
class _Place:
    """Where some scores stand among those of all queries and keys."""

    n_query: int
    n_key: int
    rows: range
    keys: range


def _scores(
    q: Float32,
    columns: Float32,
    stack: Stack,
    look: Looking,
    head_count: int,
    bias: Float32 | None,
    place: _Place,
    out: Float32 | None,
    watch: Watch,
) -> Float32:
    """The scores of some queries on some keys, [head, query, key], -inf where a query may not look; out: where they go."""
    rows, keys = slice(place.rows.start, place.rows.stop), slice(place.keys.start, place.keys.stop)
    scores = products(q, columns, scale_of(stack, look, head_count), head_count, out)
    watch("scaled", scores)
    if bias is not None:
        added = per_head((bias if bias.shape[1] == 1 else bias[:, rows])[..., keys], head_count)
        watch("bias", added)
        scores += added
    if look.soft_cap is not None:
        scores /= np.float32(look.soft_cap)
        np.tanh(scores, out=scores)
        scores *= np.float32(look.soft_cap)
        watch("capped", scores)
    hidden = hidden_keys(place.n_query, place.n_key, look)
    if hidden is not None:
        watch("hidden", hidden[rows])
        # Keys before the first of these queries are hidden from none, but where they only look so far.
        first = max(0, rows.start - keys.start) if look.reach is None else 0
        np.copyto(scores[..., first:], -np.inf, where=hidden[rows, keys][:, first:])
    watch("scores", scores)
    return scores


def apply_attention(attention: Float32, v: Float32, stack: Stack, out: Float32 | None = None) -> Float32:
    """The weighted values, trained heads side by side: [head, query, key], [key, n_kv_head·d_head] -> [query, n_head·d_head]."""
    head_count, n, n_key = attention.shape
    context = np.empty((n, stack.n_head * stack.d_head), np.float32) if out is None else out
    values = _shared_heads(v, stack, head_count)
    shared = attention.reshape(len(values), -1, n, n_key)
    np.matmul(shared, values[:, None], out=context.reshape(n, *shared.shape[:2], -1).transpose(1, 2, 0, 3))
    return context


def visible_keys(n_key: int, look: Looking, rows: range) -> slice:
    """The keys between the first and the last that any of these queries may see."""
    start = 0 if look.reach is None else max(0, rows.start - look.reach)
    stop = rows.stop if look.is_causal else n_key if look.reach is None else rows.stop + look.reach
    return slice(min(start, n_key), min(stop, n_key))


def n_visible(n_key: int, look: Looking, rows: range) -> NDArray[np.int64]:
    """How many keys each of these queries may see, [row]."""
    at = np.arange(rows.start, rows.stop)
    reach = max(n_key, rows.stop) if look.reach is None else look.reach
    stop = np.minimum(at + 1 if look.is_causal else at + reach + 1, n_key)
    return np.maximum(stop - np.maximum(at - reach, 0), 0)


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


def products(q: Float32, columns: Float32, scale: np.float32, head_count: int, out: Float32 | None = None) -> Float32:
    """Products of queries [query, n_head·d_head] and `key_columns` times `scale`, [head, query, key]."""
    # The queries are scaled, not the scores: n·d products instead of H·n·n.
    queries = split_heads(q, head_count) * scale
    made = np.empty((head_count, len(q), columns.shape[2]), np.float32) if out is None else out
    shared = queries.reshape(len(columns), -1, *queries.shape[1:])
    np.matmul(shared, columns[:, None], out=made.reshape(*shared.shape[:3], -1))
    return made


def key_columns(k: Float32, stack: Stack, head_count: int) -> Float32:
    """Keys as columns for each head that queries share, [shared head, width, key]: a view, or with another number of heads than
    the trained one perhaps repeated for each."""
    return _shared_heads(k, stack, head_count).swapaxes(1, 2)


def _shared_heads(x: Float32, stack: Stack, head_count: int) -> Float32:
    """Keys or values by the heads that queries share, [shared head, key, width]: as trained, else repeated for each head."""
    if head_count == stack.n_head:
        return split_heads(x, stack.n_kv_head)
    return split_heads(repeat_heads(x, stack), head_count)


def per_head(values: Float32, head_count: int) -> Float32:
    """What the trained heads have each, [n_head, …], for another number of heads, [head, …]: averaged over groups or repeated."""
    n_head = values.shape[0]
    if head_count == n_head:
        return values
    if head_count < n_head:
        return values.reshape(head_count, n_head // head_count, *values.shape[1:]).mean(axis=1, dtype=np.float32)
    return values[np.arange(head_count) // (head_count // n_head)]
