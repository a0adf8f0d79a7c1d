"""Which golden cases a GGUF file can hold, and what such a file leaves unsaid of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from attnviz.engine.config_keys import ConfigKeys
from attnviz.engine.families import family_of
from tests.golden.families_reader import CASES, TOKENIZERS, expected, read_about, weights, write_weights
from tests.golden.gguf_writer import ARCHITECTURES, convert

if TYPE_CHECKING:
    from pathlib import Path

    from tests.golden.gguf_writer import Arrays

GGUF_CASES: Final = tuple(
    case for case in CASES if read_about(case)["seed"] == case and read_about(case)["config"]["model_type"] in ARCHITECTURES
)
# What a GGUF file cannot say, by model_type: the key of config.json, and what a reader takes for it.
UNTOLD: Final[dict[str, dict[str, Any]]] = {
    "bert": {"hidden_act": "gelu"},
    "roberta": {"hidden_act": "gelu"},
    "xlm-roberta": {"hidden_act": "gelu"},
    "distilbert": {"activation": "gelu"},
    "gpt2": {
        "activation_function": "gelu_new",
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        "reorder_and_upcast_attn": False,
    },
    "gpt_neox": {"hidden_act": "gelu"},
    "bloom": {"apply_residual_connection_post_layernorm": False},
    "llama": {"hidden_act": "silu"},
    "mistral": {"hidden_act": "silu", "sliding_window": None},
    "mixtral": {"hidden_act": "silu", "sliding_window": None},
    "qwen2": {"hidden_act": "silu", "use_sliding_window": False, "layer_types": None},
    "qwen3": {"hidden_act": "silu", "use_sliding_window": False, "layer_types": None},
    "phi3": {"hidden_act": "silu"},
    "olmo2": {"hidden_act": "silu"},
    "gemma": {"tie_word_embeddings": True, "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh"},
    "gemma2": {"tie_word_embeddings": True, "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": "head_dim"},
    "gemma3_text": {"hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": "head_dim"},
    "gpt_oss": {"swiglu_limit": 7.0, "swiglu_alpha": 1.702},
    "t5": {"relative_attention_max_distance": 128, "scale_decoder_outputs": True},
}


def told(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration as a GGUF file tells it."""
    result = dict(config)
    for key, value in UNTOLD.get(config["model_type"], {}).items():
        if key in result:
            result[key] = config[value] if value == "head_dim" else value
    if config["model_type"] == "t5":
        gated = config["is_gated_act"]
        result |= {"feed_forward_proj": "gated-gelu" if gated else "relu", "dense_act_fn": "gelu_new" if gated else "relu"}
    ropes = config.get("rope_parameters")
    if ropes:
        parts = "full_attention" in ropes
        told_ropes = {name: _told_rope(config, rope, name) for name, rope in ropes.items()} if parts else _told_rope(config, ropes)
        result["rope_parameters"] = told_ropes
    return result


def _told_rope(config: dict[str, Any], rope: dict[str, Any], name: str = "") -> dict[str, Any]:
    rope = {key: value for key, value in rope.items() if key not in ("mscale", "mscale_all_dim")}
    if rope.get("rope_type") == "dynamic" or name == "sliding_attention":
        rope = {"rope_type": "default", "rope_theta": rope["rope_theta"]}
    if config["model_type"] == "modernbert":
        rope = {"rope_type": "default", "rope_theta": rope["rope_theta"]}
    if "truncate" in rope and config["model_type"] != "gpt_oss":
        rope["truncate"] = True
    return rope


def told_weights(case: str) -> Arrays:
    """The tensors as a GGUF file tells them: the first Gemmas' output is always tied, and RoBERTa's positions up to the padding's
    are cut off, which no token has but padding itself (zeros in published models)."""
    config, tensors = read_about(case)["config"], weights(case)
    if config["model_type"] in ("gemma", "gemma2"):
        tensors.pop("lm_head.weight", None)
    if config["model_type"] in ("roberta", "xlm-roberta"):
        name = next(name for name in tensors if name.endswith("position_embeddings.weight"))
        tensors[name][: config["pad_token_id"] + 1] = 0
    return tensors


def is_told_whole(case: str) -> bool:
    """Whether a GGUF file says everything of the case that matters, so that the reference's numbers hold for it."""
    config = read_about(case)["config"]
    as_read, as_told = (family_of(one, case).read_config(ConfigKeys(one, case)) for one in (config, told(config)))
    has_padding = any((wanted.ids == config.get("pad_token_id")).any() for wanted in expected(case))
    return as_read == as_told and not (has_padding and "roberta" in config["model_type"])


def write_told_folder(folder: Path, config: dict[str, Any], tensors: Arrays, tokenizer: str) -> Path:
    """A Hugging Face folder of what a GGUF file tells."""
    folder.mkdir(parents=True, exist_ok=True)
    write_weights({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, folder)
    (folder / "config.json").write_text(json.dumps(told(config)), encoding="utf-8")
    (folder / "tokenizer.json").write_bytes((TOKENIZERS / f"{tokenizer}.json").read_bytes())
    return folder


def dequantized(config: dict[str, Any], tensors: Arrays, numbers: Arrays) -> Arrays:
    """The checkpoint's tensors with the numbers that a GGUF file holds, by its own names.

    The conversion only moves the numbers of matrices, so where each one went is found by converting their positions.
    """
    starts = np.cumsum([0, *(tensor.size for tensor in tensors.values())])
    flat = np.concatenate([tensor.ravel() for tensor in tensors.values()])
    positions = {
        name: np.arange(start, start + tensor.size).reshape(tensor.shape)
        for start, (name, tensor) in zip(starts, tensors.items(), strict=False)
    }
    for name, moved in convert(config, positions).tensors.items():
        if name in numbers and moved.ndim > 1:
            flat[moved] = numbers[name]
    return {
        name: flat[start : start + tensor.size].reshape(tensor.shape)
        for start, (name, tensor) in zip(starts, tensors.items(), strict=False)
    }


def tokenizer_metadata(about: dict[str, Any]) -> dict[str, Any]:
    """Just what the configuration's reader looks at of the tokenizer."""
    model = {"wordpiece": "bert", "bpe": "gpt2", "spm": "llama", "unigram": "t5"}[about["tokenizer"].split("_")[0]]
    return {"tokenizer.ggml.model": model, "tokenizer.ggml.padding_token_id": about["config"].get("pad_token_id") or 0}
