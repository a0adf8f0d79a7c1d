"""Two runs as one picture, as plain data: the pictures that it is made of, a table of numbers, a course through the layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from attnviz.scene.scene import Scene

if TYPE_CHECKING:
    from attnviz.scene.matrix.colour_bar import ColourBar
    from attnviz.scene.scene import Box, Ink

PartName = Literal["A", "B", "difference", "measures", "layers"]


@dataclass(frozen=True)
class Placed:
    """A picture that is part of another one, its corner at (left, top)."""

    name: PartName
    scene: Scene
    left: float
    top: float


@dataclass(frozen=True)
class Line:
    """A straight line from (x, y) to (to_x, to_y)."""

    x: float
    y: float
    to_x: float
    to_y: float
    ink: Ink | Literal["hairline"] = "hairline"


@dataclass(frozen=True, kw_only=True)
class CompareScene(Scene):
    """Two runs side by side or one above the other, or their difference, with what belongs to both; bar: of colours, for all parts
    that have none."""

    parts: tuple[Placed, ...]
    bar: ColourBar | None = None

    def part(self, name: PartName) -> Placed | None:
        """The part of that name; None where there is none."""
        return next((part for part in self.parts if part.name == name), None)


@dataclass(frozen=True, kw_only=True)
class TableScene(Scene):
    """A table: its texts are labels, its rules lines."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class ChartPoint:
    """A value in its place; what: of what it is the value, in words; is_strong: it is that of the layer which is shown."""

    x: float
    y: float
    value: float
    what: str
    is_strong: bool = False


@dataclass(frozen=True, kw_only=True)
class ChartScene(Scene):
    """A course of values from left to right; box: of the plot; lines: its axes."""

    box: Box
    lines: tuple[Line, ...]
    points: tuple[ChartPoint, ...]
    colour: str
