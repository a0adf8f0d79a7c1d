"""How byte-level vocabularies cut texts, by the names in GGUF files, against published tokenizers and by hand."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, pre_tokenizers

from attnviz.engine.gguf.pretokenizers import CUTTINGS
from attnviz.engine.gguf.tokenizer import build_tokenizer
from tests.golden.families_reader import TOKENIZERS
from tests.golden.gguf_metadata import tokenizer_metadata
from tests.golden.nasty_strings import NASTY_STRINGS

_GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
# What the tokenizer.json of tiiuae/falcon-7b, tiiuae/Falcon3 and HuggingFaceTB/SmolLM2 have.
_PUBLISHED = {
    "falcon": [
        pre_tokenizers.Punctuation("contiguous"),
        _GPT2,
        pre_tokenizers.Digits(False),
        pre_tokenizers.Split(Regex("[0-9]{3}"), "isolated"),
    ],
    "falcon3": [pre_tokenizers.Punctuation("contiguous"), _GPT2, pre_tokenizers.Digits(True)],
    "smollm": [pre_tokenizers.Digits(True), _GPT2],
}
_GOLDEN = {"gpt-2": "bpe_gpt2", "llama-bpe": "bpe_llama3", "qwen2": "bpe_qwen2", "modern-bert": "bpe_modernbert"}


@cache
def cut(name: str) -> pre_tokenizers.PreTokenizer:
    return CUTTINGS[name].pre_tokenizer()


def pieces(name: str, text: str) -> list[str]:
    return [text[slice(*span)] for _, span in cut(name).pre_tokenize_str(text)]


@pytest.mark.parametrize(("name", "golden"), _GOLDEN.items())
def test_texts_are_cut_as_in_the_golden_tokenizers(name: str, golden: str) -> None:
    theirs = Tokenizer.from_file(str(TOKENIZERS / f"{golden}.json")).pre_tokenizer
    for text in NASTY_STRINGS:
        assert cut(name).pre_tokenize_str(text) == theirs.pre_tokenize_str(text), repr(text)


@pytest.mark.parametrize("name", _PUBLISHED)
def test_texts_are_cut_as_in_the_published_tokenizers(name: str) -> None:
    theirs = pre_tokenizers.Sequence(_PUBLISHED[name])
    for text in NASTY_STRINGS:
        assert cut(name).pre_tokenize_str(text) == theirs.pre_tokenize_str(text), repr(text)


@pytest.mark.parametrize("name", CUTTINGS)
@settings(max_examples=30, deadline=None)
@given(text=st.sampled_from(NASTY_STRINGS) | st.text(max_size=50))
def test_no_character_is_lost(name: str, text: str) -> None:
    end = 0
    for _, (start, stop) in cut(name).pre_tokenize_str(text):
        assert start <= end, "a gap"
        end = max(end, stop)
    assert end == len(text)


# By hand, from the patterns' meaning: what makes one name differ from the next.
@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("default", "a12345", "a|123|45"),
        ("falcon", "a12345", "a|123|45"),
        ("gpt-2", "a12345 HelloWorld's", "a|12345| HelloWorld|'s"),
        ("llama-bpe", "a12345 HelloWorld'S", "a|123|45| HelloWorld|'S"),
        ("llama3", "a\n\n b", "a|\n\n| b"),
        ("dbrx", "a12345", "a|123|45"),
        ("qwen2", "a123 'S", "a|1|2|3| '|S"),
        ("deepseek-r1-qwen", "12 (a)", "1|2| (|a|)"),
        ("stablelm2", "12'Re", "1|2|'Re"),
        ("qwen35", "नमस्ते", "नमस्ते"),
        ("gpt-4o", "HelloWorld's 12345 a/b", "Hello|World's| |123|45| a|/b"),
        ("tekken", "HelloWORLDs 123", "Hello|WORLDs| |1|2|3"),
        ("starcoder", "a12 b", "a|1|2| b"),
        ("refact", "12", "1|2"),
        ("command-r", "12 b", "1|2| b"),
        ("deepseek-llm", "Hello 12, 東京!\n", "Hello| |1|2|,| |東京|!|\n"),
        ("deepseek-coder", "x = 12;", "x| = |1|2|;"),
        ("deepseek-v3", "12345 東京 don't", "123|45| |東京| don|'t"),
        ("bloom", "Hello, (world)! 12", "Hello|, (|world|)!| 12"),
        ("viking", "ab 12", "ab| |1|2"),
        ("roberta-bpe", "Hello  world", "Hello| | world"),
        ("seed-coder", "a;\n12", "a|;|\n|1|2"),
        ("bailingmoe", "a\n\n12's", "a|\n\n|1|2|'s"),
        ("minicpm5", "a12345", "a|123|45"),
    ],
)
def test_names_cut_texts_each_in_its_way(name: str, text: str, expected: str) -> None:
    assert pieces(name, text) == expected.split("|")


@pytest.mark.parametrize("name", ["qwen2", "qwen35", "command-r", "mpt", "olmo"])
def test_decomposed_accents_are_composed_where_the_published_tokenizer_does_so(name: str) -> None:
    metadata = tokenizer_metadata("bpe_gpt2") | {"tokenizer.ggml.pre": name}
    built = build_tokenizer(metadata, "x.gguf")
    assert built.encode("Cafe\u0301").ids == built.encode("Café").ids


@pytest.mark.parametrize("name", ["gpt-2", "llama-bpe", "deepseek-r1-qwen", "gpt-4o", "default", "bloom"])
def test_decomposed_accents_stay_as_they_are_elsewhere(name: str) -> None:
    metadata = tokenizer_metadata("bpe_gpt2") | {"tokenizer.ggml.pre": name}
    built = build_tokenizer(metadata, "x.gguf")
    assert built.encode("Cafe\u0301").ids != built.encode("Café").ids


def test_a_file_without_a_name_is_cut_by_default() -> None:
    metadata = tokenizer_metadata("bpe_gpt2")
    named = build_tokenizer(metadata | {"tokenizer.ggml.pre": "default"}, "x.gguf")
    del metadata["tokenizer.ggml.pre"]
    for text in NASTY_STRINGS:
        assert build_tokenizer(metadata, "x.gguf").encode(text).ids == named.encode(text).ids
