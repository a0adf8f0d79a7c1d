"""Attention rollout: against the sum over all paths through the layers, and what holds of any stack."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis.rollout import rollout


@st.composite
def stacks(draw: st.DrawFn, causal: bool | None = None, most: int = 6) -> tuple[list[NDArray[np.float32]], int]:
    """Layers of [head, query, key] whose rows sum to 1 or, as with a learned sink, to less; some of one key only."""
    n, n_layer, n_head = draw(st.integers(1, most)), draw(st.integers(0, 4)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    layers = []
    for _ in range(n_layer):
        raw = rng.exponential(size=(n_head, n, n)) ** draw(st.sampled_from([1, 8]))
        if causal or (causal is None and draw(st.booleans())):
            raw = np.tril(raw)
        share = rng.random((n_head, n, 1)) if draw(st.booleans()) else 1.0
        layers.append((share * raw / raw.sum(axis=-1, keepdims=True)).astype(np.float32))
    return layers, n


@given(stacks(most=4))
def test_a_weight_is_the_sum_over_all_paths_down_through_the_layers(stack: tuple[list[NDArray[np.float32]], int]) -> None:
    layers, n = stack
    steps = []
    for attention in layers:
        mean = [[sum(float(head[i, j]) for head in attention) / len(attention) for j in range(n)] for i in range(n)]
        half = [[0.5 * mean[i][j] + 0.5 * (i == j) for j in range(n)] for i in range(n)]
        steps.append([[weight / sum(row) for weight in row] for row in half])
    expected = np.zeros((n, n))
    for path in itertools.product(range(n), repeat=len(layers) + 1):
        weight = 1.0
        for step, (key, query) in zip(steps, itertools.pairwise(path), strict=True):
            weight *= step[query][key]
        expected[path[-1], path[0]] += weight
    rolled = rollout(layers, n)
    assert rolled.dtype == np.float32
    np.testing.assert_allclose(rolled, expected, rtol=1e-5, atol=1e-7)


@given(stacks())
def test_rows_sum_to_one(stack: tuple[list[NDArray[np.float32]], int]) -> None:
    rolled = rollout(*stack)
    assert rolled.shape == (stack[1], stack[1])
    assert (rolled >= 0).all()
    np.testing.assert_allclose(rolled.sum(axis=1), 1.0, rtol=1e-5)


@given(stacks(causal=True))
def test_a_causal_stack_stays_causal(stack: tuple[list[NDArray[np.float32]], int]) -> None:
    assert not np.triu(rollout(*stack), 1).any()


def test_no_layers_and_layers_that_look_nowhere_leave_each_token_to_itself() -> None:
    assert np.array_equal(rollout([], 3), np.eye(3))
    assert np.array_equal(rollout([np.zeros((2, 3, 3), np.float32)] * 2, 3), np.eye(3))


def test_the_first_token_of_a_causal_model_gathers_weight_though_attention_is_flat() -> None:
    flat = np.tril(np.ones((1, 16, 16))) / np.arange(1, 17)[:, None]
    shares = [rollout([flat.astype(np.float32)] * n_layer, 16)[-1, 0] for n_layer in (1, 6, 24)]
    assert shares == sorted(shares)
    assert shares[0] < 0.04
    assert shares[-1] > 0.9


def test_layers_are_asked_for_one_at_a_time() -> None:
    alive: list[weakref.ref[NDArray[np.float32]]] = []

    def layers() -> Iterator[NDArray[np.float32]]:
        for _ in range(4):
            assert all(layer() is None for layer in alive), "a layer is still held while the next one is made"
            attention = np.full((2, 5, 5), 0.2, np.float32)
            alive.append(weakref.ref(attention))
            yield attention
            del attention

    assert rollout(layers(), 5).sum() == pytest.approx(5.0)
    assert len(alive) == 4
