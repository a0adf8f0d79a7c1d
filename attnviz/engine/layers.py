"""A model's weights in the shape the forward pass wants: matrices are [in, out], whatever the file holds."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32


@dataclass(frozen=True)
class Linear:
    """weight: [in, out]; bias: [out] or none."""

    weight: Float32
    bias: Float32 | None = None


@dataclass(frozen=True)
class Norm:
    """Scale and shift of a norm, [width] each; None leaves that step out."""

    scale: Float32 | None = None
    shift: Float32 | None = None


@dataclass(frozen=True)
class Norms:
    """The norms around a part of a layer: of its input, of its output before the residual is added, and of the sum."""

    before: Norm | None = None
    output: Norm | None = None
    after: Norm | None = None


@dataclass(frozen=True)
class AttentionWeights:
    """q: [d_model, n_head·d_head]; k, v: [d_model, n_kv_head·d_head]; out: [n_head·d_head, d_model].

    q_norm, k_norm: of each head's numbers ([d_head]) or of all of them ([n_head·d_head]); sinks: [n_head] scores of a key that
    is not there (gpt-oss).
    """

    q: Linear
    k: Linear
    v: Linear
    out: Linear
    q_norm: Norm | None = None
    k_norm: Norm | None = None
    sinks: Float32 | None = None


@dataclass(frozen=True)
class FeedForward:
    """up, gate: [d_model, d_ff]; down: [d_ff, d_model]. With a gate: down(activation(gate(x))·up(x))."""

    up: Linear
    down: Linear
    gate: Linear | None = None


@dataclass(frozen=True)
class Layer:
    """One layer. Exactly one of feed_forward and router is there; the router's experts are read one by one."""

    attention: AttentionWeights
    attention_norms: Norms
    feed_forward_norms: Norms
    feed_forward: FeedForward | None = None
    router: Linear | None = None
    cross: AttentionWeights | None = None
    cross_norms: Norms | None = None


class Table(Protocol):
    """A matrix whose rows are read as they are needed: word vectors, of which a text uses a few."""

    shape: tuple[int, ...]

    def rows(self, rows: NDArray[Any] | slice) -> Float32:
        """Some rows, float32; of a slice perhaps a read-only view of the mapped file, else a fresh array."""
        ...


@dataclass(frozen=True)
class Embeddings:
    """word, position, segment: one row per token number, position and text; their sum is normalised.

    word_projection: of the word vectors alone (OPT); projection: of the normalised sum (ALBERT, ELECTRA).
    """

    word: Table
    word_projection: Linear | None = None
    position: Table | None = None
    segment: Table | None = None
    norm: Norm | None = None
    projection: Linear | None = None


@dataclass(frozen=True)
class StackWeights:
    """layer(number), expert(layer, number): read or kept ready; final_norm, final_projection: after the last layer;
    bucket_table: T5's bias, [bucket, n_head]."""

    embeddings: Embeddings
    layer: Callable[[int], Layer]
    expert: Callable[[int, int], FeedForward] | None = None
    final_norm: Norm | None = None
    final_projection: Linear | None = None
    bucket_table: Float32 | None = None


@dataclass(frozen=True)
class Head:
    """What makes logits of final vectors: a transform with its norm where a masked language model has one, then one product
    with each row of `output`, [n_vocab, width], and a bias."""

    output: Table
    bias: Float32 | None = None
    transform: Linear | None = None
    norm: Norm | None = None


@dataclass(frozen=True)
class Weights:
    """Everything a forward pass reads. decoder: of an encoder-decoder; head: None for a model that predicts no tokens."""

    stack: StackWeights
    decoder: StackWeights | None = None
    head: Head | None = None


def n_bytes(part: Any) -> int:
    """Memory that the arrays of a part of the weights take."""
    return sum(array.nbytes for array in _arrays(part))


def n_number(part: Any) -> int:
    """How many numbers a part of the weights has: about the multiplications that it takes for each token."""
    return sum(array.size for array in _arrays(part))


def _arrays(part: Any) -> Iterator[NDArray[Any]]:
    if isinstance(part, np.ndarray):
        yield part
    elif is_dataclass(part) and not isinstance(part, type):
        for field in fields(part):
            yield from _arrays(getattr(part, field.name))
