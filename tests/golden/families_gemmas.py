"""Tiny Gemma and gpt-oss models that `make_families` turns into golden data: windows on some layers, soft-caps, sinks.

Part of `make_families`; plain data, needs nothing. Sizes are odd and unequal where a family allows it, so that a mixed-up
axis cannot fit by luck, and windows and rope limits are shorter than the texts.
"""

from __future__ import annotations

from typing import Any, Final

from tests.golden.families_row import Row, Spelling


def _plain(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 393,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 10,
        "intermediate_size": 45,
        "max_position_embeddings": 64,
        **changes,
    }


def _theta(theta: float) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta}}


GEMMA: Final = (
    Row(
        "gemma-one-key-head",
        "GemmaForCausalLM",
        _plain(num_key_value_heads=1, **_theta(300.0)),
        "spm_gemma",
        matters=(_theta(1e4), {"hidden_act": "silu"}),
    ),
    Row(
        "gemma-biases-untied",
        "GemmaForCausalLM",
        _plain(attention_bias=True, tie_word_embeddings=False, hidden_act="silu", rms_norm_eps=0.02),
        "spm_gemma",
        matters=({"hidden_act": "gelu"}, {"rms_norm_eps": 1e-6}),
    ),
)

GEMMA2: Final = (
    Row(
        "gemma2-caps-windows",
        "Gemma2ForCausalLM",
        _plain(attn_logit_softcapping=3.0, final_logit_softcapping=2.0, query_pre_attn_scalar=15, sliding_window=6),
        "spm_gemma",
        matters=(
            {"attn_logit_softcapping": None},
            {"final_logit_softcapping": None},
            {"query_pre_attn_scalar": 10},
            {"layer_types": ["full_attention", "sliding_attention"]},
        ),
    ),
    Row(
        "gemma2-uncapped-layer-types",
        "Gemma2ForCausalLM",
        _plain(
            attn_logit_softcapping=None,
            final_logit_softcapping=None,
            query_pre_attn_scalar=10,
            sliding_window=5,
            num_hidden_layers=3,
            layer_types=["full_attention", "sliding_attention", "sliding_attention"],
            hidden_activation="gelu",
        ),
        "spm_gemma",
        matters=({"hidden_activation": "gelu_pytorch_tanh"}, {"attn_logit_softcapping": 2.0}),
    ),
)

_LINEAR: Final = {"rope_type": "linear", "factor": 4.0}


def _ropes(full: float, local: float, **scaling: Any) -> dict[str, Any]:
    return {
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": full, **scaling},
            "sliding_attention": {"rope_type": "default", "rope_theta": local},
        }
    }


