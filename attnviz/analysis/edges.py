"""Which weights of an attention are worth an arc, and what share the choice leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32


@dataclass(frozen=True)
class Threshold:
    """How little is still drawn.

    "mass": of each row the fewest keys that together hold `value` (0 to 1) of the row's weight, strongest first; all at 1;
    "weight": every weight of at least `value` of the largest that there can be.
    """

    kind: Literal["mass", "weight"] = "mass"
    value: float = 0.7


@dataclass(frozen=True)
class Edges:
    """Weights chosen from one layer's attention, weakest first.

    head, query, key: [edge] positions in that attention; weight: [edge].
    n_candidates: weights above 0 between visible tokens in the chosen heads; n_passed: those that pass the threshold, of which
    only the strongest are here if they are more than were asked for;
    hidden_share: mean share of a visible query's attention that falls on tokens that are not visible;
    dropped_share: mean share that falls on visible tokens but is not among these edges.
    """

    head: NDArray[np.intp]
    query: NDArray[np.intp]
    key: NDArray[np.intp]
    weight: Float32
    n_candidates: int
    n_passed: int
    hidden_share: float
    dropped_share: float


def strongest_edges(
    attention: Float32,
    heads: Sequence[int],
    queries: Sequence[int],
    keys: Sequence[int],
    threshold: Threshold,
    most: int | None = None,
    total: Float32 | None = None,
    scale: float = 1.0,
    aside: Collection[int] = (),
) -> Edges:
    """The weights of `heads` between visible tokens that pass `threshold`, the `most` strongest of them if there are more.

    attention: [head, query, key]; queries, keys: the visible ones; total: [head, query] what the rows are shared out of, None for
    1; scale: the largest weight that there can be; aside: keys whose weights are chosen by themselves, so that the others are the
    same as without them. A weight of 0 is never an edge: it is that of a key which the query cannot see.
    """
    heads_at = np.asarray(heads, dtype=np.intp)
    queries_at, keys_at = np.asarray(queries, dtype=np.intp), np.asarray(keys, dtype=np.intp)
    rows = attention[np.ix_(heads_at, queries_at, keys_at)]
    if threshold.kind == "weight":
        passed = rows >= np.float32(threshold.value * scale)
    elif aside:
        apart = np.isin(keys_at, list(aside))
        passed = np.where(
            apart,
            _strongest_of_rows(np.where(apart, rows, np.float32(0)), threshold.value),
            _strongest_of_rows(np.where(apart, np.float32(0), rows), threshold.value),
        )
    else:
        passed = _strongest_of_rows(rows, threshold.value)
    passed &= rows > 0
    head, query, key = np.nonzero(passed)
    n_passed = len(head)
    weight = rows[head, query, key]
    order = np.argsort(weight, kind="stable")[-most:] if most else np.argsort(weight, kind="stable")
    weight = weight[order]
    seen, drawn = _mean_shares(
        rows, head[order], query[order], weight, None if total is None else total[np.ix_(heads_at, queries_at)]
    )
    return Edges(
        head=heads_at[head[order]],
        query=queries_at[query[order]],
        key=keys_at[key[order]],
        weight=weight,
        n_candidates=int(np.count_nonzero(rows)),
        n_passed=n_passed,
        hidden_share=max(0.0, 1.0 - seen) if rows.size else 0.0,
        dropped_share=max(0.0, seen - drawn),
    )


def _mean_shares(
    rows: Float32, head: NDArray[np.intp], query: NDArray[np.intp], weight: Float32, total: Float32 | None
) -> tuple[float, float]:
    """The mean shares of their totals that all of the rows, [head, query, key], and the chosen weights of them hold; a row of
    nothing holds nothing."""
    n_row = max(rows.shape[0] * rows.shape[1], 1)
    if total is None:
        return float(rows.sum(dtype=np.float64)) / n_row, float(weight.sum(dtype=np.float64)) / n_row
    per_total = np.divide(1.0, total, out=np.zeros(total.shape, np.float64), where=total > 0)
    seen = (rows.sum(axis=-1, dtype=np.float64) * per_total).sum()
    return float(seen) / n_row, float((weight * per_total[head, query]).sum()) / n_row


def _strongest_of_rows(rows: Float32, mass: float) -> NDArray[np.bool_]:  # [..., key] -> [..., key]
    """For each row, its fewest weights that sum to `mass` of it; weights as large as the last one taken come with it."""
    if mass >= 1.0:
        return np.ones(rows.shape, np.bool_)  # the sum of a row is known to float32 only: its last few would come and go
    falling = -np.sort(-rows, axis=-1)
    before = np.cumsum(falling, axis=-1) - falling
    needed = before < mass * falling.sum(axis=-1, keepdims=True)
    needed[..., :1] |= mass > 0
    least = np.where(needed, falling, np.inf).min(axis=-1, keepdims=True, initial=np.inf)
    return rows >= least
