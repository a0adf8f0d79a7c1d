"""What llama.cpp's converter writes of the golden tokenizers into a GGUF file; no torch is needed.

Source: conversion/base.py and bert.py of llama.cpp, and SpecialVocab of the gguf library: added tokens are control tokens,
WordPiece has ▁ before what begins a word instead of ## before what goes on, SentencePiece has scores in place of merges and
its normaliser as a table, and the single and pair templates become three flags.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tests.golden.charsmap import charsmap, nfkc_rules, plain_rules
from tests.golden.families_reader import TOKENIZERS

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "tokenizer.ggml."
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
BERTS: Final = {
    "bos": "[CLS]",
    "eos": "[SEP]",
    "seperator": "[SEP]",
    "padding": "[PAD]",
    "cls": "[CLS]",
    "mask": "[MASK]",
}
_ROBERTAS: Final = {
    "bos": "<s>",
    "eos": "</s>",
    "unknown": "<unk>",
    "seperator": "</s>",
    "padding": "<pad>",
    "cls": "<s>",
    "mask": "<mask>",
}
_FRAMED: Final = {"add_bos_token": True, "add_eos_token": True}
_MARKS: Final[dict[str, dict[str, str]]] = {
    "bpe_gpt2": dict.fromkeys(("bos", "eos"), "<|endoftext|>"),
    "bpe_llama3": {"bos": "<|begin_of_text|>", "eos": "<|end_of_text|>"},
    "bpe_modernbert": BERTS,
    "bpe_opt": {**dict.fromkeys(("bos", "eos"), "</s>"), "padding": "<pad>"},
    "bpe_qwen2": {"bos": "<|endoftext|>", "eos": "<|im_end|>", "padding": "<|endoftext|>"},
    "bpe_roberta": _ROBERTAS,
    "spm_gemma": {"bos": "<bos>", "eos": "<eos>", "unknown": "<unk>", "padding": "<pad>"},
    "spm_llama": {"bos": "<s>", "eos": "</s>", "unknown": "<unk>"},
    "unigram_albert": {**BERTS, "unknown": "<unk>", "padding": "<pad>"},
    "unigram_t5": {"eos": "</s>", "unknown": "<unk>", "padding": "<pad>"},
    "unigram_xlmr": _ROBERTAS,
    "wordpiece": {**BERTS, "unknown": "[UNK]"},
}
FLAGS: Final[dict[str, dict[str, Any]]] = {
    "bpe_gpt2": {"pre": "gpt-2"},
    "bpe_llama3": {"pre": "llama-bpe", "add_bos_token": True, "add_sep_token": False},
    "bpe_modernbert": {"pre": "modern-bert", **_FRAMED, "add_sep_token": False},
    "bpe_opt": {"pre": "gpt-2", "add_bos_token": True, "add_sep_token": True},
    "bpe_qwen2": {"pre": "qwen2", "add_bos_token": False},
    "bpe_roberta": {"pre": "roberta-bpe", **_FRAMED, "add_sep_token": True, "token_type_count": 1},
    "spm_gemma": {"pre": "default", "add_bos_token": True, "add_eos_token": False, "add_space_prefix": False},
    "spm_llama": {"pre": "default", "add_bos_token": True, "add_eos_token": False},
    "unigram_albert": {"pre": "default", **_FRAMED, "add_sep_token": False, "token_type_count": 2},
    "unigram_t5": {"pre": "default", "add_bos_token": False, "add_eos_token": True, "add_sep_token": False},
    "unigram_xlmr": {"pre": "default", **_FRAMED, "add_sep_token": True, "token_type_count": 1},
    "wordpiece": {"pre": "default", **_FRAMED, "add_sep_token": False, "token_type_count": 2},
}
NAMES: Final = tuple(FLAGS)


@cache
def tokenizer_file(name: str) -> dict[str, Any]:
    """The golden tokenizer.json of that name; not to be changed."""
    return json.loads((TOKENIZERS / f"{name}.json").read_text(encoding="utf-8"))


def tokenizer_metadata(name: str) -> dict[str, Any]:
    """The entries "tokenizer.ggml.*" for the golden tokenizer `name`, one of NAMES, as a reader of the file gives them."""
    return converted(tokenizer_file(name), _MARKS[name], FLAGS[name])


def converted(file: Mapping[str, Any], marks: Mapping[str, str], flags: Mapping[str, Any]) -> dict[str, Any]:
    """The entries for a tokenizer.json. marks: its special tokens by what they do; flags: further entries."""
    model = file["model"]
    special = {added["content"] for added in file["added_tokens"] if added["special"]}
    if model["type"] == "Unigram":
        entries = _unigram(file, special)
    elif model["type"] == "WordPiece":
        entries = _word_piece(model, special)
    else:
        entries = _sentencepiece(model, special) if model["byte_fallback"] else _byte_level(model, special)
    numbers = _numbers(model)
    ids = {f"{mark}_token_id": numbers[piece] for mark, piece in marks.items()}
    return {_PREFIX + key: value for key, value in {**entries, **flags, **ids}.items()}


def _numbers(model: Mapping[str, Any]) -> dict[str, int]:
    if model["type"] == "Unigram":
        return {piece: number for number, (piece, _) in enumerate(model["vocab"])}
    return dict(model["vocab"])


def _in_order(model: Mapping[str, Any]) -> list[str]:
    return [piece for piece, _ in sorted(_numbers(model).items(), key=lambda item: item[1])]


def _types(pieces: list[str], special: set[str]) -> list[int]:
    return [_CONTROL if piece in special else _NORMAL for piece in pieces]


def _byte_level(model: Mapping[str, Any], special: set[str]) -> dict[str, Any]:
    pieces = _in_order(model)
    merges = [" ".join(pair) for pair in model["merges"]]
    return {"model": "gpt2", "tokens": pieces, "token_type": np.array(_types(pieces, special), np.int32), "merges": merges}


def _word_piece(model: Mapping[str, Any], special: set[str]) -> dict[str, Any]:
    pieces = _in_order(model)
    told = [piece if piece in special else piece[2:] if piece.startswith("##") else f"▁{piece}" for piece in pieces]
    return {"model": "bert", "tokens": told, "token_type": np.array(_types(pieces, special), np.int32)}


def _sentencepiece(model: Mapping[str, Any], special: set[str]) -> dict[str, Any]:
    """SentencePiece scores merged pieces 0, -1, -2, … in the order of training, and then the characters."""
    pieces = _in_order(model)
    types = _types(pieces, special)
    merged = list(dict.fromkeys(left + right for left, right in model["merges"]))
    types = [_BYTE if piece.startswith("<0x") else kind for piece, kind in zip(pieces, types, strict=True)]
    types[pieces.index(model["unk_token"])] = _UNKNOWN
    rank = {piece: -float(number) for number, piece in enumerate(dict.fromkeys(merged + pieces))}
    scores = [rank[piece] if kind == _NORMAL else 0.0 for piece, kind in zip(pieces, types, strict=True)]
    return {
        "model": "llama",
        "tokens": pieces,
        "token_type": np.array(types, np.int32),
        "scores": np.array(scores, np.float32),
    }


def _unigram(file: Mapping[str, Any], special: set[str]) -> dict[str, Any]:
    pieces, scores = zip(*file["model"]["vocab"], strict=True)
    types = _types(list(pieces), special)
    types[file["model"]["unk_id"]] = _UNKNOWN
    return {
        "model": "t5",
        "tokens": list(pieces),
        "token_type": np.array(types, np.int32),
        "scores": np.array(scores, np.float32),
        "add_space_prefix": True,
        "remove_extra_whitespaces": False,
        "precompiled_charsmap": np.frombuffer(normaliser_table(file["normalizer"]["type"]), np.uint8),
    }


@cache
def normaliser_table(kind: str) -> bytes:
    """The table for a golden tokenizer's normaliser: NFKC, or the "Sequence" that leaves plain lower case."""
    return charsmap(nfkc_rules() if kind == "NFKC" else plain_rules())
