"""The stages of a layer's attention, told while a run makes them to somebody who watches.

The run and what shows the numbers inside it are thereby one piece of code: nobody computes a stage a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from numpy.typing import NDArray

Stage = Literal[
    "normed",
    "q_projected",
    "k_projected",
    "q_normed",
    "k_normed",
    "q_turned",
    "k_turned",
    "scaled",
    "bias",
    "capped",
    "hidden",
    "scores",
    "sink_score",
    "sink_share",
    "attention",
    "changed",
    "values",
    "mixed",
    "concatenated",
    "projected",
    "output_normed",
    "added",
    "leaving",
]

# Called with the array that the run goes on with, and perhaps changes: who keeps it, copies it.
Watch = Callable[[Stage, NDArray[Any]], None]

EVERY = slice(None)


def unwatched(stage: Stage, numbers: NDArray[Any]) -> None:
    """The watch of somebody who does not look."""
