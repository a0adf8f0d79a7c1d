"""At how many tokens the heads look: against the largest weight of each row, looked for one by one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis.focus import distinct_targets, largest_share


@st.composite
def weights(draw: st.DrawFn) -> NDArray[np.float32]:
    """[head, query, key], none of any possibly; ties, rows of zeros and weights next to nothing among them."""
    shape = draw(st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 5)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    raw = rng.choice([0.0, 1e-40, 0.1, 0.3, 0.3, 1.0], size=shape)
    raw *= rng.random((*shape[:2], 1)) > draw(st.sampled_from([0.0, 0.5]))
    return raw.astype(np.float32)


def largest_of_rows(found: NDArray[np.float32]) -> dict[tuple[int, int], tuple[int, float]]:
    """The key and the weight of the first largest of each row that has any weight, by head and query."""
    places = {}
    for head, query in np.ndindex(found.shape[:2]):
        row = found[head, query].tolist()
        if any(row):
            places[head, query] = (row.index(max(row)), max(row))
    return places


@given(weights())
def test_the_targets_of_a_query_are_the_keys_that_its_heads_look_at_most(found: NDArray[np.float32]) -> None:
    counts = distinct_targets(found)
    assert (counts.dtype, counts.shape) == (np.float32, found.shape[1:2])
    places = largest_of_rows(found)
    for query, count in enumerate(counts.tolist()):
        assert count == len({key for (_, at), (key, _) in places.items() if at == query})


@given(weights(), st.randoms(use_true_random=False))
def test_neither_the_order_of_heads_nor_a_head_like_another_adds_targets(found: NDArray[np.float32], random: Random) -> None:
    order = list(range(len(found)))
    random.shuffle(order)
    assert np.array_equal(distinct_targets(found[order + order]), distinct_targets(found))


@given(weights())
def test_one_head_has_one_target_for_each_query_that_sees_anything(found: NDArray[np.float32]) -> None:
    for head in found:
        assert np.array_equal(distinct_targets(head[None]), head.any(axis=-1))


def test_heads_that_look_at_different_keys_have_as_many_targets() -> None:
    apart = np.eye(4, dtype=np.float32)[:, None, :]  # head h looks at key h
    assert distinct_targets(apart).tolist() == [4.0]
    assert distinct_targets(np.repeat(apart[:1], 4, axis=0)).tolist() == [1.0]


@given(weights())
def test_the_largest_share_is_the_mean_over_rows_that_have_weight(found: NDArray[np.float32]) -> None:
    largest = [weight for _, weight in largest_of_rows(found).values()]
    share = largest_share(found)
    assert isinstance(share, float)
    assert share == pytest.approx(sum(largest) / len(largest) if largest else 0.0, rel=1e-6)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 40))
def test_the_largest_share_runs_from_even_rows_to_rows_on_one_key(n_head: int, n_query: int, n_key: int) -> None:
    even = np.full((n_head, n_query, n_key), 1.0 / n_key, np.float32)
    on_one = np.zeros_like(even)
    on_one[..., n_key // 2] = 1.0
    assert largest_share(even) == pytest.approx(1.0 / n_key, rel=1e-6)
    assert largest_share(on_one) == 1.0


def test_nothing_is_written_into_the_weights() -> None:
    found = np.random.default_rng(0).random((3, 4, 5), dtype=np.float32)
    before = found.copy()
    distinct_targets(found)
    largest_share(found)
    assert np.array_equal(found, before)
