"""Rotary positions: queries and keys turned by an angle per position and pair of numbers. Source: Su et al. 2021.

A model that was stretched to longer texts changes the angles by one of the kinds below; formulas as transformers
computes them (modeling_rope_utils.py), each with the paper or person it goes back to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32

RopeKind = Literal["default", "linear", "dynamic", "yarn", "llama3", "longrope", "divided"]

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Rope:
    """The rotation of one model's heads; the numbers i and i + width/2 of a head turn together.

    width: how many numbers of each head turn, of an odd number the next one too; base: the longest wavelength's root;
    factor: how far the texts were stretched; original: positions before the stretching; attention_factor: on cosine and sine;
    low, high: llama3's frequency factors, yarn's slow and fast beta; truncate: yarn's range in whole numbers;
    short, long: longrope's divisors per frequency up to `original` tokens and beyond, `divided` uses short alone.
    """

    width: int
    base: float
    kind: RopeKind = "default"
    factor: float = 1.0
    original: int = 0
    attention_factor: float = 1.0
    low: float = 1.0
    high: float = 1.0
    truncate: bool = True
    short: tuple[float, ...] = ()
    long: tuple[float, ...] = ()

    def table(self, n: int) -> tuple[Float32, Float32]:
        """Cosine and sine of each position's angles, [n, pair] each, for a text of `n` tokens."""
        angles = np.arange(n, dtype=np.float32)[:, None] * self.frequencies(n)
        factor = np.float32(self.attention_factor)
        return np.cos(angles) * factor, np.sin(angles) * factor

    def frequencies(self, n: int) -> Float32:
        """Radians per position, [pair], for a text of `n` tokens."""
        match self.kind:
            case "default":
                return self._plain(self.base)
            case "linear":  # kaiokendev 2023
                return self._plain(self.base) / np.float32(self.factor)
            case "dynamic":  # NTK-aware, bloc97 and emozilla 2023
                stretched = self.factor * max(n, self.original) / self.original - (self.factor - 1)
                base = self.base * stretched ** (self.width / (self.width - 2))
                return self._plain(min(base, _LARGEST))  # three numbers that turn raise it to the third power
            case "yarn":
                return self._yarn()
            case "llama3":
                return self._llama3()
            case "longrope":  # Ding et al. 2024
                divisors = self.long if n > self.original else self.short
                return np.float32(1.0) / (np.array(divisors, np.float32) * self._wavelengths(self.base))
            case "divided":  # llama.cpp's rope_freqs tensor
                return self._plain(self.base) / np.array(self.short, np.float32)

    def _wavelengths(self, base: float) -> Float32:
        exponents = np.arange(0, self.width, 2, dtype=np.float32) / np.float32(self.width)
        return np.power(np.float32(base), exponents)

    def _plain(self, base: float) -> Float32:
        return np.float32(1.0) / self._wavelengths(base)

    def _yarn(self) -> Float32:
        """Low frequencies stretched, high ones kept, a ramp between. Source: Peng et al. 2023, section 3.2."""
        low, high = self._yarn_dimension(self.high), self._yarn_dimension(self.low)
        if self.truncate:
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, self.width - 1)
        high += 0.001 if low == high else 0.0
        steps = np.arange(self.width // 2, dtype=np.float32)
        kept = 1 - np.clip((steps - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
        plain = self._plain(self.base)
        return plain / np.float32(self.factor) * (1 - kept) + plain * kept

    def _yarn_dimension(self, rotations: float) -> float:
        """The pair of numbers that makes that many rotations over the original positions."""
        return self.width * math.log(self.original / (rotations * 2 * math.pi)) / (2 * math.log(self.base))

    def _llama3(self) -> Float32:
        """Long wavelengths stretched, short ones kept, smooth between. Source: Llama 3.1's release, 2024."""
        plain = self._plain(self.base)
        turns = np.float32(self.original) * plain / np.float32(2 * math.pi)  # rotations over the original positions
        smooth = (turns - np.float32(self.low)) / np.float32(self.high - self.low)
        stretched = plain / np.float32(self.factor)
        between = (1 - smooth) * stretched + smooth * plain
        return np.where(turns < self.low, stretched, np.where(turns > self.high, plain, between)).astype(np.float32)


def yarn_attention_factor(factor: float, mscale: float | None, mscale_all_dim: float | None) -> float:
    """What yarn multiplies cosine and sine by. Source: Peng et al. 2023, eq. 22; the mscales are DeepSeek's."""

    def growth(weight: float) -> float:
        return 0.1 * weight * math.log(factor) + 1.0 if factor > 1 else 1.0

    return growth(mscale) / growth(mscale_all_dim) if mscale and mscale_all_dim else growth(1.0)


def rotate(x: Float32, n_head: int, table: tuple[Float32, Float32]) -> Float32:
    """Each head's first numbers turned by their position, in place: [token, n_head·d_head], table of Rope."""
    cos, sin = (part[:, None, :] for part in table)
    half = cos.shape[-1]
    heads = x.reshape(x.shape[0], n_head, -1)
    left, right = heads[..., :half], heads[..., half : 2 * half]
    turned = left * cos - right * sin
    right *= cos
    right += left * sin
    left[...] = turned
    return x
