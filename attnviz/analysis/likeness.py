"""How alike two runs are: the directions of their vectors, and what their probabilities say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.analysis.prediction import likeliest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

# Entries at a time in float64: a large layer's attention would be several GB, and what does not fit the cache takes longer.
_BLOCK: Final = 1 << 15


def cosines(a: Float32, b: Float32) -> Float32:
    """The cosine between each vector of one run and that of the other, -1 to 1: [..., d] twice -> [...].

    Equal vectors give exactly 1, opposite ones exactly -1, a zero vector gives 0. Computed in float64, which also holds the squares
    of all float32; the vectors are finite.
    """
    dots, squares, other_squares = (np.einsum("...d,...d->...", x, y, dtype=np.float64) for x, y in ((a, b), (a, a), (b, b)))
    norms = np.sqrt(squares * other_squares)
    found = np.divide(dots, norms, out=np.zeros(np.shape(norms)), where=norms > 0)
    return np.clip(found, -1.0, 1.0, out=found).astype(np.float32)


def divergence(p: Float32, q: Float32) -> Float32:
    """The Jensen-Shannon divergence of each row of probabilities from that of the other run, in nats: [..., n] twice -> [...].

    0 for equal rows, ln 2 (0.693) for rows that share no entry; p and q may change places. Rows sum to 1; entries may be 0.
    Source: Lin 1991, "Divergence Measures Based on the Shannon Entropy", section IV, with the weights 1/2 and natural logarithms.
    """
    n = p.shape[-1]
    rows, other_rows = (x.reshape(math.prod(p.shape[:-1]), n) for x in (p, q))
    found = np.empty(len(rows), np.float32)
    length = max(1, _BLOCK // max(1, n))
    for start in range(0, len(rows), length):
        block = slice(start, start + length)
        found[block] = _divergence_of_rows(rows[block].astype(np.float64), other_rows[block].astype(np.float64))
    return found.reshape(p.shape[:-1])


def probability_changes(before: Float32, after: Float32, most: int) -> tuple[tuple[int, float, float], ...]:
    """The tokens that either run finds likeliest, with their probabilities in both: (id, before, after), likeliest after first.

    before, after: [vocab], of the same vocabulary. The `most` likeliest of each, so between `most` and twice as many (or all there
    are); those that are equally likely after come by their probability before, then by id.
    """
    tokens = {token for probabilities in (before, after) for token, _ in likeliest(probabilities, most)}
    changes = ((token, float(before[token]), float(after[token])) for token in tokens)
    return tuple(sorted(changes, key=lambda change: (-change[2], -change[1], change[0])))


def _divergence_of_rows(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:  # [row, n] twice -> [row]
    middle = (p + q) / 2
    return np.clip((_surplus(p, middle) + _surplus(q, middle)) / 2, 0.0, math.log(2))


def _surplus(p: NDArray[np.float64], middle: NDArray[np.float64]) -> NDArray[np.float64]:  # [row, n] twice -> [row]
    """The Kullback-Leibler divergence of p from the middle; an entry of 0 adds 0·ln 1."""
    ratios = np.divide(p, middle, out=np.ones_like(p), where=p > 0)
    return np.einsum("rn,rn->r", p, np.log(ratios, out=ratios))
