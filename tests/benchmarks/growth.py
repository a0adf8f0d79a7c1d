"""How a figure grows with the length of a text."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def exponents(lengths: Sequence[float], values: Sequence[float]) -> list[float]:
    """From each length to the next: e where the value grows as the length to the power of e. One fewer than there are lengths."""
    points = [(math.log(length), math.log(value)) for length, value in zip(lengths, values, strict=True)]
    return [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)]


def exponent(lengths: Sequence[float], values: Sequence[float], last: int = 3) -> float:
    """The same over the `last` lengths: the slope of the straight line nearest to them where both axes are logarithmic."""
    xs = [math.log(length) for length in lengths[-last:]]
    ys = [math.log(value) for value in values[-last:]]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)
