"""GPT-NeoX and Pythia (Black et al. 2022; Biderman et al. 2023): rotary positions on a part of each head, parallel residual."""

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
from attnviz.engine.families.rope_keys import Usual, read_rope
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Layer, Linear, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys


def read_config(keys: ConfigKeys) -> ModelConfig:
    d_model, n_head, n_layer = width_of(keys), heads_of(keys), layers_of(keys)
    d_head = head_width(keys, d_model, n_head, name="")
    decoder_alone(keys)
    n_position = positions_of(keys)
    base_name, share_name = "rotary_emb_base|rope_theta", "rotary_pct|partial_rotary_factor"
    rope = read_rope(keys, Usual(d_head, n_position, 10_000.0, 0.25, base_name=base_name, share_name=share_name))
    config = ModelConfig(
        family="gpt_neox",
        n_vocab=vocabulary_of(keys),
        n_position=LONGEST,
        n_trained=n_position,
        predicts=predicts(keys),
        is_tied=keys.flag("tie_word_embeddings", default=False),
        has_attention_bias=keys.flag("attention_bias", default=True),
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=n_head,
            d_head=d_head,
            d_model=d_model,
            d_ff=width_of(keys, "intermediate_size"),
            norm="layer",
            norm_eps=keys.number("layer_norm_eps", 0.0, 1.0, default=1e-5),
            activation=keys.choice("hidden_act", ACTIVATIONS, default="gelu"),
            looks=alike(n_layer, Looking(1.0 / math.sqrt(d_head), is_causal=True, rope=rope)),
            is_parallel=keys.flag("use_parallel_residual", default=True),
        ),
    )
    keys.finish(HARMLESS)
    return config


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    d = config.d_model
    words = Embeddings(word=file.table("embed_in.weight", (config.n_vocab, d)))
    stack = StackWeights(words, layer=partial(_layer, config, file), final_norm=file.norm("final_layer_norm", d))
    return Weights(stack, head=output_head(config, file, "embed_out.weight", "embed_in.weight"))


def _layer(config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    d, d_ff = config.d_model, config.stack.d_ff
    at = f"layers.{number}."
    bias = config.has_attention_bias
    q, k, v = split_by_head(file.linear(at + "attention.query_key_value", d, 3 * d, bias), config.n_head)
    return Layer(
        attention=AttentionWeights(q, k, v, file.linear(at + "attention.dense", d, d, bias)),
        attention_norms=Norms(before=file.norm(at + "input_layernorm", d)),
        feed_forward=FeedForward(
            up=file.linear(at + "mlp.dense_h_to_4h", d, d_ff), down=file.linear(at + "mlp.dense_4h_to_h", d_ff, d)
        ),
        feed_forward_norms=Norms(before=file.norm(at + "post_attention_layernorm", d)),
    )


def split_by_head(fused: Linear, n_head: int) -> list[Linear]:
    """Query, key and value from a product that holds the three of the first head, then the three of the next, and so on."""
    d_in = fused.weight.shape[0]
    weight = fused.weight.reshape(d_in, n_head, 3, -1)
    bias = None if fused.bias is None else fused.bias.reshape(n_head, 3, -1)
    return [Linear(weight[:, :, part].reshape(d_in, -1), None if bias is None else bias[:, part].reshape(-1)) for part in range(3)]


GPT_NEOX = Family(
    read_config,
    read_weights,
    "embed_in.weight",
    ("gpt_neox.", ""),
    re.compile(
        r"attention\.(bias|masked_bias|rotary_emb\.inv_freq)$|rotary_emb\.inv_freq$|^embed_out\.weight$|^(score|classifier|qa_outputs)\."
    ),
)
