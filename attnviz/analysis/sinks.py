"""What is left of an attention without the tokens it rests on when it has nothing to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32


def without_keys(weights: Float32, total: Float32, keys: NDArray[np.bool_], renormalise: bool) -> tuple[Float32, Float32]:
    """The weights with some keys at 0, and the share of each row that was on them, 0 to 1: [..., query, key] and [..., query].

    weights: [..., query, key]; total: [..., query], what a row is a share of: 1 for attention, also where a learned sink took some
    of it, and the row's own sum for norms; keys: [key], True for those to take out. The share of a row of total 0 is 0.
    renormalise: what is left of each row is scaled to the row's sum from before, as if the keys had not been there. A row with
    nothing left stays 0. Show the share with it: where it is near 1, what is scaled up is next to nothing. Without any such key the
    weights are given back themselves, not a copy.
    """
    at = np.flatnonzero(keys)
    if not at.size:
        return weights, np.zeros_like(total)
    taken = weights.take(at, axis=-1).sum(axis=-1)
    shares = np.divide(taken, total, out=np.zeros_like(taken), where=total > 0)
    left = weights.copy()
    left[..., at] = 0.0
    if renormalise:
        rest = left.sum(axis=-1, keepdims=True)
        left /= np.where(rest > 0, rest, np.float32(1.0))  # before it grows again: sum / rest may be more than float32 can hold
        left *= weights.sum(axis=-1, keepdims=True)
    return left, np.minimum(shares, np.float32(1.0))
