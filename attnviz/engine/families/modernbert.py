"""ModernBERT (Warner et al. 2024): rotary positions, windows on most layers, gated feed-forward, pre-norm, few biases."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import TYPE_CHECKING

from attnviz.engine.config import Looking, ModelConfig, Stack
from attnviz.engine.config_keys import LONGEST
from attnviz.engine.families.family import Family
from attnviz.engine.families.keys import (
    ACTIVATIONS,
    HARMLESS,
    head_width,
    heads_of,
    layers_of,
    one_text_encoder,
    positions_of,
    vocabulary_of,
    width_of,
    window_layers,
)
from attnviz.engine.families.parts import split
from attnviz.engine.families.rope_keys import Usual, rope_from
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Head, Layer, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys
    from attnviz.engine.rope import Rope

_WORDS = "embeddings.tok_embeddings.weight"
_OWN_HARMLESS = frozenset(
    """embedding_dropout mlp_dropout deterministic_flash_attn initializer_cutoff_factor reference_compile repad_logits_with_grad
    sparse_prediction sparse_pred_ignore_index layer_norm_eps""".split()
)


def read_config(keys: ConfigKeys) -> ModelConfig:
    d_model, n_head, n_layer = width_of(keys), heads_of(keys), layers_of(keys)
    d_head = head_width(keys, d_model, n_head, name="")
    n_position = positions_of(keys)
    every = keys.integer("global_attn_every_n_layers", 1, LONGEST, default=3)
    slides = window_layers(keys, n_layer, [bool(i % every) for i in range(n_layer)])
    reach = keys.integer("local_attention", 1, LONGEST, default=128) // 2
    full, local = _ropes(keys, d_head, n_position)
    scale = 1.0 / math.sqrt(d_head)
    one_text_encoder(keys)
    config = ModelConfig(
        family="modernbert",
        n_vocab=vocabulary_of(keys),
        n_position=LONGEST,
        n_trained=n_position,
        d_embedding=d_model,
        head_activation=keys.choice("classifier_activation", ACTIVATIONS, default="gelu"),
        is_tied=keys.flag("tie_word_embeddings", default=True),
        has_attention_bias=keys.flag("attention_bias", default=False),
        has_mlp_bias=keys.flag("mlp_bias", default=False),
        has_norm_bias=keys.flag("norm_bias", default=False),
        has_head_bias=keys.flag("classifier_bias", default=False),
        has_output_bias=keys.flag("decoder_bias", default=True),
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=n_head,
            d_head=d_head,
            d_model=d_model,
            d_ff=width_of(keys, "intermediate_size"),
            norm="layer",
            norm_eps=keys.number("norm_eps", 0.0, 1.0, default=1e-5),
            activation=keys.choice("hidden_activation", ACTIVATIONS, default="gelu"),
            looks=tuple(Looking(scale, False, reach if sliding else None, rope=local if sliding else full) for sliding in slides),
        ),
    )
    keys.finish(HARMLESS | _OWN_HARMLESS)
    return config


def _ropes(keys: ConfigKeys, d_head: int, n_position: int) -> tuple[Rope, Rope]:
    """Of the layers that look everywhere, and of those with a window."""
    keys.only("rope_scaling")
    part = keys.part("rope_parameters")
    full, local = (None, None) if part is None else (part.part("full_attention"), part.part("sliding_attention"))
    if part is not None:
        part.finish(())
    return (
        rope_from(full, keys, Usual(d_head, n_position, 160_000.0, base_name="global_rope_theta")),
        rope_from(local, keys, Usual(d_head, n_position, 10_000.0, base_name="local_rope_theta")),
    )


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    d = config.d_model
    words = Embeddings(
        word=file.table(_WORDS, (config.n_vocab, d)),
        norm=file.norm("embeddings.norm", d, config.has_norm_bias),
    )
    stack = StackWeights(words, layer=partial(_layer, config, file), final_norm=file.norm("final_norm", d, config.has_norm_bias))
    return Weights(stack, head=_head(config, file))


def _layer(config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    d, d_ff = config.d_model, config.stack.d_ff
    at = f"layers.{number}."
    fused = file.linear(at + "attn.Wqkv", d, 3 * d, config.has_attention_bias)
    gated = file.linear(at + "mlp.Wi", d, 2 * d_ff, config.has_mlp_bias)
    q, k, v = split(fused, d, d, d)
    gate, up = split(gated, d_ff, d_ff)
    return Layer(
        attention=AttentionWeights(q, k, v, file.linear(at + "attn.Wo", d, d, config.has_attention_bias)),
        # The embeddings, which enter the first layer, are normalised already.
        attention_norms=Norms(before=file.norm(at + "attn_norm", d, config.has_norm_bias) if number else None),
        feed_forward=FeedForward(up=up, gate=gate, down=file.linear(at + "mlp.Wo", d_ff, d, config.has_mlp_bias)),
        feed_forward_norms=Norms(before=file.norm(at + "mlp_norm", d, config.has_norm_bias)),
    )


def _head(config: ModelConfig, file: Checkpoint) -> Head | None:
    """A classifier has the same transform; what tells a language model is that it has no classifier after it."""
    if not file.has("head.dense.weight", prefixed=False) or file.has("classifier.weight", prefixed=False):
        return None
    d, n_vocab = config.d_model, config.n_vocab
    is_own = file.has("decoder.weight", prefixed=False) or not config.is_tied
    return Head(
        output=file.table("decoder.weight" if is_own else _WORDS, (n_vocab, d), prefixed=not is_own),
        bias=file.tensor("decoder.bias", (n_vocab,), prefixed=False) if config.has_output_bias else None,
        transform=file.linear("head.dense", d, d, config.has_head_bias, prefixed=False),
        norm=file.norm("head.norm", d, config.has_norm_bias, prefixed=False),
    )


MODERNBERT = Family(
    read_config,
    read_weights,
    _WORDS,
    ("model.", ""),
    re.compile(r"^(head|decoder|classifier)\.|rotary_emb\.inv_freq$"),
)
