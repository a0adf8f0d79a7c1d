"""The grid of heads as plain data, and what lies where on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.scene.grid.summaries import cell_name, summary_phrase
from attnviz.scene.head_place import HeadPlace
from attnviz.scene.role_words import brief_roles
from attnviz.scene.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from attnviz.probing.summary import RoleLine
    from attnviz.scene.scene import Box
    from attnviz.session.grid_choice import SummaryName


@dataclass(frozen=True)
class HeadCell(HeadPlace):
    """One head's square, or that of one layer's mean.

    entropy, distance, sink_share: its three numbers (see HeadSummary), distance may be NaN; is_faded: it is outside the filter;
    roles: what was measured of it, None where nothing is told of that.
    """

    entropy: float
    distance: float
    sink_share: float
    is_faded: bool
    roles: tuple[RoleLine, ...] | None = None


@dataclass(frozen=True)
class Mark:
    """A line below the square of a head with a role, or a part of it, in the colour of a role's group. is_faded: as its square."""

    box: Box
    colour: str
    is_faded: bool


@dataclass(frozen=True)
class Bar:
    """A strip of the colours from weight 0 to the largest, left to right."""

    left: float
    top: float
    width: float
    height: float
    colours: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GridScene(Scene):
    """The grid of heads.

    cells: line by line, each line from left to right; levels: [cell, height, width], the step of its head's ramp for each part of
    its map, 0 to 255, the root of the weight's share of the largest; bar: what the steps mean, and which colours they have;
    plate: the ground behind the squares; current: the box round those of the view's layer; both None where there are none;
    selected: the (layer, head) that is framed; marks: of the heads that have a role.
    """

    cells: tuple[HeadCell, ...]
    levels: NDArray[np.uint8]
    bar: Bar
    plate: Box | None
    current: Box | None
    selected: tuple[int, int] | None
    marks: tuple[Mark, ...] = ()

    def cell(self, layer: int, head: int) -> HeadCell | None:
        """The square of a head; None where it has none."""
        return next((cell for cell in self.cells if (cell.layer, cell.head) == (layer, head)), None)

    def cell_at(self, x: float, y: float) -> HeadCell | None:
        """The square at a point of the picture; None between two."""
        return next((c for c in self.cells if c.left <= x < c.right and c.top <= y < c.bottom), None)

    def cell_in(self, row: int, column: int) -> HeadCell | None:
        """The square in a place of a line; None where there is none."""
        return next((c for c in self.cells if (c.row, c.column) == (row, column)), None)


def cell_text(cell: HeadCell) -> str:
    """What the pointer says of a square: "L3.H1   entropy 1.02 nats   mean distance 2.3   61 % on sinks", below that its roles."""
    numbers = [summary_phrase(name, value) for name, value in _numbers(cell) if value == value]
    roles = () if cell.roles is None else brief_roles(cell.roles)
    return "\n".join(["   ".join([cell_name(cell.layer, cell.head), *numbers]), *roles])


def _numbers(cell: HeadCell) -> Iterator[tuple[SummaryName, float]]:
    yield "entropy", cell.entropy
    yield "distance", cell.distance
    yield "sink_share", cell.sink_share
