"""GPT-2 (Radford et al. 2019): learned positions, pre-norm, matrices stored [in, out]."""

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
    decoder_alone,
    head_width,
    heads_of,
    layers_of,
    positions_of,
    predicts,
    vocabulary_of,
    width_of,
)
from attnviz.engine.families.parts import output_head, split
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Layer, Linear, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys

# reorder_and_upcast_attn reorders float16, not float32; predict_special_tokens is of an older model's training.
_OWN_HARMLESS = frozenset(["attn_pdrop", "n_ctx", "predict_special_tokens", "reorder_and_upcast_attn"])


def read_config(keys: ConfigKeys) -> ModelConfig:
    d_model = width_of(keys, "n_embd|hidden_size")
    n_head, n_layer = heads_of(keys, "n_head|num_attention_heads"), layers_of(keys, "n_layer|num_hidden_layers")
    d_head = head_width(keys, d_model, n_head, name="")
    decoder_alone(keys)
    keys.only("n_special", 0)
    scale = 1.0 / math.sqrt(d_head) if keys.flag("scale_attn_weights", default=True) else 1.0
    by_layer = keys.flag("scale_attn_by_inverse_layer_idx", default=False)
    config = ModelConfig(
        family="gpt2",
        n_vocab=vocabulary_of(keys),
        n_position=positions_of(keys, "n_positions|max_position_embeddings"),
        predicts=predicts(keys),
        is_tied=keys.flag("tie_word_embeddings", default=True),
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=n_head,
            d_head=d_head,
            d_model=d_model,
            d_ff=keys.integer("n_inner", 1, 10_000_000, default=4 * d_model),
            norm="layer",
            norm_eps=keys.number("layer_norm_epsilon", 0.0, 1.0, default=1e-5),
            activation=keys.choice("activation_function", ACTIVATIONS, default="gelu_tanh"),
            looks=tuple(Looking(scale / (number + 1 if by_layer else 1), is_causal=True) for number in range(n_layer)),
        ),
    )
    keys.finish(HARMLESS | _OWN_HARMLESS)
    return config


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    d = config.d_model
    words = Embeddings(
        word=file.table("wte.weight", (config.n_vocab, d)), position=file.table("wpe.weight", (config.n_position, d))
    )
    stack = StackWeights(words, layer=partial(_layer, config, file), final_norm=file.norm("ln_f", d))
    return Weights(stack, head=output_head(config, file, "lm_head.weight", "wte.weight"))


def _layer(config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    d, d_ff = config.d_model, config.stack.d_ff
    at = f"h.{number}."
    q, k, v = split(_stored_as_used(file, at + "attn.c_attn", d, 3 * d), d, d, d)
    return Layer(
        attention=AttentionWeights(q, k, v, _stored_as_used(file, at + "attn.c_proj", d, d)),
        attention_norms=Norms(before=file.norm(at + "ln_1", d)),
        feed_forward=FeedForward(
            up=_stored_as_used(file, at + "mlp.c_fc", d, d_ff), down=_stored_as_used(file, at + "mlp.c_proj", d_ff, d)
        ),
        feed_forward_norms=Norms(before=file.norm(at + "ln_2", d)),
    )


def _stored_as_used(file: Checkpoint, name: str, d_in: int, d_out: int) -> Linear:
    return Linear(file.tensor(f"{name}.weight", (d_in, d_out)), file.tensor(f"{name}.bias", (d_out,)))


GPT2 = Family(
    read_config,
    read_weights,
    "wte.weight",
    ("transformer.", ""),
    re.compile(r"(^|\.)h\.\d+\.attn\.(bias|masked_bias)$|^lm_head\.weight$|^(score|multiple_choice_head|classifier)\."),
)
