"""The picture of one query's attention, step by step, as plain data. Lengths are logical pixels, y runs down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from attnviz.scene.scene import Scene

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.scene import Box, Label
    from attnviz.scene.steps.content import Content

StageName = Literal["tokens", "vectors", "projections", "scores", "softmax", "weighted", "heads", "output"]

# In the order in which the numbers flow.
STAGE_TITLES: Final[dict[StageName, str]] = {
    "tokens": "Tokens",
    "vectors": "Vectors",
    "projections": "Query, key, value",
    "scores": "Scores",
    "softmax": "Softmax",
    "weighted": "Weighted sum",
    "heads": "All heads",
    "output": "Output",
}


@dataclass(frozen=True)
class Stage:
    """One stage of the flow. box: all of it; copy: where its contents can be copied with the mouse."""

    name: StageName
    title: str
    sentence: str
    formula: str
    box: Box
    copy: Box


@dataclass(frozen=True, eq=False)
class Strip:
    """A vector as a row of coloured cells.

    what: as the pointer names it ("key of animal"); values: all of its numbers; cells: [cell] the number that each cell shows,
    where there is no room for all of them the largest of a few; scale: the number of the strongest colour; first: where in the
    whole vector the first one stands; parts: the number and the vector that it is the product of; stage: None in a legend.
    """

    stage: StageName | None
    what: str
    values: Float32
    cells: NDArray[np.intp]
    scale: float
    box: Box
    first: int = 0
    parts: tuple[float, Float32] | None = None


@dataclass(frozen=True)
class Number:
    """A number that stands on the picture. what: as the pointer names it; how: its arithmetic, where it has one."""

    stage: StageName
    what: str
    value: float
    label: Label
    box: Box
    how: str = ""


@dataclass(frozen=True)
class Word:
    """Words on the picture that the pointer explains."""

    text: str
    meaning: str
    box: Box


@dataclass(frozen=True)
class Bar:
    """A filled bar. opacity: 0 to 1."""

    box: Box
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Rule:
    """A hairline across."""

    left: float
    right: float
    y: float


@dataclass(frozen=True)
class Connector:
    """A line from corner to corner, with an arrowhead at its end. is_strong: it carries this query's own numbers."""

    points: tuple[tuple[float, float], ...]
    is_strong: bool


@dataclass(frozen=True)
class RowBox:
    """A row of the table that runs through several stages. position: of its token among the picture's, None for other rows;
    is_query: the token can be the query."""

    text: str
    position: int | None
    is_query: bool
    box: Box


@dataclass(frozen=True)
class HeadBox:
    """Where a head can be picked."""

    head: int
    box: Box


@dataclass(frozen=True, kw_only=True, eq=False)
class StepsScene(Scene):
    """The flow of one query's numbers through one head. content: the numbers themselves, None where no head is shown;
    focus: the position of the query among the picture's tokens; queries: the positions that can be one."""

    content: Content | None
    stages: tuple[Stage, ...] = ()
    strips: tuple[Strip, ...] = ()
    numbers: tuple[Number, ...] = ()
    words: tuple[Word, ...] = ()
    bars: tuple[Bar, ...] = ()
    connectors: tuple[Connector, ...] = ()
    rules: tuple[Rule, ...] = ()
    rows: tuple[RowBox, ...] = ()
    heads: tuple[HeadBox, ...] = ()
    head_count: int = 0
    focus: int | None = None
    queries: tuple[int, ...] = ()
