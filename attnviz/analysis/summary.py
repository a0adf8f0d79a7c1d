"""Three numbers that say what kind of head a head is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32


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
    sums = weights.sum(axis=-1)
    n_row = np.count_nonzero(sums > 0, axis=-1)
    shares = weights / np.where(sums > 0, sums, np.float32(1.0))[..., None]
    # A share of 0 adds 0·ln(the least float) = 0.
    logs = np.log(np.maximum(shares, np.finfo(np.float32).tiny))
    entropy = np.maximum(-np.einsum("hqk,hqk->hq", shares, logs), np.float32(0.0))  # a share just above 1 is rounding
    if query_positions is None or key_positions is None:
        distance = np.full(len(weights), np.nan, np.float32)
    else:
        apart = np.abs(query_positions[:, None] - key_positions).astype(np.float32)
        distance = _mean_of_rows(np.einsum("hqk,qk->hq", shares, apart), n_row)
    return HeadSummary(_mean_of_rows(entropy, n_row), distance, _mean_of_rows(shares @ sinks.astype(np.float32), n_row))


def _mean_of_rows(values: Float32, n_row: NDArray[np.intp]) -> Float32:  # [head, query], [head] -> [head]
    """The mean over the rows that count; the others have a value of 0."""
    return values.sum(axis=-1) / np.maximum(n_row, 1).astype(np.float32)
