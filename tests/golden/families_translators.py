"""Tiny encoder-decoders that `make_families` turns into golden data: one row for each case.

Part of `make_families`; plain data, needs nothing. Encoder and decoder differ in what a family lets differ; T5's buckets are
so few that the texts reach the farthest.
"""

from __future__ import annotations

from typing import Any, Final

from tests.golden.families_row import TEXTS, TRANSLATED_TEXTS, Row, Spelling

_SHORTER: Final = TRANSLATED_TEXTS[1:]


def _t5(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 149,
        "d_model": 30,
        "d_kv": 8,
        "d_ff": 43,
        "num_layers": 2,
        "num_heads": 3,
        "relative_attention_num_buckets": 8,
        "relative_attention_max_distance": 12,
        "decoder_start_token_id": 0,
        **changes,
    }


T5: Final = (
    Row(
        "t5-tied",
        "T5ForConditionalGeneration",
        _t5(),
        "unigram_t5",
        _SHORTER,
        matters=({"relative_attention_max_distance": 9}, {"dense_act_fn": "gelu"}),
        gain=0.55,
    ),
    Row(
        "t5-v11-untied",
        "T5ForConditionalGeneration",
        _t5(
            feed_forward_proj="gated-gelu",
            tie_word_embeddings=False,
            num_decoder_layers=1,
            d_kv=11,
            layer_norm_epsilon=0.05,
            relative_attention_num_buckets=7,
            relative_attention_max_distance=5,
        ),
        "unigram_t5",
        _SHORTER,
        matters=({"layer_norm_epsilon": 1e-6}, {"scale_decoder_outputs": True}, {"dense_act_fn": "silu"}),
        gain=0.5,
        notes="Fewer distances than buckets, and an odd count of them.",
    ),
    Row(
        "t5-gated-silu-bare",
        "T5Model",
        _t5(feed_forward_proj="gated-silu", num_layers=1, num_decoder_layers=2, decoder_start_token_id=5, num_heads=2),
        "unigram_t5",
        _SHORTER,
        gain=0.55,
    ),
    Row(
        "t5-encoder",
        "T5EncoderModel",
        _t5(relative_attention_num_buckets=12, relative_attention_max_distance=15, feed_forward_proj="gelu"),
        "unigram_t5",
        TEXTS,
        matters=({"relative_attention_max_distance": 30},),
        gain=0.55,
    ),
)


def _bart(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 357,
        "d_model": 36,
        "encoder_layers": 2,
        "encoder_attention_heads": 3,
        "encoder_ffn_dim": 41,
        "decoder_layers": 2,
        "decoder_attention_heads": 3,
        "decoder_ffn_dim": 41,
        "max_position_embeddings": 50,
        **changes,
    }


BART: Final = (
    Row("bart-lm", "BartForConditionalGeneration", _bart(), "bpe_roberta", _SHORTER),
    Row(
        "bart-scaled-untied",
        "BartForConditionalGeneration",
        _bart(
            scale_embedding=True,
            tie_word_embeddings=False,
            encoder_layers=1,
            encoder_attention_heads=4,
            encoder_ffn_dim=53,
            decoder_attention_heads=2,
            activation_function="relu",
            decoder_start_token_id=0,
        ),
        "bpe_roberta",
        _SHORTER,
        matters=({"scale_embedding": False}, {"activation_function": "gelu"}),
        notes="Nothing is tied: encoder, decoder and output have word vectors of their own.",
    ),
    Row(
        "bart-bare",
        "BartModel",
        _bart(decoder_layers=1, decoder_ffn_dim=37, activation_function="gelu_new", encoder_attention_heads=2),
        "bpe_roberta",
        _SHORTER,
        matters=({"activation_function": "relu"},),
    ),
)


def _marian(**changes: Any) -> dict[str, Any]:
    return {
        **_bart(vocab_size=145, activation_function="swish", scale_embedding=True),
        "pad_token_id": 0,
        "eos_token_id": 1,
        "forced_eos_token_id": 1,
        "decoder_start_token_id": 0,
        **changes,
    }


MARIAN: Final = (
    Row(
        "marian-mt",
        "MarianMTModel",
        _marian(),
        "unigram_t5",
        _SHORTER,
        matters=({"scale_embedding": False}, {"activation_function": "relu"}),
    ),
    Row(
        "marian-not-shared",
        "MarianMTModel",
        _marian(
            share_encoder_decoder_embeddings=False,
            scale_embedding=False,
            decoder_layers=1,
            decoder_attention_heads=4,
            decoder_ffn_dim=33,
            decoder_start_token_id=144,
        ),
        "unigram_t5",
        _SHORTER,
        notes="The output is tied to the decoder's word vectors, not to the encoder's.",
    ),
    Row(
        "marian-odd-width-untied",
        "MarianMTModel",
        _marian(d_model=33, decoder_attention_heads=1, encoder_layers=1, activation_function="gelu", tie_word_embeddings=False),
        "unigram_t5",
        _SHORTER,
        notes="An odd width: one more sine than cosines.",
    ),
    Row(
        "marian-bare",
        "MarianModel",
        _marian(decoder_layers=1, encoder_layers=1),
        "unigram_t5",
        _SHORTER,
        notes="Such a checkpoint stores its positions; those count, sinusoids or not.",
    ),
)

TRANSLATORS: Final[tuple[Row, ...]] = (*T5, *BART, *MARIAN)
TRANSLATOR_SPELLINGS: Final[tuple[Spelling, ...]] = (
    Spelling(
        "t5-tied-v3",
        "t5-tied",
        {"n_positions": 512, "output_past": True, "task_specific_params": {"summarization": {"prefix": "summarize: "}}},
        (
            "dtype",
            "scale_decoder_outputs",
            "tie_word_embeddings",
            "num_decoder_layers",
            "dense_act_fn",
            "is_gated_act",
            "feed_forward_proj",
            "is_decoder",
        ),
    ),
    Spelling(
        "t5-v11-untied-v4",
        "t5-v11-untied",
        {"torch_dtype": "float32", "tie_word_embeddings": False, "output_past": True},
        ("dtype", "scale_decoder_outputs", "dense_act_fn", "is_gated_act", "is_decoder"),
    ),
    Spelling(
        "t5-encoder-v4",
        "t5-encoder",
        {"torch_dtype": "float32", "is_encoder_decoder": True, "output_past": True},
        ("dtype", "scale_decoder_outputs", "dense_act_fn", "is_gated_act", "is_decoder"),
        notes="It says that it has a decoder; its class has none.",
    ),
    Spelling(
        "bart-lm-v3",
        "bart-lm",
        {
            "normalize_before": False,
            "normalize_embedding": True,
            "add_final_layer_norm": False,
            "add_bias_logits": False,
            "extra_pos_embeddings": 2,
            "static_position_embeddings": False,
            "num_hidden_layers": 2,
            "classif_dropout": 0.1,
        },
        ("dtype", "tie_word_embeddings", "is_decoder"),
    ),
    Spelling(
        "marian-mt-v3",
        "marian-mt",
        {
            "normalize_before": False,
            "normalize_embedding": False,
            "add_final_layer_norm": False,
            "add_bias_logits": False,
            "extra_pos_embeddings": 146,
            "static_position_embeddings": True,
            "num_hidden_layers": 2,
            "bad_words_ids": [[0]],
        },
        ("dtype", "tie_word_embeddings", "is_decoder", "decoder_vocab_size", "share_encoder_decoder_embeddings"),
    ),
)
