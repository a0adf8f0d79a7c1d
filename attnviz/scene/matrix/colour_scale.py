"""Which weight has which place in a ramp of colours, and the marks on the bar that tells."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.numbers import MINUS, signed

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32

_DECADES: Final = 3
_SIGNED_DECADES: Final = 2  # either way: below a hundredth of the largest, differences are of weights that are next to nothing
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class ColourScale:
    """Weights from 0 to `top` as shares of a ramp; is_log: the three decades below `top`, smaller ones have the paper's colour;
    is_signed: from -`top` to `top`, with 0 in the middle, and with is_log two decades either way."""

    top: float
    is_log: bool = False
    is_signed: bool = False

    def shares(self, weights: Float32) -> Float32:
        """The place of each weight in the ramp, 0 to 1."""
        if self.is_signed:
            of_top = np.clip(weights / np.float32(self.top), -1, 1).astype(np.float32)
            return (1 + (np.sign(of_top) * _log_share(np.abs(of_top), _SIGNED_DECADES) if self.is_log else of_top)) / 2
        of_top = np.clip(weights / np.float32(self.top), 0, 1).astype(np.float32)
        return _log_share(of_top, _DECADES) if self.is_log else of_top

    def strengths(self, weights: Float32) -> Float32:
        """How far each weight's colour is on the way from the paper to the end of the ramp, 0 to 1."""
        shares = self.shares(weights)
        return np.abs(2 * shares - 1) if self.is_signed else shares

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """The marks of the bar from its beginning on: their places, 0 to 1, and their numbers."""
        if self.is_log and self.is_signed:
            sizes = [(1 - e / _SIGNED_DECADES, self.top * 10.0**-e) for e in range(_SIGNED_DECADES)]
            below = [((1 - size) / 2, tick_text(-value, is_signed=True)) for size, value in sizes]
            above = [((1 + size) / 2, tick_text(value, is_signed=True)) for size, value in sizes]
            least = tick_text(self.top * 10.0**-_SIGNED_DECADES)
            return (*below, (0.5, f"0 \N{PLUS-MINUS SIGN} {least}"), *reversed(above))
        if self.is_log:
            exponents = range(-_DECADES, 1)
            texts = [tick_text(self.top * 10.0**exponent) for exponent in exponents]
            texts[0] = f"\N{LESS-THAN OR EQUAL TO} {texts[0]}"  # smaller weights have the colour of the paper too
            return tuple((1 + e / _DECADES, text) for e, text in zip(exponents, texts, strict=True))
        if self.is_signed:
            return tuple((share, tick_text((2 * share - 1) * self.top, is_signed=True)) for share in (0.0, 0.5, 1.0))
        return tuple((share, tick_text(share * self.top)) for share in (0.0, 0.5, 1.0))

    @property
    def decimals(self) -> int:
        """The decimals of all numbers in cells: two from a top of 0.2 to 1, one more or less for each power of ten."""
        return max(0, 2 - ceil(log10(self.top) - 1e-9))

    def number(self, weight: float, short: bool = False) -> str:
        """A weight as it stands in a cell, no wider than that of `top`; short: ".70" for 0.70, and 1.0 for 1.00."""
        if self.is_signed:
            text = signed(weight, self.decimals)
            return text.replace("0.", ".", 1) if short and text[1:].startswith("0.") else text
        text = f"{weight:.{self.decimals}f}"
        if not short or self.top > 1.0:
            return text
        return text[1:] if text.startswith("0") else "1.0"

    @property
    def least_number(self) -> float:
        """The least weight that has a number; smaller ones would read 0."""
        return 0.5 * 10.0**-self.decimals


def scale_for(largest: float, most: float | None, is_log: bool) -> ColourScale:
    """The scale of a picture whose largest weight is `largest`; most: the largest that can be, None where there is no such.

    It ends at the next of 1, 2, 5 times a power of ten, so that two fifths of the ramp at least are used and yet most heads share
    a scale: from 0 to 1 wherever one token gets more than half. A logarithm shows small weights anyway and ends at `most`.
    Where there is no largest, no two pictures share a scale anyway, and it ends at `largest` in two digits.
    """
    if most is None:
        return ColourScale(_two_digits_up(largest), is_log)
    return ColourScale(most if is_log else min(_round_up(largest), most), is_log)


def difference_scale(largest: float, is_log: bool) -> ColourScale:
    """The scale of differences of which the largest either way is `largest`, in two digits."""
    return ColourScale(_two_digits_up(largest), is_log, is_signed=True)


def tick_text(value: float, is_signed: bool = False) -> str:
    """ "0.25", "0.001", "20": a mark's number without noughts at its end; is_signed: "+0.25"."""
    if is_signed and value:
        return ("+" if value > 0 else MINUS) + tick_text(abs(value))
    return f"{value:.10f}".rstrip("0").rstrip(".") if value < 1e6 else f"{value:.3g}"


def _log_share(of_top: Float32, decades: int) -> Float32:
    """The places of shares of the largest weight, 0 to 1, on the logarithm of that many decades below it."""
    places = 1 + np.log10(np.maximum(of_top, np.float32(10.0**-decades))) / np.float32(decades)
    return np.maximum(places, 0, out=places)  # the least one may be below 0 by its last bit


def _round_up(value: float) -> float:
    if value <= 0.0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    step = next((step for step in _STEPS if value <= step * power * (1 + 1e-6)), _STEPS[-1])
    return float(f"{step * power:.1e}")  # 5 * 0.1 and its like, without the last bit's error


def _two_digits_up(value: float) -> float:
    if value <= 0.0:
        return 1.0
    unit = 10.0 ** (floor(log10(value)) - 1)
    return float(f"{ceil(value / unit * (1 - 1e-6)) * unit:.2e}")
