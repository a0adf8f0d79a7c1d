"""The configuration of a golden model as metadata of a GGUF file, as llama.cpp's converter writes it (set_gguf_parameters).

Beyond the converter: `rope.freq_base`, windows' patterns and longrope's factors are written for every architecture whose reader
in llama.cpp would take them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


def keys_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of the architecture, without its name before the keys."""

    def first(*names: str) -> Any:
        return next((config[name] for name in names if config.get(name) is not None), None)

    kind, width = config["model_type"], first("hidden_size", "n_embd", "dim", "d_model")
    n_head, n_layer = (
        first("num_attention_heads", "n_head", "n_heads", "num_heads"),
        first("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    )
    keys = {
        "block_count": n_layer,
        "context_length": first("max_position_embeddings", "n_positions", "seq_length") or 512,
        "embedding_length": width,
        "feed_forward_length": first("intermediate_size", "n_inner", "hidden_dim", "d_ff") or 4 * width,
        "attention.head_count": n_head,
        "attention.head_count_kv": config.get("num_key_value_heads"),
        "attention.layer_norm_rms_epsilon": first("rms_norm_eps") or (config["layer_norm_epsilon"] if kind == "t5" else None),
        "attention.layer_norm_epsilon": first("layer_norm_eps", "layer_norm_epsilon", "norm_eps"),
        "expert_count": first("num_local_experts"),
        "expert_used_count": first("num_experts_per_tok"),
        "attention.key_length": first("head_dim", "d_kv"),
        "attention.value_length": first("head_dim", "d_kv"),
        **_rope_keys(config, first("head_dim") or width // n_head),
        **_OWN_KEYS.get(kind, lambda config: {})(config),
    }
    return {key: value for key, value in keys.items() if value is not None}


def _ropes(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Of the layers that look everywhere, and of those with a window if they have their own."""
    rope = config.get("rope_parameters") or {}
    return (rope["full_attention"], rope.get("sliding_attention")) if "full_attention" in rope else (rope, None)


def _rope_keys(config: Mapping[str, Any], d_head: int) -> dict[str, Any]:
    rope, local = _ropes(config)
    if not rope:
        return {}
    share = rope.get("partial_rotary_factor", config.get("partial_rotary_factor", config.get("rotary_pct", 1.0)))
    keys = {
        "rope.dimension_count": int(d_head * share),
        "rope.freq_base": float(rope.get("rope_theta", 10_000.0)),
        "rope.freq_base_swa": None if local is None else float(local["rope_theta"]),
    }
    kind = rope.get("rope_type", "default")
    if kind in ("linear", "yarn"):
        keys |= {"rope.scaling.type": kind, "rope.scaling.factor": float(rope["factor"])}
    if kind == "yarn":
        keys |= {
            "rope.scaling.original_context_length": rope["original_max_position_embeddings"],
            "rope.scaling.yarn_attn_factor": rope.get("attention_factor"),
            "rope.scaling.yarn_beta_fast": rope.get("beta_fast"),
            "rope.scaling.yarn_beta_slow": rope.get("beta_slow"),
        }
    if kind == "longrope":
        original = rope.get("original_max_position_embeddings") or config["original_max_position_embeddings"]
        scale = rope.get("factor") or config["max_position_embeddings"] / original
        grown = math.sqrt(1 + math.log(scale) / math.log(original)) if scale > 1 else 1.0
        keys |= {
            "rope.scaling.type": kind,
            "rope.scaling.original_context_length": original,
            "rope.scaling.attn_factor": float(rope.get("attention_factor") or grown),
        }
    return keys


def rope_tensors_of(config: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
    """The tensors that stretch rotary positions."""
    rope, _ = _ropes(config)
    if rope.get("rope_type") == "longrope":
        return {f"rope_factors_{name}.weight": np.array(rope[f"{name}_factor"], np.float32) for name in ("long", "short")}
    if rope.get("rope_type") == "llama3":
        width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
        return {"rope_freqs.weight": _llama3_factors(rope, width)}
    return {}


def _llama3_factors(rope: Mapping[str, Any], width: int) -> NDArray[np.float32]:
    factors = []
    for number in range(0, width, 2):
        turns = rope["original_max_position_embeddings"] / (2 * math.pi * rope["rope_theta"] ** (number / width))
        low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
        smooth = min(1.0, max(0.0, (turns - low) / (high - low)))
        factors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(factors, np.float32)


def _slides(config: Mapping[str, Any]) -> dict[str, Any]:
    keys = {"attention.sliding_window": config["sliding_window"]}
    if config.get("layer_types"):
        keys["attention.sliding_window_pattern"] = [one == "sliding_attention" for one in config["layer_types"]]
    return keys


def _gemma2(config: Mapping[str, Any]) -> dict[str, Any]:
    caps = {name: config.get(name) for name in ("attn_logit_softcapping", "final_logit_softcapping")}
    if config["model_type"] == "gemma3_text":
        causal = {"attention.causal": False} if config.get("use_bidirectional_attention") else {}
        return _slides(config) | {"final_logit_softcapping": caps["final_logit_softcapping"], **causal}
    return _slides(config) | {name: cap or 0.0 for name, cap in caps.items()}


_BERT_KEYS: Final = {"attention.causal": False, "pooling_type": 1}
_OWN_KEYS: Final[dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "llama": lambda config: {"vocab_size": config["vocab_size"]},
    "gemma2": _gemma2,
    "gemma3_text": _gemma2,
    "phi3": lambda config: {"attention.sliding_window": config.get("sliding_window") or 0},
    "gpt_oss": lambda config: _slides(config) | {"expert_feed_forward_length": config["intermediate_size"]},
    "gpt_neox": lambda config: {"use_parallel_residual": config.get("use_parallel_residual", True)},
    "bert": lambda config: _BERT_KEYS,
    "roberta": lambda config: _BERT_KEYS,
    "xlm-roberta": lambda config: _BERT_KEYS,
    "distilbert": lambda config: {**_BERT_KEYS, "attention.layer_norm_epsilon": 1e-12},
    "modernbert": lambda config: {
        **_BERT_KEYS,
        "attention.sliding_window": config["local_attention"],
        "attention.sliding_window_pattern": [one == "sliding_attention" for one in config["layer_types"]],
        "rope.scaling.type": "none",
        "hidden_act": config["hidden_activation"],
    },
    "t5": lambda config: {
        "attention.relative_buckets_count": config["relative_attention_num_buckets"],
        "decoder_start_token_id": config["decoder_start_token_id"] if config.get("is_encoder_decoder", True) else None,
        "decoder_block_count": config["num_decoder_layers"] if config.get("is_encoder_decoder", True) else None,
    },
}
