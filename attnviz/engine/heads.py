"""Reading one layer's projections with another number of heads.

A layer has N trained heads of width w; together they are n·(N·w) numbers of query and as many of key and value. With H heads
the same numbers are read as H heads of width N·w/H, and the scale s becomes s·√(H/N):

- merge (H < N, g = N/H): scores = (s/√g)·Σ over the group of q_h·k_hᵀ, which is the product of the group's concatenated
  queries and keys; the one attention that follows is applied to each value of the group, that is to their concatenation;
- split (H > N, g = H/N): each head's numbers are cut into g slices, scores scaled by s·√g;
- H = N is the trained model.

In the trained order groups and slices are neighbours, so all three are one reshape.
"""

from __future__ import annotations

import math

import numpy as np

from attnviz.engine.ops import Float32, softmax
from attnviz.errors import InputError


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


def attend(q: Float32, k: Float32, head_count: int, n_head: int, scale: float) -> Float32:
    """Attention of one layer.

    q, k: [token, d_model], the trained heads side by side; scale: the trained model's. Returns [head, query, key].
    """
    queries = split_heads(q, head_count)
    keys = split_heads(k, head_count)
    # The queries are scaled, not the scores: n·d products instead of H·n·n.
    scores = np.matmul(queries * np.float32(scale * math.sqrt(head_count / n_head)), keys.transpose(0, 2, 1))
    return softmax(scores)


def apply_attention(attention: Float32, v: Float32) -> Float32:
    """The weighted values, heads side by side: [head, query, key], [token, d_model] -> [token, d_model]."""
    values = split_heads(v, attention.shape[0])
    return np.matmul(attention, values).transpose(1, 0, 2).reshape(v.shape)


def split_heads(x: Float32, head_count: int) -> Float32:
    """[token, d_model] read as [head, token, width], without a copy."""
    n, width = x.shape
    return x.reshape(n, head_count, width // head_count).transpose(1, 0, 2)
