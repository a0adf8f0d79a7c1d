"""Tiny GPT-2, GPT-NeoX, OPT and BLOOM models that `make_families` turns into golden data: one row for each case.

Part of `make_families`; plain data, needs nothing. Sizes are odd and unequal where a family allows it, so that a mixed-up
axis cannot fit by luck, and windows and rope limits are shorter than the texts.
"""

from __future__ import annotations

from typing import Any, Final

from tests.golden.families_row import Row, Spelling


def _gpt2(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 353,
        "n_embd": 36,
        "n_layer": 3,
        "n_head": 3,
        "n_positions": 64,
        "bos_token_id": 0,
        "eos_token_id": 0,
        **changes,
    }


GPT2: Final = (
    Row("gpt2-lm", "GPT2LMHeadModel", _gpt2(), "bpe_gpt2"),
    Row("gpt2-bare", "GPT2Model", _gpt2(n_head=4), "bpe_gpt2"),
    Row(
        "gpt2-inverse-layer-reorder",
        "GPT2LMHeadModel",
        _gpt2(scale_attn_by_inverse_layer_idx=True, reorder_and_upcast_attn=True),
        "bpe_gpt2",
        matters=({"scale_attn_by_inverse_layer_idx": False},),
        gain=1.3,
    ),
    Row(
        "gpt2-unscaled",
        "GPT2LMHeadModel",
        _gpt2(scale_attn_weights=False, n_head=6),
        "bpe_gpt2",
        matters=({"scale_attn_weights": True},),
        gain=0.7,
    ),
    Row(
        "gpt2-n-inner-untied",
        "GPT2LMHeadModel",
        _gpt2(n_inner=50, tie_word_embeddings=False, activation_function="relu", layer_norm_epsilon=0.02),
        "bpe_gpt2",
        matters=({"activation_function": "gelu_new"}, {"layer_norm_epsilon": 1e-5}),
    ),
)


def _neox(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 359,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 45,
        "max_position_embeddings": 64,
        "bos_token_id": 0,
        "eos_token_id": 0,
        **changes,
    }


def _neox_rope(share: float, theta: float, kind: str = "default", **changes: Any) -> dict[str, Any]:
    rope = {"rope_type": kind, "rope_theta": theta, "partial_rotary_factor": share, **changes}
    return {"rope_parameters": rope}


GPT_NEOX: Final = (
    Row(
        "gpt-neox-parallel",
        "GPTNeoXForCausalLM",
        _neox(**_neox_rope(0.5, 300.0)),
        "bpe_gpt2",
        matters=({"use_parallel_residual": False}, {"hidden_act": "gelu_new"}, _neox_rope(1.0, 300.0), _neox_rope(0.5, 1e4)),
    ),
    Row(
        "gpt-neox-serial-tied",
        "GPTNeoXForCausalLM",
        _neox(
            hidden_size=36,
            num_attention_heads=3,
            use_parallel_residual=False,
            tie_word_embeddings=True,
            attention_bias=False,
            hidden_act="gelu_new",
            **_neox_rope(0.25, 50.0),
        ),
        "bpe_gpt2",
        matters=({"use_parallel_residual": True}, {"hidden_act": "gelu"}, _neox_rope(0.5, 50.0)),
        notes="A quarter of 12 numbers turns: 3, and with them the fourth.",
    ),
    Row(
        "gpt-neox-rope-linear-bare",
        "GPTNeoXModel",
        _neox(max_position_embeddings=16, **_neox_rope(1.0, 100.0, "linear", factor=2.5)),
        "bpe_gpt2",
        matters=(_neox_rope(1.0, 100.0),),
        notes="Texts longer than max_position_embeddings, which has no effect.",
    ),
)


def _opt(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 353,
        "hidden_size": 36,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "ffn_dim": 50,
        "max_position_embeddings": 40,
        "word_embed_proj_dim": 36,
        **changes,
    }


OPT: Final = (
    Row("opt-lm", "OPTForCausalLM", _opt(), "bpe_opt", matters=({"activation_function": "gelu"},)),
    Row(
        "opt-projected-post-norm",
        "OPTForCausalLM",
        _opt(word_embed_proj_dim=20, do_layer_norm_before=False),
        "bpe_opt",
        notes="As opt-350m.",
    ),
    Row(
        "opt-without-biases",
        "OPTForCausalLM",
        _opt(
            enable_bias=False,
            layer_norm_elementwise_affine=False,
            tie_word_embeddings=False,
            activation_function="gelu_new",
            num_attention_heads=4,
        ),
        "bpe_opt",
        matters=({"activation_function": "relu"},),
    ),
    Row(
        "opt-without-final-norm-bare",
        "OPTModel",
        _opt(_remove_final_layer_norm=True, num_hidden_layers=3),
        "bpe_opt",
    ),
)


def _bloom(**changes: Any) -> dict[str, Any]:
    return {"vocab_size": 367, "hidden_size": 32, "n_layer": 2, "n_head": 4, "bos_token_id": 0, "eos_token_id": 0, **changes}


BLOOM: Final = (
    Row("bloom-lm", "BloomForCausalLM", _bloom(), "bpe_gpt2"),
    Row(
        "bloom-six-heads-normed-residual",
        "BloomForCausalLM",
        _bloom(hidden_size=36, n_head=6, apply_residual_connection_post_layernorm=True, tie_word_embeddings=False),
        "bpe_gpt2",
        matters=({"apply_residual_connection_post_layernorm": False},),
        notes="Slopes of a head count that is no power of 2.",
    ),
    Row("bloom-five-heads-bare", "BloomModel", _bloom(hidden_size=35, n_head=5, layer_norm_epsilon=0.03), "bpe_gpt2"),
)

GPT_LIKE: Final[tuple[Row, ...]] = (*GPT2, *GPT_NEOX, *OPT, *BLOOM)

GPT_LIKE_SPELLINGS: Final = (
    Spelling(
        "gpt-neox-parallel-v4",
        "gpt-neox-parallel",
        {"rotary_pct": 0.5, "rotary_emb_base": 300, "torch_dtype": "float32", "rope_scaling": None},
    ),
    Spelling(
        "gpt-neox-rope-linear-v4",
        "gpt-neox-rope-linear-bare",
        {"rotary_pct": 1.0, "rotary_emb_base": 100, "rope_scaling": {"type": "linear", "factor": 2.5}, "torch_dtype": "float32"},
    ),
    Spelling(
        "bloom-lm-v4",
        "bloom-lm",
        {
            "n_embed": 32,
            "num_attention_heads": 4,
            "n_inner": None,
            "seq_length": 2048,
            "offset_alibi": 100,
            "attention_softmax_in_fp32": True,
            "skip_bias_add": True,
            "unk_token_id": 0,
        },
        drop=("hidden_size", "n_head", "dtype"),
        notes="The keys of the published models.",
    ),
)
