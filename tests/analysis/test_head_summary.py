"""Entropy, distance and sink share of a head: against loops over rows, and at the ends of their ranges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis.summary import HeadSummary, SpreadSums, summarise

Case = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Weights of any sum, rows and heads of zeros among them, with sinks and the positions of rows and columns."""
    n_head, n_query, n_key = (draw(st.integers(least, most)) for least, most in ((1, 3), (0, 5), (1, 6)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    raw = rng.exponential(size=(n_head, n_query, n_key)) ** draw(st.sampled_from([1, 6]))
    raw *= rng.random(raw.shape) > 0.3
    raw *= rng.random((n_head, n_query, 1)) > draw(st.sampled_from([0.0, 0.5, 1.0]))
    raw *= draw(st.sampled_from([1e-12, 1.0, 50.0]))
    sinks = rng.random(n_key) > 0.6
    positions = [np.sort(rng.choice(40, size=n, replace=False)) for n in (n_query, n_key)]
    return raw.astype(np.float32), sinks, positions[0], positions[1]


def slowly(case: Case, head: int) -> tuple[float, float, float]:
    """The three numbers of one head, row by row."""
    weights, sinks, query_positions, key_positions = case
    rows: list[tuple[float, float, float]] = []
    for query, row in enumerate(weights[head].tolist()):
        total = sum(row)
        if not total:
            continue
        entropy = -sum(w / total * math.log(w / total) for w in row if w)
        distance = sum(w * abs(int(query_positions[query]) - int(at)) for w, at in zip(row, key_positions, strict=True)) / total
        rows.append((entropy, distance, sum(w for w, sink in zip(row, sinks, strict=True) if sink) / total))
    entropies, distances, shares = zip(*rows, strict=True) if rows else ([0.0], [0.0], [0.0])
    return sum(entropies) / len(entropies), sum(distances) / len(distances), sum(shares) / len(shares)


def of_head(summary: HeadSummary, head: int) -> tuple[float, float, float]:
    return float(summary.entropy[head]), float(summary.distance[head]), float(summary.sink_share[head])


@given(cases())
def test_each_number_is_the_mean_over_rows_that_have_weight(case: Case) -> None:
    summary = summarise(*case)
    for array in (summary.entropy, summary.distance, summary.sink_share):
        assert (array.dtype, array.shape) == (np.float32, case[0].shape[:1])
    for head in range(len(case[0])):
        assert of_head(summary, head) == pytest.approx(slowly(case, head), rel=1e-5, abs=1e-6)


@given(cases())
def test_numbers_stay_in_their_ranges(case: Case) -> None:
    weights, _, query_positions, key_positions = case
    summary = summarise(*case)
    farthest = max((abs(int(i) - int(j)) for i in query_positions for j in key_positions), default=0)
    assert (summary.entropy >= 0).all()
    assert (summary.entropy <= math.log(weights.shape[2]) + 1e-5).all()
    assert (summary.distance >= 0).all()
    assert (summary.distance <= farthest * (1 + 1e-5)).all()
    assert (summary.sink_share >= 0).all()
    assert (summary.sink_share <= 1 + 1e-5).all()


@given(cases())
def test_without_positions_there_is_no_distance_and_the_rest_is_the_same(case: Case) -> None:
    weights, sinks, query_positions, key_positions = case
    placed, free = summarise(*case), summarise(weights, sinks)
    assert free.distance.dtype == np.float32
    for one_sided in (free, summarise(weights, sinks, query_positions), summarise(weights, sinks, None, key_positions)):
        assert np.isnan(one_sided.distance).all()
    assert np.array_equal(free.entropy, placed.entropy)
    assert np.array_equal(free.sink_share, placed.sink_share)


def test_one_key_has_no_entropy_and_equal_keys_have_most() -> None:
    n = 8
    shifted = np.roll(np.eye(n), -3, axis=0)  # query i looks at key i + 3, the last three at the first ones
    weights = np.stack([np.eye(n), shifted, np.full((n, n), 1 / n)]).astype(np.float32)
    at = np.arange(n)
    summary = summarise(weights, at == 0, at, at)
    assert summary.entropy.tolist() == pytest.approx([0.0, 0.0, math.log(n)], abs=1e-6)
    assert not np.signbit(summary.entropy).any()  # it would be shown as -0.00
    assert summary.distance.tolist() == pytest.approx([0.0, (5 * 3 + 3 * 5) / 8, 21 / 8])  # the mean of |i - j| is (n² - 1) / 3n
    assert summary.sink_share.tolist() == pytest.approx([1 / n] * 3)


@given(cases(), st.integers(1, 3))
def test_rows_that_come_a_few_at_a_time_give_the_same_numbers(case: Case, step: int) -> None:
    weights, _, query_positions, key_positions = case
    sums = SpreadSums(len(weights))
    for start in range(0, weights.shape[1], step):
        rows = slice(start, start + step)
        whole = sums.add(weights[:, rows], query_positions[rows], key_positions)
        np.testing.assert_allclose(whole, weights[:, rows].sum(axis=2), rtol=1e-5)
    entropy, distance = sums.means()
    for head in range(len(weights)):
        assert (entropy[head], distance[head]) == pytest.approx(slowly(case, head)[:2], rel=1e-5, abs=1e-6)


def test_rows_that_are_no_numbers_count_for_nothing() -> None:
    weights = np.array([[[np.nan, 1.0], [0.5, 0.5]]], np.float32)
    at = np.arange(2)
    assert summarise(weights, at == 0, at, at).entropy.tolist() == pytest.approx([math.log(2)])


def test_heads_larger_than_what_is_read_at_once_are_read_whole() -> None:
    n = 600
    weights = np.stack([np.eye(n), np.full((n, n), 1 / n)]).astype(np.float32)
    summary = summarise(weights, np.zeros(n, bool))
    assert summary.entropy.tolist() == pytest.approx([0.0, math.log(n)], abs=1e-5)
