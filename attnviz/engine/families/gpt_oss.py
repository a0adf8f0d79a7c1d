"""gpt-oss (OpenAI 2025): LLaMA's plan with learned sinks, a window on every other layer, and experts stored in 4 bits."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.engine.config import ExpertChoice, Looking, ModelConfig, Stack
from attnviz.engine.config_keys import LONGEST
from attnviz.engine.families.family import Family
from attnviz.engine.families.keys import (
    HARMLESS,
    decoder_alone,
    heads_of,
    layers_of,
    positions_of,
    predicts,
    reaches_of,
    shared_heads,
    vocabulary_of,
    width_of,
    window_layers,
    window_of,
)
from attnviz.engine.families.llama import KNOWN, OWN_HARMLESS, WORDS, attention_of
from attnviz.engine.families.parts import output_head
from attnviz.engine.families.rope_keys import Usual, read_rope
from attnviz.engine.layers import Embeddings, FeedForward, Layer, Linear, Norms, StackWeights, Weights
from attnviz.engine.mxfp4 import unpack_mxfp4

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys
    from attnviz.engine.ops import Float32

_BLOCK = 32  # numbers that share one scale
# What the model was stretched by where the configuration does not say (transformers, GptOssConfig).
_STRETCH = {"rope_type": "yarn", "factor": 32.0, "truncate": False, "original_max_position_embeddings": 4_096}


def read_config(keys: ConfigKeys) -> ModelConfig:
    d_model, n_head, n_layer = width_of(keys), heads_of(keys), layers_of(keys)
    d_head = keys.integer("head_dim", 1, 1_000_000, default=64)
    decoder_alone(keys)
    n_position = positions_of(keys)
    keys.assume("rope_parameters|rope_scaling", _STRETCH)
    rope = read_rope(keys, Usual(d_head, n_position, 150_000.0))
    keys.only("hidden_act", "silu")
    _only_mxfp4(keys)
    slides = window_layers(keys, n_layer, [number % 2 == 0 for number in range(n_layer)])
    reaches = reaches_of(keys, window_of(keys, 128), slides)
    bias = keys.flag("attention_bias", default=True)
    experts = keys.integer("num_local_experts|num_experts", 1, 10_000, default=128)
    used = keys.integer("num_experts_per_tok|experts_per_token", 1, experts, default=4)
    config = ModelConfig(
        family="gpt_oss",
        n_vocab=vocabulary_of(keys),
        n_position=LONGEST,
        n_trained=n_position,
        predicts=predicts(keys),
        is_tied=keys.flag("tie_word_embeddings", default=False),
        has_attention_bias=bias,
        has_output_bias=bias,
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=shared_heads(keys, n_head),
            d_head=d_head,
            d_model=d_model,
            d_ff=width_of(keys, "intermediate_size"),
            norm="rms",
            norm_eps=keys.number("rms_norm_eps", 0.0, 1.0, default=1e-5),
            activation="silu",
            gate_limit=keys.number("swiglu_limit", 1e-3, 1e6, default=7.0),
            gate_slope=keys.number("swiglu_alpha", 1e-3, 1e3, default=1.702),
            looks=tuple(Looking(1.0 / math.sqrt(d_head), True, reach, rope=rope) for reach in reaches),
            experts=ExpertChoice(experts, used),
        ),
    )
    keys.finish(HARMLESS | OWN_HARMLESS | {"initial_context_length"})
    return config


def _only_mxfp4(keys: ConfigKeys) -> None:
    part = keys.part("quantization_config")
    if part is not None:
        part.only("quant_method", "mxfp4")
        part.finish(("modules_to_not_convert", "dequantize", "use_kernels"))


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    d = config.d_model
    stack = StackWeights(
        Embeddings(word=file.table(WORDS, (config.n_vocab, d))),
        layer=partial(_layer, config, file),
        expert=partial(_expert, config, file),
        final_norm=file.norm("norm", d, shift=False),
    )
    return Weights(stack, head=output_head(config, file, "lm_head.weight", WORDS))


def _layer(config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    at = f"layers.{number}."
    d = config.d_model
    attention = attention_of(config, file, at)
    return Layer(
        attention=replace(attention, sinks=file.tensor(at + "self_attn.sinks", (config.n_head,))),
        attention_norms=Norms(before=file.norm(at + "input_layernorm", d, shift=False)),
        feed_forward_norms=Norms(before=file.norm(at + "post_attention_layernorm", d, shift=False)),
        router=file.linear(at + "mlp.router", d, config.stack.experts.n),
    )


def _expert(config: ModelConfig, file: Checkpoint, number: int, expert: int) -> FeedForward:
    d, d_ff, n = config.d_model, config.stack.d_ff, config.stack.experts.n
    at = f"layers.{number}.mlp.experts."
    both = _matrix(file, at + "gate_up_proj", n, d, 2 * d_ff, expert)
    both_bias = file.part(at + "gate_up_proj_bias", (n, 2 * d_ff), expert)
    down_bias = file.part(at + "down_proj_bias", (n, d), expert)
    return FeedForward(
        gate=Linear(both[:, ::2], both_bias[::2]),  # gate and up alternate
        up=Linear(both[:, 1::2], both_bias[1::2]),
        down=Linear(_matrix(file, at + "down_proj", n, d_ff, d, expert), down_bias),
    )


def _matrix(file: Checkpoint, name: str, n: int, d_in: int, d_out: int, expert: int) -> Float32:
    """One expert's matrix, [in, out]: stored as such, or in blocks of 4-bit numbers along `in`, [expert, out, block, byte]."""
    if not (file.has(name + "_blocks") or file.has(name + "_scales")):
        return file.part(name, (n, d_in, d_out), expert)
    shape = (n, d_out, d_in // _BLOCK)
    blocks: Any = file.stored(name + "_blocks", (*shape, _BLOCK // 2))[expert]
    scales: Any = file.stored(name + "_scales", shape)[expert]
    if not any(blocks.strides):  # a Plan reads no numbers
        return np.broadcast_to(np.float32(0), (d_in, d_out))
    return unpack_mxfp4(blocks, scales).T


GPT_OSS = Family(read_config, read_weights, WORDS, ("model.", ""), KNOWN)
