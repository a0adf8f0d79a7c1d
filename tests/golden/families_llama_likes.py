"""Tiny models of LLaMA's plan with something beside it that `make_families` turns into golden data: one row for each case.

Part of `make_families`; plain data, needs nothing. Sizes are odd and unequal where a family allows it, so that a mixed-up
axis cannot fit by luck, and windows and rope limits are shorter than the texts.
"""

from __future__ import annotations

from typing import Any, Final

from tests.golden.families_row import Row, Spelling


def _plain(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 401,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 45,
        "max_position_embeddings": 64,
        "pad_token_id": None,
        "bos_token_id": 1,
        "eos_token_id": 2,
        **changes,
    }


def _theta(theta: float, **changes: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta, **changes}}


MISTRAL: Final = (
    Row(
        "mistral-window",
        "MistralForCausalLM",
        _plain(sliding_window=7, **_theta(400.0)),
        "spm_llama",
        matters=({"sliding_window": None}, {"sliding_window": 8}, _theta(1e4)),
    ),
    Row(
        "mistral-head-dim-tied",
        "MistralForCausalLM",
        _plain(sliding_window=None, head_dim=12, num_key_value_heads=1, tie_word_embeddings=True, hidden_act="gelu"),
        "spm_llama",
        matters=({"hidden_act": "gelu_new"},),
    ),
)

MIXTRAL: Final = (
    Row(
        "mixtral-two-of-four",
        "MixtralForCausalLM",
        _plain(num_local_experts=4, num_experts_per_tok=2, sliding_window=6, **_theta(1e6)),
        "spm_llama",
        matters=({"num_experts_per_tok": 1}, {"sliding_window": None}),
    ),
    Row(
        "mixtral-three-of-five-bare",
        "MixtralModel",
        _plain(num_local_experts=5, num_experts_per_tok=3, head_dim=6, rms_norm_eps=0.01),
        "spm_llama",
        matters=({"num_experts_per_tok": 2},),
    ),
)

QWEN2: Final = (
    Row("qwen2-tied", "Qwen2ForCausalLM", _plain(tie_word_embeddings=True, **_theta(1e6)), "bpe_qwen2"),
    Row(
        "qwen2-windows",
        "Qwen2ForCausalLM",
        _plain(num_hidden_layers=3, use_sliding_window=True, sliding_window=6, max_window_layers=1),
        "bpe_qwen2",
        matters=({"layer_types": ["full_attention"] * 3}, {"sliding_window": 7}),
    ),
    Row(
        "qwen2-layer-types-yarn-bare",
        "Qwen2Model",
        _plain(
            num_hidden_layers=3,
            use_sliding_window=True,
            sliding_window=5,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            rope_parameters={
                "rope_type": "yarn",
                "rope_theta": 900.0,
                "factor": 4.0,
                "original_max_position_embeddings": 16,
            },
        ),
        "bpe_qwen2",
        matters=(_theta(900.0), {"layer_types": ["sliding_attention", "full_attention", "full_attention"]}),
    ),
)

QWEN3: Final = (
    Row("qwen3-head-dim-tied", "Qwen3ForCausalLM", _plain(head_dim=12, tie_word_embeddings=True, **_theta(1e6)), "bpe_qwen2"),
    Row(
        "qwen3-biases-windows",
        "Qwen3ForCausalLM",
        _plain(
            head_dim=6,
            attention_bias=True,
            num_hidden_layers=3,
            use_sliding_window=True,
            sliding_window=6,
            max_window_layers=2,
            rms_norm_eps=0.02,
        ),
        "bpe_qwen2",
        matters=({"layer_types": ["full_attention"] * 3}, {"rms_norm_eps": 1e-6}),
    ),
)

_LONG: Final = {"short_factor": [1.0, 1.3, 1.6, 2.0], "long_factor": [1.5, 2.5, 4.0, 6.0]}
_PARTIAL: Final = {"short_factor": [1.0, 1.4, 1.9], "long_factor": [1.5, 3.0, 6.0], "partial_rotary_factor": 0.75}

PHI3: Final = (
    Row("phi3-window", "Phi3ForCausalLM", _plain(sliding_window=9), "spm_llama", matters=({"sliding_window": None},)),
    Row(
        "phi3-longrope",
        "Phi3ForCausalLM",
        _plain(
            original_max_position_embeddings=16,
            rope_parameters={"rope_type": "longrope", "rope_theta": 500.0, **_LONG},
            num_key_value_heads=4,
            tie_word_embeddings=True,
        ),
        "spm_llama",
        matters=({"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}, "rope_theta": 500.0},),
        notes="Texts of up to 16 tokens use short_factor, longer ones long_factor.",
    ),
    Row(
        "phi3-partial-longrope-bare",
        "Phi3Model",
        _plain(
            original_max_position_embeddings=16,
            partial_rotary_factor=0.75,
            rope_parameters={"rope_type": "longrope", "rope_theta": 500.0, "attention_factor": 1.3, **_PARTIAL},
        ),
        "spm_llama",
        notes="Three quarters of each head turn, as in Phi-4-mini.",
    ),
)

OLMO2: Final = (
    Row("olmo2-lm", "Olmo2ForCausalLM", _plain(**_theta(5e5)), "bpe_gpt2", matters=({"hidden_act": "gelu"},)),
    Row(
        "olmo2-biases-tied",
        "Olmo2ForCausalLM",
        _plain(attention_bias=True, num_key_value_heads=4, tie_word_embeddings=True, rms_norm_eps=0.02, hidden_act="relu"),
        "bpe_gpt2",
        matters=({"rms_norm_eps": 1e-6},),
    ),
)

LLAMA_LIKE: Final[tuple[Row, ...]] = (*MISTRAL, *MIXTRAL, *QWEN2, *QWEN3, *PHI3, *OLMO2)

LLAMA_LIKE_SPELLINGS: Final = (
    Spelling("mistral-window-v4", "mistral-window", {"torch_dtype": "float32", "rope_theta": 400.0}),
    Spelling("mixtral-two-of-four-v4", "mixtral-two-of-four", {"torch_dtype": "float32", "rope_theta": 1e6, "head_dim": None}),
    Spelling("qwen2-windows-v4", "qwen2-windows", {"torch_dtype": "float32", "rope_theta": 1e4, "rope_scaling": None}),
    Spelling("qwen3-biases-windows-v4", "qwen3-biases-windows", {"torch_dtype": "float32", "rope_theta": 1e4}),
    Spelling(
        "phi3-longrope-v4",
        "phi3-longrope",
        {"torch_dtype": "float32", "rope_theta": 500.0, "rope_scaling": {"type": "longrope", **_LONG}},
        drop=("rope_parameters", "partial_rotary_factor", "dtype"),
    ),
    Spelling("olmo2-lm-v4", "olmo2-lm", {"torch_dtype": "float32", "rope_theta": 5e5, "rope_scaling": None}),
)
