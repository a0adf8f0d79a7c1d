"""Where the panels of a matrix stand on the page, with their labels and their bar."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from attnviz.scene.matrix.colour_bar import bar_depth, bar_room, level_depth
from attnviz.scene.matrix.panels import arrange
from attnviz.scene.page import MARGIN, SMALL
from attnviz.scene.words import wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.matrix.panels import Arrangement
    from attnviz.scene.matrix.shown import Shown
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure

_LEAST_ROOM = (120.0, 80.0)  # for panels with their labels, in the narrowest figure and the lowest window
_DEEPEST, _DEEPEST_MANY = 1.5, 1.0  # the height of one matrix, and of several, on paper, in widths of it
_NARROW = 400.0  # a figure in which the bar lies below the matrix, which then has the whole width
_LEAST_LEVEL = 96.0  # pixels, of that bar
# Of panels, from whole pixels: on whole and half ones a frame falls to this side or that by the last bit of its place.
_OFF = 0.25
_EMPTY = 40.0  # the height of a sentence in place of a matrix


@dataclass(frozen=True)
class Level:
    """A level bar's ends, and the lines below it."""

    left: float
    right: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where the panels stand with all that belongs to them: from `left`, from `top` to `end`; panels_end: their right edge;
    level: where a level bar lies, None where it is upright; free: the box that enlarged cells may take."""

    cells: Arrangement
    left: float
    top: float
    panels_end: float
    end: float
    level: Level | None
    free: tuple[float, float, float, float] | None


def place_panels(
    shown: Shown,
    layout: Layout,
    top: float,
    below: float,
    measure: Measure,
    has_bar: bool = True,
    cells: Arrangement | None = None,
) -> Place:
    """In the middle of what is left between `top` and the `below` that the foot takes; on paper at the top.

    has_bar: a bar of colours stands with them; cells: what `arrange_panels` gave for it, None to have it asked.
    """
    deep = _depth(shown, layout, top, below)
    is_level = has_bar and not layout.height and layout.width < _NARROW
    right = bar_room(shown.scale, shown.notes, measure) if has_bar and not is_level else 0.0
    cells = arrange_panels(shown, layout, top, below, measure, has_bar) if cells is None else cells
    left = max(round((layout.width - cells.whole_width) / 2), 0) + _OFF
    x, y = cells.place(0)
    level = _level(shown.notes, left + x, left + cells.whole_width, layout, measure) if is_level else None
    tall = cells.whole_height
    if level is not None:
        tall += level_depth(len(level.lines))
    elif has_bar:
        tall = max(tall, y + bar_depth(tall - y, len(shown.notes)))
    tall = tall if shown.n_panel else _EMPTY
    free, top = None, floor(top) + _OFF
    if layout.height and shown.n_panel == 1:
        free = (min(MARGIN + x, left + x), top + y, max(layout.width - MARGIN, left + cells.whole_width) - right, top + deep)
    top += max(0, floor((deep - tall) / 2)) if layout.height else 0
    return Place(cells, left, top, left + cells.whole_width - right, top - _OFF + tall, level, free)


def arrange_panels(
    shown: Shown,
    layout: Layout,
    top: float,
    below: float,
    measure: Measure,
    has_bar: bool = True,
    most: tuple[float, float] | None = None,
) -> Arrangement:
    """The panels with their labels in the largest cells that have room there; most: the width and height that they may not pass."""
    room = (max(layout.width - 2 * MARGIN, _LEAST_ROOM[0]), _depth(shown, layout, top, below))
    is_upright = has_bar and (layout.height or layout.width >= _NARROW)
    right = bar_room(shown.scale, shown.notes, measure) if is_upright else 0.0
    return arrange(shown.queries, shown.keys, max(shown.n_panel, 1), room, right, not layout.height, measure, most)


def _depth(shown: Shown, layout: Layout, top: float, below: float) -> float:
    """The height for the panels with their labels."""
    on_paper = layout.width * (_DEEPEST if shown.n_panel < 2 else _DEEPEST_MANY)
    return max(layout.height - top - below if layout.height else on_paper, _LEAST_ROOM[1])


def _level(notes: Sequence[str], left: float, right: float, layout: Layout, measure: Measure) -> Level:
    """The level bar below panels between two ends, no shorter than its numbers need, its notes in one line where that has room."""
    width = max(right - left, min(_LEAST_LEVEL, layout.width - 2 * MARGIN))
    left = min(left, max(layout.width - MARGIN, right) - width)
    one = ", ".join(notes)
    lines = [one] if measure(one, SMALL, False) <= width else notes
    return Level(left, left + width, tuple(part for line in lines for part in wrap(line, SMALL, width, measure)))
