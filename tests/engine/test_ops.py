"""Each operation against the same one written plainly in float64; float32 in, float32 out."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from attnviz.engine import ops

NUMBERS: Final = st.floats(-60.0, 60.0, width=32)
MATRICES: Final = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=NUMBERS)


def exact_erf(x: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.frompyfunc(math.erf, 1, 1)(x.astype(np.float64)).astype(np.float64)


@given(MATRICES)
def test_softmax_is_the_exponentials_over_their_sum(scores: NDArray[np.float32]) -> None:
    expected = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    expected /= expected.sum(axis=-1, keepdims=True)
    got = ops.softmax(scores.copy())
    assert got.dtype == np.float32
    assert np.abs(got - expected).max() <= 1e-6


@given(MATRICES, st.floats(-50.0, 50.0, width=32))
def test_softmax_does_not_see_a_constant_added_to_all_scores(scores: NDArray[np.float32], shift: float) -> None:
    moved = ops.softmax(scores + np.float32(shift))
    # float32 has 24 bits: moving numbers below 110 rounds each by up to 4e-6, and so does an exponential.
    assert np.abs(moved - ops.softmax(scores.copy())).max() <= 2e-5


@given(MATRICES)
def test_softmax_of_moderate_scores_is_softmax_and_says_so_of_no_others(scores: NDArray[np.float32]) -> None:
    got = scores.copy()
    if ops.softmax_of_moderate(got):
        assert np.abs(got - ops.softmax(scores.copy())).max() <= 1e-6
        assert (np.abs(scores.max(axis=-1)) < 80).all()
    else:
        assert (np.abs(scores.max(axis=-1)) > 30).any()


def test_scores_that_leave_float32_and_rows_that_see_nothing_are_not_moderate() -> None:
    for row in ([200.0, 0.0], [-200.0, -201.0], [-np.inf, -np.inf], [np.nan, 0.0]):
        with np.errstate(all="ignore"):
            assert not ops.softmax_of_moderate(np.array([[0.0, 1.0], row], np.float32))
    assert ops.softmax_of_moderate(np.array([[0.0, -np.inf], [-30.0, 60.0]], np.float32))
    assert ops.softmax_of_moderate(np.empty((2, 0, 5), np.float32))


@given(MATRICES, st.sampled_from([1e-12, 1e-5, 1.0]))
def test_layer_norm_is_its_definition(x: NDArray[np.float32], eps: float) -> None:
    random = np.random.default_rng(0)
    scale, shift = random.normal(size=(2, x.shape[1])).astype(np.float32)
    wide = x.astype(np.float64)
    spread = wide.var(axis=1)
    # Where a row is nearly constant its float32 mean decides everything; such rows have no meaningful direction.
    usable = spread > 1e-4 * (1.0 + (wide**2).mean(axis=1))
    expected = (wide - wide.mean(axis=1, keepdims=True)) / np.sqrt(spread[:, None] + np.float32(eps)) * scale + shift
    with np.errstate(divide="ignore", invalid="ignore"):
        got = ops.layer_norm(x, scale, shift, eps)
    assert got.dtype == np.float32
    assert np.abs(got - expected)[usable].max(initial=0.0) <= 2e-4


def test_layer_norm_leaves_its_input_alone() -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    before = x.copy()
    ops.layer_norm(x, np.ones(4, np.float32), np.zeros(4, np.float32), 1e-12)
    assert np.array_equal(x, before)


def test_gelu_is_within_2e_7_of_what_it_is_given_everywhere() -> None:
    x = np.concatenate([np.linspace(-12, 12, 400_001), np.geomspace(1e-30, 1e15, 2_000), -np.geomspace(1e-30, 1e15, 2_000)])
    x = x.astype(np.float32)
    with np.errstate(under="ignore", over="ignore"):
        got = ops.gelu(x.copy())
    exact = x.astype(np.float64) * 0.5 * (1.0 + exact_erf(x.astype(np.float64) / math.sqrt(2.0)))
    assert got.dtype == np.float32
    assert (np.abs(got - exact) <= 2e-7 * np.abs(x)).all()


@pytest.mark.parametrize("activation", ops.ACTIVATIONS.values(), ids=ops.ACTIVATIONS)
def test_activations_of_some_columns_leave_the_others_alone(activation) -> None:
    x = np.random.default_rng(4).normal(size=(70, 1_000)).astype(np.float32)
    before = x.copy()
    activation(x[:, 100:900])
    assert np.array_equal(x[:, :100], before[:, :100])
    assert np.array_equal(x[:, 900:], before[:, 900:])
    assert np.allclose(x[:, 100:900], activation(before[:, 100:900].copy()), rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [0, 1, ops.BLOCK - 1, ops.BLOCK, ops.BLOCK + 1, 3 * ops.BLOCK + 17])
def test_gelu_is_x_times_the_normal_distribution_in_blocks_of_any_number(size: int) -> None:
    x = np.linspace(-8, 8, size, dtype=np.float32)
    expected = x.astype(np.float64) * 0.5 * (1.0 + exact_erf(x / np.float32(math.sqrt(2.0))))
    got = ops.gelu(x.copy())
    assert got.dtype == np.float32
    assert np.abs(got - expected).max(initial=0.0) <= 2e-6


def test_gelu_tanh_is_its_formula() -> None:
    x = np.linspace(-10, 10, 100_001, dtype=np.float32)
    wide = x.astype(np.float64)
    expected = 0.5 * wide * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (wide + 0.044715 * wide**3)))
    got = ops.gelu_tanh(x.copy())
    assert got.dtype == np.float32
    assert np.abs(got - expected).max() <= 2e-6


@pytest.mark.parametrize("activation", ops.ACTIVATIONS.values(), ids=ops.ACTIVATIONS)
def test_activations_work_in_place_on_matrices(activation) -> None:
    x = np.random.default_rng(3).normal(size=(5, 7)).astype(np.float32)
    row_by_row = np.stack([activation(row.copy()) for row in x])
    got = activation(x)
    assert got is x
    assert got.dtype == np.float32
    assert np.array_equal(got, row_by_row)
