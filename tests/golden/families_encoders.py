"""Tiny encoders that `make_families` turns into golden data: one row for each case.

Part of `make_families`; plain data, needs nothing. Sizes are odd and unequal where a family allows it,
so that a mixed-up axis cannot fit by luck.
"""

from __future__ import annotations

from typing import Any, Final

from tests.golden.families_modernbert import MODERNBERT, MODERNBERT_SPELLINGS
from tests.golden.families_row import PAIR_TEXTS, TEXTS, Row, Spelling

_ONE_PAIR: Final = (*TEXTS[1:], PAIR_TEXTS[-1])


def _bert(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 251,
        "hidden_size": 36,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 50,
        "max_position_embeddings": 64,
        **changes,
    }


BERT: Final = (
    Row("bert-mlm", "BertForMaskedLM", _bert(), "wordpiece", PAIR_TEXTS),
    Row("bert-bare", "BertModel", _bert(hidden_act="relu", type_vocab_size=3), "wordpiece", PAIR_TEXTS),
    Row(
        "bert-gelu-new-untied",
        "BertForMaskedLM",
        _bert(hidden_act="gelu_new", tie_word_embeddings=False, layer_norm_eps=0.02, num_hidden_layers=3),
        "wordpiece",
        matters=({"hidden_act": "relu"}, {"layer_norm_eps": 1e-12}),
    ),
    Row(
        "bert-one-segment-classifier",
        "BertForNextSentencePrediction",
        _bert(hidden_act="silu", type_vocab_size=1, num_attention_heads=6),
        "wordpiece",
        matters=({"hidden_act": "gelu"},),
        notes="Its logits are of the two answers, not of tokens; only attention and vectors are kept.",
    ),
)


def _distilbert(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 249,
        "dim": 36,
        "n_layers": 2,
        "n_heads": 4,
        "hidden_dim": 47,
        "max_position_embeddings": 50,
        **changes,
    }


DISTILBERT: Final = (
    Row("distilbert-mlm", "DistilBertForMaskedLM", _distilbert(), "wordpiece"),
    Row(
        "distilbert-sinusoidal-bare",
        "DistilBertModel",
        _distilbert(sinusoidal_pos_embds=True, activation="relu", n_layers=3, n_heads=3),
        "wordpiece",
        matters=({"activation": "gelu"},),
    ),
    Row(
        "distilbert-gelu-new-untied",
        "DistilBertForMaskedLM",
        _distilbert(activation="gelu_new", tie_word_embeddings=False, n_heads=6),
        "wordpiece",
        matters=({"activation": "relu"},),
    ),
)


def _roberta(**changes: Any) -> dict[str, Any]:
    return {
        **_bert(vocab_size=359, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1),
        **changes,
    }


_NOT: Final = {"bpe_roberta": 303, "unigram_xlmr": 36}  # the number of " not", which a text holds

ROBERTA: Final = (
    Row("roberta-mlm", "RobertaForMaskedLM", _roberta(), "bpe_roberta", PAIR_TEXTS),
    Row(
        "roberta-padding-in-text-bare",
        "RobertaModel",
        _roberta(pad_token_id=_NOT["bpe_roberta"], vocab_size=367, max_position_embeddings=340, num_attention_heads=4),
        "bpe_roberta",
        matters=({"pad_token_id": 1},),
        notes="The padding token is a word of the texts: positions leave it out, and begin after its number.",
    ),
    Row(
        "roberta-relu-untied",
        "RobertaForMaskedLM",
        _roberta(hidden_act="relu", tie_word_embeddings=False, type_vocab_size=2, pad_token_id=3, layer_norm_eps=0.03),
        "bpe_roberta",
        matters=({"hidden_act": "gelu"}, {"layer_norm_eps": 1e-5}, {"pad_token_id": 1}),
        notes="The prediction head is GELU, whatever the layers are.",
    ),
    Row("xlm-roberta-mlm", "XLMRobertaForMaskedLM", _roberta(vocab_size=149), "unigram_xlmr", _ONE_PAIR),
    Row(
        "xlm-roberta-padding-bare",
        "XLMRobertaModel",
        _roberta(vocab_size=143, pad_token_id=_NOT["unigram_xlmr"], num_hidden_layers=3, max_position_embeddings=71),
        "unigram_xlmr",
        TEXTS[2:],
        matters=({"pad_token_id": 1},),
    ),
    Row(
        "camembert-gelu-new",
        "CamembertForMaskedLM",
        _roberta(vocab_size=151, hidden_act="gelu_new"),
        "unigram_xlmr",
        _ONE_PAIR,
        matters=({"hidden_act": "relu"},),
    ),
)


