"""Which weights of some rows pass a threshold, and the strongest of those that do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

_TOP: Final = 4  # most rows hold most of their weight in a quarter of their keys


def least_to_pass(
    rows: Float32, sums: Float32, kind: Literal["mass", "weight"], value: float, scale: float, apart: NDArray[np.bool_]
) -> Float32:
    """The smallest weight of each row of `rows`, [row, key], that passes a `Threshold`: [2, row], the second for the keys that are
    `apart`, [key], whose weights are chosen by themselves. Infinite where none does; a weight of 0 may. sums: [row]."""
    if kind == "weight":
        return np.full((2, len(rows)), value * scale, np.float32)
    if value >= 1.0:
        return np.zeros((2, len(rows)), np.float32)  # the sum of a row is known to float32 only: its last few would come and go
    if not apart.any():
        return np.broadcast_to(least_of_mass(rows, sums, value), (2, len(rows)))
    return np.stack([least_of_mass(part, part.sum(axis=-1), value) for part in (rows[:, ~apart], rows[:, apart])])


def passes(rows: Float32, least: Float32, apart: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each weight of `rows` passes, [row, key], by what `least_to_pass` gives; weights of 0 may."""
    return rows >= (np.where(apart, least[1][:, None], least[0][:, None]) if apart.any() else least[0][:, None])


def least_of_mass(rows: Float32, sums: Float32, mass: float) -> Float32:
    """The smallest of the fewest weights that sum to `mass` of each row, [row]: as large ones pass too. Infinite if none does."""
    if not rows.size or mass <= 0:
        return np.full(len(rows), np.inf, np.float32)
    falling = np.sort(rows, axis=-1)[:, ::-1]
    wanted = np.float32(mass) * sums
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

    def add(self, rows: Float32, passed: NDArray[np.bool_], first: int, n_key: int) -> None:
        """Take those of `rows` that have passed, [row, key]; first: the place of their first weight; n_key: how many places the
        rows are apart."""
        if self._bound > 0:
            passed = passed & (rows >= self._bound)
        at = np.flatnonzero(passed)
        if at.size:
            self._weights.append(rows[passed])
            self._places.append(first + at + at // rows.shape[1] * (n_key - rows.shape[1]))
            self._n += len(at)
        if self._most is not None and self._n > 2 * self._most:
            self._keep()

    def weakest_first(self) -> NDArray[np.int64]:
        """Their places, of like weights in their order."""
        self._keep()
        return self._places[0][np.argsort(self._weights[0], kind="stable")]

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
