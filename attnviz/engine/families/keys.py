"""Reading the configuration keys that many families share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from attnviz.engine.config import Looking
from attnviz.engine.config_keys import LARGEST_VOCABULARY, LONGEST, MOST_HEADS, MOST_LAYERS, WIDEST, ConfigKeys
from attnviz.engine.rope import Rope, yarn_attention_factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attnviz.engine.config import Activation

ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "quick_gelu": "quick_gelu",
    "relu": "relu",
    "relu2": "relu2",
    "silu": "silu",
    "swish": "silu",
    "tanh": "tanh",
}

# Keys that change training, labels, generation or bookkeeping, never the attention of a forward pass, whatever the family.
HARMLESS = frozenset(
    """_attn_implementation _attn_implementation_autoset _attn_implementation_internal _commit_hash _name_or_path architectures
    attention_dropout attention_probs_dropout_prob attn_implementation auto_map bad_words_ids begin_suppress_tokens bos_token_id
    chunk_size_feed_forward classifier_activation classifier_bias classifier_dropout classifier_dropout_prob classifier_pooling
    cls_token_id decoder_start_token_id directionality diversity_penalty do_sample dtype early_stopping embd_pdrop
    encoder_no_repeat_ngram_size eos_token_id exponential_decay_length_penalty finetuning_task forced_bos_token_id
    forced_eos_token_id gradient_checkpointing hidden_dropout hidden_dropout_prob id2label initializer_factor
    initializer_range init_std label2id language layerdrop length_penalty mask_token_id max_length min_length model_type
    name_or_path no_repeat_ngram_size num_beam_groups num_beams num_labels num_return_sequences output_attentions
    output_hidden_states output_past output_scores pad_token_id pooler_fc_size pooler_num_attention_heads
    pooler_num_fc_layers pooler_size_per_head pooler_type prefix problem_type remove_invalid_values repetition_penalty
    resid_pdrop return_dict return_dict_in_generate sep_token_id summary_activation summary_first_dropout
    summary_last_dropout summary_proj_to_labels summary_type summary_use_proj suppress_tokens task_specific_params
    temperature tf_legacy_loss tokenizer_class top_k top_p torch_dtype torchscript transformers_version
    typical_p unk_token_id use_bfloat16 use_cache""".split()
)

_CAUSAL_ONLY = ("is_encoder_decoder", "add_cross_attention")


# What the class names of transformers' language models have that those of bare models and classifiers lack.
_PREDICTING = ("ForCausalLM", "LMHead", "ForConditionalGeneration", "ForMaskedLM", "ForPreTraining", "MTModel", "WithLM")


def predicts(keys: ConfigKeys) -> bool:
    """Whether `architectures` names a language model; where it says nothing, yes."""
    names = keys.strings("architectures")
    return not names or any(part in name for name in names for part in _PREDICTING)


def layers_of(keys: ConfigKeys, name: str = "num_hidden_layers") -> int:
    """The number of layers."""
    return keys.integer(name, 1, MOST_LAYERS)


def heads_of(keys: ConfigKeys, name: str = "num_attention_heads", default: Any = None) -> int:
    """The number of heads."""
    return keys.integer(name, 1, MOST_HEADS) if default is None else keys.integer(name, 1, MOST_HEADS, default)


def width_of(keys: ConfigKeys, name: str = "hidden_size") -> int:
    """The width of a token's vector, or of another part."""
    return keys.integer(name, 1, WIDEST)


def vocabulary_of(keys: ConfigKeys, name: str = "vocab_size") -> int:
    """The number of tokens the model has vectors for."""
    return keys.integer(name, 1, LARGEST_VOCABULARY)


def positions_of(keys: ConfigKeys, name: str = "max_position_embeddings", default: Any = None) -> int:
    """The most tokens the model reads."""
    return keys.integer(name, 1, LONGEST) if default is None else keys.integer(name, 1, LONGEST, default)


def head_width(keys: ConfigKeys, d_model: int, n_head: int, name: str = "head_dim") -> int:
    """The width of a head: its own key, else the model's width shared out. Raises ModelError where that does not divide."""
    if name and keys.has(name):
        return keys.integer(name, 1, WIDEST)
    if name:
        keys.only(name)  # null
    if d_model % n_head:
        raise keys.refuse(f'the width {d_model} is not a multiple of "num_attention_heads" {n_head}')
    return d_model // n_head


def shared_heads(keys: ConfigKeys, n_head: int, name: str = "num_key_value_heads") -> int:
    """The number of key and value heads, each shared by as many query heads."""
    n_kv_head = keys.integer(name, 1, n_head, default=n_head)
    if n_head % n_kv_head:
        raise keys.refuse(f"{n_head} heads cannot share {n_kv_head} key heads evenly")
    return n_kv_head


def one_text_encoder(keys: ConfigKeys) -> None:
    """Accept only what an encoder without a decoder says of itself."""
    keys.only("is_decoder", False)
    keys.only("position_embedding_type", "absolute")
    keys.only("pruned_heads", {})
    _no_cross(keys)


def decoder_alone(keys: ConfigKeys) -> None:
    """Accept only what a decoder without an encoder says of itself."""
    keys.only("is_decoder", False, True)
    keys.only("pruned_heads", {})
    _no_cross(keys)


def _no_cross(keys: ConfigKeys) -> None:
    for name in _CAUSAL_ONLY:
        keys.only(name, False)
    keys.only("cross_attention_hidden_size")
    keys.only("tie_encoder_decoder", False)


def alike(n_layer: int, look: Looking) -> tuple[Looking, ...]:
    """The same way of looking in each layer."""
    return (look,) * n_layer


