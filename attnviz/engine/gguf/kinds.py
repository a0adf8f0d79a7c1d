"""How numbers are stored in GGUF files, by the gguf library's table of formats; and as float32 again, by its code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike, NDArray

    from attnviz.engine.ops import Float32
    from attnviz.errors import ModelError

_PLAIN: dict[str, DTypeLike] = {
    "F32": "<f4",
    "F16": "<f2",
    "F64": "<f8",
    "I8": "<i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
}
# Numbers unpacked at a time: the temporaries then stay in a processor's cache, and beside the result nothing grows.
_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Kind:
    """A format. block: numbers that are stored together; size: bytes they take; number: what stands for it in a file."""

    name: str
    number: int
    block: int
    size: int

    def as_float32(self, stored: NDArray[np.uint8]) -> Float32:
        """The numbers of stored bytes, [..., bytes of a row] -> [..., row]; a view of them where they are float32 already."""
        if self.name in _PLAIN:
            with np.errstate(over="ignore"):  # float64 beyond float32
                return stored.view(_PLAIN[self.name]).astype(np.float32, copy=False)
        numbers = np.empty((*stored.shape[:-1], stored.shape[-1] // self.size * self.block), np.float32)
        blocks, flat = stored.reshape(-1, self.size), numbers.reshape(-1, self.block)
        step = max(1, _AT_ONCE // self.block)
        unpack = _FAST.get(self.name, self._unpack)
        with np.errstate(all="ignore"):  # a damaged scale makes infinities; the forward pass shows them
            for begin in range(0, len(blocks), step):
                unpack(blocks[begin : begin + step], flat[begin : begin + step])
        return numbers

    def _unpack(self, blocks: NDArray[np.uint8], numbers: Float32) -> None:
        """The library's way, [block, byte] -> [block, number]; as one row, which it does not cut into small pieces."""
        numbers[...] = _library().dequantize(blocks.reshape(1, -1), _types()[self.number]).reshape(numbers.shape)


def _unpack_bf16(blocks: NDArray[np.uint8], numbers: Float32) -> None:
    """The upper half of a float32."""
    np.left_shift(blocks.view("<u2"), 16, out=numbers.view(np.uint32), dtype=np.uint32, casting="unsafe")


def _unpack_q4_0(blocks: NDArray[np.uint8], numbers: Float32) -> None:
    """A scale and 16 bytes: the lower halves are the first 16 numbers, the upper ones the others. Source: ggml-quants.c."""
    numbers[:, :16] = blocks[:, 2:] & 15
    numbers[:, 16:] = blocks[:, 2:] >> 4
    numbers -= np.float32(8)
    numbers *= np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)


# The most common formats, three to five times as fast as by the library (Q4_0: 380 million numbers a second, not 80 to 140).
_FAST: dict[str, Callable[[NDArray[np.uint8], Float32], None]] = {"BF16": _unpack_bf16, "Q4_0": _unpack_q4_0}


def kind_of(number: int, what: str, refuse: Callable[[str], ModelError]) -> Kind:
    """The format that a file calls `number`; what `refuse` makes is raised for one that there is not, or nobody unpacks."""
    types = _types()
    if number not in types:
        raise refuse(f"{what} is stored in format {number}, which this version does not know")
    block, size = _library().GGML_QUANT_SIZES[types[number]]
    kind = Kind(types[number].name, number, block, size)
    if not _is_readable(kind):
        raise refuse(f"{what} is stored as {kind.name}, which nothing here unpacks")
    return kind


@cache
def _is_readable(kind: Kind) -> bool:
    """Whether the library unpacks it, found by unpacking one block."""
    try:
        kind.as_float32(np.zeros(kind.size, np.uint8))
    except NotImplementedError:  # gguf.quants raises it for a format that its table lists and its code does not unpack
        return False
    return True


@cache
def _types() -> dict[int, Any]:
    sizes = _library().GGML_QUANT_SIZES
    return {int(kind): kind for kind in sizes}


@cache
def _library() -> Any:
    import gguf  # takes a tenth of a second, which only those wait for who open such a file

    return gguf
