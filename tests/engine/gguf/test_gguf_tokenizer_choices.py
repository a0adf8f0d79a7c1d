"""What a GGUF file's flags do to its tokenizer, and what happens where it says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, normalizers

from attnviz.engine.gguf.merges import derived_merges
from attnviz.engine.gguf.tokenizer import build_tokenizer
from attnviz.engine.gguf.tokenizer_keys import TokenizerKeys
from attnviz.engine.gguf.vocabulary import read_vocabulary
from tests.golden.families_reader import TOKENIZERS
from tests.golden.gguf_metadata import tokenizer_metadata
from tests.golden.nasty_strings import NASTY_STRINGS

PREFIX = "tokenizer.ggml."


def told(name: str, **entries: Any) -> dict[str, Any]:
    """The golden metadata with entries changed, or left out where they are None. "normalizer__lowercase" has a dot for __."""
    changes = {PREFIX + key.replace("__", "."): value for key, value in entries.items()}
    return {key: value for key, value in {**tokenizer_metadata(name), **changes}.items() if value is not None}


def built(name: str, **entries: Any) -> Tokenizer:
    return build_tokenizer(told(name, **entries), "x.gguf")


def spelled(name: str, text: str, pair: str | None = None, **entries: Any) -> str:
    return " ".join(built(name, **entries).encode(text, pair).tokens)


@pytest.mark.parametrize(
    ("flags", "single", "pair"),
    [
        ({}, "<s> ▁the", "<s> ▁the <s> ▁the"),
        ({"add_bos_token": None}, "<s> ▁the", "<s> ▁the <s> ▁the"),
        ({"add_bos_token": False}, "▁the", "▁the ▁the"),
        ({"add_eos_token": True}, "<s> ▁the </s>", "<s> ▁the </s> ▁the </s>"),
        ({"add_bos_token": False, "add_eos_token": True}, "▁the </s>", "▁the </s> ▁the </s>"),
        ({"add_bos_token": False, "add_sep_token": True, "seperator_token_id": 2}, "▁the", "▁the </s> ▁the"),
        ({"add_sep_token": True, "seperator_token_id": 2}, "<s> ▁the", "<s> ▁the </s> ▁the"),
        ({"add_eos_token": True, "add_sep_token": True}, "<s> ▁the </s>", "<s> ▁the </s> </s> ▁the </s>"),
        ({"bos_token_id": None, "eos_token_id": None}, "<s> ▁the", "<s> ▁the <s> ▁the"),
    ],
)
def test_the_flags_say_what_goes_around_texts(flags: dict[str, Any], single: str, pair: str) -> None:
    assert spelled("spm_llama", "the", **flags) == single
    assert spelled("spm_llama", "the", "the", **flags) == pair


def test_llama3_begins_texts_and_t5_ends_them_unless_the_file_says_no() -> None:
    assert spelled("bpe_llama3", "!", add_bos_token=None) == "<|begin_of_text|> !"
    assert spelled("bpe_llama3", "!", add_bos_token=False) == "!"
    assert spelled("unigram_t5", "the", add_eos_token=None, eos_token_id=None) == "▁the </s>"
    assert spelled("unigram_t5", "the", add_eos_token=False) == "▁the"


def test_roberta_s_frame_needs_no_flag_for_its_two_separators() -> None:
    assert spelled("bpe_roberta", "!", "?", add_sep_token=None) == "<s> ! </s> </s> ? </s>"
    assert spelled("bpe_roberta", "!", "?", add_sep_token=False) == "<s> ! </s> ? </s>"


def test_bert_s_frame_is_there_whatever_the_flags_and_marks_say() -> None:
    flags = {"add_bos_token": False, "add_eos_token": False, "cls_token_id": None, "bos_token_id": None}
    encoding = built("wordpiece", **flags, seperator_token_id=None, eos_token_id=None).encode("the", "the")
    assert encoding.tokens == ["[CLS]", "the", "[SEP]", "the", "[SEP]"]
    assert encoding.type_ids == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(("count", "second"), [(None, 0), (1, 0), (2, 1)])
def test_a_second_text_has_its_own_type_id_if_the_model_has_two(count: int | None, second: int) -> None:
    encoding = built("unigram_albert", token_type_count=count).encode("the", "the")
    assert encoding.type_ids == [0, 0, 0, second, second]


@pytest.mark.parametrize("name", ["spm_llama", "wordpiece", "bpe_gpt2", "unigram_xlmr"])
def test_without_kinds_of_tokens_the_marks_tell_which_are_special(name: str) -> None:
    original = Tokenizer.from_file(str(TOKENIZERS / f"{name}.json"))
    if name.startswith("unigram"):
        original.normalizer = built(name).normalizer
    bare = built(name, token_type=None)
    marked = {number for key, number in told(name).items() if key.endswith("_token_id")}
    unmarked = [token for number, token in original.get_added_tokens_decoder().items() if number not in marked]
    for text in NASTY_STRINGS:
        if not any(token.content in text for token in unmarked):
            assert bare.encode(text).ids == original.encode(text).ids, repr(text)


def test_what_users_defined_is_found_before_everything_else() -> None:
    kinds = tokenizer_metadata("bpe_gpt2")[PREFIX + "token_type"].copy()
    pieces = [*tokenizer_metadata("bpe_gpt2")[PREFIX + "tokens"], "  ", "<note>"]
    tokenizer = built("bpe_gpt2", tokens=pieces, token_type=np.append(kinds, [4, 4]))
    encoding = tokenizer.encode("the  the<note>")
    assert encoding.tokens == ["t", "he", "  ", "t", "he", "<note>"]
    assert not any(encoding.special_tokens_mask)


def test_a_vocabulary_in_lower_case_reads_every_text_so() -> None:
    assert spelled("wordpiece", "THE Thé") == spelled("wordpiece", "the the")


def test_a_vocabulary_with_capitals_keeps_them_and_accents() -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁The", "▁the", "▁é", "s"]
    kinds = [3, 3, 3, 3, 1, 1, 1, 1]
    tokenizer = build_tokenizer({PREFIX + "model": "bert", PREFIX + "tokens": pieces, PREFIX + "token_type": kinds}, "x.gguf")
    assert tokenizer.encode("The thes é e").tokens == ["[CLS]", "The", "the", "##s", "é", "[UNK]", "[SEP]"]


@pytest.mark.parametrize(
    ("flags", "lowercase", "strip_accents"),
    [
        ({"normalizer__lowercase": False}, False, False),
        ({"normalizer__lowercase": True}, True, True),
        ({"normalizer__lowercase": True, "normalizer__strip_accents": False}, True, False),
        ({"normalizer__lowercase": False, "normalizer__strip_accents": True}, False, True),
    ],
)
def test_what_the_file_says_of_case_and_accents_counts(flags: dict[str, bool], lowercase: bool, strip_accents: bool) -> None:
    expected = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
    for text in NASTY_STRINGS:
        assert built("wordpiece", **flags).normalizer.normalize_str(text) == expected.normalize_str(text), repr(text)


def test_of_two_pieces_that_make_a_third_the_best_scored_goes_first() -> None:
    vocabulary = read_vocabulary(TokenizerKeys(told("spm_llama"), "x.gguf"))
    merges = derived_merges(vocabulary)
    scores = [vocabulary.scores[vocabulary.numbers[left + right]] for left, right in merges]
    assert scores == sorted(scores, reverse=True)
    normal = {piece for piece, kind in zip(vocabulary.pieces, vocabulary.kinds, strict=True) if kind == 1}
    assert set(merges) == {(left, right) for left in normal for right in normal if left + right in normal}
    assert len(merges) == len(set(merges)) > 70


def test_a_list_of_merges_counts_where_all_scores_are_the_same() -> None:
    original = Tokenizer.from_file(str(TOKENIZERS / "spm_llama.json"))
    merges = [" ".join(pair) for pair in derived_merges(read_vocabulary(TokenizerKeys(told("spm_llama"), "x.gguf")))]
    n = original.get_vocab_size()
    for scores in (np.full(n, -1000.0), None):
        tokenizer = built("spm_llama", scores=scores, merges=merges)
        for text in NASTY_STRINGS:
            assert tokenizer.encode(text).ids == original.encode(text).ids, repr(text)


def test_an_empty_piece_has_the_name_that_llama_cpp_gives_it() -> None:
    metadata = told("bpe_gpt2")
    pieces = [*metadata[PREFIX + "tokens"], ""]
    tokenizer = built("bpe_gpt2", tokens=pieces, token_type=np.append(metadata[PREFIX + "token_type"], 1))
    assert tokenizer.id_to_token(len(pieces) - 1) == f"[EMPTY_{len(pieces) - 1}]"
