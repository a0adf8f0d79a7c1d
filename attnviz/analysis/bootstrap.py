"""How far a score over a corpus would be another with other texts of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

DRAWS: Final = 1_000
LEVEL: Final = 0.95
_SEED: Final = 1_979


def score_of(gets: Float32, cases: NDArray[np.float32]) -> Float32:
    """What is got per case over all texts: [text, ...] and [text] -> [...]; NaN without a case."""
    n = cases.sum()
    return gets.sum(axis=0) / n if n else np.full(gets.shape[1:], np.nan, np.float32)


def interval(gets: Float32, cases: NDArray[np.float32], draws: int = DRAWS, level: float = LEVEL) -> tuple[Float32, Float32]:
    """Both ends of the interval of `score_of`, by drawing the texts anew: [text, ...] and [text] -> [...] twice.

    Texts are drawn, not cases, since those of one text are not independent. The same draws for the same number of texts, whatever
    the numbers. NaN without a text. Source: Efron 1979, "Bootstrap Methods: Another Look at the Jackknife"; the interval is that of
    the percentiles.
    """
    n = len(cases)
    if n == 0 or not cases.sum():
        nothing = np.full(gets.shape[1:], np.nan, np.float32)
        return nothing, nothing
    # Counting drawn numbers takes a fifth of the time of the generator's own multinomial draws.
    chosen = np.random.default_rng(_SEED).integers(n, size=(draws, n)) + n * np.arange(draws)[:, None]
    times = np.bincount(chosen.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float32)  # [draw, text]
    drawn = times @ cases
    held = drawn > 0  # a draw of texts without a case, where few have any
    scores = (times[held] @ gets.reshape(n, -1)) / drawn[held, None]
    tail = (1 - level) / 2
    low, high = np.quantile(scores, [tail, 1 - tail], axis=0).astype(np.float32)
    return low.reshape(gets.shape[1:]), high.reshape(gets.shape[1:])
