"""A model's weights in the shape the forward pass wants: matrices are [in, out], whatever the file holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32


@dataclass(frozen=True)
class Norm:
    """Scale and shift of a layer norm, [d_model] each."""

    scale: Float32
    shift: Float32


@dataclass(frozen=True)
class EmbeddingWeights:
    """word: [n_vocab, d_model]; position: [n_position, d_model]; segment: [n_segment, d_model]."""

    word: Float32
    position: Float32
    segment: Float32
    norm: Norm


@dataclass(frozen=True)
class LayerWeights:
    """One layer. qk: [d_model, 2·d_model], queries then keys, one product for both; v, out: [d_model, d_model];
    up: [d_model, d_ff]; down: [d_ff, d_model]."""

    qk: Float32
    qk_bias: Float32
    v: Float32
    v_bias: Float32
    out: Float32
    out_bias: Float32
    attention_norm: Norm
    up: Float32
    up_bias: Float32
    down: Float32
    down_bias: Float32
    output_norm: Norm


@dataclass(frozen=True)
class Weights:
    """Everything a forward pass reads."""

    embeddings: EmbeddingWeights
    layers: tuple[LayerWeights, ...]
