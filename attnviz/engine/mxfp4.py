"""MXFP4: blocks of 32 4-bit numbers with one shared power of two.

Source: OCP Microscaling Formats specification 1.0, sections 5.3.3 (FP4 E2M1) and 5.4.1 (E8M0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

_POSITIVE = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0], np.float32)
_E2M1 = np.concatenate([_POSITIVE, -_POSITIVE])  # sign, two bits of exponent, one of mantissa
_BIAS = 127


def unpack_mxfp4(blocks: NDArray[np.uint8], scales: NDArray[np.uint8]) -> Float32:
    """The numbers of packed blocks: [row, block, 16 bytes] and [row, block] -> [row, 32·block].

    Of each byte the low half comes first, as gpt-oss's files have it. A scale byte is an exponent; 255 stands for no number.
    """
    numbers = np.empty((*blocks.shape[:-1], 2 * blocks.shape[-1]), np.float32)
    numbers[..., 0::2] = _E2M1[blocks & 0x0F]
    numbers[..., 1::2] = _E2M1[blocks >> 4]
    exponents = scales.astype(np.int32) - _BIAS
    np.ldexp(numbers, exponents[..., None], out=numbers)
    if (scales == 255).any():
        numbers[scales == 255] = np.nan
    return numbers.reshape(blocks.shape[0], -1)
