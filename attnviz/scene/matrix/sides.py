"""The tokens' labels beside and above a matrix, at any zoom: as many as have room, none lying on another."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, cos, radians, sin
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.matrix.scene import Cells, TokenSide
    from attnviz.scene.scene import Measure

Way = Literal["level", "slanted", "upright"]

AWAY: Final = 7.0  # from the cells
_SLANT: Final = 45.0
# How labels above the columns stand: degrees by which they are turned against the reading direction.
TURNS: Final[dict[Way, float]] = {"level": 0.0, "slanted": _SLANT, "upright": 90.0}
_LINE = 2.0  # between two lines of labels


@dataclass(frozen=True)
class SideLabel:
    """One token's label. x, y: where its baseline begins, or ends by `align`; turn: degrees anticlockwise about that point;
    place: of the token on its side."""

    text: str
    x: float
    y: float
    turn: float
    align: Literal["left", "right", "middle"]
    place: int


@dataclass(frozen=True)
class SideSpace:
    """The type and room of labels: size in pixels, room in pixels along them; can_slant: nothing stands to the right of them."""

    size: int
    room: float
    can_slant: bool = False


def row_labels(side: TokenSide, cells: Cells, space: SideSpace, measure: Measure, first: Sequence[int] = ()) -> list[SideLabel]:
    """The labels left of the rows that are seen, flush right; first: places that have theirs before all others, in that order;
    then come the strongest of the side."""
    labels = []
    for place in _thinned(cells.n_row, cells.height, space.size + _LINE, (*first, *side.strongest), cells.rows):
        y = cells.top + (place + 0.5) * cells.height
        if cells.room[1] <= y <= cells.room[3]:
            text = elided(side.texts[place], space.size, space.room, measure)
            labels.append(SideLabel(text, cells.room[0] - AWAY, y + 0.36 * space.size, 0.0, "right", place))
    return labels


def column_labels(side: TokenSide, cells: Cells, space: SideSpace, measure: Measure, first: Sequence[int] = ()) -> list[SideLabel]:
    """The labels above the columns that are seen, level where all fit, else slanted or upright."""
    way = way_of(side, cells.columns, cells.width, space, measure)
    turn = radians(TURNS[way])
    # The middle of a turned line's letters, not their baseline, points at the column.
    aside, down = (0.36 * space.size * sin(turn), 0.36 * space.size * cos(turn)) if turn else (0.0, 0.0)
    labels = []
    for place in _thinned(cells.n_column, cells.width, pitch(way, space.size), (*first, *side.strongest), cells.columns):
        x = cells.left + (place + 0.5) * cells.width
        if cells.room[0] <= x <= cells.room[2]:
            text = elided(side.texts[place], space.size, space.room / sin(turn) if turn else cells.width, measure)
            at = (x + aside, cells.room[1] - AWAY + down)
            labels.append(SideLabel(text, *at, TURNS[way], "left" if turn else "middle", place))
    return labels


def way_of(side: TokenSide, places: Sequence[int], width: float, space: SideSpace, measure: Measure) -> Way:
    """How the labels of those columns stand, each `width` wide."""
    if width >= 2 * space.size and all(measure(side.texts[place], space.size, True) + 8 <= width for place in places):
        return "level"
    return "slanted" if space.can_slant and width >= pitch("slanted", space.size) else "upright"


def pitch(way: Way, size: int) -> float:
    """The least distance along a side of two labels that stand so."""
    return 0.0 if way == "level" else (size + _LINE) / sin(radians(TURNS[way]))


def elided(text: str, size: int, room: float, measure: Measure) -> str:
    """The text, or as much of its beginning as has room, with an ellipsis."""
    if measure(text, size, True) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(text[:middle] + "\N{HORIZONTAL ELLIPSIS}", size, True) <= room else (low, middle - 1)
    return text[:low] + "\N{HORIZONTAL ELLIPSIS}"


def _thinned(n: int, step: float, least: float, first: Sequence[int], seen: range) -> list[int]:
    """The places with a label among those that are seen: `least` pixels apart, as many of `first` as can be, then every k-th one,
    then what is left room for. Chosen from all `n`, so that the same tokens keep their labels while the matrix is moved."""
    every = max(1, ceil(least / step - 1e-6))
    is_free, chosen = bytearray(b"\1") * n, []
    for place in (*first, *range(0, n, every), *(range(n) if first else ())):
        if place < n and is_free[place]:
            chosen.append(place)
            start, end = max(place - every + 1, 0), min(place + every, n)
            is_free[start:end] = bytes(end - start)
    return sorted(place for place in chosen if place in seen)
