"""Tiny LLaMAs that `make_families` turns into golden data: biases, shared keys and every rope scaling.

Part of `make_families`; plain data, needs nothing. Sizes are odd and unequal where a family allows it, so that a mixed-up
axis cannot fit by luck, and windows and rope limits are shorter than the texts.
"""

from __future__ import annotations

from typing import Any, Final

from tests.golden.families_row import Row, Spelling


def _llama(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 401,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 45,
        "max_position_embeddings": 64,
        "tie_word_embeddings": False,
        **changes,
    }


def _rope(kind: str, theta: float = 500.0, **changes: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **changes}}


_LINEAR: Final = {"factor": 3.0}
_DYNAMIC: Final = {"factor": 2.0}
_YARN: Final = {"factor": 4.0, "original_max_position_embeddings": 16}
_YARN_MSCALE: Final = {**_YARN, "beta_fast": 8.0, "beta_slow": 1.5, "mscale": 0.7, "mscale_all_dim": 0.4}
_YARN_FACTOR: Final = {**_YARN, "attention_factor": 1.4, "truncate": False}
_LLAMA3: Final = {
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
_LONG: Final = {
    "short_factor": [1.0, 1.3, 1.6, 2.0],
    "long_factor": [1.5, 2.5, 4.0, 6.0],
    "original_max_position_embeddings": 16,
}
_PLAIN_ROPE: Final = ({"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},)

LLAMA: Final = (
    Row("llama-mha", "LlamaForCausalLM", _llama(), "spm_llama"),
    Row("llama-gqa", "LlamaForCausalLM", _llama(num_key_value_heads=2, rms_norm_eps=0.02), "spm_llama"),
    Row("llama-gqa-bare", "LlamaModel", _llama(num_key_value_heads=2, num_hidden_layers=3), "spm_llama"),
    Row(
        "llama-head-dim-tied",
        "LlamaForCausalLM",
        _llama(head_dim=12, num_key_value_heads=1, tie_word_embeddings=True),
        "bpe_llama3",
    ),
    Row("llama-biases", "LlamaForCausalLM", _llama(attention_bias=True, mlp_bias=True, hidden_act="gelu"), "bpe_llama3"),
    Row(
        "llama-rope-theta",
        "LlamaForCausalLM",
        _llama(**_rope("default", 77.0)),
        "spm_llama",
        matters=({"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}},),
    ),
    Row("llama-rope-linear", "LlamaForCausalLM", _llama(**_rope("linear", **_LINEAR)), "spm_llama", matters=_PLAIN_ROPE),
    Row(
        "llama-rope-dynamic",
        "LlamaForCausalLM",
        _llama(**_rope("dynamic", **_DYNAMIC), max_position_embeddings=16),
        "spm_llama",
        matters=_PLAIN_ROPE,
        notes="Longer texts than max_position_embeddings: the frequencies change with the text's length.",
    ),
    Row("llama-rope-yarn", "LlamaForCausalLM", _llama(**_rope("yarn", **_YARN)), "spm_llama", matters=_PLAIN_ROPE),
    Row("llama-rope-yarn-mscale", "LlamaForCausalLM", _llama(**_rope("yarn", **_YARN_MSCALE)), "spm_llama", matters=_PLAIN_ROPE),
    Row("llama-rope-yarn-factor", "LlamaForCausalLM", _llama(**_rope("yarn", **_YARN_FACTOR)), "spm_llama", matters=_PLAIN_ROPE),
    Row("llama-rope-llama3", "LlamaForCausalLM", _llama(**_rope("llama3", **_LLAMA3)), "bpe_llama3", matters=_PLAIN_ROPE),
    Row(
        "llama-rope-longrope",
        "LlamaForCausalLM",
        _llama(**_rope("longrope", **_LONG)),
        "spm_llama",
        matters=_PLAIN_ROPE,
        notes="Texts of up to 16 tokens use short_factor, longer ones long_factor.",
    ),
)


def _v4(**scaling: Any) -> dict[str, Any]:
    return {"torch_dtype": "float32", "rope_theta": 500.0, "rope_scaling": scaling}


LLAMA_SPELLINGS: Final = (
    Spelling("llama-rope-theta-v4", "llama-rope-theta", {"torch_dtype": "float32", "rope_theta": 77.0, "rope_scaling": None}),
    Spelling("llama-rope-linear-v4", "llama-rope-linear", _v4(rope_type="linear", **_LINEAR)),
    Spelling("llama-rope-linear-v4-type", "llama-rope-linear", _v4(type="linear", **_LINEAR)),
    Spelling("llama-rope-dynamic-v4-type", "llama-rope-dynamic", _v4(type="dynamic", **_DYNAMIC)),
    Spelling("llama-rope-yarn-v4", "llama-rope-yarn", _v4(rope_type="yarn", **_YARN)),
    Spelling("llama-rope-yarn-v4-both", "llama-rope-yarn-mscale", _v4(rope_type="yarn", type="yarn", **_YARN_MSCALE)),
    Spelling("llama-rope-llama3-v4", "llama-rope-llama3", _v4(rope_type="llama3", **_LLAMA3)),
    Spelling("llama-rope-longrope-v4-type", "llama-rope-longrope", _v4(type="longrope", **_LONG)),
)
