"""BLOOM (BigScience 2022): ALiBi instead of positions, a norm on the word vectors, query, key and value fused by head."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import TYPE_CHECKING

from attnviz.engine.config import Looking, ModelConfig, Stack
from attnviz.engine.config_keys import LONGEST
from attnviz.engine.families.family import Family
from attnviz.engine.families.gpt_neox import split_by_head
from attnviz.engine.families.keys import (
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
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Layer, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys

_WORDS = "word_embeddings.weight"
# The fusions and the cast of softmax concern float16.
_OWN_HARMLESS = frozenset(
    """attention_softmax_in_fp32 bias_dropout_fusion masked_softmax_fusion offset_alibi skip_bias_add
    skip_bias_add_qkv""".split()
)


def read_config(keys: ConfigKeys) -> ModelConfig:
    d_model = width_of(keys, "n_embed|hidden_size")
    n_head, n_layer = heads_of(keys, "n_head|num_attention_heads"), layers_of(keys, "n_layer|num_hidden_layers")
    d_head = head_width(keys, d_model, n_head, name="")
    decoder_alone(keys)
    keys.only("n_inner", 4 * d_model)
    # A sum by parts and nothing else in a model trained as one part; in others transformers then leaves biases out.
    keys.only("slow_but_exact", False, keys.integer("pretraining_tp", 1, 4_096, default=1) == 1)
    config = ModelConfig(
        family="bloom",
        n_vocab=vocabulary_of(keys),
        n_position=LONGEST,
        n_trained=positions_of(keys, "seq_length", default=2_048),
        predicts=predicts(keys),
        is_tied=keys.flag("tie_word_embeddings", default=True),
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=n_head,
            d_head=d_head,
            d_model=d_model,
            d_ff=4 * d_model,
            norm="layer",
            norm_eps=keys.number("layer_norm_epsilon", 0.0, 1.0, default=1e-5),
            activation="gelu_tanh",  # fixed in the family's code
            looks=alike(n_layer, Looking(1.0 / math.sqrt(d_head), is_causal=True)),
            residual_is_normed=keys.flag("apply_residual_connection_post_layernorm", default=False),
            has_alibi=True,
        ),
    )
    keys.finish(HARMLESS | _OWN_HARMLESS)
    return config


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    d = config.d_model
    words = Embeddings(word=file.table(_WORDS, (config.n_vocab, d)), norm=file.norm("word_embeddings_layernorm", d))
    stack = StackWeights(words, layer=partial(_layer, config, file), final_norm=file.norm("ln_f", d))
    return Weights(stack, head=output_head(config, file, "lm_head.weight", _WORDS))


def _layer(config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    d, d_ff = config.d_model, config.stack.d_ff
    at = f"h.{number}."
    q, k, v = split_by_head(file.linear(at + "self_attention.query_key_value", d, 3 * d), config.n_head)
    return Layer(
        attention=AttentionWeights(q, k, v, file.linear(at + "self_attention.dense", d, d)),
        attention_norms=Norms(before=file.norm(at + "input_layernorm", d)),
        feed_forward=FeedForward(
            up=file.linear(at + "mlp.dense_h_to_4h", d, d_ff), down=file.linear(at + "mlp.dense_4h_to_h", d_ff, d)
        ),
        feed_forward_norms=Norms(before=file.norm(at + "post_attention_layernorm", d)),
    )


BLOOM = Family(
    read_config, read_weights, _WORDS, ("transformer.", ""), re.compile(r"^lm_head\.weight$|^(score|classifier|qa_outputs)\.")
)
