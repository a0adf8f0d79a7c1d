"""Attention times what it carries: a key that is looked at much may hand over a vector of next to no length.

Both functions read the value vectors block by block, as all of a large layer would be 1 GB (32 heads, 2,048 keys, width 4,096).
Source: Kobayashi et al. 2020, "Attention is Not Only a Weight: Analyzing Transformers with Vector Norms", sections 2.2 and 3:
the output for query i is the sum over heads h and keys j of α_h,ij·f_h(x_j), with f_h(x) the value of x behind the head's part of
the output projection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.ops import Float32

if TYPE_CHECKING:
    from collections.abc import Iterator

# Gives the value vectors of some keys, [head, key, d_model], the heads those of the attention they are used with.
ValueVectors = Callable[[slice], Float32]

# Large enough that a call's own costs do not show, small enough to stand beside a layer's attention.
_BLOCK_BYTES: Final = 64 << 20


def weighted_norms(attention: Float32, values: ValueVectors, d_model: int) -> Float32:
    """How long the vector is that each key hands to each query, head by head: ‖α_h,ij·f_h(x_j)‖ as [head, query, key].

    attention: [head, query, key]; values: called with slices of the keys, for at most 64 MB a call; d_model: the width of what it
    gives. In the units of the model's hidden vectors; rows do not sum to 1.
    """
    norms = np.empty_like(attention)
    for keys in _key_blocks(attention, d_model):
        vectors = values(keys)
        lengths = np.sqrt(np.einsum("hkd,hkd->hk", vectors, vectors))
        np.multiply(attention[:, :, keys], lengths[:, None, :], out=norms[:, :, keys])
    return norms


def summed_norms(attention: Float32, values: ValueVectors, d_model: int) -> Float32:
    """How long the vector is that each key hands to each query by all heads together: ‖Σ_h α_h,ij·f_h(x_j)‖ as [query, key].

    Arguments as in `weighted_norms`; the heads are those given. Heads may cancel: it is at most the sum of their weighted norms.
    """
    norms = np.empty(attention.shape[1:], np.float32)
    for keys in _key_blocks(attention, d_model):
        vectors = values(keys)
        weights = np.ascontiguousarray(attention[:, :, keys].transpose(2, 1, 0))  # [key, query, head]
        for at, key in enumerate(range(keys.start, keys.stop)):
            norms[:, key] = _norms_of_sums(weights[at], vectors[:, at])
    return norms


def _norms_of_sums(weights: Float32, vectors: Float32) -> Float32:  # [query, head], [head, d_model] -> [query]
    """The lengths of weights·vectors through the vectors' products with each other, [head, head], without making the sums.

    In float64: where heads cancel, a length is the root of what is left of large squares, and float32 would lose all below 3e-4 of
    the heads' own lengths.
    """
    wide = vectors.astype(np.float64)
    alphas = weights.astype(np.float64)
    squares = np.einsum("qh,qh->q", alphas @ (wide @ wide.T), alphas)
    return np.sqrt(np.maximum(squares, 0.0)).astype(np.float32)


def _key_blocks(attention: Float32, d_model: int) -> Iterator[slice]:
    n_head, _, n_key = attention.shape
    length = max(1, _BLOCK_BYTES // max(1, n_head * d_model * attention.itemsize))
    for start in range(0, n_key, length):
        yield slice(start, min(start + length, n_key))