def window_layers(keys: ConfigKeys, n_layer: int, slides: list[bool]) -> list[bool]:
    """For each layer whether its attention slides: `layer_types` where that is given, else `slides`."""
    types = keys.words("layer_types", ("sliding_attention", "full_attention"), n_layer)
    return slides if types is None else [kind == "sliding_attention" for kind in types]


def window_of(keys: ConfigKeys) -> int | None:
    """`sliding_window`, the number of keys that a query sees, itself included; None for all of them."""
    return keys.integer("sliding_window", 1, LONGEST, default=None)


def read_rope(
    keys: ConfigKeys, d_head: int, n_position: int, default_base: float, default_share: float = 1.0, **spellings: str
) -> Rope:
    """The rotary positions of a model whose layers share them: `rope_parameters` as transformers 5 writes them, or the earlier
    `rope_theta` and `rope_scaling`.

    spellings: other names for `base` and `share` (the part of a head that turns), as GPT-NeoX has them.
    """
    base_name, share_name = spellings.get("base", "rope_theta"), spellings.get("share", "partial_rotary_factor")
    base = keys.number(base_name, 1.0, 1e12, default=default_base)
    share = keys.number(share_name, 0.0, 1.0, default=default_share)
    part = keys.part("rope_parameters|rope_scaling")
    original = keys.integer("original_max_position_embeddings", 1, LONGEST, default=None)
    return rope_from(part, keys, d_head, n_position, base, share, original)


def rope_from(
    part: ConfigKeys | None,
    keys: ConfigKeys,
    d_head: int,
    n_position: int,
    base: float,
    share: float = 1.0,
    original: int | None = None,
) -> Rope:
    """One set of rotary positions. part: its own keys, which go before `base`, `share` and `original`."""
    if part is None:
        return Rope(_turning(keys, d_head, share), base)
    base = part.number("rope_theta", 1.0, 1e12, default=base)
    share = part.number("partial_rotary_factor", 0.0, 1.0, default=share)
    kind = part.choice("rope_type|type", _KINDS, default="default")
    width = _turning(keys, d_head, share)
    rope = _STRETCHED[kind](part, width, base, n_position, original)
    part.finish(())
    return rope


def _turning(keys: ConfigKeys, d_head: int, share: float) -> int:
    width = int(d_head * share)
    if width < 2 or width % 2:
        raise keys.refuse(f"{width} of {d_head} numbers of a head would turn with the position; it takes an even number")
    return width


def _factor(part: ConfigKeys, default: Any = None) -> float:
    return part.number("factor", 1e-3, 1e6) if default is None else part.number("factor", 1e-3, 1e6, default=default)


def _original(part: ConfigKeys, fallback: int) -> int:
    return part.integer("original_max_position_embeddings", 1, LONGEST, default=fallback)


def _default(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    part.only("factor", 1, 1.0)
    return Rope(width, base)


def _linear(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    return Rope(width, base, "linear", _factor(part))


def _dynamic(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    if width == 2:
        raise part.refuse('"rope_type" dynamic needs heads of which more than two numbers turn')
    part.integer("original_max_position_embeddings", 1, LONGEST, default=None)  # transformers goes by max_position_embeddings
    return Rope(width, base, "dynamic", _factor(part), n_position)


def _yarn(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    original = original or _original(part, n_position)
    factor = _factor(part, n_position / original)
    mscale, mscale_all = (part.number(name, 0.0, 100.0, default=None) for name in ("mscale", "mscale_all_dim"))
    return Rope(
        width,
        base,
        "yarn",
        factor,
        original,
        part.number("attention_factor", 0.0, 1e3, default=yarn_attention_factor(factor, mscale, mscale_all)),
        low=part.number("beta_slow", 1e-6, 1e6, default=1.0),
        high=part.number("beta_fast", 1e-6, 1e6, default=32.0),
        truncate=part.flag("truncate", default=True),
    )


def _llama3(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    low, high = part.number("low_freq_factor", 1e-6, 1e6), part.number("high_freq_factor", 1e-6, 1e6)
    if high <= low:
        raise part.refuse(f'"high_freq_factor" {high} must be more than "low_freq_factor" {low}')
    return Rope(width, base, "llama3", _factor(part), original or _original(part, n_position), low=low, high=high)


def _longrope(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    original = original or _original(part, n_position)
    part.integer("original_max_position_embeddings", 1, LONGEST, default=None)
    factor = _factor(part, n_position / original)
    grown = math.sqrt(1 + math.log(factor) / math.log(original)) if factor > 1 and original > 1 else 1.0
    return Rope(
        width,
        base,
        "longrope",
        factor,
        original,
        part.number("attention_factor", 0.0, 1e3, default=grown),
        short=part.numbers("short_factor", width // 2),
        long=part.numbers("long_factor", width // 2),
    )


def _divided(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    return Rope(width, base, "divided", short=part.numbers("divisors", width // 2))


_STRETCHED = {
    "default": _default,
    "linear": _linear,
    "dynamic": _dynamic,
    "yarn": _yarn,
    "llama3": _llama3,
    "longrope": _longrope,
    "divided": _divided,  # attnviz's own word for the divisors that a GGUF file carries
}
_KINDS: Mapping[str, str] = {**{kind: kind for kind in _STRETCHED}, "su": "longrope"}


def read_positions_limit(rope: Rope, n_position: int) -> int:
    """The most tokens that a model with rotary positions reads: dynamic ones stretch beyond the trained length."""
    return int(n_position * max(1.0, rope.factor)) if rope.kind == "dynamic" else n_position
