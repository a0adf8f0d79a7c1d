"""Words of several tokens: against sums and means in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis.words import merge_to_words, word_groups

CONTINUES = st.lists(st.booleans(), max_size=12)
Case = tuple[NDArray[np.float32], tuple[range, ...], tuple[range, ...]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Weights of some heads between two texts, zeros among them, and the words of each text."""
    queries, keys = draw(CONTINUES), draw(CONTINUES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    raw = rng.exponential(size=(draw(st.integers(1, 3)), len(queries), len(keys)))
    return (raw * (raw > 0.5)).astype(np.float32), word_groups(queries), word_groups(keys)


@given(CONTINUES)
def test_words_tile_the_positions_and_begin_where_a_position_does_not_continue(continues: list[bool]) -> None:
    words = word_groups(continues)
    assert [at for word in words for at in word] == list(range(len(continues)))
    assert {word.start for word in words} == {at for at, joins in enumerate(continues) if at == 0 or not joins}
    assert all(len(word) for word in words)


@given(cases())
def test_a_word_receives_the_sum_and_gives_the_mean_of_its_pieces(case: Case) -> None:
    weights, queries, keys = case
    merged = merge_to_words(weights, queries, keys)
    assert merged.dtype == np.float32
    assert merged.shape == (len(weights), len(queries), len(keys))
    for head, row, column in np.ndindex(merged.shape):
        given_by = [sum(float(weights[head, query, key]) for key in keys[column]) for query in queries[row]]
        assert merged[head, row, column] == pytest.approx(sum(given_by) / len(given_by), rel=1e-5)


@given(cases())
def test_a_row_sums_to_the_mean_of_its_pieces_rows(case: Case) -> None:
    weights, queries, keys = case
    sums = merge_to_words(weights, queries, keys).sum(axis=-1)
    for at, word in enumerate(queries):
        np.testing.assert_allclose(sums[:, at], weights[:, list(word)].sum(axis=-1).mean(axis=-1), rtol=1e-5)


@given(cases())
def test_words_of_one_token_change_nothing_and_nothing_is_written_into_the_weights(case: Case) -> None:
    weights, queries, keys = case
    before = weights.copy()
    merge_to_words(weights, queries, keys)
    assert np.array_equal(weights, before)
    single = [word_groups([False] * n) for n in weights.shape[1:]]
    assert np.array_equal(merge_to_words(weights, *single), before)


def test_any_dimensions_may_stand_before_query_and_key() -> None:
    weights = np.random.default_rng(0).random((2, 3, 4, 5), dtype=np.float32)
    queries, keys = word_groups([False, True, True, False]), word_groups([False, False, True, False, True])
    merged = merge_to_words(weights, queries, keys)
    assert merged.shape == (2, 3, 2, 3)
    assert np.array_equal(merged[1, 2], merge_to_words(weights[1, 2], queries, keys))
