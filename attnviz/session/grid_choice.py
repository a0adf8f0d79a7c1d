"""What a grid of heads says of each head besides its map: a number, an order by it, and which heads stand back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

SummaryName = Literal["entropy", "distance", "sink_share"]

# As a person reads them, in the order they are offered.
SUMMARY_NAMES: Final[dict[SummaryName, str]] = {
    "entropy": "Entropy",
    "distance": "Mean distance",
    "sink_share": "Share on sinks",
}


@dataclass(frozen=True)
class GridChoice:
    """summary: the number that stands on each head, None for none; without one nothing below has an effect.

    is_sorted: the heads of each layer stand in the order of their numbers, lowest first; least, most: heads below or above are
    faded, None for no limit.
    """

    summary: SummaryName | None = None
    is_sorted: bool = False
    least: float | None = None
    most: float | None = None


def order_of(values: Float32 | None, n_layer: int, n_head: int, is_sorted: bool) -> NDArray[np.intp]:
    """Which head stands at each place of each layer, [layer, place]; heads of the same number, or of none (NaN), by their own.

    values: [layer, head] the numbers chosen, or None.
    """
    if values is None or not is_sorted:
        return np.tile(np.arange(n_head, dtype=np.intp), (n_layer, 1))
    return np.argsort(values, axis=1, kind="stable")


def passes(values: Float32 | None, n_layer: int, n_head: int, choice: GridChoice) -> NDArray[np.bool_]:
    """Which heads stand forward, [layer, head]: those from `least` to `most`, both included, and those that have no number.

    The limits are rounded to float32, as the numbers are, so that a limit taken from a number includes it.
    """
    if values is None:
        return np.ones((n_layer, n_head), bool)
    low = np.float32(-np.inf if choice.least is None else choice.least)
    high = np.float32(np.inf if choice.most is None else choice.most)
    return ~((values < low) | (values > high))
