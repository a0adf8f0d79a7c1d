"""Tiny ModernBERTs that `make_families` turns into golden data: one row for each case.

Part of `make_families`; plain data, needs nothing. The windows are shorter than the texts, and the two kinds of layers turn at
different speeds.
"""

from __future__ import annotations

from typing import Any, Final

from tests.golden.families_row import TEXTS, Row, Spelling


def _modernbert(full: dict[str, Any] | None = None, local: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 361,
        "hidden_size": 36,
        "num_hidden_layers": 3,
        "num_attention_heads": 3,
        "intermediate_size": 29,
        "max_position_embeddings": 64,
        "local_attention": 6,
        "pad_token_id": 3,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "cls_token_id": 1,
        "sep_token_id": 2,
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 700.0, **(full or {})},
            "sliding_attention": {"rope_type": "default", "rope_theta": 30.0, **(local or {})},
        },
        **changes,
    }


_ALL_FULL: Final = {"layer_types": ["full_attention"] * 3}
_OTHER_FULL: Final = {"rope_parameters": _modernbert({"rope_theta": 1e4})["rope_parameters"]}
_OTHER_LOCAL: Final = {"rope_parameters": _modernbert(None, {"rope_theta": 1e4})["rope_parameters"]}

MODERNBERT: Final = (
    Row(
        "modernbert-mlm",
        "ModernBertForMaskedLM",
        _modernbert(),
        "bpe_modernbert",
        matters=({"local_attention": 8}, _ALL_FULL, _OTHER_FULL, _OTHER_LOCAL),
    ),
    Row(
        "modernbert-biases-untied",
        "ModernBertForMaskedLM",
        _modernbert(
            attention_bias=True,
            mlp_bias=True,
            norm_bias=True,
            classifier_bias=True,
            decoder_bias=False,
            tie_word_embeddings=False,
            hidden_activation="silu",
            classifier_activation="relu",
            norm_eps=0.04,
            num_hidden_layers=2,
        ),
        "bpe_modernbert",
        matters=({"norm_eps": 1e-5}, {"hidden_activation": "gelu"}, {"classifier_activation": "gelu"}),
    ),
    Row(
        "modernbert-layer-types-bare",
        "ModernBertModel",
        _modernbert(
            {"rope_type": "linear", "factor": 3.0},
            {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            local_attention=5,
        ),
        "bpe_modernbert",
        matters=(_ALL_FULL, _OTHER_FULL, _OTHER_LOCAL),
    ),
    Row(
        "modernbert-tied-without-output-bias",
        "ModernBertForMaskedLM",
        _modernbert(decoder_bias=False, num_hidden_layers=2, layer_types=["sliding_attention"] * 2, local_attention=4),
        "bpe_modernbert",
        TEXTS[1:],
        notes="The checkpoint holds nothing of the output but its transform.",
    ),
)

_V4: Final = {
    "torch_dtype": "float32",
    "position_embedding_type": "absolute",
    "gradient_checkpointing": False,
    "global_rope_theta": 700.0,
    "local_rope_theta": 30.0,
    "global_attn_every_n_layers": 3,
    "layer_norm_eps": 1e-5,
    "reference_compile": True,
    "repad_logits_with_grad": False,
}

MODERNBERT_SPELLINGS: Final = (Spelling("modernbert-mlm-v4", "modernbert-mlm", _V4),)
