"""Which token comes next: the probabilities, the likeliest, and one drawn at random that anyone can draw again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32


def probabilities(logits: Float32, temperature: float = 1.0) -> Float32:
    """How likely each token is, 0 to 1, a row sums to 1: the softmax of logits / temperature, [..., vocab] -> [..., vocab].

    logits: finite, or -inf for a token that cannot come, but not for all; any size is safe. temperature: below 1 the likely become
    likelier, above 1 less so; at 0 the largest logit, the first of equal ones, has probability 1.
    Raises ValueError for a temperature that is negative or not finite.
    """
    if not 0.0 <= temperature < math.inf:
        raise ValueError(f"temperature is {temperature}; it must be 0, for the likeliest token, or a finite number above 0")
    found = np.zeros(logits.shape, np.float32)
    if temperature == 0.0:
        np.put_along_axis(found, logits.argmax(axis=-1, keepdims=True), np.float32(1.0), axis=-1)
        return found
    for row in np.ndindex(logits.shape[:-1]):  # a long text's logits as float64 would be over 1 GB (512 tokens, 256k entries)
        found[row] = _softmax(logits[row].astype(np.float64), temperature)
    return found


def likeliest(probabilities: Float32, most: int) -> tuple[tuple[int, float], ...]:
    """The `most` likeliest tokens as (id, probability), likeliest first, equally likely ones by id; all if there are not as many.

    probabilities: [vocab]; most: 0 or more.
    """
    n_found = min(most, len(probabilities))
    if n_found == 0:
        return ()
    # The last value that is in, and not argpartition's choice: that takes any of the tokens that are as likely as the last one.
    least = np.partition(probabilities, -n_found)[-n_found]
    above = np.flatnonzero(probabilities > least)
    level = np.flatnonzero(probabilities == least)[: n_found - len(above)]
    tokens = np.concatenate([above[np.argsort(-probabilities[above], kind="stable")], level])
    return tuple(zip(tokens.tolist(), probabilities[tokens].tolist(), strict=True))


def sampled(probabilities: Float32, seed: int, step: int) -> int:
    """The id of a token drawn with these probabilities; the same seed and step always draw the same one.

    probabilities: [vocab], of any sum above 0; a token of probability 0 is never drawn. seed: 0 to 2**128 - 1, of a whole text;
    step: 0 or more, the number of the token in it. No draw depends on an earlier one.
    Raises ValueError for a seed or step out of range, and for probabilities that are all 0 or not finite.

    It is the same on every machine and with every NumPy: NumPy promises the bits of a generator but not what its distributions make
    of them, so the token is found here from 53 of Philox's bits, by sums in the order of the ids.
    Source: Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3": Philox4x64-10 with the seed as key and the step as
    counter.
    """
    up_to = np.cumsum(probabilities, dtype=np.float64)
    total = float(up_to[-1])
    if not 0.0 < total < math.inf:
        raise ValueError(f"the probabilities sum to {total}, so no token can be drawn; they must be finite, and one above 0")
    bits = int(np.random.Philox(key=seed, counter=step).random_raw())
    share = (bits >> 11) * 2.0**-53  # 0 to 1 - 2**-53, for which share * total still rounds to less than the total
    return int(np.searchsorted(up_to, share * total, side="right"))


def _softmax(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:  # [vocab] -> [vocab], in place
    logits -= logits.max()
    with np.errstate(over="ignore"):  # the temperature may be so low that all but the largest become -inf, which is right
        logits /= temperature
    np.exp(logits, out=logits)
    logits /= logits.sum()
    return logits
