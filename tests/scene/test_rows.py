"""Tokens set as lines of text."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.tokenizer import Token
from attnviz.scene.arcs.rows import Rows, set_rows
from tests.scene.pictures import stand_in_measure


def tokens_of(words: list[str]) -> list[Token]:
    """Words one after the other in a text: with a space before each, or none where a word begins with "#"."""
    tokens, at = [], 0
    for word in words:
        continues = word.startswith("#") and bool(tokens)
        at += 0 if continues or not tokens else 1
        shown = word.removeprefix("#")
        tokens.append(Token(1, word, shown, (at, at + len(shown)), 0, False, continues))
        at += len(shown)
    return tokens


WORDS = st.lists(st.from_regex(r"#?[a-z]{1,12}", fullmatch=True), max_size=40)


def lay(words: list[str], width: float) -> Rows:
    return set_rows(tokens_of(words), range(len(words)), width, stand_in_measure)


@given(WORDS, st.floats(120.0, 1600.0))
def test_tokens_keep_their_order_never_overlap_and_stay_in_the_width(words: list[str], width: float) -> None:
    rows = lay(words, width)
    assert [place.index for place in rows.places] == list(range(len(words)))
    for place in rows.places:
        assert 0.0 <= place.left < place.right <= width + 1e-6
        assert place.right - place.left >= stand_in_measure(tokens_of(words)[place.index].shown, rows.font_size, False) - 1e-6
    for before, place in zip(rows.places, rows.places[1:], strict=False):
        assert place.row in (before.row, before.row + 1)
        assert place.left == 0.0 if place.row > before.row else place.left > before.right
    assert rows.n_row == (rows.places[-1].row + 1 if rows.places else 1)


def fewest_rows(words: list[str], size: int, width: float) -> int:
    """How many lines it takes to set the words one by one, each on the line before while there is room."""
    n_row, x = 1, 0.0
    for token in tokens_of(words):
        advance = stand_in_measure(token.shown, size, False)
        gap = (0.2 if token.continues else 0.78) * size if x else 0.0
        if x and x + gap + advance > width:
            n_row, x, gap = n_row + 1, 0.0, 0.0
        x += gap + advance
    return n_row


@given(WORDS, st.floats(120.0, 1600.0))
def test_a_text_takes_no_more_rows_than_its_size_and_width_ask_for(words: list[str], width: float) -> None:
    rows = lay(words, width)
    assert rows.n_row == fewest_rows(words, rows.font_size, width)


def test_the_last_row_is_not_left_with_a_word_or_two() -> None:
    rows = lay(["word"] * 31, 520.0)
    ends = [max(place.right for place in rows.places if place.row == row) for row in range(rows.n_row)]
    assert rows.n_row > 1
    assert ends[-1] > 0.6 * max(ends)


@given(WORDS, st.floats(200.0, 1600.0))
def test_pieces_of_a_word_stand_closer_than_words(words: list[str], width: float) -> None:
    tokens = tokens_of(words)
    rows = lay(words, width)
    gaps: dict[bool, set[float]] = {True: set(), False: set()}
    for before, place in zip(rows.places, rows.places[1:], strict=False):
        if place.row == before.row:
            gaps[tokens[place.index].continues].add(round(place.left - before.right, 3))
    if gaps[True] and gaps[False]:
        assert max(gaps[True]) < min(gaps[False])


@given(st.integers(1, 30))
def test_more_room_never_means_smaller_type_or_more_lines(n_word: int) -> None:
    laid = [lay(["word"] * n_word, width) for width in (700.0, 900.0, 1200.0, 1600.0)]
    for narrow, wide in itertools.pairwise(laid):
        assert wide.n_row <= narrow.n_row
        assert wide.font_size >= narrow.font_size or narrow.n_row > wide.n_row


def test_a_word_wider_than_the_line_is_set_in_smaller_type() -> None:
    rows = lay(["characteristically"], 96.0)
    assert rows.font_size < 15
    assert rows.places[0].right <= 96.0
