"""What a person's changes made of one query's attention in one head, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from attnviz.engine.changes import Changes, HeadAt
    from attnviz.engine.ops import Float32
    from attnviz.engine.steps import Steps

Base = Literal["softmax", "uniform", "frozen"]
Way = Literal["set", "uniform", "frozen"]

_NOTHING: Final = 1e-6  # what weights that sum to 1 leave by rounding


@dataclass(frozen=True, eq=False)
class Changed:
    """The weights that take the place of the softmax's.

    weights: [key]; sink: the learned sink's share beside them, 0 without one; base: what they were made of: the softmax's own, the
    same for each key that can be seen, or those of the run without changes; chosen: the keys whose weights were set by hand;
    left: what those leave to the others, of which the query sees n_other; factor: what the others were multiplied by for that,
    None where they are all alike and where what was multiplied is not among the steps.
    """

    weights: Float32
    sink: float
    base: Base
    chosen: tuple[int, ...]
    left: float
    n_other: int
    factor: float | None

    @property
    def way(self) -> Way:
        """What was last done to them."""
        return "set" if self.chosen or self.base == "softmax" else self.base

    @property
    def is_alike(self) -> bool:
        """Whether all keys that were not set by hand have the same weight."""
        return self.factor is None and self.base != "frozen"


def changed_of(steps: Steps, changes: Changes, at: HeadAt, query: int, sink: float) -> Changed | None:
    """What the changes made of a query's attention in a head; None where they left it as it is. sink: the learned sink's share."""
    if steps.changed is None or np.array_equal(steps.changed[at.head], steps.attention[at.head]):
        return None
    chosen = {place.key: weight for place, weight in changes.weights if place[:4] == (*at, query)}
    base: Base = "frozen" if changes.is_frozen else "uniform" if at in changes.muted and changes.muting == "uniform" else "softmax"
    others = ~steps.hidden
    others[list(chosen)] = False
    left, factor = max(0.0, 1.0 - sum(chosen.values())), None
    if base == "softmax":
        share = 0.0 if steps.sink_share is None else float(steps.sink_share[at.head])
        before = float(steps.attention[at.head, others].sum(dtype=np.float64)) + share
        factor = left / before if before > 0.0 else None
    left = left if left > _NOTHING else 0.0
    return Changed(steps.changed[at.head], sink, base, tuple(chosen), left, int(others.sum()), factor)
