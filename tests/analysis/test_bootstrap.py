"""Intervals of scores over a corpus: what drawing its texts anew, one by one, gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.analysis.bootstrap import DRAWS, interval, score_of


def ones(n: int) -> np.ndarray:
    return np.ones(n, np.float32)


def test_a_score_is_what_is_got_per_case_over_all_texts() -> None:
    gets = np.array([[1, 0], [2, 4]], np.float32)
    assert score_of(gets, np.array([1, 3], np.float32)).tolist() == [0.75, 1.0]


def test_without_a_case_there_is_no_number() -> None:
    for n in (0, 3):
        gets, cases = np.zeros((n, 2, 3), np.float32), np.zeros(n, np.float32)
        for found in (score_of(gets, cases), *interval(gets, cases)):
            assert found.shape == (2, 3)
            assert np.isnan(found).all()


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 40), st.floats(0.05, 0.95))
def test_the_interval_holds_the_score(seed: int, n: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    cases = rng.integers(1, 6, n).astype(np.float32)
    gets = rng.binomial(cases.astype(int)[:, None], share, (n, 5)).astype(np.float32)
    score, (low, high) = score_of(gets, cases), interval(gets, cases)
    assert low.dtype == high.dtype == np.float32
    assert (low <= high).all()
    assert (low >= 0).all()
    assert (high <= 1 + 1e-6).all()
    if n >= 10:  # of fewer, the middle of the draws may lie off
        assert (low <= score + 1e-6).all()
        assert (score <= high + 1e-6).all()


def test_it_is_the_percentiles_of_texts_drawn_one_by_one() -> None:
    rng = np.random.default_rng(5)
    n, draws = 30, 200
    cases = rng.integers(0, 4, n).astype(np.float32)
    gets = (rng.random((n, 2, 3)) * cases[:, None, None]).astype(np.float32)
    texts = np.random.default_rng(1_979).integers(n, size=(draws, n))
    scores = np.array([sum(gets[text] for text in drawn) / sum(cases[text] for text in drawn) for drawn in texts])
    for level in (0.5, 0.95):
        low, high = interval(gets, cases, draws, level)
        np.testing.assert_allclose(low, np.percentile(scores, 50 * (1 - level), axis=0), rtol=1e-4)
        np.testing.assert_allclose(high, np.percentile(scores, 50 * (1 + level), axis=0), rtol=1e-4)
    assert (interval(gets, cases, draws, 0.5)[0] > interval(gets, cases, draws, 0.95)[0]).all()


def test_the_draws_are_those_of_the_number_of_texts_alone() -> None:
    rng = np.random.default_rng(0)
    gets, more = rng.random((20, 4), dtype=np.float32), rng.random((20, 7), dtype=np.float32)
    alone, beside = interval(gets, ones(20)), interval(np.concatenate([gets, more], axis=1), ones(20))
    for one, other in zip(alone, beside, strict=True):
        np.testing.assert_allclose(other[:4], one, rtol=1e-6)


def test_texts_that_agree_have_no_width() -> None:
    cases = np.arange(1, 21, dtype=np.float32)
    low, high = interval(cases[:, None] * np.float32(0.25), cases)
    np.testing.assert_allclose([low, high], 0.25, rtol=1e-5)


def test_fewer_texts_have_a_wider_interval_as_their_square_root() -> None:
    half = np.arange(400) % 2
    widths = []
    for n in (400, 100, 25):
        low, high = interval(half[:n, None].astype(np.float32), ones(n))
        widths.append(float((high - low)[0]))
    assert widths == sorted(widths)
    assert widths[1] / widths[0] == pytest.approx(2, rel=0.15)
    assert widths[2] / widths[1] == pytest.approx(2, rel=0.2)
    assert widths[0] == pytest.approx(2 * 1.96 * 0.5 / 20, rel=0.1)


def test_cases_of_one_text_are_not_counted_as_if_they_were_apart() -> None:
    rng = np.random.default_rng(3)
    right = rng.integers(0, 2, 40).astype(np.float32)
    together = interval(10 * right[:, None], 10 * ones(40))
    apart = interval(np.repeat(right, 10)[:, None], ones(400))
    assert together[1] - together[0] > 2.5 * (apart[1] - apart[0])


def test_a_draw_without_a_case_is_passed_over() -> None:
    cases = np.array([1, *[0] * 9], np.float32)
    low, high = interval(np.array([[0.5], *[[0]] * 9], np.float32), cases)
    assert low.tolist() == high.tolist() == [0.5]


def test_about_95_of_100_intervals_hold_what_is_true() -> None:
    rng = np.random.default_rng(11)
    n_head = 2_000
    for n, share in ((60, 0.5), (150, 0.2), (300, 0.7)):
        gets = rng.binomial(1, share, (n, n_head)).astype(np.float32)
        low, high = interval(gets, ones(n))
        held = ((low <= share) & (share <= high)).mean()
        assert 0.925 < held < 0.97, (n, share)


def test_it_draws_a_thousand_times_by_default() -> None:
    gets = np.random.default_rng(2).random((15, 3), dtype=np.float32)
    assert DRAWS == 1_000
    for one, other in zip(interval(gets, ones(15)), interval(gets, ones(15), 1_000, 0.95), strict=True):
        assert np.array_equal(one, other)
