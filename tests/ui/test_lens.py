"""The lens keeps what is under the pointer, shows nothing beside the matrix, and finds what is asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attnviz.scene.matrix.scene import Cells
from attnviz.ui.pictures.lens import Lens

sizes = st.integers(1, 800)
moves = st.lists(
    st.tuples(st.sampled_from(["zoom", "pan"]), st.floats(0.3, 4), st.floats(-900, 900), st.floats(-900, 900)), max_size=12
)


def whole(n_row: int, n_column: int, most: tuple[float, float, float, float] | None = None) -> Cells:
    room = (60.0, 90.0, 460.0, 490.0)
    return Cells(60.0, 90.0, 400.0 / n_column, 400.0 / n_row, n_row, n_column, room, most)


def moved(cells: Cells, steps: list[tuple[str, float, float, float]]) -> Lens:
    lens = Lens()
    for what, factor, x, y in steps:
        if what == "zoom":
            lens.zoom_about(factor, x, y, cells)
        else:
            lens.pan(x, y, cells)
    return lens


@given(sizes, sizes, moves)
def test_the_room_is_always_full_of_cells(n_row: int, n_column: int, steps: list[tuple[str, float, float, float]]) -> None:
    cells = whole(n_row, n_column)
    placed = moved(cells, steps).place(cells)
    left, top, right, bottom = cells.room
    assert placed.room == cells.room
    assert placed.left <= left + 1e-6
    assert placed.top <= top + 1e-6
    assert placed.left + n_column * placed.width >= right - 1e-6
    assert placed.top + n_row * placed.height >= bottom - 1e-6


@given(sizes, sizes, moves, st.floats(0, 60), st.floats(0, 300), st.floats(0, 80), st.floats(0, 40))
def test_a_room_that_may_grow_grows_with_the_cells_to_its_bounds_and_stays_full(
    n_row: int, n_column: int, steps: list[tuple[str, float, float, float]], left: float, right: float, up: float, down: float
) -> None:
    most = (60.0 - left, 90.0 - up, 460.0 + right, 490.0 + down)
    cells = whole(n_row, n_column, most)
    lens = moved(cells, steps)
    placed = lens.place(cells)
    assert all(placed.room[at] >= most[at] - 1e-6 for at in (0, 1))
    assert all(placed.room[at] <= most[at] + 1e-6 for at in (2, 3))
    for at, n, first, side in ((0, n_column, placed.left, placed.width), (1, n_row, placed.top, placed.height)):
        length = placed.room[at + 2] - placed.room[at]
        assert abs(length - min(n * side, most[at + 2] - most[at])) < 1e-5
        assert first <= placed.room[at] + 1e-6
        assert first + n * side >= placed.room[at + 2] - 1e-5


@given(sizes, moves, st.floats(0.5, 3), st.floats(60.5, 459.5), st.floats(90.5, 489.5))
def test_the_cell_under_the_pointer_stays_there_while_it_is_enlarged(
    n: int, steps: list[tuple[str, float, float, float]], factor: float, x: float, y: float
) -> None:
    cells = whole(n, n)
    lens = moved(cells, steps)
    before, zoom = lens.place(cells), lens.zoom
    lens.zoom_about(max(factor, 1.0), x, y, cells)
    after = lens.place(cells)
    across = ((x - placed.left) / placed.width for placed in (before, after))
    down = ((y - placed.top) / placed.height for placed in (before, after))
    for one, other in (across, down):
        assert abs(one - other) < 1e-5 * n
    assert lens.zoom >= zoom


@given(sizes, moves)
def test_cells_are_never_larger_than_a_number_needs_nor_smaller_than_whole(
    n: int, steps: list[tuple[str, float, float, float]]
) -> None:
    cells = whole(n, n)
    lens = moved(cells, steps)
    assert lens.zoom >= 1.0
    assert lens.place(cells).width <= max(72.0, cells.width) + 1e-6
    lens.fit()
    assert lens.place(cells) == cells


@given(st.integers(3, 800), moves, st.data())
def test_what_is_brought_into_sight_is_in_sight(n: int, steps: list[tuple[str, float, float, float]], data: st.DataObject) -> None:
    cells = whole(n, n)
    lens = moved(cells, steps)
    row, column = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n - 1))
    lens.bring_into_sight(row, column, cells)
    placed = lens.place(cells)
    assert placed.left + column * placed.width >= 60 - 1e-3
    assert placed.left + (column + 1) * placed.width <= 460 + 1e-3
    assert placed.top + row * placed.height >= 90 - 1e-3
    assert placed.top + (row + 1) * placed.height <= 490 + 1e-3


def test_a_row_alone_moves_no_column() -> None:
    cells = whole(40, 40)
    lens = moved(cells, [("zoom", 4.0, 200.0, 200.0)])
    x = lens.x
    lens.bring_into_sight(39, None, cells)
    assert lens.x == x
