"""Two texts set in the same rows, tokens that are the same in the same place."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

from attnviz.engine.tokenizer import Token
from attnviz.scene.arcs.rows import PlacedToken, Rows, set_rows, space_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.scene.scene import Measure
    from attnviz.session.comparison import Comparison
    from attnviz.session.sight import Sight

    # A unit of A and one of B that stand one above the other; None where there is none.
    Column = tuple[int | None, int | None]

_PROBE = 20  # the size of type in which two texts' widths are compared


@dataclass(frozen=True)
class Block:
    """Units of A and of B that stand in the same place: two that are aligned, or what is left between such pairs."""

    units: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Tuck:
    """Units of one side, 0 or 1, that stand in the room of some columns of the other."""

    side: int
    units: tuple[int, ...]
    columns: range


def common_rows(comparison: Comparison, width: float, measure: Measure) -> tuple[Rows, Rows]:
    """The visible units of both sides in lines at most `width` wide, in one type size and with the same breaks.

    Units that are aligned stand one above the other. Where the texts differ between two such pairs, both have the room of what is
    wider there; if a line ends within it, their units stand one above the other as far as both have any.
    """
    sights = tuple(side.sight for side in comparison.sides)
    parts = _blocks(comparison)
    for is_tucked in (True, False):
        columns, tucks, n_first = _columns(parts, sights, is_tucked, measure)
        merged = _merged(columns, tucks, sights, measure)
        rows = set_rows(merged, range(len(merged)), width, measure, n_first if parts[1] else 0)
        if all(len({rows.places[column].row for column in tuck.columns}) == 1 for tuck in tucks):
            break
    return tuple(_of_side(side, sight, rows, columns, tucks, measure) for side, sight in enumerate(sights))


def _blocks(comparison: Comparison) -> tuple[list[Block], list[Block]]:
    """The blocks of both texts; the second are a decoder's where both sides show one that looks at its encoder, else none."""
    a, b = (side.sight for side in comparison.sides)
    cuts = (a.first_query, b.first_query) if a.kind == b.kind == "cross" else (len(a.tokens), len(b.tokens))
    parts = []
    for is_second in (False, True):
        ours, theirs = (
            [unit for unit in sight.visible if (unit >= cut) == is_second] for sight, cut in zip((a, b), cuts, strict=True)
        )
        parts.append(list(_between(ours, theirs, comparison.alignment.pairs)))
    return parts[0], parts[1]


def _between(ours: Sequence[int], theirs: Sequence[int], aligned: Sequence[tuple[int, int]]) -> Iterator[Block]:
    """The pairs of visible units, and between them what is left of both sides."""
    at, place = {unit: i for i, unit in enumerate(ours)}, {unit: j for j, unit in enumerate(theirs)}
    pairs = [(at[i], place[j]) for i, j in aligned if i in at and j in place]
    for (i, j), (next_i, next_j) in pairwise([(-1, -1), *pairs, (len(ours), len(theirs))]):
        if next_i > i + 1 or next_j > j + 1:
            yield Block((tuple(ours[i + 1 : next_i]), tuple(theirs[j + 1 : next_j])))
        if next_i < len(ours) and next_j < len(theirs):
            yield Block(((ours[next_i],), (theirs[next_j],)))


def _columns(
    parts: tuple[list[Block], list[Block]], sights: tuple[Sight, ...], is_tucked: bool, measure: Measure
) -> tuple[list[Column], list[Tuck], int]:
    """The columns of all blocks, what stands in the room of others, and how many columns are of the first text."""
    columns: list[Column] = []
    tucks: list[Tuck] = []
    n_first = 0
    for part in parts:
        for block in part:
            ours, theirs = block.units
            if not is_tucked or len(ours) == len(theirs):
                columns += zip_longest(ours, theirs)
                continue
            extents = [_extent(sight, units, measure) for sight, units in zip(sights, block.units, strict=True)]
            wider = 0 if extents[0] >= extents[1] else 1
            begin = len(columns)
            columns += [(unit, None) if wider == 0 else (None, unit) for unit in block.units[wider]]
            if block.units[1 - wider]:
                tucks.append(Tuck(1 - wider, block.units[1 - wider], range(begin, len(columns))))
        n_first = n_first or len(columns)
    return columns, tucks, n_first


