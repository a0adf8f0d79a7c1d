"""How large cells are, and where panels of them stand, in the room that a window or a page leaves."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from attnviz.scene.sides import AWAY, SideSpace, way_of

if TYPE_CHECKING:
    from attnviz.scene.matrix_scene import TokenSide
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
    """width, height: of a cell; row_room, column_room: for the labels; side_size: their type; n_line: how many panels stand in a
    line; whole_width, whole_height: of all panels with labels, titles and what stands at the right."""

    width: float
    height: float
    row_room: float
    column_room: float
    side_size: int
    n_line: int
    whole_width: float
    whole_height: float
    panel_width: float
    panel_height: float
    n_panel: int

    @property
    def title(self) -> float:
        """The height of a panel's title, 0 where there is one panel."""
        return TITLE if self.n_panel > 1 else 0.0

    def place(self, panel: int) -> tuple[float, float]:
        """Where the cells of a panel begin, from the left and the top of the whole."""
        line, column = divmod(panel, self.n_line)
        left = self.row_room + AWAY + column * (self.panel_width + _GAP)
        top = self.title + self.column_room + AWAY + line * (self.panel_height + self.title + _GAP)
        return left, top


def arrange(
    queries: TokenSide, keys: TokenSide, n_panel: int, room: tuple[float, float], right: float, on_paper: bool, measure: Measure
) -> Arrangement:
    """The largest cells with which all panels and their labels fit into `room`, (width, height).

    right: what stands right of the panels; on_paper: the width counts, the height is what it takes.
    """
    size = _SIDE_SIZES[0]
    for size in _SIDE_SIZES:
        made = _arrange(queries, keys, n_panel, room, right, on_paper, size, measure)
        if min(made.width, made.height) >= _ROOMY:
            break
    return made


def _arrange(
    queries: TokenSide,
    keys: TokenSide,
    n_panel: int,
    room: tuple[float, float],
    right: float,
    on_paper: bool,
    size: int,
    measure: Measure,
) -> Arrangement:
    row_room = min(_longest(queries, size, measure), _LONGEST_ROW, 0.25 * room[0])
    length = min(_longest(keys, size, measure), _LONGEST_COLUMN, 0.3 * room[1])
    slope = length * 0.71  # of a slanted label, across and up
    for way, up, aside in (("level", size, right), ("slanted", slope + size, max(right, slope + size)), ("upright", length, right)):
        free = (room[0] - row_room - AWAY - aside, room[1] - up - AWAY)
        if n_panel == 1:
            n_line, (width, height) = 1, _one_cell(max(len(queries), 1), max(len(keys), 1), free, on_paper)
        else:
            n_line, width = _many_cells(len(queries), len(keys), n_panel, free)
            height = width
        space = SideSpace(size, length, can_slant=n_panel == 1)
        if way == way_of(keys, range(len(keys)), width, space, measure) or way == "upright":
            break
    n_deep = ceil(n_panel / n_line)
    panel_width, panel_height = width * len(keys), height * len(queries)
    title = TITLE if n_panel > 1 else 0.0
    return Arrangement(
        width=width,
        height=height,
        row_room=row_room,
        column_room=up,
        side_size=size,
        n_line=n_line,
        whole_width=row_room + AWAY + n_line * panel_width + (n_line - 1) * _GAP + aside,
        whole_height=up + AWAY + n_deep * (panel_height + title) + (n_deep - 1) * _GAP,
        panel_width=panel_width,
        panel_height=panel_height,
        n_panel=n_panel,
    )


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
