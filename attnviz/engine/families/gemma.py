"""Gemma, Gemma 2 and Gemma 3 (Google 2024, 2025): LLaMA's plan with scaled word vectors and norms stored as their scale less 1.

Gemma 2 adds norms of outputs, soft-caps and a window on every other layer; Gemma 3 a norm on each head's queries and keys and
another rotary base for the layers with a window. Of a Gemma 3 that also sees pictures the text half is read.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.config import Looking, ModelConfig, Stack
from attnviz.engine.config_keys import LONGEST
from attnviz.engine.families.family import Family
from attnviz.engine.families.keys import (
    ACTIVATIONS,
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
from attnviz.engine.families.llama import KNOWN, OWN_HARMLESS, WORDS, attention_of, gated
from attnviz.engine.families.parts import output_head
from attnviz.engine.families.rope_keys import Usual, read_rope, rope_from, rope_of_all
from attnviz.engine.layers import Embeddings, Layer, Norm, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config import Activation
    from attnviz.engine.config_keys import ConfigKeys
    from attnviz.engine.rope import Rope

_OWN_HARMLESS = OWN_HARMLESS | {"_sliding_window_pattern", "cache_implementation", "hidden_act"}
_OF_PICTURES = frozenset(
    """boi_token_id boi_token_index eoi_token_id eoi_token_index image_token_id image_token_index mm_tokens_per_image
    vision_config""".split()
)
# What `text_config` leaves out where it is as the family's code has it (transformers, Gemma3TextConfig).
_TEXT_DEFAULTS = {
    "vocab_size": 262_208,
    "hidden_size": 2_304,
    "intermediate_size": 9_216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 131_072,
}


@dataclass(frozen=True)
class _Plan:
    """n: 1, 2 or 3; every: without `layer_types`, which layer looks everywhere."""

    name: str
    n: int
    every: int = 0


def _read_config(plan: _Plan, keys: ConfigKeys) -> ModelConfig:
    d_model, n_head, n_layer = width_of(keys), heads_of(keys), layers_of(keys)
    d_head = keys.integer("head_dim", 1, 1_000_000, default=256)
    decoder_alone(keys)
    n_position = positions_of(keys)
    full, local = _ropes(plan, keys, d_head, n_position)
    bias = keys.flag("attention_bias", default=False)
    is_causal = _is_causal(plan, keys)
    score_cap, logit_cap = _caps(plan, keys)
    pre = float(d_head) if plan.n == 1 else keys.number("query_pre_attn_scalar", 1e-6, 1e9, default=256.0)
    reaches = _reaches(plan, keys, n_layer, is_causal)
    config = ModelConfig(
        family=plan.name,
        n_vocab=vocabulary_of(keys),
        n_position=LONGEST,
        n_trained=n_position,
        embedding_scale=math.sqrt(d_model),
        predicts=predicts(keys),
        is_tied=keys.flag("tie_word_embeddings", default=True),
        has_attention_bias=bias,
        has_output_bias=bias,
        logit_cap=logit_cap,
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=shared_heads(keys, n_head),
            d_head=d_head,
            d_model=d_model,
            d_ff=width_of(keys, "intermediate_size"),
            norm="rms",
            norm_eps=keys.number("rms_norm_eps", 0.0, 1.0, default=1e-6),
            activation=_activation(plan, keys),
            looks=tuple(Looking(pre**-0.5, is_causal, reach, score_cap, full if reach is None else local) for reach in reaches),
        ),
    )
    keys.finish(HARMLESS | _OWN_HARMLESS)
    return config


def _read_text_config(keys: ConfigKeys) -> ModelConfig:
    """The text half of a model for texts and pictures; a text without a picture is masked like any other."""
    text = keys.part("text_config")
    if text is None:
        raise keys.refuse('"text_config" is missing; the file is not a complete model configuration')
    for name, value in _TEXT_DEFAULTS.items():
        text.assume(name, value)
    text.only("model_type", "gemma3_text")
    text.only("tie_word_embeddings", True)
    for name in ("use_bidirectional_attention", "final_logit_softcapping"):
        text.only(name, False)  # this model's own code masks and predicts without heeding them (transformers 5)
    keys.only("tie_word_embeddings", True)
    config = replace(_read_config(_TEXT_HALF, text), predicts=predicts(keys))
    keys.finish(HARMLESS | _OF_PICTURES)
    return config


def _is_causal(plan: _Plan, keys: ConfigKeys) -> bool:
    """Only Gemma 3 can be told to look both ways; the masks of the earlier ones do not heed the key (transformers 5)."""
    if plan.n == 3:
        return not keys.flag("use_bidirectional_attention", default=False)
    keys.only("use_bidirectional_attention", False)
    return True


def _caps(plan: _Plan, keys: ConfigKeys) -> tuple[float | None, float | None]:
    """The soft-caps of scores and of logits. Gemma has none, and Gemma 3's code does not heed the key of the first."""
    if plan.n == 1:
        return None, None
    caps = (
        keys.number(name, 1e-3, 1e6, default=default if plan.n == 2 and not keys.is_null(name) else None)
        for name, default in (("attn_logit_softcapping", 50.0), ("final_logit_softcapping", 30.0))
    )
    score_cap, logit_cap = caps
    return score_cap if plan.n == 2 else None, logit_cap


