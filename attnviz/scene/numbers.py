"""Numbers as a picture writes them: short, aligned, with a true minus sign."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MINUS = "\N{MINUS SIGN}"
_MOST_DECIMALS = 4


def number(value: float, digits: int = 3) -> str:
    """A number by itself with so many significant digits: "0.0421", "−12.8", "3.1e−06"."""
    text = f"{value:#.{digits}g}" if value else "0"
    mantissa, _, exponent = text.partition("e")
    text = mantissa.rstrip(".") + (f"e{exponent}" if exponent else "")
    return text.replace("-", MINUS)


def decimals_for(values: ArrayLike, digits: int = 3) -> int:
    """The decimals with which the largest of some numbers has so many significant digits, so that a column can be compared."""
    finite = np.abs(np.asarray(values, np.float64))
    largest = float(finite[np.isfinite(finite)].max(initial=0.0))
    if largest == 0.0:
        return digits - 1
    return min(max(digits - 1 - math.floor(math.log10(largest)), 0), _MOST_DECIMALS)


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; what rounds to nothing has no sign."""
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", MINUS)


def signed(value: float, decimals: int) -> str:
    """A number with its sign: "+0.42", "−0.42"; what rounds to nothing has none."""
    text = fixed(value, decimals)
    return f"+{text}" if value > 0 and text.strip("0.,") else text
