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
    placed = query_positions is not None and key_positions is not None
    apart = np.abs(query_positions[:, None] - key_positions).astype(np.float32) if placed else None
    of_heads = [_summarise_head(head, sinks.astype(np.float32), apart) for head in weights]
    entropy, distance, sink_share = np.array(of_heads, np.float32).reshape(-1, 3).T
    return HeadSummary(entropy, distance if placed else np.full_like(distance, np.nan), sink_share)


def _summarise_head(weights: Float32, sinks: Float32, apart: Float32 | None) -> tuple[float, float, float]:
    """Entropy, distance (0 without `apart`) and sink share of one head: [query, key], [key], [query, key].

    One head at a time, as a large layer with its shares and logarithms would be several GB.
    """
    sums = weights.sum(axis=1)
    there = sums > 0
    if not there.any():
        return 0.0, 0.0, 0.0
    shares = weights[there] / sums[there, None]
    # A share of 0 adds 0·ln(the least float), which is 0.
    surprise = -np.log(np.maximum(shares, np.finfo(np.float32).tiny))
    entropy = np.einsum("qk,qk->q", shares, surprise).mean()
    distance = 0.0 if apart is None else np.einsum("qk,qk->q", shares, apart[there]).mean()
    return float(entropy), float(distance), float((shares @ sinks).mean())