def _activation(plan: _Plan, keys: ConfigKeys) -> Activation:
    """The first Gemma's files say "gelu" and mean its tanh form (transformers, GemmaConfig)."""
    if plan.n == 1:
        return keys.choice("hidden_act|hidden_activation", {**ACTIVATIONS, "gelu": "gelu_tanh"}, default="gelu_tanh")
    return keys.choice("hidden_activation", ACTIVATIONS, default="gelu_tanh")


def _ropes(plan: _Plan, keys: ConfigKeys, d_head: int, n_position: int) -> tuple[Rope, Rope]:
    """Of the layers that look everywhere, and of those with a window."""
    if plan.n < 3:
        rope = read_rope(keys, Usual(d_head, n_position, 10_000.0))
        return rope, rope
    fulls, local = [keys.part("rope_scaling")], None
    part = keys.part("rope_parameters")
    if part is not None:
        fulls.append(part.part("full_attention"))
        local = part.part("sliding_attention")
        part.finish(())
    return (
        rope_of_all(fulls, keys, Usual(d_head, n_position, 1e6)),
        rope_from(local, keys, Usual(d_head, n_position, 1e4, base_name="rope_local_base_freq")),
    )


def _reaches(plan: _Plan, keys: ConfigKeys, n_layer: int, is_causal: bool) -> list[int | None]:
    """How far each layer looks; None for any distance."""
    if plan.n == 1:
        return [None] * n_layer
    window = window_of(keys, 4_096, narrowest=1 if is_causal else 0)
    if window is not None and not is_causal:
        window = window // 2 + 1  # to each side (transformers, Gemma3TextConfig)
    keys.only("sliding_window_size", window)
    every = plan.every
    if plan.n == 3:
        every = keys.integer("sliding_window_pattern", 1, LONGEST, default=every)
        if not keys.has("layer_types"):
            keys.only("_sliding_window_pattern", every)  # a note beside `layer_types`, which nothing reads (transformers)
    slides = window_layers(keys, n_layer, [bool((number + 1) % every) for number in range(n_layer)])
    return reaches_of(keys, window, slides)


def _read_weights(plan: _Plan, config: ModelConfig, file: Checkpoint) -> Weights:
    d = config.d_model
    stack = StackWeights(
        Embeddings(word=file.table(WORDS, (config.n_vocab, d))),
        layer=partial(_layer, plan, config, file),
        final_norm=_norm(file, "norm", d),
    )
    return Weights(stack, head=output_head(config, file, "lm_head.weight", WORDS))


def _layer(plan: _Plan, config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    at = f"layers.{number}."
    d, d_head = config.d_model, config.d_head
    attention = attention_of(config, file, at)
    if plan.n == 3:
        q_norm, k_norm = _norm(file, at + "self_attn.q_norm", d_head), _norm(file, at + "self_attn.k_norm", d_head)
        attention = replace(attention, q_norm=q_norm, k_norm=k_norm)
    before, after = _norm(file, at + "input_layernorm", d), _norm(file, at + "post_attention_layernorm", d)
    if plan.n == 1:
        norms = Norms(before=before), Norms(before=after)
    else:
        norms = (
            Norms(before=before, output=after),
            Norms(
                before=_norm(file, at + "pre_feedforward_layernorm", d),
                output=_norm(file, at + "post_feedforward_layernorm", d),
            ),
        )
    return Layer(attention, *norms, feed_forward=gated(config, file, at + "mlp."))


def _norm(file: Checkpoint, name: str, width: int) -> Norm:
    return Norm(file.tensor(f"{name}.weight", (width,)) + np.float32(1))


def _family(plan: _Plan) -> Family:
    known = re.compile(KNOWN.pattern + r"|^dense\.\d+\.")
    return Family(partial(_read_config, plan), partial(_read_weights, plan), WORDS, ("model.", ""), known)


GEMMA = _family(_Plan("gemma", 1))
GEMMA2 = _family(_Plan("gemma2", 2, every=2))
GEMMA3 = _family(_Plan("gemma3_text", 3, every=6))
_TEXT_HALF = _Plan("gemma3", 3, every=6)
GEMMA3_WITH_VISION = Family(
    _read_text_config,
    partial(_read_weights, _TEXT_HALF),
    WORDS,
    ("language_model.model.", "model.language_model.", "language_model."),
    re.compile(r"^(model\.)?(vision_tower|multi_modal_projector)\.|^(language_model\.)?lm_head\.weight$"),
)
