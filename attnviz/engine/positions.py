"""What positions add: to scores for the distance between query and key, or to word vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.config import Buckets, Stack
    from attnviz.engine.ops import Float32


def alibi_slopes(n_head: int) -> Float32:
    """How steeply each head's scores fall with the distance, [n_head].

    Source: Press et al. 2022: for 2^p heads the powers of 2^(-8/2^p); for other counts, as in the authors' code, those of the
    next smaller 2^p and then every other one of the next larger.
    """
    power = 2 ** math.floor(math.log2(n_head))
    root = 2.0 ** (-8.0 / power)
    slopes = [root**i for i in range(1, power + 1)]
    finer = 2.0 ** (-4.0 / power)
    slopes += [finer**i for i in range(1, 2 * (n_head - power), 2)]
    return np.array(slopes, np.float32)


def alibi(n_head: int, n: int) -> Float32:
    """ALiBi's bias for `n` tokens, [n_head, 1, key]. It rises with the key's position; within a row of scores that differs from
    falling with the distance by a constant, which softmax does not see."""
    return alibi_slopes(n_head)[:, None, None] * np.arange(n, dtype=np.float32)


def bucket_bias(table: Float32, buckets: Buckets, n: int, is_causal: bool) -> Float32:
    """T5's learned bias for `n` tokens, [n_head, query, key], a view of n_head·2·n numbers; table: [bucket, n_head]."""
    return by_distance(np.ascontiguousarray(table[_buckets(buckets, np.arange(1 - n, n), is_causal)].T), n)


def places_stay(stack: Stack, n: int, longer: int) -> bool:
    """Whether the positions of `n` tokens are the same in a longer text; some rotary ones are stretched by its length."""
    for rope in {look.rope for look in stack.looks if look.rope is not None}:
        if not np.array_equal(rope.frequencies(n), rope.frequencies(longer)):
            return False
    return True


def by_distance(values: NDArray[Any], n_query: int) -> NDArray[Any]:  # [..., distance] -> [..., query, key]
    """What depends on the distance alone, laid out by query and key: a read-only view, which takes no memory.

    Distances are key - query, from 1 - n_query up to n_key - 1.
    """
    return sliding_window_view(values, values.shape[-1] - n_query + 1, axis=-1)[..., ::-1, :]


def distances(laid_out: NDArray[Any]) -> NDArray[Any]:  # [..., token, token] -> [..., distance]
    """What `by_distance` has laid out, for as many queries as keys: the way back."""
    return np.concatenate([laid_out[..., -1, :], laid_out[..., 0, 1:]], axis=-1)


def _buckets(buckets: Buckets, distance: NDArray[np.int64], is_causal: bool) -> NDArray[np.int64]:
    """The bucket of each distance from query to key. Source: Raffel et al. 2020, section 2.1, and T5's code.

    Half of the buckets are for keys after the query unless they are hidden; of the rest half count single steps, and the
    others grow by logarithm up to max_distance.
    """
    count, first = buckets.n, np.zeros_like(distance)
    if is_causal:
        distance = np.maximum(-distance, 0)
    else:
        count //= 2
        first = (distance > 0) * count
        distance = np.abs(distance)
    exact = count // 2
    with np.errstate(divide="ignore"):  # the distance 0 is exact, its logarithm is not used
        grown = np.log(distance.astype(np.float32) / np.float32(exact)) / np.float32(math.log(buckets.max_distance / exact))
    far = exact + np.maximum(grown * np.float32(count - exact), 0).astype(np.int64)
    return first + np.where(distance < exact, distance, np.minimum(far, count - 1))


class Sinusoids:
    """A Table of positions as sines and cosines, made by the row. Source: Vaswani et al. 2017, section 3.5; here, as in Marian, the
    sines fill the first half of a row and the cosines the second."""

    def __init__(self, n: int, width: int) -> None:
        self.shape = (n, width)

    def rows(self, rows: NDArray[Any] | slice) -> Float32:
        """Some rows, float32, a fresh array."""
        n, width = self.shape
        sines = (width + 1) // 2
        angles = np.arange(n)[rows][:, None] / np.power(10_000.0, 2 * np.arange(sines) / width)
        return np.concatenate([np.sin(angles), np.cos(angles[:, : width - sines])], axis=1).astype(np.float32)
