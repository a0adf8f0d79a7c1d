"""Which weights of an attention are worth an arc, and what share the choice leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from attnviz.analysis.passing import Strongest, passes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

# Rows are gone through in blocks of so many weights: 256 KiB and their like-sized temporaries stay in a processor's own cache, and
# of 12 heads at 4,096 tokens nothing is held twice.
_BLOCK: Final = 1 << 16


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
    shape = len(heads_at), len(queries_at), len(keys_at)
    apart = np.isin(keys_at, list(aside))
    sums = np.zeros(shape[0] * shape[1], np.float32)
    n_candidates = n_passed = 0
    chosen = Strongest(most)
    for first, rows in _blocks(attention, heads_at, queries_at, keys_at):
        passed = rows > 0
        n_candidates += np.count_nonzero(passed)
        passed &= passes(rows, threshold.kind, threshold.value, scale, apart)
        n_passed += np.count_nonzero(passed)
        sums[first : first + len(rows)] = rows.sum(axis=-1)
        chosen.add(rows, passed, first * shape[2])
    weight, place = chosen.weakest_first()
    head, query, key = np.unravel_index(place, shape) if weight.size else np.zeros((3, 0), np.intp)
    per_row = _shares_of_rows(shape[:2], None if total is None else total[np.ix_(heads_at, queries_at)])
    seen, drawn = float(sums @ per_row.ravel()), float((weight * per_row[head, query]).sum())
    return Edges(
        head=heads_at[head],
        query=queries_at[query],
        key=keys_at[key],
        weight=weight,
        n_candidates=int(n_candidates),
        n_passed=int(n_passed),
        hidden_share=max(0.0, 1.0 - seen) if sums.size and len(keys_at) else 0.0,
        dropped_share=max(0.0, seen - drawn),
    )


def _blocks(
    attention: Float32, heads: NDArray[np.intp], queries: NDArray[np.intp], keys: NDArray[np.intp]
) -> Iterator[tuple[int, Float32]]:
    """All chosen weights in blocks of rows, [row, key], each with the number of its first row: of a long text some rows of one
    head, of a short one the rows of many heads."""
    if not len(keys):
        return
    n_row = max(_BLOCK // len(keys), 1)
    n_head = max(n_row // max(len(queries), 1), 1)
    for at in range(0, len(heads), n_head):
        of_heads = attention[_as_slice(heads[at : at + n_head])]
        for first in range(0, len(queries), n_row):
            rows = of_heads[:, _as_slice(queries[first : first + n_row])][:, :, _as_slice(keys)]
            yield at * len(queries) + first, rows.reshape(-1, len(keys))


def _as_slice(places: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """The places as a slice where they are in order and have no gap, as they mostly do: it copies nothing."""
    if len(places) and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def _shares_of_rows(shape: tuple[int, int], total: Float32 | None) -> NDArray[np.float64]:  # -> [head, query]
    """What a weight of each row counts for in the mean share of the rows; nothing in a row of nothing."""
    n_row = max(shape[0] * shape[1], 1)
    if total is None:
        return np.full(shape, 1 / n_row)
    return np.divide(1 / n_row, total, out=np.zeros(shape, np.float64), where=total > 0)
