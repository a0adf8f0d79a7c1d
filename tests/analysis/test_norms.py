"""Norms of weighted value vectors: against the vectors themselves, made one by one in float64."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis import norms
from attnviz.analysis.norms import ValueVectors, summed_norms, weighted_norms

Arrays = tuple[NDArray[np.float32], NDArray[np.float32]]


@st.composite
def cases(draw: st.DrawFn) -> Arrays:
    """Attention [head, query, key] with zeros, and value vectors [head, key, d_model], short, long and zero ones among them."""
    n_head, n_query, n_key, d_model = (draw(st.integers(1, most)) for most in (4, 4, 5, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    raw = rng.exponential(size=(n_head, n_query, n_key)) ** 4
    raw *= rng.random(raw.shape) > 0.2
    lengths = rng.choice([0.0, 1e-4, 1.0, 30.0], size=(n_head, n_key, 1))
    values = lengths * rng.normal(size=(n_head, n_key, d_model))
    return (raw / np.maximum(raw.sum(axis=-1, keepdims=True), 1e-9)).astype(np.float32), values.astype(np.float32)


def in_blocks(values: NDArray[np.float32]) -> tuple[ValueVectors, int]:
    return lambda keys: values[:, keys], values.shape[2]


def explicit_sum(attention: NDArray[np.float32], values: NDArray[np.float32], query: int, key: int) -> float:
    """‖Σ_h α_h f_h‖ of one pair."""
    weights = attention[:, query, key].tolist()
    vectors = values[:, key].tolist()
    total = [sum(a * vector[d] for a, vector in zip(weights, vectors, strict=True)) for d in range(values.shape[2])]
    return math.sqrt(math.fsum(x * x for x in total))


@given(cases())
def test_a_weighted_norm_is_the_length_of_the_weighted_vector(case: Arrays) -> None:
    attention, values = case
    found = weighted_norms(attention, *in_blocks(values))
    assert found.dtype == np.float32
    assert found.shape == attention.shape
    for head, query, key in np.ndindex(attention.shape):
        length = math.sqrt(math.fsum((float(attention[head, query, key]) * x) ** 2 for x in values[head, key].tolist()))
        assert found[head, query, key] == pytest.approx(length, rel=1e-5, abs=1e-30)


@given(cases())
def test_a_summed_norm_is_the_length_of_the_sum_over_heads(case: Arrays) -> None:
    attention, values = case
    found = summed_norms(attention, *in_blocks(values))
    assert found.dtype == np.float32
    assert found.shape == attention.shape[1:]
    lengths = weighted_norms(attention, *in_blocks(values)).sum(axis=0)
    for query, key in np.ndindex(found.shape):
        expected = explicit_sum(attention, values, query, key)
        assert found[query, key] == pytest.approx(expected, rel=1e-6, abs=1e-7 * float(lengths[query, key]))


@pytest.mark.parametrize("apart", [0.0, 1e-6, 1e-5, 1e-4, 1e-2])
def test_heads_that_nearly_cancel_leave_what_they_leave(apart: float) -> None:
    """Off by at most 1e-7 of the heads' own lengths; float32 products would be off by some 1e-4 of them."""
    rng = np.random.default_rng(1)
    one = rng.normal(size=(1, 8, 384)).astype(np.float32)
    values = np.concatenate([one, -one * np.float32(1.0 + apart)])
    attention = np.full((2, 3, 8), 0.25, np.float32)
    found = summed_norms(attention, *in_blocks(values))
    lengths = weighted_norms(attention, *in_blocks(values)).sum(axis=0)
    for query, key in np.ndindex(found.shape):
        expected = explicit_sum(attention, values, query, key)
        assert found[query, key] == pytest.approx(expected, rel=1e-6, abs=1e-7 * float(lengths[query, key]))


def test_heads_that_cancel_wholly_leave_nothing() -> None:
    """What is left of the products is rounding, below 0 as often as above."""
    one, other = np.random.default_rng(2).integers(-(1 << 20), 1 << 20, size=(2, 1, 40, 8)).astype(np.float32)
    values = np.concatenate([one, other, -(one + other)])
    attention = np.random.default_rng(3).random((1, 5, 40), dtype=np.float32).repeat(3, axis=0)
    lengths = weighted_norms(attention, *in_blocks(values)).sum(axis=0)
    assert (summed_norms(attention, *in_blocks(values)) <= 1e-7 * lengths).all()


@given(cases())
def test_all_heads_together_hand_over_at_most_what_each_does_alone(case: Arrays) -> None:
    attention, values = case
    alone = weighted_norms(attention, *in_blocks(values))
    together = summed_norms(attention, *in_blocks(values))
    assert (together <= alone.sum(axis=0) * (1 + 1e-5)).all()
    np.testing.assert_allclose(summed_norms(attention[:1], *in_blocks(values[:1])), alone[0], rtol=1e-5)


def test_no_heads_hand_over_nothing() -> None:
    none, values = np.zeros((0, 3, 4), np.float32), in_blocks(np.zeros((0, 4, 6), np.float32))
    assert weighted_norms(none, *values).shape == (0, 3, 4)
    assert np.array_equal(summed_norms(none, *values), np.zeros((3, 4)))


@given(cases(), st.integers(1, 200))
def test_the_size_of_the_blocks_changes_nothing(case: Arrays, block_bytes: int) -> None:
    attention, values = case
    whole = weighted_norms(attention, *in_blocks(values)), summed_norms(attention, *in_blocks(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(norms, "_BLOCK_BYTES", block_bytes)
        assert np.array_equal(weighted_norms(attention, *in_blocks(values)), whole[0])
        assert np.array_equal(summed_norms(attention, *in_blocks(values)), whole[1])


@pytest.mark.parametrize("measure", [weighted_norms, summed_norms])
def test_no_block_is_larger_than_64_mb_and_each_key_comes_once(measure: Callable[..., NDArray[np.float32]]) -> None:
    n_head, n_key, d_model = 8, 300, 16_384
    asked: list[int] = []

    def values(keys: slice) -> NDArray[np.float32]:
        asked.extend(range(keys.start, keys.stop))
        vectors = np.broadcast_to(np.float32(1.0), (n_head, keys.stop - keys.start, d_model))
        assert vectors.size * vectors.itemsize <= 64 << 20
        return vectors

    found = measure(np.full((n_head, 1, n_key), 0.5, np.float32), values, d_model)
    assert asked == list(range(n_key))
    np.testing.assert_allclose(found, 0.5 * 128.0 * (n_head if measure is summed_norms else 1), rtol=1e-5)
