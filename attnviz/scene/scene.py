"""A picture as plain data, before anything is painted. Lengths are logical pixels (96 to the inch), y runs down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.theme import Theme

    # (text, pixel size, bold) -> advance width.
    Measure = Callable[[str, int, bool], float]

Ink = Literal["ink", "muted", "faint", "accent", "what_if_ink", "warning_ink"]


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        """The y of its centre."""
        return (self.top + self.bottom) / 2

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.left <= x < self.right and self.top <= y < self.bottom


@dataclass(frozen=True)
class TokenBox:
    """One token on its row. left, right: the ends of its text; baseline, top, bottom: of its line of text.

    index: its position among the picture's tokens, of a word that of its first token; joined: its text goes on in the token before
    it; is_quiet: it is no part of the sentence, or nothing is shown of how it is looked at.
    """

    index: int
    text: str
    left: float
    right: float
    top: float
    baseline: float
    bottom: float
    row: int
    is_quiet: bool
    joined: bool

    @property
    def middle(self) -> float:
        """The x of its centre."""
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class Arcs:
    """All arcs, weakest first; each runs from its query to its key.

    head: [arc] as numbered in the trace, MEAN for none in particular; query, key: [arc] positions of tokens; weight: [arc];
    opacity: [arc] 0 to 1; width: [arc] of the line;
    colour: [arc] index into `colours`; curve: [arc, 4, 2] control points of a cubic.
    """

    head: NDArray[np.intp]
    query: NDArray[np.intp]
    key: NDArray[np.intp]
    weight: Float32
    opacity: Float32
    width: Float32
    colour: NDArray[np.intp]
    curve: Float32
    colours: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.head)


@dataclass(frozen=True)
class Label:
    """One line of text; x is its left end, its right end or its middle by `align`. colour overrides ink."""

    text: str
    x: float
    baseline: float
    size: int
    ink: Ink = "ink"
    colour: str | None = None
    bold: bool = False
    align: Literal["left", "right", "middle"] = "left"


@dataclass(frozen=True)
class Dot:
    """A filled disc of a head's colour, in a legend."""

    x: float
    y: float
    radius: float
    colour: str


@dataclass(frozen=True)
class Band:
    """A tinted strip across the picture that says something nobody may overlook."""

    top: float
    height: float
    kind: Literal["what_if", "warning"]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What every picture has: its size, colours, lines of text, legend and strips.

    description: the picture in words, for those who do not see it.
    """

    width: float
    height: float
    theme: Theme
    labels: tuple[Label, ...]
    dots: tuple[Dot, ...]
    bands: tuple[Band, ...]
    description: str


@dataclass(frozen=True, kw_only=True)
class ArcScene(Scene):
    """The arc diagram.

    focus: the token whose arcs stand forward, None for all of them; first_query: tokens before it are only looked at;
    is_difference: weights are those of one run less those of another, which have the arcs' two colours.
    """

    font_size: int
    tokens: tuple[TokenBox, ...]
    arcs: Arcs
    focus: int | None
    first_query: int = 0
    is_difference: bool = False

    def token_at(self, index: int) -> TokenBox | None:
        """The box of the token at that position in the trace; None where it is hidden."""
        return next((box for box in self.tokens if box.index == index), None)
