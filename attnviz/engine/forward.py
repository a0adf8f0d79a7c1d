"""The forward pass: tokens -> embeddings -> (attention, projection, feed-forward) per layer -> context-aware vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attnviz.engine.heads import apply_attention, attend
from attnviz.engine.ops import ACTIVATIONS, Float32, layer_norm, linear
from attnviz.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.config import ModelConfig
    from attnviz.engine.layers import EmbeddingWeights, LayerWeights, Norm, Weights
    from attnviz.engine.tokenizer import Encoding


def run_layers(
    config: ModelConfig,
    weights: Weights,
    encoding: Encoding,
    head_count: int,
    keep: Callable[[int, Float32, Float32], None],
    cancelled: Callable[[], bool],
) -> Float32:
    """The token vectors after the last layer, [token, d_model].

    keep(layer, qk, attention) is called once per layer with queries and keys side by side [token, 2·d_model] and the attention
    [head, query, key]. Raises Cancelled between layers once `cancelled()` says so.
    """
    x = embed(weights.embeddings, encoding, config.norm_eps)
    for number, layer in enumerate(weights.layers):
        if cancelled():
            raise Cancelled
        qk = linear(x, layer.qk, layer.qk_bias)
        attention = attention_of(config, qk, head_count)
        keep(number, qk, attention)
        context = apply_attention(attention, linear(x, layer.v, layer.v_bias))
        x = _add_norm(x, linear(context, layer.out, layer.out_bias), layer.attention_norm, config.norm_eps)
        x = _add_norm(x, feed_forward(x, layer, config), layer.output_norm, config.norm_eps)
    return x


def attention_of(config: ModelConfig, qk: Float32, head_count: int) -> Float32:
    """Attention [head, query, key] from one layer's queries and keys side by side, [token, 2·d_model]."""
    d = config.d_model
    return attend(qk[:, :d], qk[:, d:], head_count, config.n_head, 1.0 / math.sqrt(config.d_head))


def embed(weights: EmbeddingWeights, encoding: Encoding, eps: float) -> Float32:
    """The vectors that enter the first layer: word + position + segment, normalised, [token, d_model]."""
    x = weights.word[encoding.ids]
    x += weights.position[: len(encoding.ids)]
    x += weights.segment[encoding.segments]
    return layer_norm(x, weights.norm.scale, weights.norm.shift, eps)


def feed_forward(x: Float32, layer: LayerWeights, config: ModelConfig) -> Float32:
    """[token, d_model] -> [token, d_model]."""
    inner = ACTIVATIONS[config.activation](linear(x, layer.up, layer.up_bias))
    return linear(inner, layer.down, layer.down_bias)


def _add_norm(x: Float32, added: Float32, norm: Norm, eps: float) -> Float32:
    added += x
    return layer_norm(added, norm.scale, norm.shift, eps)
