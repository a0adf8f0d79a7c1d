"""The matrix of attention as plain data: its tokens on two sides, its panels of cells, its bar of colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.matrix.sides import SideSpace
from attnviz.scene.numbers import MINUS
from attnviz.scene.oklab import levels_of
from attnviz.scene.ramps import difference_ramp, ramp, steps_of
from attnviz.scene.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.matrix.colour_bar import ColourBar
    from attnviz.scene.matrix.colour_scale import ColourScale
    from attnviz.scene.scene import Measure
    from attnviz.session.view import Quantity

VEILED: Final = 0.35  # what is left of the colour of a column that is dimmed
# The type of numbers in cells, (size, short), the first that fits: small cells have ".70" for 0.70.
_NUMBER_TYPES: Final = ((13, False), (12, False), (11, False), (10, False), (10, True), (9, True), (8, True))


@dataclass(frozen=True)
class TokenSide:
    """The tokens along one side, in the text's order.

    positions: of each, that of its first token among the picture's tokens; joined: its text goes on in the one before it;
    is_quiet: no part of the sentence, or dimmed; text_starts: the places at which another text begins;
    strongest: the places with the strongest cells, which keep their labels where not all have room, the strongest first.
    """

    positions: tuple[int, ...]
    texts: tuple[str, ...]
    is_quiet: tuple[bool, ...]
    joined: tuple[bool, ...]
    text_starts: tuple[int, ...]
    strongest: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    def place_of(self, position: int | None) -> int | None:
        """The place of a token on this side; None where it has none."""
        return self._places.get(position)

    @cached_property
    def different_texts(self) -> frozenset[str]:
        """Each text once: of thousands of tokens a few hundred, which are measured in several sizes."""
        return frozenset(self.texts)

    @cached_property
    def _places(self) -> dict[int | None, int]:
        return {position: place for place, position in enumerate(self.positions)}


@dataclass(frozen=True)
class Cells:
    """Where the cells of a panel lie: that of row r and column c begins at (left + c · width, top + r · height).

    n_row, n_column: how many there are; room: left, top, right and bottom of the box in which they are seen; most: of the box to
    which that may grow when they are enlarged, None where it may not.
    """

    left: float
    top: float
    width: float
    height: float
    n_row: int
    n_column: int
    room: tuple[float, float, float, float]
    most: tuple[float, float, float, float] | None = None

    @property
    def rows(self) -> range:
        """The rows that are seen, in part at least."""
        return _seen(self.room[1] - self.top, self.room[3] - self.top, self.height, self.n_row)

    @property
    def columns(self) -> range:
        """The columns that are seen, in part at least."""
        return _seen(self.room[0] - self.left, self.room[2] - self.left, self.width, self.n_column)

    def row_at(self, y: float) -> int | None:
        """The row at a height, None beside what is seen."""
        inside = self.room[1] <= y < self.room[3]
        return _index((y - self.top) / self.height, self.n_row) if inside else None

    def column_at(self, x: float) -> int | None:
        """The column at an x, None beside what is seen."""
        inside = self.room[0] <= x < self.room[2]
        return _index((x - self.left) / self.width, self.n_column) if inside else None


@dataclass(frozen=True)
class BothWeights:
    """A's and B's weights of a head whose difference is shown, each [query, key] with those that are not, which would take time and
    room to leave out; rows, columns: where a panel's are among them."""

    a: Float32
    b: Float32
    rows: Sequence[int]
    columns: Sequence[int]

    def at(self, row: int, column: int) -> tuple[float, float]:
        """A's and B's weight of a cell."""
        place = self.rows[row], self.columns[column]
        return float(self.a[place]), float(self.b[place])