_THREE: Final = {"num_hidden_layers": 3, "sliding_window": 6, "query_pre_attn_scalar": 12}
_ALTERNATING: Final = {"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}

GEMMA3: Final = (
    Row(
        "gemma3-two-bases",
        "Gemma3ForCausalLM",
        _plain(**_THREE, **_ALTERNATING, **_ropes(5e3, 50.0, **_LINEAR)),
        "spm_gemma",
        matters=(_ropes(5e3, 50.0), _ropes(5e3, 5e3, **_LINEAR), {"query_pre_attn_scalar": 10}, {"sliding_window": 7}),
        gain=1.5,
    ),
    Row(
        "gemma3-both-ways-bare",
        "Gemma3TextModel",
        _plain(**{**_THREE, "sliding_window": 8}, **_ALTERNATING, use_bidirectional_attention=True, attention_bias=True),
        "spm_gemma",
        matters=({"use_bidirectional_attention": False}, {"sliding_window": 6}),
        gain=1.5,
    ),
    Row(
        "gemma3-capped-untied",
        "Gemma3ForCausalLM",
        _plain(**_THREE, **_ALTERNATING, final_logit_softcapping=2.0, tie_word_embeddings=False),
        "spm_gemma",
        matters=({"final_logit_softcapping": None},),
        gain=1.5,
    ),
    Row(
        "gemma3-with-vision",
        "Gemma3ForConditionalGeneration",
        {
            "text_config": _plain(**_THREE, **_ALTERNATING, **_ropes(5e3, 50.0, **_LINEAR)),
            "vision_config": {
                "hidden_size": 8,
                "intermediate_size": 9,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "image_size": 8,
                "patch_size": 4,
            },
            "mm_tokens_per_image": 4,
            "image_token_index": 392,
        },
        "spm_gemma",
        gain=1.5,
        notes="The text half of a model that also sees pictures.",
    ),
)


def _oss(**changes: Any) -> dict[str, Any]:
    return _plain(
        **{
            "num_local_experts": 4,
            "num_experts_per_tok": 2,
            "head_dim": 12,
            "sliding_window": 6,
            "pad_token_id": None,
            "bos_token_id": 1,
            "eos_token_id": 2,
            **changes,
        }
    )


_STRETCHED: Final = {
    "rope_parameters": {
        "rope_type": "yarn",
        "rope_theta": 2e3,
        "factor": 4.0,
        "beta_fast": 4.0,
        "beta_slow": 1.0,
        "truncate": False,
        "original_max_position_embeddings": 16,
    }
}

GPT_OSS: Final = (
    Row(
        "gpt-oss-windows-yarn",
        "GptOssForCausalLM",
        _oss(swiglu_limit=0.6, **_STRETCHED),
        "bpe_llama3",
        matters=(_theta(2e3), {"layer_types": ["full_attention"] * 2}, {"num_experts_per_tok": 1}, {"swiglu_limit": 7.0}),
    ),
    Row(
        "gpt-oss-layer-types-tied",
        "GptOssForCausalLM",
        _oss(
            attention_bias=False,
            layer_types=["full_attention", "sliding_attention"],
            tie_word_embeddings=True,
            num_local_experts=3,
            num_experts_per_tok=3,
            num_key_value_heads=1,
            swiglu_alpha=1.1,
            **_theta(1.5e5),
        ),
        "bpe_llama3",
        matters=({"layer_types": ["sliding_attention", "full_attention"]}, {"swiglu_alpha": 1.702}),
    ),
    Row(
        "gpt-oss-mxfp4",
        "GptOssForCausalLM",
        _oss(
            intermediate_size=64,
            quantization_config={
                "quant_method": "mxfp4",
                "modules_to_not_convert": [
                    "model.layers.*.self_attn",
                    "model.layers.*.mlp.router",
                    "model.embed_tokens",
                    "lm_head",
                ],
            },
            **_STRETCHED,
        ),
        "bpe_llama3",
        notes="Experts in blocks of 32 4-bit numbers, as the published models have them.",
    ),
)

GEMMA_LIKE: Final[tuple[Row, ...]] = (*GEMMA, *GEMMA2, *GEMMA3, *GPT_OSS)

GEMMA_LIKE_SPELLINGS: Final = (
    Spelling(
        "gemma-one-key-head-v4",
        "gemma-one-key-head",
        {"hidden_act": "gelu", "rope_theta": 300.0, "torch_dtype": "float32", "rope_scaling": None},
        notes='The published files say "gelu" and mean its tanh form.',
    ),
    Spelling(
        "gemma2-caps-windows-v4",
        "gemma2-caps-windows",
        {
            "hidden_act": "gelu_pytorch_tanh",
            "rope_theta": 10000.0,
            "cache_implementation": "hybrid",
            "torch_dtype": "float32",
        },
    ),
    Spelling(
        "gemma3-two-bases-v4",
        "gemma3-two-bases",
        {
            "rope_theta": 5e3,
            "rope_local_base_freq": 50.0,
            "rope_scaling": _LINEAR,
            "sliding_window_pattern": 2,
            "torch_dtype": "float32",
            "cache_implementation": "hybrid",
        },
        drop=("rope_parameters", "layer_types", "_sliding_window_pattern", "dtype"),
    ),
    Spelling(
        "gpt-oss-windows-yarn-v4",
        "gpt-oss-windows-yarn",
        {
            "rope_theta": 2e3,
            "rope_scaling": {key: value for key, value in _STRETCHED["rope_parameters"].items() if key != "rope_theta"},
            "initial_context_length": 16,
            "experts_per_token": 2,
            "torch_dtype": "float32",
        },
    ),
)
