"""OPT (Zhang et al. 2022): GPT-2's plan with positions that begin at row 2; the 350m model normalises after each part."""

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
    decoder_alone,
    head_width,
    heads_of,
    layers_of,
    positions_of,
    predicts,
    vocabulary_of,
    width_of,
)
from attnviz.engine.families.parts import output_head
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Layer, Norm, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys

_WORDS = "embed_tokens.weight"
_FIRST_POSITION = 2
_OWN_HARMLESS = frozenset(["dropout", "activation_dropout"])


def read_config(keys: ConfigKeys) -> ModelConfig:
    d_model, n_head, n_layer = width_of(keys), heads_of(keys), layers_of(keys)
    d_head = head_width(keys, d_model, n_head, name="")
    decoder_alone(keys)
    config = ModelConfig(
        family="opt",
        n_vocab=vocabulary_of(keys),
        n_position=positions_of(keys),
        first_position=_FIRST_POSITION,
        d_embedding=keys.integer("word_embed_proj_dim", 1, 1_000_000, default=d_model),
        predicts=predicts(keys),
        is_tied=keys.flag("tie_word_embeddings", default=True),
        is_pre_norm=keys.flag("do_layer_norm_before", default=True),
        has_final_norm=not keys.flag("_remove_final_layer_norm", default=False),
        has_norm_scale=keys.flag("layer_norm_elementwise_affine", default=True),
        has_mlp_bias=keys.flag("enable_bias", default=True),
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=n_head,
            d_head=d_head,
            d_model=d_model,
            d_ff=width_of(keys, "ffn_dim"),
            norm="layer",
            norm_eps=1e-5,  # PyTorch's default, which the family's code leaves
            activation=keys.choice("activation_function", ACTIVATIONS, default="relu"),
            looks=alike(n_layer, Looking(1.0 / math.sqrt(d_head), is_causal=True)),
        ),
    )
    keys.finish(HARMLESS | _OWN_HARMLESS)
    return config


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    d, width = config.d_model, config.d_embedding
    words = Embeddings(
        word=file.table(_WORDS, (config.n_vocab, width)),
        word_projection=None if width == d else file.linear("project_in", width, d, bias=False),
        position=file.table("embed_positions.weight", (config.n_position + _FIRST_POSITION, d)),
    )
    stack = StackWeights(
        words,
        layer=partial(_layer, config, file),
        final_norm=_norm(config, file, "final_layer_norm") if config.is_pre_norm and config.has_final_norm else None,
        final_projection=None if width == d else file.linear("project_out", d, width, bias=False),
    )
    return Weights(stack, head=output_head(config, file, "lm_head.weight", _WORDS, width))


def _layer(config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    d, d_ff, bias = config.d_model, config.stack.d_ff, config.has_mlp_bias
    at = f"layers.{number}."

    def norms(name: str) -> Norms:
        norm = _norm(config, file, at + name)
        return Norms(before=norm) if config.is_pre_norm else Norms(after=norm)

    return Layer(
        attention=AttentionWeights(
            q=file.linear(at + "self_attn.q_proj", d, d, bias),
            k=file.linear(at + "self_attn.k_proj", d, d, bias),
            v=file.linear(at + "self_attn.v_proj", d, d, bias),
            out=file.linear(at + "self_attn.out_proj", d, d, bias),
        ),
        attention_norms=norms("self_attn_layer_norm"),
        feed_forward=FeedForward(up=file.linear(at + "fc1", d, d_ff, bias), down=file.linear(at + "fc2", d_ff, d, bias)),
        feed_forward_norms=norms("final_layer_norm"),
    )


def _norm(config: ModelConfig, file: Checkpoint, name: str) -> Norm:
    return file.norm(name, config.d_model) if config.has_norm_scale else Norm()


OPT = Family(
    read_config,
    read_weights,
    _WORDS,
    ("model.decoder.", "decoder.", ""),
    re.compile(r"^lm_head\.weight$|^(score|classifier|qa_outputs)\."),
)
