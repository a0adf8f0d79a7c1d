"""T5 (Raffel et al. 2020) and its version 1.1: an encoder-decoder with a bias by distance, no scale on scores, RMS norms."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from attnviz.engine.config import Buckets, Looking, ModelConfig, Stack
from attnviz.engine.config_keys import LONGEST, MOST_LAYERS
from attnviz.engine.families.family import Family
from attnviz.engine.families.keys import (
    ACTIVATIONS,
    HARMLESS,
    alike,
    heads_of,
    layers_of,
    positions_of,
    predicts,
    vocabulary_of,
    width_of,
)
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Head, Layer, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config import Activation
    from attnviz.engine.config_keys import ConfigKeys

_OWN_HARMLESS = frozenset(["dropout_rate"])
_ENCODERS_ALONE = {"T5EncoderModel", "T5ForTokenClassification"}


def read_config(keys: ConfigKeys) -> ModelConfig:
    d_model, n_head, n_layer = width_of(keys, "d_model"), heads_of(keys, "num_heads"), layers_of(keys, "num_layers")
    keys.only("is_decoder", False)
    keys.only("pruned_heads", {})
    activation, is_gated = _activation(keys)
    encoder = Stack(
        n_layer=n_layer,
        n_head=n_head,
        n_kv_head=n_head,
        d_head=width_of(keys, "d_kv"),
        d_model=d_model,
        d_ff=width_of(keys, "d_ff"),
        norm="rms",
        norm_eps=keys.number("layer_norm_epsilon", 0.0, 1.0, default=1e-6),
        activation=activation,
        looks=alike(n_layer, Looking(1.0, is_causal=False)),
        buckets=_buckets(keys),
    )
    n_decoder = keys.integer("num_decoder_layers", 1, MOST_LAYERS, default=n_layer)
    decoder = replace(encoder, n_layer=n_decoder, looks=alike(n_decoder, Looking(1.0, is_causal=True)), has_cross=True)
    # Only the first version, whose configuration says that it is tied, scales its output (transformers, T5Config).
    scales = keys.flag("scale_decoder_outputs", default=keys.flag("tie_word_embeddings", default=True))
    has_decoder = keys.flag("is_encoder_decoder", default=True) and not _ENCODERS_ALONE & set(keys.strings("architectures"))
    n_vocab = vocabulary_of(keys)
    start = keys.first("decoder_start_token_id", "pad_token_id")
    config = ModelConfig(
        family="t5",
        n_vocab=n_vocab,
        n_position=LONGEST,
        n_trained=positions_of(keys, "n_positions", default=512),
        predicts=has_decoder and predicts(keys),
        is_gated=is_gated,
        logit_scale=d_model**-0.5 if scales else 1.0,
        decoder_start=keys.integer(start, 0, n_vocab - 1, default=0) if has_decoder else None,
        stack=encoder,
        decoder=decoder if has_decoder else None,
    )
    keys.finish(HARMLESS | _OWN_HARMLESS)
    return config


def _buckets(keys: ConfigKeys) -> Buckets:
    n = keys.integer("relative_attention_num_buckets", 4, 100_000, default=32)
    # The decoder counts half of the buckets by single steps; the logarithm goes on from there.
    return Buckets(n, keys.integer("relative_attention_max_distance", n // 2 + 1, LONGEST, default=128))


def _activation(keys: ConfigKeys) -> tuple[Activation, bool]:
    """The activation, and whether it is a gate. Newer configurations repeat both in keys that go before `feed_forward_proj`."""
    gated = {f"gated-{name}": (meaning, True) for name, meaning in ACTIVATIONS.items()}
    plain = {name: (meaning, False) for name, meaning in ACTIVATIONS.items()}
    # Version 1.1's "gated-gelu" is the tanh form (transformers, T5Config).
    table = {**plain, **gated, "gated-gelu": ("gelu_tanh", True)}
    activation, is_gated = keys.choice("feed_forward_proj", table, default=("relu", False))
    return keys.choice("dense_act_fn", ACTIVATIONS, default=activation), keys.flag("is_gated_act", default=is_gated)


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    encoder = _stack(config, file, "encoder")
    if config.decoder is None:
        return Weights(encoder)
    return Weights(encoder, _stack(config, file, "decoder"), _head(config, file))


def _head(config: ModelConfig, file: Checkpoint) -> Head | None:
    """A matrix of its own wherever the checkpoint has one, else the word vectors, whatever the configuration says of ties."""
    shape = (config.n_vocab, config.d_model)
    if file.has("lm_head.weight", prefixed=False):
        return Head(file.table("lm_head.weight", shape, prefixed=False))
    return Head(file.table(_words(file, "decoder"), shape)) if config.predicts else None


def _words(file: Checkpoint, side: str) -> str:
    """Where a side's word vectors are: its own where the checkpoint has them, else shared by both."""
    own = f"{side}.embed_tokens.weight"
    return own if file.has(own) else "shared.weight"


def _stack(config: ModelConfig, file: Checkpoint, side: str) -> StackWeights:
    stack = config.stack
    return StackWeights(
        Embeddings(word=file.table(_words(file, side), (config.n_vocab, config.d_model))),
        layer=partial(_layer, config, file, side),
        final_norm=file.norm(f"{side}.final_layer_norm", config.d_model, shift=False),
        bucket_table=file.tensor(
            f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight", (stack.buckets.n, stack.n_head)
        ),
    )


def _layer(config: ModelConfig, file: Checkpoint, side: str, number: int) -> Layer:
    d, d_ff = config.d_model, config.stack.d_ff
    at = f"{side}.block.{number}.layer."
    last = 2 if side == "decoder" else 1

    def norms(part: int) -> Norms:
        return Norms(before=file.norm(f"{at}{part}.layer_norm", d, shift=False))

    dense = f"{at}{last}.DenseReluDense."
    gate = file.linear(dense + "wi_0", d, d_ff, bias=False) if config.is_gated else None
    return Layer(
        attention=_attention(config, file, f"{at}0.SelfAttention."),
        attention_norms=norms(0),
        cross=_attention(config, file, f"{at}1.EncDecAttention.") if side == "decoder" else None,
        cross_norms=norms(1) if side == "decoder" else None,
        feed_forward=FeedForward(
            up=file.linear(dense + ("wi_1" if config.is_gated else "wi"), d, d_ff, bias=False),
            gate=gate,
            down=file.linear(dense + "wo", d_ff, d, bias=False),
        ),
        feed_forward_norms=norms(last),
    )


def _attention(config: ModelConfig, file: Checkpoint, at: str) -> AttentionWeights:
    d, inner = config.d_model, config.n_head * config.d_head
    q, k, v = (file.linear(at + name, d, inner, bias=False) for name in "qkv")
    return AttentionWeights(q, k, v, file.linear(at + "o", inner, d, bias=False))


T5 = Family(
    read_config,
    read_weights,
    "encoder.final_layer_norm.weight",
    ("", "transformer."),
    re.compile(
        r"^(transformer\.)?(shared|(en|de)coder\.embed_tokens)\.weight$|EncDecAttention\.relative_attention_bias\.weight$|"
        r"^(classification_head|classifier|qa_outputs)\."
    ),
)
