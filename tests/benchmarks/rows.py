"""What was measured, as rows: a figure of attnviz, the same of what it is held against, their ratio, and its target."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Unit = Literal["ms", "s", "MiB", "GiB", "MB", "%", "bytes", "count", "exponent", "difference"]


@dataclass(frozen=True)
class Spread:
    """Some values of one figure: `value` their median, `low` and `high` their quartiles, `worst` the largest, `n` how many."""

    value: float
    low: float
    high: float
    worst: float
    n: int


@dataclass(frozen=True)
class Row:
    """One line of a section.

    own: of attnviz; beside: the same of what the section compares with, or beside_word where it has none; ratio: own / beside;
    in_page: whether README shows it.
    """

    section: str
    what: str
    unit: Unit
    own: Spread | None
    beside: Spread | None = None
    ratio: Spread | None = None
    beside_word: str = ""
    in_page: bool = False


def spread(values: Sequence[float]) -> Spread:
    """Median, quartiles and the largest of some values, at least one."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return Spread(middle, low, high, max(values), len(values))


def ratio(own: Sequence[float], beside: Sequence[float]) -> Spread:
    """The ratio of the medians of two figures; its quartiles are those of the ratios round by round.

    Both were measured in turns, so whatever slowed the machine in one round slowed both of it.
    """
    value = _quotient(statistics.median(own), statistics.median(beside))
    pairs = spread([_quotient(a, b) for a, b in zip(own, beside, strict=False)])
    return Spread(value, pairs.low, pairs.high, pairs.worst, pairs.n)


def row(
    section: str, what: str, unit: Unit, own: Sequence[float], beside: Sequence[float] | None = None, in_page: bool = False
) -> Row:
    """A row from the values of each round, with their ratio where there are two figures."""
    if not beside:
        return Row(section, what, unit, spread(own), in_page=in_page)
    return Row(section, what, unit, spread(own), spread(beside), ratio(own, beside), in_page=in_page)


def _quotient(a: float, b: float) -> float:
    return a / b if b else math.inf
