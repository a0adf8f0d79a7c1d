"""A slice of places takes what the places take."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.places import as_slice


@given(st.lists(st.integers(0, 9), max_size=12) | st.integers(0, 9).flatmap(lambda n: st.just(list(range(n, 10)))))
def test_places_as_a_slice_take_what_they_take_and_are_one_where_none_is_left_out(places: list[int]) -> None:
    row, found = np.arange(10) ** 2, as_slice(places)
    assert row[found].tolist() == [place**2 for place in places]
    assert isinstance(found, slice) == (bool(places) and places == list(range(places[0], places[0] + len(places))))
