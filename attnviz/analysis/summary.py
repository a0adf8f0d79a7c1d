"""Three numbers that say what kind of head a head is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

# Weights whose shares and logarithms are made at once: those of a large layer would be several GB, and what leaves the second-level
# cache is read again from memory (32 heads of 512 tokens: 26 ms head by head, 44 all at once).
_AT_ONCE: Final = 1 << 18


@dataclass(frozen=True)
class HeadSummary:
    """How each head of a layer spreads its weight, [head] each; means over the queries that have any weight, 0 if none has.

    entropy: of the rows, in nats: 0 for one key only, ln(n) for n keys alike;
    distance: how far the keys are from the query, in positions, weighted; NaN where queries and keys are not one text;
    sink_share: the share of a row that falls on the sinks, 0 to 1.
    """

    entropy: Float32
    distance: Float32
    sink_share: Float32


def summarise(
    weights: Float32,
    sinks: NDArray[np.bool_],
    query_positions: NDArray[np.intp] | None = None,
    key_positions: NDArray[np.intp] | None = None,
) -> HeadSummary:
    """The summary of each head of [head, query, key] weights; each row counts by its shares, whatever it sums to.

    sinks: [key], True for those that count as one; query_positions, key_positions: where the rows and columns stand in
    their text, so that hidden tokens and merged words keep their distances; without both (cross-attention) the distance is NaN.
    Source: Vig & Belinkov 2019, "Analyzing the Structure of Attention in a Transformer Language Model", attention distance and
    dispersion, here over one text.
    """
    sums = SpreadSums(len(weights))
    whole = sums.add(weights, query_positions, key_positions)
    on_sinks = weights[:, :, sinks].sum(axis=2)
    shares = np.divide(on_sinks, whole, out=np.zeros_like(whole), where=whole > 0)
    entropy, distance = sums.means()
    return HeadSummary(entropy, distance, sums.mean_of(shares))


class SpreadSums:
    """Entropy and distance of heads whose rows come a few at a time, each time of all heads."""

    def __init__(self, n_head: int) -> None:
        self._entropy, self._distance = np.zeros(n_head), np.zeros(n_head)
        self._n_row = np.zeros(n_head, np.intp)  # of those that have any weight
        self._is_placed = True

    def add(
        self, weights: Float32, query_positions: NDArray[np.intp] | None = None, key_positions: NDArray[np.intp] | None = None
    ) -> Float32:
        """Take in further rows, [head, query, key] of all their keys with any weight, as in `summarise`; what each row sums to,
        [head, query]."""
        whole = weights.sum(axis=2)
        apart = None
        if query_positions is None or key_positions is None:
            self._is_placed = False
        else:
            apart = np.abs(query_positions[:, None] - key_positions).astype(np.float32)
        step = max(1, _AT_ONCE // max(1, weights[:1].size))
        for start in range(0, len(weights), step):
            part = slice(start, start + step)
            self._add(part, weights[part], whole[part], apart)
        return whole

    def means(self) -> tuple[Float32, Float32]:
        """The entropy and the distance of each head, [head] each, of all rows that were added."""
        distance = self._mean(self._distance) if self._is_placed else np.full(len(self._distance), np.nan, np.float32)
        return self._mean(self._entropy), distance

    def mean_of(self, shares: Float32) -> Float32:
        """The mean of the shares of all rows that were added, [head, query], 0 of those that have no weight: [head]."""
        return self._mean(shares.sum(axis=1, dtype=np.float64))

    def _mean(self, sums: NDArray[np.float64]) -> Float32:
        return (sums / np.maximum(self._n_row, 1)).astype(np.float32)

    def _add(self, part: slice, weights: Float32, whole: Float32, apart: Float32 | None) -> None:
        there = whole > 0
        shares = weights / np.where(there, whole, np.float32(1.0))[..., None]
        shares[~there] = 0.0  # a row of NaN is no row either
        if apart is not None:
            self._distance[part] += np.einsum("hqk,qk->hq", shares, apart).sum(axis=1, dtype=np.float64)
        surprise = np.maximum(shares, np.finfo(np.float32).tiny)  # a share of 0 adds 0·ln(the least float), which is 0
        np.log(surprise, out=surprise)
        entropy = -np.einsum("hqk,hqk->hq", shares, surprise)
        self._entropy[part] += np.maximum(entropy, 0.0).sum(axis=1, dtype=np.float64)
        self._n_row[part] += there.sum(axis=1)
