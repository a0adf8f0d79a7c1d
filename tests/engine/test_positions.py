"""What depends on the distance between query and key is the same along each diagonal, and takes no memory of its own."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.config import Buckets, Looking
from attnviz.engine.heads import hidden_keys
from attnviz.engine.positions import bucket_bias, by_distance


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(1, 3), max_size=2))
def test_each_pair_has_the_value_of_its_distance(n_query: int, n_key: int, before: list[int]) -> None:
    values = np.arange(np.prod(before, dtype=int) * (n_query + n_key - 1)).reshape(*before, -1)
    laid_out = by_distance(values, n_query)
    assert laid_out.shape == (*before, n_query, n_key)
    for query in range(n_query):
        for key in range(n_key):
            assert np.array_equal(laid_out[..., query, key], values[..., key - query + n_query - 1])


@given(st.integers(1, 12), st.booleans(), st.none() | st.integers(0, 12))
def test_a_key_is_hidden_if_it_comes_later_or_is_too_far(n: int, is_causal: bool, reach: int | None) -> None:
    hidden = hidden_keys(n, n, Looking(1.0, is_causal, reach))
    found = np.zeros((n, n), bool) if hidden is None else hidden
    for query in range(n):
        for key in range(n):
            later, far = is_causal and key > query, reach is not None and abs(key - query) > reach
            assert found[query, key] == (later or far)
        assert not found[query, query]


@pytest.mark.parametrize("is_causal", [True, False])
def test_biases_and_masks_of_a_long_text_are_views(is_causal: bool) -> None:
    table = np.random.default_rng(0).normal(size=(32, 16)).astype(np.float32)
    tracemalloc.start()
    try:
        bias = bucket_bias(table, Buckets(32, 128), 2_000, is_causal)
        hidden = hidden_keys(2_000, 2_000, Looking(1.0, is_causal, reach=100))
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    assert bias.shape == (16, 2_000, 2_000)
    assert hidden.shape == (2_000, 2_000)
    assert not bias.flags.writeable
    assert not hidden.flags.writeable
