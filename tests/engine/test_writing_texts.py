"""What written tokens stand for: the text grows by what they spell, whole characters at a time."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest
import tokenizers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attnviz.engine.tokenizer import Tokenizer
from tests.engine.changing import opener
from tests.golden.families_reader import TOKENIZERS
from tests.golden.predictions_reader import causal_cases, translator_cases

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.engine.tokenizer import Encoding
    from tests.engine.changing import Opener

LIMIT: Final = 10_000
# What a tokenizer puts between a text and one that is written behind it: those of SentencePiece begin each with a blank.
BETWEEN: Final = {
    "bpe_gpt2": "",
    "bpe_llama3": "",
    "bpe_opt": "",
    "bpe_qwen2": "",
    "bpe_roberta": "",
    "spm_gemma": "",
    "spm_llama": " ",
}
SPELLS: Final = (*BETWEEN, "unigram_t5")
# Letters that vocabularies have, and characters that they spell by up to four bytes; "▁" is SentencePiece's sign for a blank.
TEXTS: Final = st.text(
    st.sampled_from("aeTx ,12\nÉéß東京好🦊👍🏽–\u0301\t") | st.characters(codec="utf-8", exclude_characters="▁"), max_size=12
)


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


@cache
def both(name: str) -> tuple[Tokenizer, tokenizers.Tokenizer]:
    """Our tokenizer and the library's."""
    path = TOKENIZERS / f"{name}.json"
    return Tokenizer.from_file(path), tokenizers.Tokenizer.from_file(str(path))


def numbers_of(name: str, text: str) -> list[int]:
    return both(name)[1].encode(text, add_special_tokens=False).ids


def read_on(name: str, text: str, numbers: list[int]) -> tuple[Encoding, str]:
    ours, _ = both(name)
    return ours.read_on(ours.encode(text, None, LIMIT), text, numbers, LIMIT)


@pytest.mark.parametrize("name", BETWEEN)
def test_a_text_grows_by_the_text_that_its_new_tokens_were_made_of(name: str) -> None:
    @settings(max_examples=150)
    @given(TEXTS, TEXTS)
    @example("東京東京", "\n🦊 a")
    @example("é好", "\n")
    def it_does(text: str, more: str) -> None:
        text, more = unicodedata.normalize("NFC", text), unicodedata.normalize("NFC", more)  # Qwen's does so
        if more.endswith("\ufffd"):  # the sign of bytes that are no character yet
            more += "."
        numbers = numbers_of(name, more)
        begins = BETWEEN[name] if text and more else ""
        encoding, grown = read_on(name, text, numbers)
        assert grown == text + begins + more
        assert [token.id for token in encoding.tokens[len(encoding.tokens) - len(numbers) :]] == numbers
        assert_tiled(encoding, grown, len(text), len(numbers))

    it_does()


def assert_tiled(encoding: Encoding, text: str, start: int, n_written: int) -> None:
    """The written tokens' spans follow one another to the end of the text, with nothing but blanks between."""
    for token in encoding.tokens[len(encoding.tokens) - n_written :]:
        first, last = token.span
        assert start <= first <= last
        assert not text[start:first].strip()
        start = last
    assert start == len(text) or not n_written


@pytest.mark.parametrize("name", SPELLS)
def test_what_is_written_is_never_taken_back_and_holds_no_half_characters(name: str) -> None:
    @settings(max_examples=50)
    @given(TEXTS.filter(lambda text: "\ufffd" not in text), TEXTS.filter(lambda text: "\ufffd" not in text))
    def it_is_not(text: str, more: str) -> None:
        numbers = numbers_of(name, more)
        before = text
        for n in range(1, len(numbers) + 1):
            encoding, grown = read_on(name, text, numbers[:n])
            assert grown.startswith(before)
            assert "\ufffd" not in grown[len(text) :]
            assert encoding.tokens[:-1] == read_on(name, text, numbers[: n - 1])[0].tokens
            before = grown

    it_is_not()


@pytest.mark.parametrize("name", SPELLS)
def test_a_token_that_spells_characters_stands_at_the_end_whatever_bytes_stand_before_it(name: str) -> None:
    _, theirs = both(name)
    n_vocab = theirs.get_vocab_size()

    @settings(max_examples=150)
    @given(TEXTS, st.lists(st.integers(0, n_vocab - 1), max_size=8), st.integers(0, n_vocab - 1))
    def it_does(text: str, numbers: list[int], last: int) -> None:
        spelled = theirs.decode([last], skip_special_tokens=False)
        encoding, grown = read_on(name, text, [*numbers, last])
        assert len(encoding.tokens) == len(both(name)[0].encode(text, None, LIMIT).tokens) + len(numbers) + 1
        assert grown.startswith(text)
        assert_tiled(encoding, grown, len(text), len(numbers) + 1)
        if "\ufffd" not in spelled and spelled.strip() and not is_byte(theirs, last):
            assert grown.endswith(spelled)
            assert grown[slice(*encoding.tokens[-1].span)].endswith(spelled.strip())

    it_does()


