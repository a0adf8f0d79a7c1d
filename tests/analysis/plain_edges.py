"""The choice of edges said straightforwardly: everything sorted, nothing in blocks. What is faster has to agree with it."""

from __future__ import annotations

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
    passed = plainly_passed(rows, threshold, scale, np.isin(keys, list(aside)))
    head, query, key = np.nonzero(passed)
    order = np.argsort(rows[passed], kind="stable")[-most if most else 0 :]
    edges = [(heads[head[i]], queries[query[i]], keys[key[i]]) for i in order]
    return edges, np.count_nonzero(rows), np.count_nonzero(passed)


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
