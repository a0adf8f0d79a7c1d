"""The choice of edges said straightforwardly: everything sorted, nothing in blocks. What is faster has to agree with it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from attnviz.analysis.edges import Threshold


def plain_edges(
    attention: NDArray[np.float32],
    heads: Sequence[int],
    queries: Sequence[int],
    keys: Sequence[int],
    threshold: Threshold,
    most: int | None = None,
    scale: float = 1.0,
    aside: Collection[int] = (),
) -> tuple[list[tuple[int, int, int]], int, int]:
    """(head, query, key) weakest first, and of like weights in their order; how many weights there are, how many pass."""
    rows = attention[np.ix_(heads, queries, keys)]
    apart = np.isin(keys, list(aside))
    passed = plainly_passed(rows, threshold, scale, apart)
    drawn = passed if most is None or passed.sum() <= most else _spread(rows, passed, passed & ~apart, most)
    head, query, key = np.nonzero(drawn)
    order = np.argsort(rows[drawn], kind="stable")
    edges = [(heads[head[i]], queries[query[i]], keys[key[i]]) for i in order]
    return edges, np.count_nonzero(rows), np.count_nonzero(passed)


def _spread(
    rows: NDArray[np.float32], passed: NDArray[np.bool_], loud: NDArray[np.bool_], most: int
) -> NDArray[np.bool_]:  # [head, query, key]
    """The strongest of each block, and as many of the strongest of all as make `most` together."""
    _, n_query, n_key = rows.shape
    side = 1
    while math.ceil(n_query / side) * math.ceil(n_key / side) > max(most / 2, 1):
        side *= 2
    drawn = np.zeros(rows.shape, np.bool_)
    for query in range(0, n_query, side):
        for key in range(0, n_key, side):
            places = [  # by head, key, query: the first of like ones
                (h, q, k)
                for h in range(len(rows))
                for k in range(key, min(key + side, n_key))
                for q in range(query, min(query + side, n_query))
                if loud[h, q, k]
            ]
            if places:
                drawn[max(places, key=lambda place: rows[place])] = True
    at = np.argwhere(passed)
    for place in at[np.argsort(rows[passed], kind="stable")][::-1]:
        if drawn.sum() == most and not drawn[tuple(place)]:
            break
        drawn[tuple(place)] = True
    return drawn


def plainly_passed(rows: NDArray[np.float32], threshold: Threshold, scale: float, apart: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which weights pass, [head, query, key]."""
    if threshold.kind == "weight":
        return (rows >= np.float32(threshold.value * scale)) & (rows > 0)
    loud, quiet = (np.where(part, rows, np.float32(0)) for part in (~apart, apart))
    return np.where(apart, _strongest_of_rows(quiet, threshold.value), _strongest_of_rows(loud, threshold.value)) & (rows > 0)


def _strongest_of_rows(rows: NDArray[np.float32], mass: float) -> NDArray[np.bool_]:
    if mass >= 1.0:
        return np.ones(rows.shape, np.bool_)
    falling = -np.sort(-rows, axis=-1)
    before = np.cumsum(falling, axis=-1) - falling
    needed = before < mass * falling.sum(axis=-1, keepdims=True)
    needed[..., :1] |= mass > 0
    return rows >= np.where(needed, falling, np.inf).min(axis=-1, keepdims=True, initial=np.inf)
