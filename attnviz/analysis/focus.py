"""Whether the heads of a layer look at many tokens or all at the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32


def distinct_targets(weights: Float32) -> Float32:
    """To how many different keys the heads' largest weights go, for each query: [head, query, key] -> [query].

    0 for a query that sees nothing, else 1 to the number of heads or of keys. Of equal weights the first key's counts; a head
    whose row is all 0 counts for nothing.
    """
    _, n_query, n_key = weights.shape
    if n_key == 0:
        return np.zeros(n_query, np.float32)
    targets = weights.argmax(axis=-1)
    head, query = np.nonzero(weights.max(axis=-1))
    is_target = np.zeros((n_query, n_key), np.bool_)
    is_target[query, targets[head, query]] = True
    return is_target.sum(axis=1, dtype=np.float32)


def largest_share(weights: Float32) -> float:
    """The largest weight of a row, its mean over heads and queries: 0 to 1 for attention, 1 where each row is on one key.

    weights: [head, query, key]. Rows that are all 0 count for nothing, as in `distinct_targets`; 0 if there are no others.
    """
    largest = weights.max(axis=-1, initial=0.0)
    seen = largest[largest > 0]
    return float(seen.mean(dtype=np.float64)) if seen.size else 0.0
