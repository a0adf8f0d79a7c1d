"""Products of token vectors with weights, the greater part of a run's work: shared between processors by columns of the weights."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from attnviz.engine.blas import has_small_kernels
from attnviz.engine.threads import all_of, at_once, n_free

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.layers import Linear
    from attnviz.engine.ops import Float32

T = TypeVar("T")

# Multiplications of a part that are worth a thread, 0.2 ms of them: a processor that rests takes 0.1 to 0.2 ms to begin.
_WORTH_A_THREAD: Final = 10_000_000
# Products of fewer rows take as long as this: what takes time is the reading of the weights.
_FEW_ROWS: Final = 8
# The most multiplications of a product that OpenBLAS does with its small kernels.
_SMALL: Final = 1_000_000
# Parts begin at columns that the kernels' registers begin with.
_GRAIN: Final = 64


def apply(x: Float32, weights: Linear) -> Float32:
    """x·weight + bias, [token, in] -> [token, out], a fresh array."""
    return apply_each(x, (weights,))[0]


def apply_each(x: Float32, several: Sequence[Linear]) -> list[Float32]:
    """x·weight + bias for each of several weights, [token, in] -> [token, out] each, fresh arrays."""
    made = [np.empty((len(x), weights.weight.shape[1]), np.float32) for weights in several]
    width = sum(y.shape[1] for y in made)
    at_once([partial(_multiply_each, x, several, made, columns) for columns in _columns(x, width)])
    return made


def in_columns(x: Float32, width: int, part: Callable[[slice], T], n_product: int = 1) -> list[T]:
    """What part(columns) gives for slices that make up range(width), in their order: several at once where the products of x that
    they make, `n_product` for each column, are worth it."""
    return all_of([partial(part, columns) for columns in _columns(x, width, n_product)])


def multiply(x: Float32, weights: Linear, columns: slice, out: Float32) -> None:
    """Some columns of x·weight + bias, [token, in] -> [token, column], into `out`."""
    weight = weights.weight[:, columns]
    width = _block(x, weight)
    if width:
        _product_in_blocks(x, weight, width, out)
    else:
        np.matmul(x, weight, out=out)
    if weights.bias is not None:
        out += weights.bias[columns]


def n_worth(work: int) -> int:
    """Between how many processors so many multiplications are worth sharing, 0 and 1 for none but this one."""
    return min(n_free(), work // _WORTH_A_THREAD)


def _multiply_each(x: Float32, several: Sequence[Linear], made: Sequence[Float32], of_all: slice) -> None:
    """The columns of all the products side by side that lie in a slice."""
    start = 0
    for weights, y in zip(several, made, strict=True):
        columns = slice(max(of_all.start - start, 0), min(of_all.stop - start, y.shape[1]))
        if columns.start < columns.stop:
            multiply(x, weights, columns, y[:, columns])
        start += y.shape[1]


def _columns(x: Float32, width: int, n_product: int = 1) -> list[slice]:
    """The columns of each processor."""
    n_row, depth = x.shape
    work = max(n_row, _FEW_ROWS) * depth * width * n_product
    n_part = min(width // _GRAIN, n_worth(work))
    if n_part < 2:
        return [slice(0, width)]
    ends = [width * number // n_part // _GRAIN * _GRAIN for number in range(n_part)] + [width]
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _block(x: Float32, weight: Float32) -> int:
    """The columns of a block with which a product of few rows is fastest, 0 for all of them.

    A large product begins with a copy of the weights in the order of its kernels, which for 16 rows takes longer than the rest:
    16 rows by [384, 1536] make 41 GFLOP/s on one thread, and 92 in blocks of 16 columns, which need none.
    """
    n_row, depth = x.shape
    if not has_small_kernels() or n_row < 2 or weight.dtype != x.dtype:
        return 0
    by_column = weight.strides[0] == weight.itemsize
    # Weights by row are read across in blocks, which soon costs what the copies do.
    for width in ((32, 16) if n_row <= 32 else ()) if by_column else ((64,) if n_row <= 4 else ()):
        if n_row * depth * width <= _SMALL and weight.shape[1] >= width:
            return width
    return 0


def _product_in_blocks(x: Float32, weight: Float32, width: int, out: Float32) -> None:
    depth, n = weight.shape
    whole = n - n % width
    blocks = weight[:, :whole].reshape(depth, -1, width).transpose(1, 0, 2)
    np.matmul(x, blocks, out=out[:, :whole].reshape(len(x), -1, width).transpose(1, 0, 2))
    if whole < n:
        np.matmul(x, weight[:, whole:], out=out[:, whole:])
