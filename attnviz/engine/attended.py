"""What a run keeps of one attention of one layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected


@dataclass(frozen=True)
class Attended:
    """entering: the vectors that enter the part, [token, d_model]; projected: its queries and keys; sink: the shares of the rows
    that go to a learned sink, [head, query], None where there is none; head_count: the run's. The arrays are read-only."""

    entering: Float32
    projected: Projected
    sink: Float32 | None
    head_count: int

    def __post_init__(self) -> None:
        for array in (self.entering, self.projected.q, self.projected.k, self.projected.v, self.sink):
            if array is not None:
                array.flags.writeable = False

    def until(self, n: int, is_cross: bool) -> Attended:
        """The same of the first `n` queries alone, which in a causal model do not know those behind them."""
        if n == len(self.entering):
            return self
        sink = None if self.sink is None else self.sink[:, :n]
        projected = _let_go(self.projected.until(n, is_cross))
        return replace(self, entering=first_rows(self.entering, n), projected=projected, sink=sink)

    def before(self, entering: Float32, projected: Projected, sink: Float32 | None) -> Attended:
        """The same, gone on with further queries: their vectors, the queries and keys of all, the further ones' sink."""
        if sink is not None:
            sink = np.concatenate([self.sink, sink], axis=1)
        return Attended(np.concatenate([self.entering, entering]), projected, sink, self.head_count)


def first_rows(array: Float32, n: int) -> Float32:
    """The first `n` rows: a view, or a copy where a view would keep more than twice its size in memory."""
    return array if n == len(array) else _own(array[:n])


def _own(part: Float32) -> Float32:
    return part.copy() if isinstance(part.base, np.ndarray) and 2 * part.nbytes < part.base.nbytes else part


def _let_go(projected: Projected) -> Projected:
    """The same without the memory of the longer run that it was cut from, where that is more than twice as long."""
    change = projected.change
    if change is not None and change.frozen is not None:
        change = replace(change, frozen=_let_go(change.frozen))
    v = None if projected.v is None else _own(projected.v)
    return replace(projected, q=_own(projected.q), k=_own(projected.k), v=v, change=change)
