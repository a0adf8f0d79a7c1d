"""Tokenizers built from a GGUF file's metadata against the ones that were converted, on nasty and arbitrary texts."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors

from attnviz.engine import tokenizer as engine
from attnviz.engine.gguf.stored import open_stored
from attnviz.engine.gguf.tokenizer import build_tokenizer
from tests.golden.families_reader import TOKENIZERS
from tests.golden.gguf_metadata import BERTS, FLAGS, NAMES, converted, normaliser_table, tokenizer_file, tokenizer_metadata
from tests.golden.nasty_strings import NASTY_STRINGS

if TYPE_CHECKING:
    from pathlib import Path

    import tokenizers

PAIR = "the dog’s 🦊 [SEP]</s>"
UNIGRAMS = [name for name in NAMES if name.startswith("unigram")]
# A model's own pieces, which arbitrary characters would seldom make.
FRAGMENTS = [
    "the",
    "The",
    " it",
    "animal",
    "didn't",
    "1234",
    "  ",
    "\n",
    "<s>",
    "[CLS]",
    "<|endoftext|>",
    "▁",
    "Ġ",
    "##s",
    "東",
    "é",
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=20).map("".join)


@cache
def ours(name: str) -> Tokenizer:
    return build_tokenizer(tokenizer_metadata(name), f"{name}.gguf")


@cache
def theirs(name: str) -> Tokenizer:
    """The golden tokenizer; a unigram one with its normaliser in the form that a GGUF file can tell."""
    tokenizer = Tokenizer.from_file(str(TOKENIZERS / f"{name}.json"))
    if name == "bpe_qwen2":  # as the published one has it
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if name in UNIGRAMS:
        tokenizer.normalizer = normalizers.Precompiled(normaliser_table(tokenizer_file(name)["normalizer"]["type"]))
    return tokenizer


def everything(encoding: tokenizers.Encoding) -> tuple[Any, ...]:
    return (
        encoding.ids,
        encoding.tokens,
        encoding.offsets,
        encoding.word_ids,
        encoding.type_ids,
        encoding.special_tokens_mask,
    )


def test_there_are_200_nasty_strings_and_more() -> None:
    assert len(set(NASTY_STRINGS)) == len(NASTY_STRINGS) > 200


@pytest.mark.parametrize("with_specials", [True, False])
@pytest.mark.parametrize("pair", [None, PAIR])
@pytest.mark.parametrize("name", NAMES)
def test_nasty_strings_get_the_tokens_and_places_of_the_original(name: str, pair: str | None, with_specials: bool) -> None:
    for text in NASTY_STRINGS:
        built = ours(name).encode(text, pair, add_special_tokens=with_specials)
        original = theirs(name).encode(text, pair, add_special_tokens=with_specials)
        assert everything(built) == everything(original), repr(text)


@pytest.mark.parametrize("name", NAMES)
def test_the_program_shows_the_same_tokens_as_with_the_original(name: str) -> None:
    built, original = engine.Tokenizer(ours(name), "x.gguf"), engine.Tokenizer(theirs(name), "tokenizer.json")
    for text in NASTY_STRINGS:
        assert built.encode(text, None, 10_000) == original.encode(text, None, 10_000), repr(text)
        assert built.encode(text, PAIR, 30) == original.encode(text, PAIR, 30), repr(text)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=100, deadline=None)
@given(text=TEXTS, pair=st.none() | TEXTS)
def test_any_text_gets_the_tokens_of_the_original(name: str, text: str, pair: str | None) -> None:
    assert everything(ours(name).encode(text, pair)) == everything(theirs(name).encode(text, pair))


@pytest.mark.parametrize("name", UNIGRAMS)
def test_a_table_of_replacements_gives_the_tokens_that_the_normaliser_itself_gives(name: str) -> None:
    original = Tokenizer.from_file(str(TOKENIZERS / f"{name}.json"))
    differing = [text for text in NASTY_STRINGS if ours(name).encode(text).ids != original.encode(text).ids]
    # The table replaces a character with several marks, or with an emoji's, as far as its shortest rule goes.
    assert len(differing) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_names_and_pieces_have_the_numbers_of_the_original(name: str) -> None:
    assert ours(name).get_vocab() == theirs(name).get_vocab()


@pytest.mark.parametrize("name", NAMES)
def test_pieces_that_fill_up_the_vocabulary_change_no_text(name: str) -> None:
    metadata = tokenizer_metadata(name)
    n = len(metadata["tokenizer.ggml.tokens"])
    filler = [f"[PAD{number}]" for number in range(n, n + 6)]
    metadata["tokenizer.ggml.tokens"] = metadata["tokenizer.ggml.tokens"] + filler
    metadata["tokenizer.ggml.token_type"] = np.append(metadata["tokenizer.ggml.token_type"], [5] * 6)
    if "tokenizer.ggml.scores" in metadata:
        metadata["tokenizer.ggml.scores"] = np.append(metadata["tokenizer.ggml.scores"], [-10_000.0] * 6)
    filled = build_tokenizer(metadata, "x.gguf")
    assert filled.get_vocab_size() == n + 6
    for text in [*NASTY_STRINGS, filler[0], f"the {filler[1]}", "".join(filler)]:
        assert filled.encode(text).ids == theirs(name).encode(text).ids, repr(text)


@pytest.mark.parametrize("name", ["unigram_t5", "unigram_xlmr"])
def test_extra_blanks_go_where_the_file_says_so(name: str) -> None:
    metadata = tokenizer_metadata(name) | {"tokenizer.ggml.remove_extra_whitespaces": True}
    built = build_tokenizer(metadata, "x.gguf")
    published = Tokenizer.from_str(theirs(name).to_str())
    published.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    for text in NASTY_STRINGS:
        assert everything(built.encode(text, PAIR)) == everything(published.encode(text, PAIR)), repr(text)


@pytest.mark.parametrize("kind", ["llama", "gemma"])
def test_sentencepiece_itself_gives_the_same_tokens(kind: str) -> None:
    """Where no special token is written in the text: SentencePiece reads those as any other letters."""
    about = json.loads((TOKENIZERS.parent / "sentencepiece" / f"{kind}.json").read_text(encoding="utf-8"))
    built = build_tokenizer(_sentencepiece_metadata(about, kind == "llama"), "x.gguf")
    pairs = zip(NASTY_STRINGS, about["ids"], strict=True)
    plain = [(text, ids) for text, ids in pairs if not any(special in text for special in ("<s>", "</s>", "<unk>"))]
    assert len(plain) > 250
    for text, ids in plain:
        assert built.encode(text, add_special_tokens=False).ids == ids, repr(text)


def _sentencepiece_metadata(about: dict[str, Any], prefixed: bool) -> dict[str, Any]:
    """As the converter writes it: of what users define with blanks for ▁."""
    users = 4
    kinds = about["kinds"]
    pieces = [piece.replace("▁", " ") if kind == users else piece for piece, kind in zip(about["pieces"], kinds, strict=True)]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.scores": np.array(about["scores"], np.float32),
        "tokenizer.ggml.token_type": np.array(about["kinds"], np.int32),
        "tokenizer.ggml.add_space_prefix": prefixed,
    }


def test_the_default_model_s_tokenizer_survives_the_way_through_a_gguf_file(minilm_path: Path) -> None:
    path = minilm_path / "tokenizer.json"
    marks = {**BERTS, "unknown": "[UNK]"}
    built = build_tokenizer(converted(json.loads(path.read_text(encoding="utf-8")), marks, FLAGS["wordpiece"]), "x.gguf")
    original = Tokenizer.from_file(str(path))
    original.no_padding()
    original.no_truncation()
    for text in NASTY_STRINGS:
        assert everything(built.encode(text, PAIR)) == everything(original.encode(text, PAIR)), repr(text)


@pytest.mark.parametrize("name", ["bpe_roberta", "spm_gemma", "unigram_t5", "wordpiece"])
def test_a_file_that_the_gguf_library_wrote_gives_the_tokenizer(name: str, tmp_path: Path) -> None:
    metadata = {key.removeprefix("tokenizer.ggml."): value for key, value in tokenizer_metadata(name).items()}
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    writer.add_tokenizer_model(metadata["model"])
    writer.add_tokenizer_pre(metadata["pre"])
    writer.add_token_list(metadata["tokens"])
    writer.add_token_types(metadata["token_type"].tolist())
    if "merges" in metadata:
        writer.add_token_merges(metadata["merges"])
    if "scores" in metadata:
        writer.add_token_scores(metadata["scores"].tolist())
    if "precompiled_charsmap" in metadata:
        writer.add_precompiled_charsmap(metadata["precompiled_charsmap"].tobytes())
    for key in metadata.keys() & {"add_bos_token", "add_eos_token", "add_sep_token", "add_space_prefix"}:
        writer.add_bool(f"tokenizer.ggml.{key}", metadata[key])
    for key in (key for key in metadata if key.endswith("_token_id")):
        writer.add_uint32(f"tokenizer.ggml.{key}", metadata[key])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    built = build_tokenizer(open_stored(tmp_path / "x.gguf").metadata, "x.gguf")
    for text in NASTY_STRINGS:
        assert built.encode(text).ids == theirs(name).encode(text).ids, repr(text)
