"""DistilBERT (Sanh et al. 2019): BERT without segments, under names of its own."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import TYPE_CHECKING

from attnviz.engine.config import Looking, ModelConfig, Stack
from attnviz.engine.families.bert import WORDS, HeadNames, masked_head
from attnviz.engine.families.family import Family
from attnviz.engine.families.keys import (
    ACTIVATIONS,
    HARMLESS,
    alike,
    head_width,
    heads_of,
    layers_of,
    one_text_encoder,
    positions_of,
    vocabulary_of,
    width_of,
)
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Layer, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys

_HEAD = HeadNames("vocab_transform", "vocab_layer_norm", "vocab_projector", "vocab_projector.bias")
# sinusoidal_pos_embds says how the positions began their training; they are stored either way.
_OWN_HARMLESS = frozenset(["dropout", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds"])


def read_config(keys: ConfigKeys) -> ModelConfig:
    d_model, n_head, n_layer = width_of(keys, "dim|hidden_size"), heads_of(keys, "n_heads"), layers_of(keys, "n_layers")
    d_head = head_width(keys, d_model, n_head, name="")
    one_text_encoder(keys)
    config = ModelConfig(
        family="distilbert",
        n_vocab=vocabulary_of(keys),
        n_position=positions_of(keys),
        d_embedding=d_model,
        head_activation=keys.choice("activation", ACTIVATIONS, default="gelu"),
        is_tied=keys.flag("tie_word_embeddings", default=True),
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=n_head,
            d_head=d_head,
            d_model=d_model,
            d_ff=width_of(keys, "hidden_dim"),
            norm="layer",
            norm_eps=1e-12,  # fixed in the family's code
            activation=keys.choice("activation", ACTIVATIONS, default="gelu"),
            looks=alike(n_layer, Looking(1.0 / math.sqrt(d_head), is_causal=False)),
        ),
    )
    keys.only("tie_weights_", True)
    keys.finish(HARMLESS | _OWN_HARMLESS)
    return config


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    d = config.d_model
    words = Embeddings(
        word=file.table(WORDS, (config.n_vocab, d)),
        position=file.table("embeddings.position_embeddings.weight", (config.n_position, d)),
        norm=file.norm("embeddings.LayerNorm", d),
    )
    head = masked_head(config, file, _HEAD)
    return Weights(StackWeights(words, layer=partial(_layer, config, file)), head=head)


def _layer(config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    d, d_ff = config.d_model, config.stack.d_ff
    at = f"transformer.layer.{number}."
    return Layer(
        attention=AttentionWeights(
            q=file.linear(at + "attention.q_lin", d, d),
            k=file.linear(at + "attention.k_lin", d, d),
            v=file.linear(at + "attention.v_lin", d, d),
            out=file.linear(at + "attention.out_lin", d, d),
        ),
        attention_norms=Norms(after=file.norm(at + "sa_layer_norm", d)),
        feed_forward=FeedForward(up=file.linear(at + "ffn.lin1", d, d_ff), down=file.linear(at + "ffn.lin2", d_ff, d)),
        feed_forward_norms=Norms(after=file.norm(at + "output_layer_norm", d)),
    )


DISTILBERT = Family(
    read_config,
    read_weights,
    WORDS,
    ("distilbert.", ""),
    re.compile(r"^(vocab_transform|vocab_layer_norm|vocab_projector|pre_classifier|classifier|qa_outputs)\.|position_ids$"),
)
