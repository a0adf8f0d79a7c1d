"""Gold words and a model's tokens: each word has the tokens that share a letter with it, and no token is lost."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attnviz.corpus.corpus import Sentence
from attnviz.corpus.opening import bundled_corpus
from attnviz.engine.tokenizer import Encoding
from attnviz.probing.aligned import align
from tests.probing.small import encoding_of, sentence, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.model import Model

Spans = list[tuple[int, int]]


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[Sentence, Spans]:
    """A sentence, and tokens as tokenizers make them: some hold a blank and letters of two words, some nothing but blanks, some are
    bytes of one letter and stand in the same place; some words have none. Words that are parts of one share their place."""
    words = draw(st.lists(st.text("abcé", min_size=1, max_size=6), min_size=1, max_size=7))
    gaps = [draw(st.integers(0, 2)) for _ in words]
    text, spans = "", []
    for word, gap in zip(words, gaps, strict=True):
        text += " " * gap
        spans.append((len(text), len(text) + len(word)))
        text += word
    if draw(st.booleans()):
        spans[1:2] = spans[:1] * len(spans[1:2])
    text += " " * draw(st.integers(0, 1))
    cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=12))})
    pieces = [piece for piece in pairwise(cuts) for _ in range(draw(st.integers(0, 4)) and draw(st.integers(1, 2)))]
    return Sentence("s", text, tuple(words), tuple(spans)), pieces


def touching(one: Sentence, spans: Spans) -> list[set[int]]:
    """Of each word the tokens that share a letter with it, letter by letter."""
    letters = [set(range(*span)) for span in spans]
    return [{at for at, held in enumerate(letters) if held & set(range(*span))} for span in one.spans]


@given(cut_texts(), st.integers(0, 2), st.integers(0, 2))
@example((sentence("ab cd"), [(0, 2), (2, 5)]), 0, 0)
@example((sentence("ab cd"), [(0, 4), (4, 5)]), 1, 1)
@example((sentence(" ab cd"), [(0, 1), (1, 3), (3, 4), (4, 6)]), 1, 0)
def test_each_word_has_the_tokens_that_share_a_letter_with_it(cut: tuple[Sentence, Spans], before: int, after: int) -> None:
    one, spans = cut
    aligned = align(one, encoding_of(one.text, spans, before, after))
    for word, tokens in enumerate(touching(one, spans)):
        unit = aligned.unit_of[word]
        assert (unit is None) == (not tokens)
        assert not tokens or tokens <= set(aligned.groups[unit])


@given(cut_texts(), st.integers(0, 2), st.integers(0, 2))
def test_units_stand_in_a_row_and_hold_every_token_of_the_text(cut: tuple[Sentence, Spans], before: int, after: int) -> None:
    one, spans = cut
    aligned = align(one, encoding_of(one.text, spans, before, after))
    assert [at for group in aligned.groups for at in group] == list(range(len(spans)))
    assert all(len(group) for group in aligned.groups)
    assert aligned.n_token == len(spans)
    assert aligned.first == (before if spans else 0)
    for unit, words in enumerate(aligned.words):
        assert list(words) == [word for word, own in enumerate(aligned.unit_of) if own == unit]


@given(cut_texts())
@example((sentence("ab cd ef"), [(0, 4), (4, 8)]))
def test_two_words_are_one_unit_only_if_tokens_hold_them_together(cut: tuple[Sentence, Spans]) -> None:
    one, spans = cut
    aligned = align(one, encoding_of(one.text, spans))
    tokens = touching(one, spans)
    for unit in range(len(aligned.groups)):
        words = aligned.words[unit]
        reached = set(words[:1])
        for _ in words:
            reached |= {word for word in words if any(tokens[word] & tokens[other] for other in reached)}
        assert reached == set(words)


@given(cut_texts())
def test_blanks_go_to_the_word_before_them(cut: tuple[Sentence, Spans]) -> None:
    one, spans = cut
    aligned = align(one, encoding_of(one.text, spans))
    held = [at for tokens in touching(one, spans) for at in tokens]
    unit = {at: number for number, group in enumerate(aligned.groups) for at in group}
    for at in range(len(spans)):
        if at not in held:
            before = [other for other in held if other < at]
            assert unit[at] == (unit[max(before)] if before else 0)


def test_a_token_across_two_words_makes_them_one_unit() -> None:
    aligned = align(sentence("ab cd ef"), encoding_of("ab cd ef", [(0, 1), (1, 4), (4, 5), (5, 8)], before=1))
    assert aligned.groups == (range(0, 3), range(3, 4))
    assert aligned.unit_of == (0, 0, 1)
    assert aligned.words == ((0, 1), (2,))


def test_bytes_of_one_letter_and_a_word_without_a_token() -> None:
    aligned = align(sentence("é x y"), encoding_of("é x y", [(0, 1), (0, 1), (4, 5)]))
    assert aligned.groups == (range(0, 2), range(2, 3))
    assert aligned.unit_of == (0, None, 1)


def test_an_unwritten_token_goes_to_the_word_before_it() -> None:
    one = sentence("ab cd")
    tokens = (token("ab", (0, 2)), token("▁", (3, 3)), token("cd", (3, 5)))
    assert align(one, Encoding(tokens, 0)).groups == (range(0, 2), range(2, 3))


def test_a_text_of_which_nothing_is_left_has_no_unit() -> None:
    aligned = align(sentence("ab cd"), encoding_of("ab cd", [], before=1, after=1))
    assert (aligned.groups, aligned.unit_of, aligned.words, aligned.n_token) == ((), (None, None), (), 0)


@pytest.mark.parametrize("case", ["bert-mlm", "gpt2-lm", "t5-tied", "llama-gqa", "bart-lm", "xlm-roberta-mlm"])
def test_the_tokens_of_each_unit_spell_its_words(tiny: Callable[[str], Model], case: str) -> None:
    tokenizer = tiny(case).tokenizer
    for one in bundled_corpus().sentences[::20]:
        encoding = tokenizer.encode(one.text, None, 1_000)
        aligned = align(one, encoding)
        assert None not in aligned.unit_of
        for group, words in zip(aligned.groups, aligned.words, strict=True):
            spans = np.array([encoding.tokens[aligned.first + at].span for at in group])
            spelled = one.text[spans[:, 0].min() : spans[:, 1].max()].strip()
            assert spelled == one.text[one.spans[words[0]][0] : one.spans[words[-1]][1]]
            assert len(words) == 1 or not all(one.words[word].isalpha() for word in words)  # two signs may be one token
