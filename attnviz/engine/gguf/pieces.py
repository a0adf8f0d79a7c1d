"""How the tensors of a Hugging Face checkpoint lie in a GGUF file: what llama.cpp's converter changed, undone.

Source of the changes: llama.cpp's conversion/*.py, modify_tensors of each architecture. A tensor that a change cannot have
been applied to is given as it is; its shape then contradicts the configuration, and the loading says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

    Index = NDArray[Any] | slice


@dataclass(frozen=True)
class Piece:
    """A tensor of the checkpoint. rows(index): some of what lies along its first axis, float32."""

    shape: tuple[int, ...]
    rows: Callable[[Index], Float32]


def transposed(piece: Piece) -> Piece:
    """A matrix that the checkpoint has the other way round (GPT-2)."""
    return Piece(piece.shape[::-1], lambda rows: piece.rows(slice(None)).T[rows])


def less_one(piece: Piece) -> Piece:
    """A norm that the file has plus 1 (Gemma). Exact from 0.5 on, below that within 2^-25."""
    return Piece(piece.shape, lambda rows: piece.rows(rows) - np.float32(1))


def unpermuted(piece: Piece, n_head: int) -> Piece:
    """Queries or keys whose numbers i and i + half of a head the file has side by side (LLaMA)."""
    if piece.shape[0] % (2 * n_head):
        return piece
    return _reordered(piece, np.arange(piece.shape[0]).reshape(n_head, -1, 2).swapaxes(1, 2).ravel())


def by_head(piece: Piece, n_head: int) -> Piece:
    """Queries, keys and values that the file has one after the other and the checkpoint head by head (GPT-NeoX, BLOOM)."""
    if piece.shape[0] % (3 * n_head):
        return piece
    return _reordered(piece, np.arange(piece.shape[0]).reshape(3, n_head, -1).swapaxes(0, 1).ravel())


def _reordered(piece: Piece, order: NDArray[np.intp]) -> Piece:
    """order: for each row of the checkpoint its row in the file."""
    return Piece(piece.shape, lambda rows: piece.rows(order[rows]))


def after_padding(piece: Piece, n: int) -> Piece:
    """Positions of which the file lacks the first `n`, that no token has (RoBERTa)."""
    if len(piece.shape) != 2:
        return piece
    width = piece.shape[1]

    def rows(rows: Index) -> Float32:
        wanted = np.arange(piece.shape[0] + n)[rows]
        found = np.zeros((len(wanted), width), np.float32)
        found[wanted >= n] = piece.rows(wanted[wanted >= n] - n)
        return found

    return Piece((piece.shape[0] + n, width), rows)


def slab(piece: Piece, number: int) -> Piece:
    """One of the arrays along the first axis: an expert's matrix."""
    return Piece(piece.shape[1:], lambda rows: piece.rows(slice(number, number + 1))[0][rows])


def span(piece: Piece, start: int, n: int) -> Piece:
    """Some rows that the checkpoint has as a tensor of their own."""
    return Piece((n, *piece.shape[1:]), lambda rows: piece.rows(np.arange(start, start + n)[rows]))


def stacked_transposed(piece: Piece) -> Piece:
    """Experts' matrices that the checkpoint has the other way round, [expert, in, out] (gpt-oss)."""
    if len(piece.shape) != 3:
        return piece
    n, d_out, d_in = piece.shape
    return Piece((n, d_in, d_out), lambda rows: piece.rows(rows).swapaxes(1, 2))


def alternating(gate: Piece, up: Piece) -> Piece:
    """Experts' gates and ups that the checkpoint has in turns: [expert, in, 2·out], or biases [expert, 2·out] (gpt-oss)."""
    if gate.shape != up.shape or len(gate.shape) < 2:
        return gate
    n, d_out, *d_in = gate.shape

    def rows(rows: Index) -> Float32:
        both = np.stack([gate.rows(rows), up.rows(rows)], axis=2)
        return both.reshape(len(both), 2 * d_out, *d_in).swapaxes(1, -1)

    return Piece((n, *d_in, 2 * d_out), rows)


def zeros(shape: tuple[int, ...]) -> Piece:
    """A bias that the file lacks."""
    return Piece(shape, lambda rows: np.zeros(shape, np.float32)[rows])
