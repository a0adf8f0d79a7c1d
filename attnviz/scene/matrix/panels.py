"""How large cells are, and where panels of them stand, in the room that a window or a page leaves."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from attnviz.scene.matrix.sides import AWAY, SideSpace, way_of

if TYPE_CHECKING:
    from attnviz.scene.matrix.scene import TokenSide
    from attnviz.scene.matrix.sides import Way
    from attnviz.scene.scene import Measure

TITLE: Final = 20.0  # the line above each of several panels
_GAP: Final = 16.0  # between panels
_LARGEST_CELL, _SMALLEST_CELL = 46.0, 0.05
_NUMBER_ROOM: Final = (34.0, 17.0)  # a cell that is nearly as large is made so large, for its number's sake
_LONGEST_ROW, _LONGEST_COLUMN = 150.0, 100.0  # of labels; longer ones are cut
_SIDE_SIZES: Final = (13, 12)
_ROOMY: Final = 22.0  # cells from which on labels have the larger type


@dataclass(frozen=True)
class Arrangement:
    """Panels of `n_row` rows and `n_column` columns, `n_line` of them in a line.

    width, height: of a cell; row_room, column_room: for the labels; side_size: their type; right: what stands right of the panels.
    """

    n_panel: int
    n_line: int
    n_row: int
    n_column: int
    width: float
    height: float
    row_room: float
    column_room: float
    side_size: int
    right: float

    @property
    def panel_width(self) -> float:
        """The width of a panel's cells."""
        return self.n_column * self.width

    @property
    def panel_height(self) -> float:
        """The height of a panel's cells."""
        return self.n_row * self.height

    @property
    def whole_width(self) -> float:
        """The width of all panels, with labels and what stands at the right."""
        return self.place(self.n_line - 1)[0] + self.panel_width + self.right

    @property
    def whole_height(self) -> float:
        """The height of all panels, with labels and titles."""
        return self.place(self.n_panel - 1)[1] + self.panel_height

    def place(self, panel: int) -> tuple[float, float]:
        """Where the cells of a panel begin, from the left and the top of the whole."""
        line, column = divmod(panel, self.n_line)
        title = TITLE if self.n_panel > 1 else 0.0
        left = self.row_room + AWAY + column * (self.panel_width + _GAP)
        top = title + self.column_room + AWAY + line * (self.panel_height + title + _GAP)
        return left, top


def arrange(
    queries: TokenSide, keys: TokenSide, n_panel: int, room: tuple[float, float], right: float, on_paper: bool, measure: Measure
) -> Arrangement:
    """The largest cells with which all panels and their labels fit into `room`, (width, height).

    right: what stands right of the panels; slanted labels must not reach beyond it. on_paper: the width counts, the height is what
    it takes.
    """
    for size in _SIDE_SIZES:
        row_room = min(_longest(queries, size, measure), _LONGEST_ROW, 0.25 * room[0])
        length = min(_longest(keys, size, measure), _LONGEST_COLUMN, 0.3 * room[1])
        space = SideSpace(size, length, can_slant=n_panel == 1)
        ways: tuple[tuple[Way, float], ...] = (("level", size), ("slanted", 0.71 * length + size), ("upright", length))
        for way, up in ways:
            free = (room[0] - row_room - AWAY - right, room[1] - up - AWAY)
            n_line, width, height = _cells(max(len(queries), 1), max(len(keys), 1), n_panel, free, on_paper)
            if way == way_of(keys, range(len(keys)), width, space, measure):
                break
        if min(width, height) >= _ROOMY:
            break
    return Arrangement(n_panel, n_line, len(queries), len(keys), width, height, row_room, up, size, right)


def _cells(n_row: int, n_column: int, n_panel: int, free: tuple[float, float], on_paper: bool) -> tuple[int, float, float]:
    """How many panels stand in a line, and the size of a cell."""
    if n_panel == 1:
        return 1, *_one_cell(n_row, n_column, free, on_paper)
    n_line, side = _many_cells(n_row, n_column, n_panel, free)
    return n_line, side, side


def _one_cell(n_row: int, n_column: int, free: tuple[float, float], on_paper: bool) -> tuple[float, float]:
    """The size of a cell of one matrix: square, but in a window wider where a number then fits."""
    height = max(min(free[1] / n_row, _LARGEST_CELL), _SMALLEST_CELL)
    widest = _LARGEST_CELL if on_paper else max(height, _NUMBER_ROOM[0] if height >= _NUMBER_ROOM[1] else 0.0)
    width = max(min(free[0] / n_column, widest), _SMALLEST_CELL)
    return width, min(height, width)


def _many_cells(n_row: int, n_column: int, n_panel: int, free: tuple[float, float]) -> tuple[int, float]:
    """How many panels stand in a line, and the side of their cells, all square: those that make the cells largest."""
    best, largest = 1, 0.0
    for n_line in range(1, n_panel + 1):
        n_deep = ceil(n_panel / n_line)
        width = (free[0] - (n_line - 1) * _GAP) / n_line / n_column
        height = (free[1] - (n_deep - 1) * _GAP - n_deep * TITLE) / n_deep / n_row
        side = max(min(width, height, _LARGEST_CELL), _SMALLEST_CELL)
        if side > largest + 1e-9:
            best, largest = n_line, side
    return best, largest


def _longest(side: TokenSide, size: int, measure: Measure) -> float:
    return max((measure(text, size, True) for text in side.texts), default=0.0)
