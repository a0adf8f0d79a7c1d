"""Which weights of some rows pass a threshold, and the strongest of those that do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

_TOP: Final = 4  # most rows hold most of their weight in a quarter of their keys


def passes(
    rows: Float32, kind: Literal["mass", "weight"], value: float, scale: float, apart: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether each weight of `rows`, [row, key], passes a `Threshold`; weights of 0 may. apart: [key] chosen by themselves."""
    if kind == "weight":
        return rows >= np.float32(value * scale)
    if value >= 1.0:
        return np.ones(rows.shape, np.bool_)  # the sum of a row is known to float32 only: its last few would come and go
    if not apart.any():
        return rows >= least_of_mass(rows, value)[:, None]
    loud, quiet = (least_of_mass(rows[:, part], value) for part in (~apart, apart))
    return rows >= np.where(apart, quiet[:, None], loud[:, None])


def least_of_mass(rows: Float32, mass: float) -> Float32:
    """The smallest of the fewest weights that sum to `mass` of each row, [row]: as large ones pass too. Infinite if none does."""
    if not rows.size or mass <= 0:
        return np.full(len(rows), np.inf, np.float32)
    falling = np.sort(rows, axis=-1)[:, ::-1]
    wanted = np.float32(mass) * rows.sum(axis=-1)
    # A running sum takes twice the time of the sort, so it goes only as far as most rows need it.
    top = max(falling.shape[1] // _TOP, 1)
    least, reached = _least_that_sum_to(wanted, falling[:, :top])
    longer = np.flatnonzero(reached < wanted)
    if longer.size and top < falling.shape[1]:
        least[longer] = _least_that_sum_to(wanted[longer], falling[longer])[0]
    return least


def _least_that_sum_to(wanted: Float32, falling: Float32) -> tuple[Float32, Float32]:  # [row], [row, key] -> [row], [row]
    """The last weight of each row that it takes to have the wanted sum, and the sum of all."""
    sums = np.cumsum(falling, axis=-1)
    taken = np.count_nonzero(sums[:, :-1] < wanted[:, None], axis=-1)
    return np.take_along_axis(falling, taken[:, None], axis=-1)[:, 0], sums[:, -1]


class Strongest:
    """The strongest of the weights that are added, in parts; of like ones those that came last."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._bound = np.float32(0)  # no weight below it can be one of them
        self._weights: list[Float32] = []
        self._places: list[NDArray[np.int64]] = []
        self._n = 0

    def add(self, rows: Float32, passed: NDArray[np.bool_], first: int) -> None:
        """Take those of `rows` that have passed, [row, key]; first: the place of their first weight, the others follow it."""
        if self._bound > 0:
            passed = passed & (rows >= self._bound)
        at = np.flatnonzero(passed)
        if at.size:
            self._weights.append(rows[passed])
            self._places.append(at + first)
            self._n += len(at)
        if self._most is not None and self._n > 2 * self._most:
            self._keep()

    def weakest_first(self) -> tuple[Float32, NDArray[np.int64]]:
        """Weights and places, [edge]."""
        self._keep()
        weight, place = self._weights[0], self._places[0]
        order = np.argsort(weight, kind="stable")
        return weight[order], place[order]

    def _keep(self) -> None:
        weight = np.concatenate([np.zeros(0, np.float32), *self._weights])
        place = np.concatenate([np.zeros(0, np.int64), *self._places])
        if self._most is not None and len(weight) > self._most:
            kept = _largest(weight, self._most)
            weight, place = weight[kept], place[kept]
            self._bound = weight.min(initial=np.inf)
        self._weights, self._places, self._n = [weight], [place], len(weight)


def _largest(weight: Float32, n: int) -> NDArray[np.bool_]:
    """Which are the `n` largest; of like ones the last."""
    least = np.partition(weight, len(weight) - n)[len(weight) - n]
    kept = weight > least
    like = np.flatnonzero(weight == least)
    kept[like[len(like) - (n - np.count_nonzero(kept)) :]] = True
    return kept
