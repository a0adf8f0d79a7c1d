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
        sink = None if self.sink is None else self.sink[:, :n]
        return replace(self, entering=self.entering[:n], projected=self.projected.until(n, is_cross), sink=sink)

    def before(self, entering: Float32, projected: Projected, sink: Float32 | None) -> Attended:
        """The same, gone on with further queries: their vectors, the queries and keys of all, the further ones' sink."""
        if sink is not None:
            sink = np.concatenate([self.sink, sink], axis=1)
        return Attended(np.concatenate([self.entering, entering]), projected, sink, self.head_count)
