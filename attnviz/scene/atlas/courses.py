"""The courses of a sentence's arcs, and the lines of words that they leave room for.

As in an arc diagram an arc over the line looks back, one under it ahead, and between two lines it is a curve from one to the other.
From the end of a line to the beginning of the next that curve would lie flat across all words. There it is broken, as music breaks
a slur: it leaves its query for the near end of the query's line, and comes to its key from that of the key's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.analysis.edges import Edges
from attnviz.scene.arcs.curves import curves_of, ends_of, rise_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.arcs.curves import Ends
    from attnviz.scene.arcs.rows import Rows

LINE: Final = 1.5  # the height of a line of words, by its type's size
_TALLEST, _FLATTEST, _LOOP = 34.0, 7.0, 12.0  # arches over a whole line, and between neighbours; loops
_SLUR, _OUT = 11.0, 8.0  # how far a broken arc leaves its line, and reaches beyond its end
_FAR: Final = 2.4  # an arc is broken where the way between its words is so many times that to the ends of their lines
_ROW_GAP, _CROSS_GAP = 6.0, 20.0  # between two lines, the second where a curve leads from one to the other
_TO_TEXT: Final = 2.0  # between an arc's end and its word's line


@dataclass(frozen=True)
class Courses:
    """curve: [part, 4, 2] control points; pair: [part] the number of the pair that it is the course of, or half of it;
    tops: [row] of the lines of words; bottom: the y below all."""

    curve: Float32
    pair: NDArray[np.intp]
    tops: Float32
    bottom: float


def courses_of(pairs: Sequence[tuple[int, int]], rows: Rows, left: float, top: float, width: float) -> Courses:
    """The courses of (query, key) pairs of words, from (left, top) on; width: of a whole line."""
    ends = ends_of(_edges(pairs), rows, np.full(rows.n_row, left, np.float32), np.zeros(1, np.float32))
    line = LINE * rows.font_size
    across = ends.row_query != ends.row_key
    row_ends = [max((place.right for place in rows.places if place.row == row), default=0.0) for row in range(rows.n_row)]
    broken = _broken(ends, left, left + np.array(row_ends, np.float32))
    rise = rise_of(ends, _TALLEST, max(width, 1.0))
    rise = np.where(ends.is_loop, np.minimum(rise, _LOOP), np.where(across, 0.0, np.maximum(rise, _FLATTEST)))
    rise = np.where(broken, _SLUR, rise).astype(np.float32)
    tops, bottom = _tops(ends, rise, broken, rows.n_row, top, line)
    whole = np.flatnonzero(~broken)
    curves = curves_of(ends, rise, tops - _TO_TEXT, tops + line + _TO_TEXT)
    parts, numbers = [curves[whole]], [whole]
    for number in np.flatnonzero(broken):
        way = float(ends.outward[number])  # -1 over the lines, 1 under them
        x_query, x_key = float(ends.x_query[number]), float(ends.x_key[number])
        lines = int(ends.row_query[number]), int(ends.row_key[number])
        y_query, y_key = (float(tops[row]) + (line + _TO_TEXT if way > 0 else -_TO_TEXT) for row in lines)
        before = left - _OUT
        after_query, after_key = (left + row_ends[row] + _OUT for row in lines)
        parts += [
            _slur(x_query, y_query, after_query if way > 0 else before, way),
            _slur(x_key, y_key, before if way > 0 else after_key, way)[:, ::-1],
        ]
        numbers.append(np.array([number, number], np.intp))
    return Courses(np.concatenate(parts), np.concatenate(numbers).astype(np.intp), tops, bottom)


def _broken(ends: Ends, left: float, right: Float32) -> NDArray[np.bool_]:
    """Which arcs are broken at the ends of their lines: between lines that follow each other, where that is the shorter way.

    left: where lines begin; right: [row] where they end.
    """
    back = ends.outward < 0
    to_end = np.where(back, ends.x_query - left, right[ends.row_query] - ends.x_query)
    from_end = np.where(back, right[ends.row_key] - ends.x_key, ends.x_key - left)
    between = np.abs(ends.x_key - ends.x_query)
    return (np.abs(ends.row_key - ends.row_query) == 1) & (between > _FAR * (to_end + from_end))


def _edges(pairs: Sequence[tuple[int, int]]) -> Edges:
    query, key = np.array(pairs, np.intp).reshape(-1, 2).T
    return Edges(np.zeros(len(pairs), np.intp), query, key, np.ones(len(pairs), np.float32), len(pairs), len(pairs), 0.0, 0.0)


def _slur(x: float, y: float, to_x: float, way: float) -> Float32:
    """A course from a word to the end of its line, [1, 4, 2]."""
    end = y + way * _SLUR
    return np.array([[[x, y], [x, end], [x + 0.25 * (to_x - x), end], [to_x, end]]], np.float32)


def _tops(ends: Ends, rise: Float32, broken: NDArray[np.bool_], n_row: int, top: float, line: float) -> tuple[Float32, float]:
    """The y of each line of words, which is `line` high, and that after the last arc; each has the room that its arcs need."""
    tops, y = np.zeros(n_row, np.float32), top
    first, last = np.minimum(ends.row_query, ends.row_key), np.maximum(ends.row_query, ends.row_key)
    for row in range(n_row):
        touches = (ends.row_query == row) | (broken & (ends.row_key == row))
        above, below = (float(rise[touches & (ends.outward == way)].max(initial=0.0)) for way in (-1, 1))
        is_crossed = bool((~broken & (first < row) & (last >= row)).any())
        gap = (_CROSS_GAP if is_crossed else _ROW_GAP) if row else 0.0
        tops[row] = y + max(above, gap) + _TO_TEXT
        y = float(tops[row]) + line + max(below, 2.0) + _TO_TEXT
    return tops, y
