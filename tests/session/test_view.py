"""Choices of heads that survive a what-if, lengths as people write them, texts that can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.errors import InputError
from attnviz.session.lengths import PER_INCH, inches
from attnviz.session.request import check_text
from attnviz.session.view import HeadChoice, View

COUNTS = st.sampled_from([1, 2, 3, 4, 6, 12, 24, 48, 96])


@st.composite
def choices(draw: st.DrawFn) -> HeadChoice:
    of = draw(COUNTS)
    return HeadChoice(draw(st.frozensets(st.integers(0, of - 1))), of)


def numbers_of(head: int, count: int) -> set[int]:
    """The numbers of a vector of 96 that a head of `count` heads reads."""
    width = 96 // count
    return set(range(head * width, (head + 1) * width))


@given(choices(), COUNTS)
def test_the_heads_shown_are_those_that_share_numbers_with_a_chosen_one(choice: HeadChoice, count: int) -> None:
    chosen = set().union(*(numbers_of(head, choice.of) for head in choice.heads))
    assert choice.at(count) == {head for head in range(count) if numbers_of(head, count) & chosen}


@given(choices())
def test_at_its_own_count_a_choice_is_itself(choice: HeadChoice) -> None:
    assert choice.at(choice.of) == choice.heads


@given(choices(), COUNTS)
def test_there_and_back_loses_no_chosen_head(choice: HeadChoice, count: int) -> None:
    assert HeadChoice(choice.at(count), count).at(choice.of) >= choice.heads
    if count >= choice.of and count % choice.of == 0:
        assert HeadChoice(choice.at(count), count).at(choice.of) == choice.heads


@given(choices(), COUNTS)
def test_a_choice_of_some_shows_some_and_of_none_shows_none(choice: HeadChoice, count: int) -> None:
    assert bool(choice.at(count)) == bool(choice.heads)


@given(COUNTS)
def test_without_a_choice_all_heads_are_shown(count: int) -> None:
    assert View().shown_heads(count) == set(range(count))


def test_head_1_of_12_lies_in_head_0_of_6() -> None:
    assert HeadChoice(frozenset({1}), 12).at(6) == {0}
    assert HeadChoice(frozenset({1}), 12).at(24) == {2, 3}


@given(st.decimals("0", "1000", places=3), st.sampled_from(sorted(PER_INCH)), st.sampled_from(["", " "]))
def test_a_length_is_its_number_by_its_unit(number: object, unit: str, space: str) -> None:
    assert inches(f" {number}{space}{unit.upper()} ") == float(number) / PER_INCH[unit]


def test_known_lengths() -> None:
    assert inches("5.5in") == inches("5.5") == 5.5
    assert inches("139.7mm") == pytest.approx(5.5)
    assert inches("13.97 cm") == pytest.approx(5.5)
    assert inches("396pt") == pytest.approx(5.5)
    assert inches("528px") == pytest.approx(5.5)
    assert inches(".5in") == 0.5


@pytest.mark.parametrize("text", ["", "in", "five", "-3in", "3 4in", "3furlongs", "1e3", "nan", "inf", "3in in", "0x10", "3,5in"])
def test_what_is_no_length_is_refused_with_the_units(text: str) -> None:
    with pytest.raises(InputError, match="mm"):
        inches(text)


@given(st.text())
def test_any_text_is_a_length_or_an_input_error(text: str) -> None:
    try:
        length = inches(text)
    except InputError as error:
        length, said = 0.0, str(error)
    else:
        said = text
    assert length >= 0.0
    assert text in said


@pytest.mark.parametrize("text", ["a", ".", " a ", "\x00a", "你", "\N{GRINNING FACE}", "\ufffd", "x" * 1_000_000])
def test_a_text_with_anything_to_see_can_be_read(text: str) -> None:
    check_text(text)


@given(st.text(st.sampled_from(" \t\n\r\x00\x07\x1b\u00a0\u200b\u2003\u2028\ud800")))
def test_a_text_with_nothing_to_see_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="type a sentence"):
        check_text(text)
