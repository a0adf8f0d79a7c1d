"""BART (Lewis et al. 2019) and Marian (Junczys-Dowmunt et al. 2018): the encoder-decoder of the first transformer,
post-norm, biases everywhere.

BART learns its positions, which begin at row 2, and normalises its word vectors; Marian's positions are sinusoids.
"""

from __future__ import annotations

import math
import re
from functools import partial
from typing import TYPE_CHECKING

from attnviz.engine.config import Looking, ModelConfig, Stack
from attnviz.engine.families.family import Family
from attnviz.engine.families.keys import (
    ACTIVATIONS,
    HARMLESS,
    alike,
    head_width,
    heads_of,
    layers_of,
    positions_of,
    predicts,
    vocabulary_of,
    width_of,
)
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Head, Layer, Norms, StackWeights, Table, Weights
from attnviz.engine.positions import Sinusoids

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys

_SHARED, _BIAS = "shared.weight", "final_logits_bias"
_OWN_HARMLESS = frozenset(
    """activation_dropout add_bias_logits classif_dropout classifier_dropout decoder_layerdrop dropout encoder_layerdrop
    extra_pos_embeddings force_bos_token_to_be_generated replacing_rate save_step
    student_decoder_layers student_encoder_layers""".split()
)


def _read_config(name: str, keys: ConfigKeys) -> ModelConfig:
    is_bart = name == "bart"
    d_model = width_of(keys, "d_model")
    keys.only("is_encoder_decoder", True)
    keys.only("is_decoder", False)
    keys.only("pruned_heads", {})
    keys.only("normalize_before", False)
    keys.only("add_final_layer_norm", False)
    keys.only("normalize_embedding", is_bart)
    keys.only("static_position_embeddings", not is_bart)
    n_vocab = vocabulary_of(keys)
    start = keys.first("decoder_start_token_id", "eos_token_id")
    keys.only("decoder_vocab_size", n_vocab)
    encoder = _stack(keys, "encoder", d_model)
    keys.only("num_hidden_layers", encoder.n_layer)  # another name of encoder_layers
    config = ModelConfig(
        family=name,
        n_vocab=n_vocab,
        n_position=positions_of(keys),
        first_position=2 if is_bart else 0,
        embedding_scale=math.sqrt(d_model) if keys.flag("scale_embedding", default=False) else 1.0,
        predicts=predicts(keys),
        is_tied=keys.flag("tie_word_embeddings", default=True),
        shares_words=True if is_bart else keys.flag("share_encoder_decoder_embeddings", default=True),
        decoder_start=keys.integer(start, 0, n_vocab - 1, default=2 if is_bart else n_vocab - 1),
        stack=encoder,
        decoder=_stack(keys, "decoder", d_model),
    )
    keys.finish(HARMLESS | _OWN_HARMLESS)
    return config


def _stack(keys: ConfigKeys, side: str, d_model: int) -> Stack:
    n_layer, n_head = layers_of(keys, f"{side}_layers"), heads_of(keys, f"{side}_attention_heads")
    d_head = head_width(keys, d_model, n_head, name="")
    return Stack(
        n_layer=n_layer,
        n_head=n_head,
        n_kv_head=n_head,
        d_head=d_head,
        d_model=d_model,
        d_ff=width_of(keys, f"{side}_ffn_dim"),
        norm="layer",
        norm_eps=1e-5,  # PyTorch's default, which the family's code leaves
        activation=keys.choice("activation_function", ACTIVATIONS, default="gelu"),
        looks=alike(n_layer, Looking(1.0 / math.sqrt(d_head), is_causal=side == "decoder")),
        has_cross=side == "decoder",
    )


def _read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    return Weights(_side(config, file, "encoder"), _side(config, file, "decoder"), _head(config, file))


def _side(config: ModelConfig, file: Checkpoint, side: str) -> StackWeights:
    d = config.d_model
    is_bart = config.family == "bart"
    words = Embeddings(
        word=file.table(_words(config, file, side), (config.n_vocab, d)),
        position=file.table(f"{side}.embed_positions.weight", (config.n_position + 2, d))
        if is_bart
        else _sinusoids(config, file, f"{side}.embed_positions.weight"),
        norm=file.norm(f"{side}.layernorm_embedding", d) if is_bart else None,
    )
    return StackWeights(words, layer=partial(_layer, config, file, side))


def _sinusoids(config: ModelConfig, file: Checkpoint, name: str) -> Table:
    """Marian's positions: a few checkpoints store them, and then those count."""
    shape = (config.n_position, config.d_model)
    return file.table(name, shape) if file.has(name) else Sinusoids(*shape)


def _words(config: ModelConfig, file: Checkpoint, side: str) -> str:
    """Where a side's word vectors are: its own where the checkpoint has them, else shared by both."""
    own = f"{side}.embed_tokens.weight"
    return own if file.has(own) or not config.shares_words else _SHARED


def _head(config: ModelConfig, file: Checkpoint) -> Head | None:
    """The output matrix, of its own where the checkpoint has one, else the word vectors."""
    shape = (config.n_vocab, config.d_model)
    added = file.tensor(_BIAS, (1, config.n_vocab), prefixed=False)[0] if file.has(_BIAS, prefixed=False) else None
    # Layers alone carry no prefix; a model that has it, predicts and ties nothing must hold a matrix.
    if file.has("lm_head.weight", prefixed=False) or (config.predicts and not config.is_tied and file.prefix):
        return Head(file.table("lm_head.weight", shape, prefixed=False), added)
    if not config.predicts or not config.is_tied:
        return None
    return Head(file.table(_SHARED if file.has(_SHARED) else _words(config, file, "decoder"), shape), added)


def _layer(config: ModelConfig, file: Checkpoint, side: str, number: int) -> Layer:
    d = config.d_model
    d_ff = (config.stack if side == "encoder" else config.decoder).d_ff
    at = f"{side}.layers.{number}."
    return Layer(
        attention=_attention(file, at + "self_attn.", d),
        attention_norms=Norms(after=file.norm(at + "self_attn_layer_norm", d)),
        cross=_attention(file, at + "encoder_attn.", d) if side == "decoder" else None,
        cross_norms=Norms(after=file.norm(at + "encoder_attn_layer_norm", d)) if side == "decoder" else None,
        feed_forward=FeedForward(up=file.linear(at + "fc1", d, d_ff), down=file.linear(at + "fc2", d_ff, d)),
        feed_forward_norms=Norms(after=file.norm(at + "final_layer_norm", d)),
    )


def _attention(file: Checkpoint, at: str, d: int) -> AttentionWeights:
    q, k, v = (file.linear(f"{at}{name}_proj", d, d) for name in "qkv")
    return AttentionWeights(q, k, v, file.linear(at + "out_proj", d, d))


def _family(name: str) -> Family:
    known = re.compile(
        r"^lm_head\.weight$|(en|de)coder\.(embed_tokens|embed_positions)\.weight$|shared\.weight$|"
        r"^(classification_head|qa_outputs)\.|(en|de)coder\.version$"
    )
    return Family(partial(_read_config, name), _read_weights, "encoder.layers.0.self_attn.q_proj.weight", ("model.", ""), known)


BART = _family("bart")
MARIAN = _family("marian")
