"""The atlas of heads as plain data, and what lies where on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from attnviz.scene.head_place import HeadPlace
from attnviz.scene.scene import Scene

if TYPE_CHECKING:
    from attnviz.probing.measures import Group


@dataclass(frozen=True)
class AtlasCell(HeadPlace):
    """One head's cell.

    fill: its colour, None for the paper's own with a hairline round it; foot: the colour of the line along its foot, which says its
    group in full, None without one; group: of its clearest role, None where none was found, or numbers are shown in place of roles;
    value: the number that is shown of it, None for none; holds: it has the role of the measure that is shown; told: what the
    pointer says of it.
    """

    fill: str | None
    foot: str | None
    group: Group | None
    value: float | None
    holds: bool
    told: str


@dataclass(frozen=True)
class Swatch:
    """A small cell of the legend, painted as a head's."""

    left: float
    top: float
    right: float
    bottom: float
    fill: str | None
    foot: str | None


@dataclass(frozen=True)
class RampBar:
    """A strip of colours from the least value to the largest, left to right; tick: the x of the baseline's mark, None without
    one."""

    left: float
    top: float
    width: float
    height: float
    colours: tuple[str, ...]
    tick: float | None = None


@dataclass(frozen=True)
class HeldDot:
    """Marks a head that has the role that is shown."""

    x: float
    y: float
    radius: float
    colour: str


@dataclass(frozen=True, kw_only=True)
class AtlasScene(Scene):
    """What the heads of a model do, one cell each.

    cells: line by line, each line from left to right, n_column in each; thick: the height of the lines along the cells' feet,
    pixels; has_text, has_more: the cells are large enough for text, and for how many jobs there are besides the first;
    swatches, bar: the legend; held: the marks of heads that have the role that is shown; selected: the (layer, head) with a frame.
    """

    cells: tuple[AtlasCell, ...]
    n_column: int
    thick: int
    has_text: bool
    has_more: bool
    swatches: tuple[Swatch, ...]
    bar: RampBar | None
    held: tuple[HeldDot, ...]
    selected: tuple[int, int] | None

    @cached_property
    def _by_head(self) -> dict[tuple[int, int], AtlasCell]:
        return {(cell.layer, cell.head): cell for cell in self.cells}

    def cell(self, layer: int, head: int) -> AtlasCell | None:
        """The cell of a head; None where it has none."""
        return self._by_head.get((layer, head))

    def cell_in(self, row: int, column: int) -> AtlasCell | None:
        """The cell in a place of a line; None where there is none."""
        inside = row >= 0 and 0 <= column < self.n_column and row * self.n_column + column < len(self.cells)
        return self.cells[row * self.n_column + column] if inside else None

    def cell_at(self, x: float, y: float) -> AtlasCell | None:
        """The cell at a point of the picture; None between two."""
        return next((c for c in self.cells if c.left <= x < c.right and c.top <= y < c.bottom), None)
