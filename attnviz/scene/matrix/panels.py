"""How large cells are, and where panels of them stand, in the room that a window or a page leaves."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Final

from attnviz.scene.matrix.sides import AWAY, SideSpace, pitch, way_of

if TYPE_CHECKING:
    from attnviz.scene.matrix.scene import TokenSide
    from attnviz.scene.matrix.sides import Way
    from attnviz.scene.scene import Measure

TITLE: Final = 20.0  # the line above each of several panels
_GAP: Final = 16.0  # between panels
_LARGEST_CELL, _SMALLEST_CELL = 46.0, 0.05
_SMALLEST_PANEL: Final = 16.0  # pixels of a side, where its cells are smaller still
_NUMBER_WIDTH: Final = 34.0  # a cell that is nearly as wide is made so wide, for its number's sake
_WIDEST_SHAPE: Final = 2.0  # of a cell in a window, which is wide and low: its width by its height
_LONGEST_ROW, _LONGEST_COLUMN = 150.0, 100.0  # of labels; longer ones are cut
_SHORT_ROW: Final = 72.0  # of labels in narrow figures, where a quarter of the width would cut common words
# The type of labels: the largest in which all have room; where not even the smallest has, the last number.
_WINDOW_SIZES, _PAPER_SIZES = ((13, 12, 11, 10), 11), ((13, 12, 11, 10, 9, 8), 9)
_ROOMY: Final = 22.0  # cells from which on labels have the largest type
_FEWEST: Final = 1 / 3  # of the labels of several panels in a window; where fewer have room, the panels take it


@dataclass(frozen=True)
class Arrangement:
    """Panels of `n_row` rows and `n_column` columns, `n_line` of them in a line.

    width, height: of a cell; row_room, column_room: for the labels; side_size: their type; right: what stands right of the panels;
    has_labels: whether tokens stand beside the panels.
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
    has_labels: bool = True

    @property
    def share_pixels(self) -> bool:
        """Whether cells are smaller than a pixel of the picture."""
        return min(self.width, self.height) < 1.0

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
    queries: TokenSide,
    keys: TokenSide,
    n_panel: int,
    room: tuple[float, float],
    right: float,
    on_paper: bool,
    measure: Measure,
    most: tuple[float, float] | None = None,
) -> Arrangement:
    """The largest cells with which all panels and their labels fit into `room`, (width, height).

    right: what stands right of the panels; slanted labels must not reach beyond it. on_paper: the width counts, the height is what
    it takes. most: the width and height of the largest cells wanted.
    """
    sizes, least = _PAPER_SIZES if on_paper else _WINDOW_SIZES
    largest = most or (_LARGEST_CELL, _LARGEST_CELL)
    for size in sizes:
        made, needed = _labelled(queries, keys, n_panel, room, right, on_paper, size, measure, largest)
        if _fit(made, needed, max(_ROOMY, needed[0]) if size == sizes[0] else needed[0]):
            return made
    made, needed = _labelled(queries, keys, n_panel, room, right, on_paper, least, measure, largest)
    if on_paper or n_panel == 1 or _fit(made, (_FEWEST * needed[0], _FEWEST * needed[1]), 0.0):
        return made
    free = (room[0] - AWAY - right, room[1] - AWAY)
    n_line, width, height = _cells(made.n_row, made.n_column, n_panel, free, on_paper, largest)
    return Arrangement(n_panel, n_line, made.n_row, made.n_column, width, height, 0.0, 0.0, least, right, has_labels=False)


def _fit(made: Arrangement, needed: tuple[float, float], least: float) -> bool:
    return made.width >= max(needed[1], least) - 1e-6 and made.height >= max(needed[0], least) - 1e-6


def _labelled(
    queries: TokenSide,
    keys: TokenSide,
    n_panel: int,
    room: tuple[float, float],
    right: float,
    on_paper: bool,
    size: int,
    measure: Measure,
    largest: tuple[float, float],
) -> tuple[Arrangement, tuple[float, float]]:
    """The panels with labels of that size, and the height and width that cells need for all labels to have room."""
    row_room = ceil(min(_longest(queries, size, measure), _LONGEST_ROW, max(0.25 * room[0], min(_SHORT_ROW, 0.32 * room[0]))))
    length = min(_longest(keys, size, measure), _LONGEST_COLUMN, 0.3 * room[1])
    space = SideSpace(size, length, can_slant=n_panel == 1 and right > 0)
    ways: tuple[tuple[Way, float], ...] = (("level", size), ("slanted", ceil(0.71 * length + size)), ("upright", ceil(length)))
    for way, up in ways:
        free = (room[0] - row_room - AWAY - right, room[1] - up - AWAY)
        n_line, width, height = _cells(max(len(queries), 1), max(len(keys), 1), n_panel, free, on_paper, largest)
        if way == way_of(keys, range(len(keys)), width, space, measure):
            break
    made = Arrangement(n_panel, n_line, len(queries), len(keys), width, height, row_room, up, size, right)
    return made, (pitch("upright", size), pitch(way, size))


def _cells(
    n_row: int, n_column: int, n_panel: int, free: tuple[float, float], on_paper: bool, most: tuple[float, float]
) -> tuple[int, float, float]:
    """How many panels stand in a line, and the size of a cell: that which makes the panels largest."""
    least = tuple(min(_SMALLEST_CELL, _SMALLEST_PANEL / n) for n in (n_column, n_row))
    best, largest = (1, *least), 0.0
    for n_line in range(1, n_panel + 1):
        n_deep = ceil(n_panel / n_line)
        titles = n_deep * TITLE if n_panel > 1 else 0.0
        width = (free[0] - (n_line - 1) * _GAP) / n_line / n_column
        height = (free[1] - (n_deep - 1) * _GAP - titles) / n_deep / n_row
        width, height = _shaped(max(width, least[0]), max(height, least[1]), on_paper, most)
        if width * height > largest + 1e-9:
            best, largest = (n_line, width, height), width * height
    n_line, width, height = best
    # Whole pixels a panel, so that its frame is sharp.
    return n_line, _whole(width, n_column), _whole(height, n_row)


def _whole(side: float, n: int) -> float:
    return max(floor(side * n + 1e-6), 1) / n


def _shaped(width: float, height: float, on_paper: bool, most: tuple[float, float]) -> tuple[float, float]:
    """The cell in that room: square on paper, in a window wider where that uses the room or gives its number some."""
    width, height = (min(side, largest) for side, largest in zip((width, height), most, strict=True))
    widest = height if on_paper else max(height, min(_WIDEST_SHAPE * height, _NUMBER_WIDTH))
    width = min(width, widest)
    return width, min(width, height)


def _longest(side: TokenSide, size: int, measure: Measure) -> float:
    return max((measure(text, size, True) for text in side.different_texts), default=0.0)
