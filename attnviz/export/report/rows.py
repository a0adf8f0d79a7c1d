"""A table as strips: columns as wide as they need, cells in several lines where that is more than there is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.export.report.document import bound
from attnviz.export.report.strip import ROOM, SMALL, SMALL_LINE, Strip, lines_of
from attnviz.scene.scene import Box, Dot, Label
from attnviz.scene.words import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.export.report.document import Column, Table
    from attnviz.scene.scene import Measure

_BETWEEN: Final = 14.0  # two columns
_ABOVE, _BELOW = 3.0, 4.0  # the text of a row
_DOT: Final = 12.0  # the room of a row's dot
_RULE: Final = 0.7
_GAP: Final = 18.0
_SHORT: Final = 12  # rows


def table_strips(table: Table, caption: str, measure: Measure) -> Iterator[Strip]:
    """The caption and the rows, under column titles that are set anew on each page."""
    before = _DOT if table.marks else 0.0
    widths = column_widths(table, ROOM - before, measure)
    lefts = [before + sum(widths[:at]) + at * _BETWEEN for at in range(len(widths))]
    places = list(zip(lefts, widths, table.columns, strict=True))
    titles = tuple(column.title for column in table.columns)
    head = replace(_row(titles, places, "ink", measure, bold=True), holds=True)
    words = [replace(strip, holds=True) for strip in lines_of(caption, SMALL, SMALL_LINE, measure, "muted", gap=_GAP)]
    yield from words[:-1]
    yield replace(words[-1], below=2.0)
    yield head
    for at, cells in enumerate(table.rows):
        strip = _row(cells, places, "hairline", measure)
        if table.marks and table.marks[at] is not None:
            strip = replace(strip, dots=(Dot(4.0, _ABOVE + 0.5 * SMALL_LINE, 3.5, table.marks[at]),))
        # A short table stays whole, and of a long one neither the first row nor the last stands alone.
        holds = at < len(table.rows) - 1 and (len(table.rows) <= _SHORT or at in (0, len(table.rows) - 2))
        yield replace(strip, holds=holds, head=(head,), below=10.0 if at == len(table.rows) - 1 else 0.0)


def column_widths(table: Table, room: float, measure: Measure) -> list[float]:
    """Of each column, the gaps between them apart; together they are as wide as the room.

    Columns have what they want where that is no more than their part, by the square root of what they want, so that a cell twice
    as long is not twice as wide; none is narrower than its longest word. What is left over goes to the texts beside the names.
    """
    room -= _BETWEEN * (len(table.columns) - 1)
    texts = [[column.title, *(row[at] for row in table.rows)] for at, column in enumerate(table.columns)]
    wanted = [_widest(column, measure) for column in texts]
    least = [_widest([word for text in column for word in bound(text).split(" ")], measure) for column in texts]
    widths: dict[int, float] = {}
    while len(widths) < len(wanted):
        open_ = [at for at in range(len(wanted)) if at not in widths]
        left = max(room - sum(widths.values()), 0.0)
        parts = {at: left * wanted[at] ** 0.5 / sum(wanted[other] ** 0.5 for other in open_) for at in open_}
        # What is settled first leaves the others less, and what is settled then leaves them no less.
        settled = {at: least[at] for at in open_ if least[at] > parts[at]}
        widths |= settled or {at: wanted[at] for at in open_ if wanted[at] <= parts[at]} or parts
    free = [at for at, column in enumerate(table.columns) if column.align == "left" and at] or [0]
    spare = max(room - sum(widths.values()), 0.0) / len(free)
    return [widths[at] + (spare if at in free else 0.0) for at in range(len(wanted))]


def _widest(texts: Sequence[str], measure: Measure) -> float:
    """The width in which none is broken, the first of them bold; a pixel more, as sums of widths are not the width of a sum."""
    widths = (max(measure(text, SMALL, False), measure(text, SMALL, at == 0)) for at, text in enumerate(texts))
    return max(widths, default=0.0) + 1.0


def _row(
    cells: Sequence[str], places: Sequence[tuple[float, float, Column]], rule: str, measure: Measure, bold: bool = False
) -> Strip:
    """One line of cells above its rule. Bold ones are wrapped a little narrower, as `wrap` measures normal ones."""
    labels, n_line = [], 1
    for cell, (left, width, column) in zip(map(bound, cells), places, strict=True):
        lines = [cell] if bold and measure(cell, SMALL, True) <= width else wrap(cell, SMALL, width * (0.9 if bold else 1), measure)
        x = left if column.align == "left" else left + width
        for at, line in enumerate(lines):
            labels.append(Label(line, x, _ABOVE + (at + 0.75) * SMALL_LINE, SMALL, bold=bold, align=column.align))
        n_line = max(n_line, len(lines))
    height = _ABOVE + n_line * SMALL_LINE + _BELOW
    return Strip(height, tuple(labels), ((Box(0, height - _RULE, ROOM, height), rule),))
