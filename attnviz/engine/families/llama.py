"""LLaMA (Touvron et al. 2023) and the decoders built on its plan: rotary positions, RMS norms, a gated feed-forward, keys and
values shared by heads. A row per family says what it adds.

Mistral (Jiang et al. 2023): a window. Mixtral (Jiang et al. 2024): experts. Qwen2 (Yang et al. 2024): biases on q, k and v.
Qwen3 (2025): a norm on each head's queries and keys. Phi-3 (Abdin et al. 2024): fused matrices. OLMo 2 (2025): norms of outputs,
and of all queries and keys together.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from attnviz.engine.config import ExpertChoice, Looking, ModelConfig, Stack
from attnviz.engine.config_keys import LONGEST
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
    reaches_of,
    shared_heads,
    vocabulary_of,
    width_of,
    window_layers,
    window_of,
)
from attnviz.engine.families.parts import output_head, split
from attnviz.engine.families.rope_keys import Usual, read_rope
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Layer, Linear, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys

WORDS = "embed_tokens.weight"
# pretraining_tp only orders a sum; the others are of training and of the tools that made a model's file.
OWN_HARMLESS = frozenset(
    """is_llama_config max_sequence_length output_router_logits pretraining_tp router_aux_loss_coef router_jitter_noise
    transformers.js_config unsloth_fixed unsloth_training_dtype unsloth_version""".split()
)
KNOWN = re.compile(r"rotary_emb\.inv_freq$|^lm_head\.weight$|^(score|classifier|qa_outputs)\.")


@dataclass(frozen=True)
class _Plan:
    """What a family's layers have beside or instead of LLaMA's.

    windows: none, one on all layers, or as `use_sliding_window` and `layer_types` say;
    qkv_bias: None for `attention_bias`, which then holds for the output too; the last five: what the family's code takes where the
    configuration does not say; share: None for a family whose heads turn as a whole.
    """

    name: str
    windows: str = "none"  # "none" | "all" | "asked"
    qkv_bias: bool | None = None
    has_mlp_bias_key: bool = False
    has_head_norm: bool = False
    norms_outputs: bool = False
    is_fused: bool = False
    has_experts: bool = False
    theta: float = 10_000.0
    eps: float = 1e-6
    d_head: int | None = None
    window: int | None = None
    original: int | None = None
    share: float | None = None


def _read_config(plan: _Plan, keys: ConfigKeys) -> ModelConfig:
    d_model, n_head, n_layer = width_of(keys), heads_of(keys), layers_of(keys)
    d_head = head_width(keys, d_model, n_head, default=plan.d_head)
    decoder_alone(keys)
    _only_plain(keys)
    n_position = positions_of(keys)
    rope = read_rope(keys, Usual(d_head, n_position, plan.theta, plan.share, plan.original))
    bias = _bias(keys, "attention_bias", plan.qkv_bias)
    scale = 1.0 / math.sqrt(d_head)
    config = ModelConfig(
        family=plan.name,
        n_vocab=vocabulary_of(keys),
        n_position=LONGEST,
        n_trained=n_position,
        predicts=predicts(keys),
        is_tied=keys.flag("tie_word_embeddings", default=False),
        has_attention_bias=bias,
        has_output_bias=bias and plan.qkv_bias is None,
        has_mlp_bias=_bias(keys, "mlp_bias", None if plan.has_mlp_bias_key else False),
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=shared_heads(keys, n_head),
            d_head=d_head,
            d_model=d_model,
            d_ff=width_of(keys, "intermediate_size"),
            norm="rms",
            norm_eps=keys.number("rms_norm_eps", 0.0, 1.0, default=plan.eps),
            activation=keys.choice("hidden_act", ACTIVATIONS, default="silu"),
            looks=tuple(Looking(scale, True, reach, rope=rope) for reach in _reaches(plan, keys, n_layer)),
            experts=_experts(keys) if plan.has_experts else None,
        ),
    )
    keys.finish(HARMLESS | OWN_HARMLESS)
    return config


def _only_plain(keys: ConfigKeys) -> None:
    """Accept what some files say of parts that no model of this plan has."""
    for name in ("rope_interleaved", "use_mrope", "lm_head_bias"):
        keys.only(name, False)
    for name in ("full_attn_mod", "interpolate_factor"):
        keys.only(name, 1)


def _bias(keys: ConfigKeys, name: str, fixed: bool | None) -> bool:
    """Whether there are biases: as the key says, or as the family has them, which the key may only repeat."""
    if fixed is None:
        return keys.flag(name, default=False)
    keys.only(name, fixed)
    return fixed


def _reaches(plan: _Plan, keys: ConfigKeys, n_layer: int) -> list[int | None]:
    """How far each layer looks back."""
    if plan.windows == "none":
        keys.only("sliding_window")
        keys.only("layer_types", ["full_attention"] * n_layer)
        return [None] * n_layer
    window = window_of(keys, plan.window)
    if plan.windows == "all":
        keys.only("layer_types", [("full" if window is None else "sliding") + "_attention"] * n_layer)
        return reaches_of(keys, window, [window is not None] * n_layer)
    first = keys.integer("max_window_layers", 0, 1_000_000, default=28)
    if not keys.flag("use_sliding_window", default=False):
        window = None
    slides = [window is not None and number >= first for number in range(n_layer)]
    return reaches_of(keys, window, window_layers(keys, n_layer, slides))


def _experts(keys: ConfigKeys) -> ExpertChoice:
    n = keys.integer("num_local_experts|num_experts", 1, 10_000, default=8)
    return ExpertChoice(n, keys.integer("num_experts_per_tok", 1, n, default=min(2, n)))


def _read_weights(plan: _Plan, config: ModelConfig, file: Checkpoint) -> Weights:
    d = config.d_model
    stack = StackWeights(
        Embeddings(word=file.table(WORDS, (config.n_vocab, d))),
        layer=partial(_layer, plan, config, file),
        expert=partial(_expert, config, file) if plan.has_experts else None,
        final_norm=file.norm("norm", d, shift=False),
    )
    return Weights(stack, head=output_head(config, file, "lm_head.weight", WORDS))


def _layer(plan: _Plan, config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    at = f"layers.{number}."
    d = config.d_model
    if plan.norms_outputs:
        attention_norms = Norms(output=file.norm(at + "post_attention_layernorm", d, shift=False))
        feed_forward_norms = Norms(output=file.norm(at + "post_feedforward_layernorm", d, shift=False))
    else:
        attention_norms = Norms(before=file.norm(at + "input_layernorm", d, shift=False))
        feed_forward_norms = Norms(before=file.norm(at + "post_attention_layernorm", d, shift=False))
    attention = attention_of(config, file, at, fused=plan.is_fused)
    if plan.has_head_norm or plan.norms_outputs:
        stack = config.stack
        widths = (stack.d_head,) * 2 if plan.has_head_norm else (stack.n_head * stack.d_head, stack.n_kv_head * stack.d_head)
        q_norm, k_norm = (
            file.norm(at + f"self_attn.{name}_norm", width, shift=False) for name, width in zip("qk", widths, strict=True)
        )
        attention = replace(attention, q_norm=q_norm, k_norm=k_norm)
    if plan.has_experts:
        router = file.linear(_moe(file, number) + "gate", d, config.stack.experts.n, bias=False)
        return Layer(attention, attention_norms, feed_forward_norms, router=router)
    return Layer(attention, attention_norms, feed_forward_norms, gated(config, file, at + "mlp.", plan.is_fused))


def attention_of(config: ModelConfig, file: Checkpoint, at: str, fused: bool = False) -> AttentionWeights:
    """The four products of a LLaMA-like layer; fused: query, key and value in one, as Phi-3 has them."""
    stack, d, bias = config.stack, config.d_model, config.has_attention_bias
    all_q, all_kv = stack.n_head * stack.d_head, stack.n_kv_head * stack.d_head
    if fused:
        q, k, v = split(file.linear(at + "self_attn.qkv_proj", d, all_q + 2 * all_kv, bias), all_q, all_kv, all_kv)
    else:
        q = file.linear(at + "self_attn.q_proj", d, all_q, bias)
        k = file.linear(at + "self_attn.k_proj", d, all_kv, bias)
        v = file.linear(at + "self_attn.v_proj", d, all_kv, bias)
    return AttentionWeights(q, k, v, file.linear(at + "self_attn.o_proj", all_q, d, config.has_output_bias))


def gated(config: ModelConfig, file: Checkpoint, at: str, fused: bool = False) -> FeedForward:
    """The gated feed-forward part; fused: gate and up in one product."""
    d, d_ff, bias = config.d_model, config.stack.d_ff, config.has_mlp_bias
    if fused:
        gate, up = split(file.linear(at + "gate_up_proj", d, 2 * d_ff, bias), d_ff, d_ff)
    else:
        gate, up = file.linear(at + "gate_proj", d, d_ff, bias), file.linear(at + "up_proj", d, d_ff, bias)
    return FeedForward(up=up, down=file.linear(at + "down_proj", d_ff, d, bias), gate=gate)


def _moe(file: Checkpoint, number: int) -> str:
    """Where a Mixtral layer's experts are: under the names of the published files, or transformers 5's own."""
    own = f"layers.{number}.mlp."
    return own if file.has(own + "gate.weight") else f"layers.{number}.block_sparse_moe."


def _expert(config: ModelConfig, file: Checkpoint, number: int, expert: int) -> FeedForward:
    d, d_ff, n = config.d_model, config.stack.d_ff, config.stack.experts.n
    at = _moe(file, number) + "experts."
    if not file.has(at + "gate_up_proj"):
        at += f"{expert}."
        return FeedForward(
            gate=file.linear(at + "w1", d, d_ff, bias=False),
            down=file.linear(at + "w2", d_ff, d, bias=False),
            up=file.linear(at + "w3", d, d_ff, bias=False),
        )
    both = file.part(at + "gate_up_proj", (n, 2 * d_ff, d), expert)
    down = file.part(at + "down_proj", (n, d, d_ff), expert)
    return FeedForward(gate=Linear(both[:d_ff].T), up=Linear(both[d_ff:].T), down=Linear(down.T))


def _family(plan: _Plan) -> Family:
    return Family(partial(_read_config, plan), partial(_read_weights, plan), WORDS, ("model.", "transformer.", ""), KNOWN)


LLAMA = _family(_Plan("llama", has_mlp_bias_key=True))
MISTRAL = _family(_Plan("mistral", windows="all", qkv_bias=False, window=4_096))
MIXTRAL = _family(_Plan("mixtral", windows="all", qkv_bias=False, has_experts=True, theta=1e6, eps=1e-5))
QWEN2 = _family(_Plan("qwen2", windows="asked", qkv_bias=True, window=4_096))
QWEN3 = _family(_Plan("qwen3", windows="asked", has_head_norm=True, d_head=128, window=4_096))
PHI3 = _family(_Plan("phi3", windows="all", qkv_bias=False, is_fused=True, eps=1e-5, original=4_096, share=1.0))
OLMO2 = _family(_Plan("olmo2", norms_outputs=True, eps=1e-5))
