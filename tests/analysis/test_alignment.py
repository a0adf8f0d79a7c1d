"""Which tokens of two texts belong together: against all alignments that there are, tried one by one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.alignment import Alignment, align

# Few different tokens, so that there are many ways to align them.
TOKENS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)
# Longer ones, which have too many ways to try.
LONG = st.lists(st.sampled_from("the a cat dog very , . ##s".split()), max_size=40)


def every_way(first: list[str], second: list[str], i: int = 0, j: int = 0) -> list[list[tuple[int, int]]]:
    """All lists of pairs of equal tokens that rise in both positions, from i and j on."""
    ways: list[list[tuple[int, int]]] = [[]]
    for at in range(i, len(first)):
        for there in range(j, len(second)):
            if first[at] == second[there]:
                ways += [[(at, there), *rest] for rest in every_way(first, second, at + 1, there + 1)]
    return ways


def links(pairs: list[tuple[int, int]]) -> int:
    return sum((i + 1, j + 1) == following for (i, j), following in pairwise(pairs))


def rises(pairs: tuple[tuple[int, int], ...]) -> bool:
    return all(i < next_i and j < next_j for (i, j), (next_i, next_j) in pairwise(pairs))


@given(TOKENS, TOKENS)
def test_no_other_way_has_more_equal_tokens_or_as_many_with_fewer_breaks(first: list[str], second: list[str]) -> None:
    same = list(align(first, second).same)
    assert (len(same), links(same)) == max((len(way), links(way)) for way in every_way(first, second))


@given(LONG, LONG)
def test_pairs_rise_in_both_lists_and_none_is_lost_or_double(first: list[str], second: list[str]) -> None:
    alignment = align(first, second)
    assert rises(alignment.same)
    assert rises(alignment.replaced)
    assert rises(alignment.pairs)
    assert set(alignment.pairs) == {*alignment.same, *alignment.replaced}
    assert all(0 <= i < len(first) and 0 <= j < len(second) for i, j in alignment.pairs)


@given(LONG, LONG)
def test_the_same_are_equal_and_the_replaced_are_not(first: list[str], second: list[str]) -> None:
    alignment = align(first, second)
    assert all(first[i] == second[j] for i, j in alignment.same)
    assert all(first[i] != second[j] for i, j in alignment.replaced)


@given(LONG, LONG)
def test_the_replaced_fill_the_gaps_that_are_as_long_on_both_sides(first: list[str], second: list[str]) -> None:
    alignment = align(first, second)
    expected = []
    i = j = 0
    for next_i, next_j in (*alignment.same, (len(first), len(second))):
        if next_i - i == next_j - j:
            expected += [(i + step, j + step) for step in range(next_i - i)]
        i, j = next_i + 1, next_j + 1
    assert list(alignment.replaced) == expected


@given(TOKENS | LONG, TOKENS | LONG)
def test_lists_that_change_places_give_the_mirror_image(first: list[str], second: list[str]) -> None:
    there, back = align(first, second), align(second, first)
    assert back.same == tuple((j, i) for i, j in there.same)
    assert back.replaced == tuple((j, i) for i, j in there.replaced)


def test_ways_that_only_differ_in_what_comes_after_have_a_mirror_image_too() -> None:
    first, second = list("xpxq"), list("xqxp")  # "xp" or "xq", each without a break, as far in and with the same first token
    there, back = align(first, second), align(second, first)
    assert (len(there.same), links(list(there.same))) == (2, 1)
    assert back.same == tuple((j, i) for i, j in there.same)


@given(LONG)
def test_equal_lists_align_from_end_to_end(tokens: list[str]) -> None:
    assert align(tokens, tuple(tokens)) == Alignment(tuple((at, at) for at in range(len(tokens))), ())


@given(LONG, st.data())
def test_one_other_token_in_the_middle_replaces_what_was_there(tokens: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(tokens)))
    alignment = align([*tokens[:at], "tired", *tokens[at:]], [*tokens[:at], "wide", *tokens[at:]])
    assert alignment.replaced == ((at, at),)
    assert alignment.pairs == tuple((place, place) for place in range(len(tokens) + 1))


@given(LONG, LONG, LONG)
def test_tokens_put_in_leave_the_others_with_themselves(before: list[str], new: list[str], after: list[str]) -> None:
    alignment = align(before + after, before + new + after)
    assert len(alignment.same) == len(before) + len(after)
    assert alignment.replaced == ()


@pytest.mark.parametrize(
    ("first", "second", "same", "replaced"),
    [
        ("it was too tired .", "it was too wide .", ((0, 0), (1, 1), (2, 2), (4, 4)), ((3, 3),)),
        ("she slept", "he slept", ((1, 1),), ((0, 0),)),
        ("it was tired", "it was wide", ((0, 0), (1, 1)), ((2, 2),)),
        ("the dog saw the cat", "the cat", ((3, 0), (4, 1)), ()),
        ("it was tired .", "it was un ##tired .", ((0, 0), (1, 1), (3, 4)), ()),
        ("tired", "wide", (), ((0, 0),)),
        ("", "wide", (), ()),
    ],
)
def test_sentences_align_as_a_reader_would(
    first: str, second: str, same: tuple[tuple[int, int], ...], replaced: tuple[tuple[int, int], ...]
) -> None:
    assert align(first.split(), second.split()) == Alignment(same, replaced)


def test_one_more_token_counts_more_than_fewer_breaks() -> None:
    first, second = "x y z p 1 q 2 r 3 s".split(), "p q r s x y z".split()
    assert align(first, second) == Alignment(((3, 0), (5, 1), (7, 2), (9, 3)), ())


def test_tokens_that_differ_by_a_final_nul_differ() -> None:
    assert align(["a", "b"], ["a\0", "b"]) == Alignment(((1, 1),), ((0, 0),))


def test_long_texts_of_common_words_keep_them_all() -> None:
    first = ["the", "of", "and", "to"] * 128
    second = [*first[:200], "very", *first[200:]]
    alignment = align(first, second)
    assert alignment.same == tuple((at, at + (at >= 200)) for at in range(512))
