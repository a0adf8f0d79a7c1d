"""How alike two runs are: against sums in plain Python, and at the ends of their ranges."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis import likeness
from attnviz.analysis.likeness import cosines, divergence, probability_changes

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]
LEADING = st.sampled_from([(), (0,), (1,), (3,), (2, 3)])


@st.composite
def vectors(draw: st.DrawFn) -> Pair:
    """Two arrays of vectors [..., d] of any length float32 can hold, some of them zero and some pairs nearly parallel."""
    shape = (*draw(LEADING), draw(st.integers(1, 9)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    a, b = rng.normal(size=(2, *shape))
    b = np.where(rng.random((*shape[:-1], 1)) > 0.5, b, a * rng.choice([-1.0, 1.0]) + 1e-4 * b)
    a, b = (x * (rng.random((*shape[:-1], 1)) > 0.2) * draw(st.sampled_from([1e-30, 1.0, 1e30])) for x in (a, b))
    return a.astype(np.float32), b.astype(np.float32)


@st.composite
def distributions(draw: st.DrawFn) -> Pair:
    """Two arrays of rows [..., n] that sum to 1, with zeros and the least of floats among the entries."""
    shape = (*draw(LEADING), draw(st.integers(1, 9)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = []
    for _ in range(2):
        raw = rng.exponential(size=shape) ** draw(st.sampled_from([1, 8])) * (rng.random(shape) > draw(st.sampled_from([0.0, 0.5])))
        raw[..., rng.integers(shape[-1])] += 1e-3
        rows.append(np.where(rng.random(shape) > 0.9, 1e-45, raw / raw.sum(axis=-1, keepdims=True)).astype(np.float32))
    return rows[0], rows[1]


def cosine_slowly(a: list[float], b: list[float]) -> float:
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    lengths = math.hypot(*a) * math.hypot(*b)
    return dot / lengths if lengths else 0.0


def divergence_slowly(p: list[float], q: list[float]) -> float:
    """From the definition by entropies: that of the mean less the mean of both, for rows of any sum."""

    def entropy(row: list[float]) -> float:
        return -math.fsum(x * math.log(x) for x in row if x)

    return entropy([(x + y) / 2 for x, y in zip(p, q, strict=True)]) - (entropy(p) + entropy(q)) / 2


@given(vectors())
def test_each_cosine_against_its_definition(pair: Pair) -> None:
    a, b = pair
    found = cosines(a, b)
    assert (found.dtype, found.shape) == (np.float32, a.shape[:-1])
    for at in np.ndindex(found.shape):
        assert found[at] == pytest.approx(cosine_slowly(a[at].tolist(), b[at].tolist()), abs=1e-7)
        assert -1.0 <= found[at] <= 1.0


@given(vectors(), st.sampled_from([1.0, 0.5, 4.0]))
def test_vectors_of_one_direction_have_a_cosine_of_exactly_one(pair: Pair, factor: float) -> None:
    a = pair[0]
    expected = a.any(axis=-1).astype(np.float32)
    scaled = a * np.float32(factor)
    assert np.array_equal(cosines(a, scaled), expected)
    assert np.array_equal(cosines(a, -scaled), -expected)


@pytest.mark.parametrize("d_model", [384, 768, 4096])
def test_wide_vectors_are_exactly_like_themselves_too(d_model: int) -> None:
    a = np.random.default_rng(d_model).normal(size=(64, d_model)).astype(np.float32)
    assert (cosines(a, a.copy()) == 1.0).all()


def test_a_zero_vector_is_like_nothing() -> None:
    zero, other = np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)
    assert not cosines(zero, other).any()
    assert not cosines(zero, zero).any()


@given(distributions())
def test_each_divergence_against_its_definition(pair: Pair) -> None:
    p, q = pair
    found = divergence(p, q)
    assert (found.dtype, found.shape) == (np.float32, p.shape[:-1])
    for at in np.ndindex(found.shape):
        expected = divergence_slowly(p[at].tolist(), q[at].tolist())
        assert found[at] == pytest.approx(expected, rel=1e-6, abs=1e-12)
        assert 0.0 <= found[at] <= np.float32(math.log(2))


@given(distributions())
def test_divergence_does_not_care_which_run_comes_first(pair: Pair) -> None:
    np.testing.assert_allclose(divergence(*pair), divergence(*reversed(pair)), rtol=1e-6, atol=1e-12)


@given(distributions())
def test_equal_rows_do_not_diverge_at_all(pair: Pair) -> None:
    assert not divergence(pair[0], pair[0].copy()).any()


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_rows_that_share_no_entry_diverge_by_ln_2(n_first: int, n_second: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.dirichlet(np.ones(n_first)), rng.dirichlet(np.ones(n_second))
    p = np.concatenate([first, np.zeros(n_second)]).astype(np.float32)
    q = np.concatenate([np.zeros(n_first), second]).astype(np.float32)
    assert divergence(p, q) == pytest.approx(math.log(2), rel=1e-6)


@given(distributions(), st.integers(1, 30))
def test_the_size_of_the_blocks_changes_nothing(pair: Pair, block: int) -> None:
    whole = divergence(*pair)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "_BLOCK", block)
        np.testing.assert_allclose(divergence(*pair), whole, rtol=1e-6, atol=1e-12)


def test_more_rows_than_fit_a_block_are_all_there() -> None:
    rng = np.random.default_rng(0)
    p, q = (rng.dirichlet(np.ones(64), size=(3, 500)).astype(np.float32) for _ in range(2))
    found = divergence(p, q)
    for at in ((0, 0), (1, 11), (1, 12), (2, 499)):
        assert found[at] == pytest.approx(divergence_slowly(p[at].tolist(), q[at].tolist()), rel=1e-5)


@st.composite
def runs(draw: st.DrawFn) -> Pair:
    """The probabilities of the same few tokens in two runs, many equally likely."""
    n = draw(st.integers(1, 8))
    values = st.lists(st.sampled_from([0.0, 0.1, 0.1, 0.25, 0.5]), min_size=n, max_size=n)
    before, after = (np.array(draw(values), np.float32) for _ in range(2))
    return before, after


@given(runs(), st.integers(0, 10))
def test_changes_are_those_of_the_likeliest_of_either_run(pair: Pair, most: int) -> None:
    before, after = (x.tolist() for x in pair)
    ids = range(len(before))
    chosen = {token for run in (before, after) for token in sorted(ids, key=lambda token, run=run: (-run[token], token))[:most]}
    found = probability_changes(*pair, most)
    assert {token for token, _, _ in found} == chosen
    assert len(found) == len(chosen)
    for token, was, now in found:
        assert (was, now) == (before[token], after[token])


@given(runs(), st.integers(1, 10))
def test_changes_come_likeliest_after_first_then_before_then_by_id(pair: Pair, most: int) -> None:
    found = probability_changes(*pair, most)
    keys = [(-now, -was, token) for token, was, now in found]
    assert keys == sorted(keys)


@given(runs(), st.integers(1, 10))
def test_back_from_after_to_before_shows_the_same_tokens(pair: Pair, most: int) -> None:
    there, back = probability_changes(*pair, most), probability_changes(*reversed(pair), most)
    assert sorted(there) == sorted((token, was, now) for token, now, was in back)


@pytest.mark.parametrize("measure", [cosines, divergence])
def test_nothing_is_written_into_either_run(measure: Callable[..., NDArray[np.float32]]) -> None:
    a, b = np.random.default_rng(1).dirichlet(np.ones(5), size=(2, 4)).astype(np.float32)
    before = a.copy(), b.copy()
    measure(a, b)
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])
