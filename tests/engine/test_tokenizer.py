"""The tokenizer against the library it wraps, on the default model's own tokenizer.json and arbitrary text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.engine.tokenizer import TEXT_LIMIT, Encoding, Tokenizer
from attnviz.errors import InputError, ModelError
from tests.engine.tiny_bert import write_tokenizer
from tests.golden.families_reader import TOKENIZERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.model import Model

LIMIT = 512
ANY_TEXT = st.text(st.characters(codec=None), max_size=200)  # lone surrogates too


@pytest.fixture(scope="module")
def ours(minilm: Model) -> Tokenizer:
    return minilm.tokenizer


@pytest.fixture(scope="module")
def theirs(minilm_path: Path) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer.from_file(str(minilm_path / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def spelled(encoding: Encoding) -> list[str]:
    return [token.text for token in encoding.tokens]


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_any_text_is_read_as_the_library_reads_it(ours: Tokenizer, theirs: tokenizers.Tokenizer, text: str) -> None:
    # Two lone halves that meet are one character, as in any UTF-16 program.
    expected = theirs.encode(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    got = ours.encode(text, None, 10_000)
    assert [token.id for token in got.tokens] == expected.ids
    assert spelled(got) == expected.tokens
    assert got.left_out == 0


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_any_pair_is_read_as_the_library_reads_it(ours: Tokenizer, theirs: tokenizers.Tokenizer, text: str, pair: str) -> None:
    texts = [part.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for part in (text, pair)]
    expected = theirs.encode(*texts)
    got = ours.encode(text, pair, 10_000)
    assert [token.id for token in got.tokens] == expected.ids
    assert [token.segment for token in got.tokens] == expected.type_ids
    assert [token.is_special for token in got.tokens] == [number is None for number in expected.sequence_ids]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120))
def test_spans_stand_in_the_text_in_order_and_do_not_overlap(ours: Tokenizer, text: str) -> None:
    tokens = [token for token in ours.encode(text, None, 10_000).tokens if not token.is_special]
    spans = [token.span for token in tokens]
    assert None not in spans
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    for (_, end), (start, _), token in zip(spans, spans[1:], tokens[1:], strict=False):
        # One character that the tokenizer opens into several (such as a ligature) lends its span to each of them.
        assert start >= end or token.continues


@settings(deadline=None)
@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,!?'", max_size=120))
def test_spans_tile_plain_text_and_are_what_is_shown(ours: Tokenizer, text: str) -> None:
    tokens = [token for token in ours.encode(text, None, 10_000).tokens if not token.is_special]
    assert "".join(text[slice(*token.span)] for token in tokens) == text.replace(" ", "")
    for token in tokens:
        if token.text != "[UNK]":
            assert token.shown == text[slice(*token.span)]
            assert token.shown.lower() == token.text.removeprefix("##")


def test_capitals_and_accents_are_shown_as_they_were_written(ours: Tokenizer) -> None:
    shown = [token.shown for token in ours.encode("Zürich IS Café", None, LIMIT).tokens]
    assert shown == ["[CLS]", "Zürich", "IS", "Café", "[SEP]"]


def test_every_token_has_something_to_show(ours: Tokenizer) -> None:
    nasty = "a\x00b \u200b\u202e x\u0301 \ufffd [MASK] ##ing 👩‍🚀 " + "y" * 101
    for token in ours.encode(nasty, "\u0301", LIMIT).tokens:
        assert token.shown
        assert token.shown.isprintable()


def test_a_further_piece_of_a_word_continues_it(ours: Tokenizer) -> None:
    tokens = ours.encode("unbelievableness again", "unbelievableness", LIMIT).tokens
    assert any(token.continues for token in tokens)
    for token in tokens:
        assert token.continues == token.text.startswith("##")


def test_punctuation_does_not_continue_a_word(ours: Tokenizer) -> None:
    assert not any(token.continues for token in ours.encode("didn't stop.", None, LIMIT).tokens)


@pytest.mark.parametrize("n_word", [1, 509, 510, 511, 2_000])
def test_a_long_text_keeps_its_start_and_both_specials(ours: Tokenizer, n_word: int) -> None:
    encoding = ours.encode("cat " * n_word, None, LIMIT)
    kept = min(n_word, LIMIT - 2)
    assert spelled(encoding) == ["[CLS]", *["cat"] * kept, "[SEP]"]
    assert encoding.left_out == n_word - kept


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(3, 40))
def test_of_a_pair_the_longer_is_cut_first(ours: Tokenizer, n_first: int, n_second: int, limit: int) -> None:
    encoding = ours.encode("cat " * n_first, "dog " * n_second, limit)
    cats, dogs = spelled(encoding).count("cat"), spelled(encoding).count("dog")
    # The slow way: take one token at a time from whichever is longer.
    first, second = n_first, n_second
    while first + second + 3 > limit:
        first, second = (first - 1, second) if first >= second else (first, second - 1)
    assert spelled(encoding) == ["[CLS]", *["cat"] * cats, "[SEP]", *["dog"] * dogs, "[SEP]"]
    assert {cats, dogs} == {first, second} or (cats, dogs) == (first, second)
    assert (cats, dogs) == (first, second) or abs(cats - dogs) <= 1
    assert encoding.left_out == n_first + n_second - cats - dogs


def test_a_pair_of_two_long_texts_shares_the_room(ours: Tokenizer) -> None:
    encoding = ours.encode("cat " * 3_000, "dog " * 4_000, LIMIT)
    assert sorted([spelled(encoding).count("cat"), spelled(encoding).count("dog")]) == [254, 255]
    assert encoding.left_out == 7_000 - 509


def test_a_short_text_stays_whole_beside_a_long_one(ours: Tokenizer) -> None:
    encoding = ours.encode("cat cat", "dog " * 4_000, LIMIT)
    assert spelled(encoding).count("cat") == 2
    assert len(encoding.tokens) == LIMIT


def test_a_text_at_the_limit_is_read_and_one_above_is_refused_with_both_numbers(ours: Tokenizer) -> None:
    assert ours.encode("a " * (TEXT_LIMIT // 2), None, LIMIT).left_out == TEXT_LIMIT // 2 - 510
    for text, pair in (("x" * (TEXT_LIMIT + 1), None), ("x", "x" * (TEXT_LIMIT + 1))):
        with pytest.raises(InputError, match=r"100,001 characters.*100,000"):
            ours.encode(text, pair, LIMIT)


@pytest.mark.parametrize("pair", [None, "b"])
def test_no_room_for_the_specials_is_said_and_no_crash(tmp_path: Path, pair: str | None) -> None:
    write_tokenizer(tmp_path)
    with pytest.raises((InputError, ModelError), match="token"):
        Tokenizer.from_file(tmp_path / "tokenizer.json").encode("a", pair, 1)


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"version": "1.0", "model": {"type": "Nonsense"}}', "\x00\x01"])
def test_a_tokenizer_file_that_is_none_is_refused_by_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokenizer\.json") as caught:
        Tokenizer.from_file(file)
    assert len(str(caught.value).splitlines()) == 1


def _template(parts: dict[str, Any]) -> dict[str, Any]:
    processor = parts["post_processor"]
    return processor["special_tokens"] if "special_tokens" in processor else processor["processors"][-1]["special_tokens"]


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("wordpiece", lambda parts: _template(parts).pop("[CLS]")),  # the library panics
        ("wordpiece", lambda parts: _template(parts)["[CLS]"].update(ids=[1, 2, 3])),
        ("wordpiece", lambda parts: parts["model"].update(unk_token="[NOT THERE]")),
        ("unigram_t5", lambda parts: parts["model"].update(unk_id=None)),
        ("unigram_t5", lambda parts: parts.update(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAAAA=="})),
    ],
)
def test_a_tokenizer_whose_parts_contradict_each_other_is_refused_by_name(
    tmp_path: Path, kind: str, damage: Callable[[dict[str, Any]], object], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tokenizer.json"
    parts = json.loads((TOKENIZERS / f"{kind}.json").read_text(encoding="utf-8"))
    damage(parts)
    path.write_text(json.dumps(parts))
    with pytest.raises(ModelError, match=re.escape(str(path))):
        Tokenizer.from_file(path).encode("\N{SNOWMAN}", None, LIMIT)
    capfd.readouterr()  # a panic reports itself on stderr