@dataclass(frozen=True)
class MatrixPanel:
    """The map of one head, or of several together: weights [row, column]; left, top: of its first cell; title: "L3.H1";
    has_row_labels, has_column_labels: whether the tokens stand beside and above it; both: those of a difference's sides;
    in_fours: what `rows_in_fours` makes of the weights, nothing where it is not made beforehand."""

    head: int
    title: str
    weights: Float32
    left: float
    top: float
    has_row_labels: bool
    has_column_labels: bool
    both: BothWeights | None = None
    in_fours: tuple[Float32, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MatrixScene(Scene):
    """One matrix, or panels of several; rows are queries, columns keys.

    masked: [row, column] what the model does not let a token see, None where it sees all; dimmed: [column];
    cell_width, cell_height: of each panel's cells; row_room, column_room: for the labels beside and above; side_size: their type's;
    focus: the pinned token, by its position; can_slant: labels above the columns may reach beyond the cells; free: left, top, right
    and bottom of the box that the cells of one matrix in a window may take when they are enlarged.
    """

    quantity: Quantity
    queries: TokenSide
    keys: TokenSide
    panels: tuple[MatrixPanel, ...]
    masked: NDArray[np.bool_] | None
    dimmed: NDArray[np.bool_]
    scale: ColourScale
    bar: ColourBar | None
    cell_width: float
    cell_height: float
    row_room: float
    column_room: float
    side_size: int
    focus: int | None
    can_slant: bool = False
    free: tuple[float, float, float, float] | None = None

    @property
    def row_space(self) -> SideSpace:
        """The type and room of the labels beside the rows."""
        return SideSpace(self.side_size, self.row_room)

    @property
    def column_space(self) -> SideSpace:
        """The type and room of the labels above the columns."""
        return SideSpace(self.side_size, self.column_room, self.can_slant)

    def cells(self, panel: MatrixPanel) -> Cells:
        """Where a panel's cells lie in the picture."""
        right = panel.left + len(self.keys) * self.cell_width
        bottom = panel.top + len(self.queries) * self.cell_height
        size = (self.cell_width, self.cell_height, len(self.queries), len(self.keys))
        return Cells(panel.left, panel.top, *size, (panel.left, panel.top, right, bottom), self.free)


def cell_colours(
    scene: MatrixScene, panel: MatrixPanel, rows: slice = slice(None), columns: slice = slice(None)
) -> NDArray[np.uint8]:
    """The colour of each cell, or of those of some rows and columns, levels 0 to 255: [row, column, 3]."""
    masked = None if scene.masked is None else scene.masked[rows, columns]
    return colours_of(scene, panel.head, panel.weights[rows, columns], scene.dimmed[columns], masked)


def colours_of(
    scene: MatrixScene, head: int, weights: Float32, dimmed: NDArray[np.bool_], masked: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """The colours that some weights of a head have in a scene, [row, column] -> [row, column, 3]; dimmed: [column]; masked:
    [row, column], None for none."""
    whole = difference_ramp(scene.theme) if scene.scale.is_signed else ramp(scene.theme, head)
    colours = whole.take(steps_of(scene.scale.shares(weights)), axis=0)
    if dimmed.any():
        paper = levels_of(scene.theme.paper).astype(np.float32)
        veiled = paper + np.float32(VEILED) * (colours[:, dimmed] - paper)
        colours[:, dimmed] = np.rint(veiled).astype(np.uint8)
    if masked is not None:
        colours[masked] = levels_of(scene.theme.panel)
    return colours


def number_type(width: float, height: float, scale: ColourScale, measure: Measure) -> tuple[int, bool] | None:
    """How weights of that scale stand in a cell of that size: the size of type, and whether shortly; None where they do not fit."""
    beside = 3 if not scale.is_signed else 7  # all of them have a number there, and must not run into one line
    for size, short in _NUMBER_TYPES:
        if size + 4 <= height and measure(scale.number(scale.top, short), size, False) + beside <= width:
            return size, short
    return None


def weight_text(weight: float, quantity: Quantity, is_signed: bool = False) -> str:
    """A weight by itself: two decimals; for norms, and where they would say nothing, two digits that count; is_signed: with its
    sign."""
    if is_signed:
        return (MINUS if weight < 0 else "+" if weight > 0 else "") + weight_text(abs(weight), quantity)
    if quantity != "norms" and weight >= 0.005:
        return f"{weight:.2f}"
    return f"{weight:.2g}" if weight < 100 else f"{weight:.0f}"


def _seen(start: float, end: float, size: float, n: int) -> range:
    return range(min(max(floor(start / size + 1e-6), 0), n), min(max(ceil(end / size - 1e-6), 0), n))


def _index(place: float, n: int) -> int | None:
    return int(place) if 0 <= place < n else None