def _extent(sight: Sight, units: Sequence[int], measure: Measure) -> float:
    """The width of some units in a row."""
    widths = sum(measure(sight.tokens[unit].shown, _PROBE, False) for unit in units)
    return widths + sum(space_before(sight.tokens, last, unit, _PROBE) for last, unit in pairwise(units))


def _merged(columns: Sequence[Column], tucks: Sequence[Tuck], sights: tuple[Sight, ...], measure: Measure) -> list[Token]:
    """A token for each column, as wide as the wider of its two and as near to the one before as both are."""
    merged: list[Token] = []
    first_of = {tuck.columns.start: tuck for tuck in tucks}
    last: list[int | None] = [None, None]  # the units of both sides that stand right before a column
    end = 0
    for number, column in enumerate(columns):
        here = list(column)
        tuck = first_of.get(number)
        if tuck is not None:
            here[tuck.side] = tuck.units[0]
        told = zip(sights, last, here, strict=True)
        nearness = [_nearness(sight, before, unit) for sight, before, unit in told if unit is not None and before is not None]
        start = end if nearness and all(near == "touches" for near in nearness) else end + 1
        end = start + 1
        tokens = [sight.tokens[unit] for sight, unit in zip(sights, column, strict=True) if unit is not None]
        widest = max(tokens, key=lambda token: measure(token.shown, _PROBE, False))
        goes_on = bool(nearness) and all(near == "goes on" for near in nearness)
        merged.append(Token(0, "", widest.shown, (start, end), tokens[0].sequence, False, goes_on))
        last = [unit if tuck is None or side != tuck.side else tuck.units[-1] for side, unit in enumerate(column)]
    return merged


def _nearness(sight: Sight, last: int, unit: int) -> str:
    """How a unit stands to the one before it."""
    token, other = sight.tokens[unit], sight.tokens[last]
    if token.continues and last == unit - 1:
        return "goes on"
    touches = token.span and other.span and token.sequence == other.sequence and token.span[0] == other.span[1]
    return "touches" if touches else "apart"


def _of_side(side: int, sight: Sight, rows: Rows, columns: Sequence[Column], tucks: Sequence[Tuck], measure: Measure) -> Rows:
    """One side's units in the middles of their columns, and of the room that they are tucked into."""
    size = rows.font_size
    widths = {unit: max(measure(sight.tokens[unit].shown, size, False), 4.0) for unit in sight.visible}
    places = []
    for column, place in zip(columns, rows.places, strict=True):
        unit = column[side]
        if unit is not None:
            left = place.left + (place.right - place.left - widths[unit]) / 2
            places.append(PlacedToken(unit, left, left + widths[unit], place.row))
    for tuck in (tuck for tuck in tucks if tuck.side == side):
        room = [rows.places[column] for column in tuck.columns]
        gaps = [0.0, *(space_before(sight.tokens, last, unit, size) for last, unit in pairwise(tuck.units))]
        whole = sum(gaps) + sum(widths[unit] for unit in tuck.units)
        x = room[0].left + (room[-1].right - room[0].left - whole) / 2
        for gap, unit in zip(gaps, tuck.units, strict=True):
            places.append(PlacedToken(unit, x + gap, x + gap + widths[unit], room[0].row))
            x += gap + widths[unit]
    places.sort(key=lambda place: place.index)
    n_row = rows.n_row if rows.second_text else max((place.row for place in places), default=0) + 1
    return Rows(size, tuple(places), n_row, rows.second_text, tuple(width for _, width in rows.extents))