def is_byte(tokenizer: tokenizers.Tokenizer, number: int) -> bool:
    """Whether a token is a byte <0x41>, which together with others may be none of a character."""
    return tokenizer.id_to_token(number).startswith("<0x")


@pytest.mark.parametrize("name", ["bpe_llama3", "bpe_gpt2", "bpe_opt", "spm_llama", "spm_gemma"])
def test_the_bytes_of_one_character_stand_where_it_will_stand_and_the_last_one_spells_it(name: str) -> None:
    numbers = numbers_of(name, "👍")[len(BETWEEN[name]) :]  # the blank is a piece of its own
    text, last = "The fox", len(numbers) - 1
    assert last >= 2
    for n in range(1, last + 1):
        encoding, grown = read_on(name, text, numbers[:n])
        assert grown == text
        assert [token.span for token in encoding.tokens[-n:]] == [(7, 7)] * n
    encoding, grown = read_on(name, text, numbers)
    assert grown == "The fox👍"
    assert [token.span for token in encoding.tokens[-last - 1 :]] == [(7, 7)] * last + [(7, 8)]
    assert encoding.tokens[-1].shown == "👍"


@pytest.mark.parametrize("name", ["bpe_llama3", "bpe_gpt2", "spm_gemma"])
def test_written_words_begin_and_go_on_as_the_tokenizer_reads_them(name: str) -> None:
    ours, _ = both(name)
    text, more = "Why did the", " animals and foxes, traversé 12 streets"
    whole, (found, grown) = ours.encode(text + more, None, LIMIT), read_on(name, text, numbers_of(name, more))
    assert grown == text + more
    assert [token.id for token in found.tokens] == [token.id for token in whole.tokens]
    assert [token.shown for token in found.tokens] == [token.shown for token in whole.tokens]
    assert [token.text for token in found.tokens] == [token.text for token in whole.tokens]
    if name != "spm_gemma":  # its words are read as one
        assert [token.continues for token in found.tokens] == [token.continues for token in whole.tokens]


@pytest.mark.parametrize("one", causal_cases(), ids=lambda one: f"{one.case}-{len(one.ids)}")
def test_a_runs_text_is_its_prompt_with_what_was_written(opened: Opener, one: object) -> None:
    model, before = opened(one.case), one.text
    for n in range(1, len(one.continuation) + 1):
        trace = model.trace(one.text, written=one.continuation[:n])
        assert trace.text.startswith(before)
        assert trace.pair is None
        written = trace.pieces[len(one.ids) :]
        assert [piece.id for piece in written] == one.continuation[:n]
        assert not any(piece.is_special for piece in written)
        assert_tiled(trace.encoding, trace.text, len(one.text), n)
        before = trace.text


@pytest.mark.parametrize("one", translator_cases(), ids=lambda one: one.case)
def test_a_translators_second_text_is_what_was_written(opened: Opener, one: object) -> None:
    model, before = opened(one.case), ""
    assert model.trace(one.text).pair is None
    for n in range(1, len(one.continuation) + 1):
        trace = model.trace(one.text, written=one.continuation[:n])
        assert trace.text == one.text
        assert trace.ids == one.ids
        assert trace.decoder_ids == [*one.start, *one.continuation[:n]]
        assert trace.pair.startswith(before)
        before = trace.pair
    begun = model.trace(one.text, "The fox", written=one.continuation[:2])
    assert begun.pair.startswith("The fox")
    assert begun.n_written == 2


def test_a_number_without_a_spelling_stands_for_nothing_and_is_shown_as_a_number(opened: Opener) -> None:
    model = opened("llama-gqa")
    _, theirs = both("spm_llama")
    number = model.config.n_vocab - 1
    assert theirs.id_to_token(number) is None
    trace = model.trace("Was it", written=[number, numbers_of("spm_llama", "fox")[-1]])
    assert trace.text == "Was it fox"
    assert trace.pieces[-2].text == trace.pieces[-2].shown == f"<{number}>"
    assert trace.pieces[-2].span == (6, 6)
