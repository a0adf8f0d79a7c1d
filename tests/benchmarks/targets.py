"""What each figure shall reach; nothing here is a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from tests.benchmarks.rows import Row


@dataclass(frozen=True)
class Target:
    """At most so much, of a row's ratio or of attnviz's own figure. what: the rows that it holds for, * for anything."""

    section: str
    what: str
    at_most: float
    of: Literal["ratio", "own"] = "ratio"


# The first that fits a row is its target.
TARGETS: Final = (
    Target("engine", "*tokens", 1.0),
    Target("engine", "*, difference of attention", 1e-4, "own"),
    Target("typing", "*a token is added", 0.5),
    Target("typing", "*the last token changes", 0.5),
    Target("picture", "*hover*", 1.0),
    Target("picture", "*toggle a head", 1.0),
    Target("picture", "*change the layer", 1.0),
    Target("start", "time to the first picture", 0.25),
    Target("start", "memory by then", 0.5),
    Target("size", "float32, time to the first attention", 1.5),
)


def target_of(row: Row) -> Target | None:
    """The target of a row; None where none was set."""
    return next((one for one in TARGETS if one.section == row.section and fnmatchcase(row.what, one.what)), None)


def is_met(row: Row) -> bool | None:
    """Whether a row reaches its target; None without one, or without the figure that it is of."""
    target = target_of(row)
    if target is None:
        return None
    figure = row.ratio if target.of == "ratio" else row.own
    return None if figure is None else figure.value <= target.at_most
