"""ALBERT (Lan et al. 2019): BERT whose layers share weights in groups, with narrow word vectors that are projected."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from attnviz.engine.config import ModelConfig
from attnviz.engine.families.bert import WORDS, HeadNames, masked_head, norm, read_encoder
from attnviz.engine.families.family import Family
from attnviz.engine.families.keys import HARMLESS
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Layer, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys

_HEAD = HeadNames("predictions.dense", "predictions.LayerNorm", "predictions.decoder", "predictions.bias")
_OWN_HARMLESS = frozenset(["down_scale_factor", "gap_size", "net_structure_type", "num_memory_blocks"])


def read_config(keys: ConfigKeys) -> ModelConfig:
    config = read_encoder(keys, "albert")
    groups = keys.integer("num_hidden_groups", 1, config.n_layer, default=1)
    inner = keys.integer("inner_group_num", 1, 1_000, default=1)
    width = keys.integer("embedding_size", 1, 1_000_000, default=128)
    keys.finish(HARMLESS | _OWN_HARMLESS)
    # As transformers counts them: each of the num_hidden_layers runs its whole group.
    chosen = [(int(i / (config.n_layer / groups)), j) for i in range(config.n_layer) for j in range(inner)]
    stack = replace(config.stack, n_layer=len(chosen), looks=config.stack.looks[:1] * len(chosen))
    return replace(config, stack=stack, d_embedding=width, shared_layers=tuple(chosen))


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    width = config.d_embedding
    words = Embeddings(
        word=file.table(WORDS, (config.n_vocab, width)),
        position=file.table("embeddings.position_embeddings.weight", (config.n_position, width)),
        segment=file.table("embeddings.token_type_embeddings.weight", (config.n_segment, width)),
        norm=norm(file, "embeddings.LayerNorm", width),
        projection=file.linear("encoder.embedding_hidden_mapping_in", width, config.d_model),
    )
    head = masked_head(config, file, _HEAD)
    return Weights(StackWeights(words, layer=partial(_layer, config, file)), head=head)


def _layer(config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    d, d_ff = config.d_model, config.stack.d_ff
    group, inner = config.shared_layers[number]
    at = f"encoder.albert_layer_groups.{group}.albert_layers.{inner}."
    return Layer(
        attention=AttentionWeights(
            q=file.linear(at + "attention.query", d, d),
            k=file.linear(at + "attention.key", d, d),
            v=file.linear(at + "attention.value", d, d),
            out=file.linear(at + "attention.dense", d, d),
        ),
        attention_norms=Norms(after=norm(file, at + "attention.LayerNorm", d)),
        feed_forward=FeedForward(up=file.linear(at + "ffn", d, d_ff), down=file.linear(at + "ffn_output", d_ff, d)),
        feed_forward_norms=Norms(after=norm(file, at + "full_layer_layer_norm", d)),
    )


ALBERT = Family(
    read_config,
    read_weights,
    WORDS,
    ("albert.", ""),
    re.compile(r"^(predictions|sop_classifier|classifier|qa_outputs)\.|(^|\.)pooler\.|position_ids$"),
)
