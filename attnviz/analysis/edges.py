"""Which weights of an attention are worth an arc, and what share the choice leaves out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from attnviz.analysis.passing import Strongest, least_to_pass, passes
from attnviz.analysis.spread import BlockMaxima, block_side, spread_out
from attnviz.analysis.table import Table
from attnviz.errors import Cancelled, never

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

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
class Spread:
    """Which weights were chosen where too many pass: the `n_strongest` of all, and the strongest of each block of `side` visible
    queries by `side` visible keys, over all heads."""

    n_strongest: int
    side: int


@dataclass(frozen=True)
class Edges:
    """Weights chosen from one layer's attention, weakest first.

    head, query, key: [edge] positions in that attention; weight: [edge].
    n_candidates: weights above 0 between visible tokens in the chosen heads; n_passed: those that pass the threshold;
    hidden_share: mean share of a visible query's attention that falls on tokens that are not visible;
    dropped_share: mean share that falls on visible tokens but is not among these edges;
    spread: how they were chosen among those that pass, None where all of them are here.
    """

    head: NDArray[np.intp]
    query: NDArray[np.intp]
    key: NDArray[np.intp]
    weight: Float32
    n_candidates: int
    n_passed: int
    hidden_share: float
    dropped_share: float
    spread: Spread | None = None


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
    cancelled: Callable[[], bool] = never,
) -> Edges:
    """The weights of `heads` between visible tokens that pass `threshold`; where they are more than `most`, as many: the strongest
    of each block of tokens, so that no part of a long text is without any, and the strongest of all.

    attention: [head, query, key]; queries, keys: the visible ones; total: [head, query] what the rows are shared out of, None for
    1; scale: the largest weight that there can be; aside: keys whose weights are chosen by themselves, so that the others are the
    same as without them, and which no block has for its strongest. A weight of 0 is never an edge: it is that of a key which the
    query cannot see. What is chosen under one threshold is chosen under each stricter one that it passes. Raises Cancelled between
    some rows and the next, once `cancelled()` says so.
    """
    table = Table(attention, *(np.asarray(places, np.intp) for places in (heads, queries, keys)))
    apart = np.isin(table.keys, list(aside))
    sums, least = np.zeros(table.n_row, np.float32), np.zeros((2, table.n_row), np.float32)
    n_candidates = n_passed = 0
    chosen = Strongest(most)
    may_be_more = most is not None and math.prod(table.shape) > most
    maxima = BlockMaxima(table, block_side(*table.shape[1:], most)) if may_be_more else None
    for first, rows, are_seen in table.blocks():
        if cancelled():
            raise Cancelled
        block, here = slice(first, first + len(rows)), apart[: rows.shape[1]]
        sums[block] = rows.sum(axis=-1)
        least[:, block] = least_to_pass(rows, sums[block], threshold.kind, threshold.value, scale, here)
        n_candidates += np.count_nonzero(are_seen)
        passed = passes(rows, least[:, block], here) & are_seen
        n_passed += np.count_nonzero(passed)
        chosen.add(rows, passed, first * len(table.keys), len(table.keys))
        if maxima is not None:
            maxima.add(rows, passed & ~here if here.any() else passed, first)
    place, spread = chosen.weakest_first(), None
    if maxima is not None and n_passed > most:
        place, n_strongest = spread_out(place, maxima.places(least[0]))
        spread = Spread(n_strongest, maxima.side)
    head, query, key = np.unravel_index(place, table.shape) if place.size else np.zeros((3, 0), np.intp)
    weight = table.at(head, query, key)
    order = np.argsort(weight, kind="stable")
    per_row = _shares_of_rows(table, total)
    seen, drawn = float(sums @ per_row.ravel()), float((weight * per_row[head, query]).sum())
    return Edges(
        head=table.heads[head[order]],
        query=table.queries[query[order]],
        key=table.keys[key[order]],
        weight=weight[order],
        n_candidates=int(n_candidates),
        n_passed=int(n_passed),
        hidden_share=max(0.0, 1.0 - seen) if math.prod(table.shape) else 0.0,
        dropped_share=max(0.0, seen - drawn),
        spread=spread,
    )


def _shares_of_rows(table: Table, total: Float32 | None) -> NDArray[np.float64]:  # -> [head, query]
    """What a weight of each row counts for in the mean share of the rows; nothing in a row of nothing."""
    n_head, n_query, _ = table.shape
    if total is None:
        return np.full((n_head, n_query), 1 / max(table.n_row, 1))
    total = total[np.ix_(table.heads, table.queries)]
    return np.divide(1 / max(table.n_row, 1), total, out=np.zeros(total.shape, np.float64), where=total > 0)
