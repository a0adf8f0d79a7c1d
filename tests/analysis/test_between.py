"""Which pairs of tokens are between which texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis.between import Between, between_texts

TEXTS = st.lists(st.integers(0, 1), max_size=8)
# What each word says of the texts of a query and a key.
MEANS: Final[dict[Between, Callable[[int, int], bool]]] = {
    "all": lambda query, key: True,
    "within": lambda query, key: query == key,
    "across": lambda query, key: query != key,
    "first_to_second": lambda query, key: query < key,
    "second_to_first": lambda query, key: query > key,
}


def kept(queries: list[int], keys: list[int], which: Between) -> NDArray[np.bool_]:
    return between_texts(np.array(queries, np.intp), np.array(keys, np.intp), which)


@pytest.mark.parametrize("which", get_args(Between))
@given(queries=TEXTS, keys=TEXTS)
def test_a_pair_is_kept_by_the_texts_of_its_query_and_its_key(which: Between, queries: list[int], keys: list[int]) -> None:
    found = kept(queries, keys, which)
    assert found.dtype == np.bool_
    assert found.shape == (len(queries), len(keys))
    for query, key in np.ndindex(found.shape):
        assert found[query, key] == MEANS[which](queries[query], keys[key])


@given(queries=TEXTS, keys=TEXTS)
def test_each_pair_is_within_or_across_and_each_across_has_one_direction(queries: list[int], keys: list[int]) -> None:
    within, across, there, back = (kept(queries, keys, w) for w in ("within", "across", "first_to_second", "second_to_first"))
    assert (within ^ across).all()
    assert np.array_equal(there | back, across)
    assert not (there & back).any()
