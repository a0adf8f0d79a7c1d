"""Small maps of heads: against the largest weight of each cell, looked for one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis.thumbnails import Thumbnails, thumbnails


@st.composite
def maps(draw: st.DrawFn) -> NDArray[np.float32]:
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 20)))
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1))).random(shape, dtype=np.float32)


def cells_of(n: int, size: int) -> list[list[int]]:
    """The keys of each cell, found by a map for each key that has a weight there only."""
    shown = thumbnails(np.eye(n, dtype=np.float32)[:, None, :], size)[:, 0]
    return [np.flatnonzero(shown[:, cell]).tolist() for cell in range(shown.shape[1])]


@given(st.integers(1, 60), st.integers(1, 40))
def test_cells_tile_the_tokens_in_order_and_differ_by_at_most_one(n: int, size: int) -> None:
    cells = cells_of(n, size)
    assert len(cells) == min(n, size)
    assert [token for cell in cells for token in cell] == list(range(n))
    lengths = {len(cell) for cell in cells}
    assert max(lengths) - min(lengths) <= 1


@given(maps(), st.integers(1, 24))
def test_a_cell_is_the_largest_weight_in_it(weights: NDArray[np.float32], size: int) -> None:
    small = thumbnails(weights, size)
    rows, columns = cells_of(weights.shape[1], size), cells_of(weights.shape[2], size)
    assert small.dtype == np.float32
    assert small.shape == (len(weights), len(rows), len(columns))
    for head, row, column in np.ndindex(small.shape):
        assert small[head, row, column] == max(float(weights[head, q, k]) for q in rows[row] for k in columns[column])


@given(maps(), st.integers(20, 30))
def test_maps_that_fit_come_back_as_they_are(weights: NDArray[np.float32], size: int) -> None:
    assert thumbnails(weights, size) is weights


@given(st.integers(1, 200), st.integers(1, 60))
def test_diagonals_and_columns_stay_whole_and_as_strong_as_they_are(n: int, size: int) -> None:
    column = np.zeros((n, n), np.float32)
    column[:, n // 3] = 0.9
    diagonal, upright = thumbnails(np.stack([np.eye(n, dtype=np.float32), column]), size)
    assert np.array_equal(diagonal, np.eye(min(n, size)))
    assert np.count_nonzero(upright.any(axis=0)) == 1
    assert (upright.max(axis=1) == np.float32(0.9)).all()


@given(maps(), st.integers(1, 24), st.lists(st.integers(1, 7), min_size=20, max_size=20), st.booleans())
def test_rows_that_come_a_few_at_a_time_give_the_same_map(
    weights: NDArray[np.float32], size: int, steps: list[int], is_causal: bool
) -> None:
    n_head, n_query, n_key = weights.shape
    if is_causal:  # no query looks at a key behind it, and such keys need not be there
        weights = np.tril(weights)
    small, start = Thumbnails(n_head, n_query, n_key, size), 0
    for step in steps:
        rows = weights[:, start : start + step]
        small.add(rows[:, :, : start + step] if is_causal else rows, start)
        start += step
    assert np.array_equal(small.maps, thumbnails(weights, size))