def _albert(**changes: Any) -> dict[str, Any]:
    return {**_bert(vocab_size=131, hidden_act="gelu_new", hidden_size=40, num_attention_heads=4), "embedding_size": 21, **changes}


ALBERT: Final = (
    Row(
        "albert-mlm",
        "AlbertForMaskedLM",
        _albert(num_hidden_layers=3),
        "unigram_albert",
        _ONE_PAIR,
        matters=({"hidden_act": "relu"},),
    ),
    Row(
        "albert-groups-bare",
        "AlbertModel",
        _albert(num_hidden_layers=3, num_hidden_groups=2, inner_group_num=2, hidden_act="relu", num_attention_heads=2),
        "unigram_albert",
        TEXTS[1:],
        notes="Layers 0 and 1 run the first group of two, layer 2 the second.",
    ),
    Row(
        "albert-relu-untied",
        "AlbertForMaskedLM",
        _albert(tie_word_embeddings=False, hidden_act="relu", layer_norm_eps=0.05, type_vocab_size=1, embedding_size=40),
        "unigram_albert",
        TEXTS[1:],
        matters=({"layer_norm_eps": 1e-12},),
        notes="Word vectors as wide as the layers are projected all the same; the prediction head has the layers' activation.",
    ),
)


def _electra(**changes: Any) -> dict[str, Any]:
    return {**_bert(vocab_size=253), "embedding_size": 23, **changes}


ELECTRA: Final = (
    Row("electra-generator", "ElectraForMaskedLM", _electra(), "wordpiece", PAIR_TEXTS),
    Row(
        "electra-discriminator-bare",
        "ElectraModel",
        _electra(embedding_size=36, hidden_act="gelu_new", num_attention_heads=4),
        "wordpiece",
        PAIR_TEXTS,
        matters=({"hidden_act": "relu"},),
    ),
    Row(
        "electra-relu-untied",
        "ElectraForMaskedLM",
        _electra(hidden_act="relu", tie_word_embeddings=False, layer_norm_eps=0.04, type_vocab_size=1, embedding_size=41),
        "wordpiece",
        matters=({"layer_norm_eps": 1e-12},),
        notes="The prediction head is GELU, whatever the layers are.",
    ),
)


_V4: Final = {"torch_dtype": "float32", "position_embedding_type": "absolute", "gradient_checkpointing": False}
ENCODERS: Final[tuple[Row, ...]] = (*BERT, *DISTILBERT, *ROBERTA, *ALBERT, *ELECTRA, *MODERNBERT)
ENCODER_SPELLINGS: Final[tuple[Spelling, ...]] = (
    Spelling("bert-mlm-v4", "bert-mlm", _V4, ("dtype", "tie_word_embeddings", "add_cross_attention", "is_decoder")),
    Spelling("distilbert-mlm-v3", "distilbert-mlm", {"tie_weights_": True, "output_past": True}, ("dtype", "tie_word_embeddings")),
    Spelling(
        "roberta-mlm-v4",
        "roberta-mlm",
        {**_V4, "architectures": ["RobertaForMaskedLM"]},
        ("dtype", "tie_word_embeddings", "is_decoder"),
    ),
    Spelling(
        "albert-mlm-v3",
        "albert-mlm",
        {"down_scale_factor": 1, "gap_size": 0, "net_structure_type": 0, "num_memory_blocks": 0},
        ("dtype", "tie_word_embeddings"),
    ),
    *MODERNBERT_SPELLINGS,
)
