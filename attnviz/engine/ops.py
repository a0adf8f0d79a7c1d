"""The arithmetic of a transformer on float32 arrays: float32 in, float32 out.

NumPy 2 promotes in silence (`np.sqrt(2)` is a float64 scalar), so every constant below is a Python float or a float32.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

Float32 = NDArray[np.float32]

# Elements per block of the pointwise functions: the block and its temporaries just stay in the second-level cache, and a step over
# them takes longer than two threads take to hand the interpreter to each other. GELU of 768,000 numbers takes 2.3 ms on one thread
# in blocks of 2^13 to 2^17, and on two 5.1, 4.0, 3.2, 2.1 and 1.6.
BLOCK = 1 << 17

# The logarithm of the odds against, log((1 - Φ(x))/Φ(x)) for the normal distribution function Φ, as x·P(x²) for |x| up to 6.5,
# where 1 - Φ is 4e-11; highest power first. The largest error that it makes in x·Φ(x) is as small as six powers allow, 6.7e-8;
# fitted by iteratively reweighted least squares in float64.
_ODDS = (
    -3.6112429574259e-09,
    2.6689327378275865e-07,
    -7.938226329950372e-06,
    0.00011048037146352407,
    6.625980492971411e-05,
    -0.072668566786959,
    -1.595768432306639,
)
_ODDS_END = 6.5


def layer_norm(x: Float32, scale: Float32 | None, shift: Float32 | None, eps: float) -> Float32:  # [n, d], [d], [d] -> [n, d]
    """Each row brought to mean 0 and variance 1, then scaled and shifted. Source: Ba et al. 2016."""
    mean = _sums(x)
    mean /= np.float32(x.shape[1])
    centred = x - mean[:, None]
    variance = np.einsum("nd,nd->n", centred, centred)
    variance /= np.float32(x.shape[1])
    variance += np.float32(eps)
    centred /= _root(variance)[:, None]
    return _scaled(centred, scale, shift)


def rms_norm(x: Float32, scale: Float32 | None, shift: Float32 | None, eps: float) -> Float32:  # [n, d], [d], [d] -> [n, d]
    """Each row brought to mean square 1, then scaled and shifted. Source: Zhang & Sennrich 2019."""
    square = np.einsum("nd,nd->n", x, x)
    square /= np.float32(x.shape[1])
    square += np.float32(eps)
    return _scaled(x / _root(square)[:, None], scale, shift)


def _scaled(y: Float32, scale: Float32 | None, shift: Float32 | None) -> Float32:
    """y·scale + shift, in place."""
    if scale is not None:
        y *= scale
    if shift is not None:
        y += shift
    return y


def _root(square: Float32) -> Float32:
    """The square root, in place; NaN for a square beyond float32, or what is divided by it would pass for a sound 0."""
    np.sqrt(square, out=square)
    square[np.isinf(square)] = np.nan
    return square


NORMS = {"layer": layer_norm, "rms": rms_norm}


def softmax(scores: Float32) -> Float32:  # [..., key] -> [..., key]
    """Attention from scores, in place: the last axis becomes positive and sums to 1."""
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= _sums(scores)[..., None]
    return scores


def softmax_of_moderate(scores: Float32) -> bool:  # [..., key] -> [..., key]
    """softmax without a look at the largest scores, in place, and whether that was right: the scores are used up if it was not.

    The largest score of a row is taken off all of them only to keep the exponentials within float32. Of nearly all scores that
    models have they are without that, and equally exact; two of six steps less, a quarter of the time of an attention.
    """
    np.exp(scores, out=scores)
    total = _sums(scores)
    if not total.size:
        return True
    if not _LEAST_SUM <= total.min() <= total.max() <= _MOST_SUM:
        return False
    scores /= total[..., None]
    return True


def softmax_with_sink(scores: Float32, sinks: Float32) -> tuple[Float32, Float32]:
    """softmax with one more key whose score is given and whose share is taken out, in place.

    scores: [head, query, key]; sinks: [head]. Returns attention, whose rows sum to 1 less the sink's share, and that share,
    [head, query]. Source: gpt-oss model card, 2025, and its release's attention.
    """
    sink = np.maximum(sinks[:, None], scores.max(axis=-1))
    scores -= sink[..., None]
    np.exp(scores, out=scores)
    share = np.exp(sinks[:, None] - sink)
    total = _sums(scores) + share
    scores /= total[..., None]
    return scores, share / total


# Of exponentials, far from the ends of float32: what is lost below the least is less than 1e-20 of the sum.
_LEAST_SUM = 1e-17
_MOST_SUM = 1e30


def _sums(weights: Float32) -> Float32:
    """The sums along the last axis, for which einsum takes half of the time of `sum` (0.11 ns a number, 500 in a row)."""
    return np.einsum("...k->...", weights)


def gelu(x: Float32) -> Float32:
    """x·Φ(x) with the normal distribution function, in place, within 2e-7·|x|. Source: Hendrycks & Gimpel 2016.

    Φ is the logistic function of its own log odds: one exponential, which NumPy has, in place of an error function, which it
    has not.
    """
    for block in _blocks(x):
        square = block * block
        np.minimum(square, _ODDS_END**2, out=square)
        odds = _polynomial(square, _ODDS)
        odds *= block
        _over_odds(block, odds)
    return x


def gelu_tanh(x: Float32) -> Float32:
    """GELU by its tanh approximation, in place. Source: Hendrycks & Gimpel 2016, section 2."""
    for block in _blocks(x):
        inner = block * block
        inner *= 0.044715
        inner += 1.0
        inner *= block
        inner *= math.sqrt(2.0 / math.pi)
        np.tanh(inner, out=inner)
        inner += 1.0
        inner *= 0.5
        block *= inner
    return x


def relu(x: Float32) -> Float32:
    """max(x, 0), in place."""
    return np.maximum(x, 0.0, out=x)


def relu2(x: Float32) -> Float32:
    """max(x, 0)², in place. Source: So et al. 2021."""
    np.maximum(x, 0.0, out=x)
    return np.square(x, out=x)


def silu(x: Float32) -> Float32:
    """x·sigmoid(x), in place; also called swish. Source: Elfwing et al. 2018."""
    return times_sigmoid(x, 1.0)


def quick_gelu(x: Float32) -> Float32:
    """x·sigmoid(1.702·x), in place. Source: Hendrycks & Gimpel 2016, section 2."""
    return times_sigmoid(x, 1.702)


def times_sigmoid(x: Float32, steepness: float) -> Float32:
    """x·sigmoid(steepness·x), in place."""
    for block in _blocks(x):
        _over_odds(block, block * np.float32(-steepness))
    return x


def tanh(x: Float32) -> Float32:
    """The hyperbolic tangent, in place."""
    return np.tanh(x, out=x)


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "quick_gelu": quick_gelu,
    "relu": relu,
    "relu2": relu2,
    "silu": silu,
    "tanh": tanh,
}


def _over_odds(block: Float32, odds: Float32) -> None:
    """block / (1 + exp(odds)), in place; odds, those against, are used up."""
    with np.errstate(over="ignore"):  # exp of a large number is inf and the quotient -0, as it should be
        np.exp(odds, out=odds)
    odds += 1.0
    block /= odds


def _blocks(x: Float32) -> Iterator[Float32]:
    """The numbers of x in blocks, views of it; rows of some of a matrix's columns are left whole."""
    if x.flags.c_contiguous:
        flat = x.reshape(-1)
        yield from (flat[start : start + BLOCK] for start in range(0, flat.size, BLOCK))
    else:
        n_row = max(1, BLOCK // max(x.shape[1], 1))
        yield from (x[start : start + n_row] for start in range(0, len(x), n_row))


def _polynomial(x: Float32, coefficients: tuple[float, ...]) -> Float32:
    """Horner's rule, highest power first."""
    first, *others, last = coefficients
    y = x * first
    for coefficient in others:
        y += coefficient
        y *= x
    y += last
    return y
