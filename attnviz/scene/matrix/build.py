"""A run and a view become a matrix: rows look at columns. Pure: the same input gives the same picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.captions import caption_of, warnings_of
from attnviz.scene.matrix.colour_bar import bar_depth, bar_room, level_bar, level_depth, upright_bar
from attnviz.scene.matrix.colour_scale import scale_for
from attnviz.scene.matrix.panels import arrange
from attnviz.scene.matrix.scene import MatrixPanel, MatrixScene, TokenSide, weight_text
from attnviz.scene.page import LINE, MARGIN, ONE_BAND, SMALL, Page
from attnviz.scene.palette import head_colour
from attnviz.scene.scene import Label
from attnviz.scene.shares import nothing_read_line, quantity_line, quantity_phrase, shares_line
from attnviz.scene.words import count_of, head_name, shortened, wrap
from attnviz.session.sight import sight_of
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.matrix.colour_bar import ColourBar
    from attnviz.scene.matrix.colour_scale import ColourScale
    from attnviz.scene.matrix.panels import Arrangement
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import Quantity, View

MOST_PANELS: Final = 12  # beyond, a panel in a window is too small to read
_HEAD = 10.0
_LEAST_ROOM = (120.0, 80.0)  # for panels with their labels, in the narrowest figure and the lowest window
_DEEPEST, _DEEPEST_MANY = 1.5, 1.0  # the height of one matrix, and of several, on paper, in widths of it
_NARROW = 400.0  # a figure in which the bar lies below the matrix, which then has the whole width
_LEAST_LEVEL = 96.0  # pixels, of that bar
_LOW = 420.0  # a window in which no height is kept for a strip that may come
_MOST_STRONG, _STRONG = 6, 0.4  # rows and columns that keep their labels: how many, and how strong, of the strongest
# Of panels, from whole pixels: on whole and half ones a frame falls to this side or that by the last bit of its place.
_OFF = 0.25
_EMPTY = 40.0  # the height of a sentence in place of a matrix
_UNITS: Final[dict[Quantity, str]] = {"attention": "attention", "norms": "norm", "rollout": "rollout"}


@dataclass(frozen=True)
class _Shown:
    """What of a sight is shown: weights [panel, row, column], its sides, which columns are dimmed [column], and on which scale."""

    weights: Float32
    queries: TokenSide
    keys: TokenSide
    dimmed: NDArray[np.bool_]
    scale: ColourScale
    notes: tuple[str, ...]

    @property
    def n_panel(self) -> int:
        """How many maps have a panel; none where there is no token to look or to be looked at."""
        return len(self.weights) if len(self.queries) and len(self.keys) else 0


def build_matrix(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> MatrixScene:
    """The matrix of one layer of a run: of one map, or a panel for each of several heads."""
    sight = sight_of(run.trace, view)
    shown = _shown(sight, view)
    caption = caption_of(run, view, sight)
    page = _head(run, view, sight, Page(theme, layout, measure), layout)
    foot = [*_foot(sight, view, shown.n_panel), *_way_on(layout, shown.n_panel)]
    place = _placed(shown, layout, page.y + 0.5 * MARGIN, LINE * len(foot) + MARGIN, measure)
    panels = tuple(_panel(sight, shown, number, place, view.layer) for number in range(shown.n_panel))
    bar = None
    if panels:
        bar = _bar(shown, panels, place, measure)
        page.labels += _titles(panels, place.cells, theme)
    else:
        page.labels.append(_nothing(sight, layout.width / 2, place.top + 24))
    page.y = max(place.end + 0.5 * MARGIN, layout.height - LINE * len(foot) - 0.5 * MARGIN)
    for line in foot:
        page.text(line)
    return MatrixScene(
        width=layout.width,
        height=max(layout.height, page.y + 0.5 * MARGIN),
        theme=theme,
        labels=tuple(page.labels),
        dots=tuple(page.dots),
        bands=tuple(page.bands),
        description=f"Matrix of the {quantity_phrase(sight.quantity)} of {caption}: {shortened(run.trace.text, 200)}",
        quantity=sight.quantity,
        queries=shown.queries,
        keys=shown.keys,
        panels=panels,
        masked=_masked(sight),
        dimmed=shown.dimmed,
        scale=shown.scale,
        bar=bar,
        cell_width=place.cells.width,
        cell_height=place.cells.height,
        row_room=place.cells.row_room,
        column_room=place.cells.column_room,
        side_size=place.cells.side_size,
        focus=sight.in_focus(view.focus),
        free=place.free,
    )


def _head(run: Run, view: View, sight: Sight, page: Page, layout: Layout) -> Page:
    """What stands above: strips, the caption on paper, how to read it."""
    page.band_lines(warnings_of(run, view, sight))
    page.y += _HEAD
    if layout.caption:
        page.text(caption_of(run, view, sight), bold_until=len(run.model.name))
    page.text(_legend(sight))
    if not (page.bands or layout.caption) and layout.height >= _LOW:
        page.y += ONE_BAND  # its place is kept, so that the matrix stays where it is when a what-if begins
    return page


@dataclass(frozen=True)
class _Level:
    """A level bar's ends, and the lines below it."""

    left: float
    right: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """Where the panels stand with all that belongs to them: from `left`, from `top` to `end`; panels_end: their right edge;
    level: where a level bar lies, None where it is upright; free: the box that enlarged cells may take."""

    cells: Arrangement
    left: float
    top: float
    panels_end: float
    end: float
    level: _Level | None
    free: tuple[float, float, float, float] | None


def _placed(shown: _Shown, layout: Layout, top: float, below: float, measure: Measure) -> _Place:
    """In the middle of what is left between `top` and the `below` that the foot takes; on paper at the top."""
    on_paper = layout.width * (_DEEPEST if shown.n_panel < 2 else _DEEPEST_MANY)
    deep = max(layout.height - top - below if layout.height else on_paper, _LEAST_ROOM[1])
    room = (max(layout.width - 2 * MARGIN, _LEAST_ROOM[0]), deep)
    n_panel = max(shown.n_panel, 1)
    is_level = not layout.height and layout.width < _NARROW
    right = 0.0 if is_level else bar_room(shown.scale, shown.notes, measure)
    cells = arrange(shown.queries, shown.keys, n_panel, room, right, not layout.height, measure)
    left = max(round((layout.width - cells.whole_width) / 2), 0) + _OFF
    x, y = cells.place(0)
    level = _level(shown.notes, left + x, left + cells.whole_width, layout, measure) if is_level else None
    if level is not None:
        tall = cells.whole_height + level_depth(len(level.lines))
    else:
        tall = max(cells.whole_height, y + bar_depth(cells.whole_height - y, len(shown.notes)))
    tall = tall if shown.n_panel else _EMPTY
    free, top = None, floor(top) + _OFF
    if layout.height and shown.n_panel == 1:
        free = (min(MARGIN + x, left + x), top + y, max(layout.width - MARGIN, left + cells.whole_width) - right, top + deep)
    top += max(0, floor((deep - tall) / 2)) if layout.height else 0
    return _Place(cells, left, top, left + cells.whole_width - right, top - _OFF + tall, level, free)


def _level(notes: Sequence[str], left: float, right: float, layout: Layout, measure: Measure) -> _Level:
    """The level bar below panels between two ends, no shorter than its numbers need, its notes in one line where that has room."""
    width = max(right - left, min(_LEAST_LEVEL, layout.width - 2 * MARGIN))
    left = min(left, max(layout.width - MARGIN, right) - width)
    one = ", ".join(notes)
    lines = [one] if measure(one, SMALL, False) <= width else notes
    return _Level(left, left + width, tuple(part for line in lines for part in wrap(line, SMALL, width, measure)))


def _bar(shown: _Shown, panels: Sequence[MatrixPanel], place: _Place, measure: Measure) -> ColourBar:
    head = panels[0].head if len(panels) == 1 else None
    top = panels[0].top
    bottom = top + place.cells.whole_height - place.cells.place(0)[1]
    level = place.level
    if level is not None:
        return level_bar(level.left, level.right, bottom, head, shown.scale, level.lines, measure)
    return upright_bar(place.panels_end, top, bottom - top, head, shown.scale, shown.notes)


def _shown(sight: Sight, view: View) -> _Shown:
    rows = [unit - sight.first_query for unit in sight.queries]
    weights = sight.weights[:MOST_PANELS][:, rows][:, :, list(sight.keys)]
    dimmed = np.isin(sight.keys, list(sight.dimmed))
    loud = weights[:, :, ~dimmed]
    largest = float(loud.max(initial=0.0))
    scale = scale_for(largest, None if sight.quantity == "norms" else 1.0, view.is_log)
    notes = (_UNITS[sight.quantity] + (", log" if view.is_log else ""), f"largest {weight_text(largest, sight.quantity)}")
    strong = np.where(dimmed, np.float32(0), weights)
    queries = _side(sight, sight.queries, strong.max(axis=(0, 2), initial=0.0))
    return _Shown(weights, queries, _side(sight, sight.keys, strong.max(axis=(0, 1), initial=0.0)), dimmed, scale, notes)


def _side(sight: Sight, units: Sequence[int], peaks: Float32) -> TokenSide:
    """The tokens of one side, from the picture's units; peaks: the strongest cell of each."""
    strongest = np.argsort(-peaks, kind="stable")[:_MOST_STRONG]
    tokens = [sight.tokens[unit] for unit in units]
    follows = [place > 0 and units[place - 1] == unit - 1 for place, unit in enumerate(units)]
    return TokenSide(
        positions=tuple(sight.position(unit) for unit in units),
        texts=tuple(token.shown for token in tokens),
        is_quiet=tuple(token.is_special or unit in sight.dimmed for token, unit in zip(tokens, units, strict=True)),
        joined=tuple(token.continues and after for token, after in zip(tokens, follows, strict=True)),
        text_starts=tuple(i for i in range(1, len(tokens)) if tokens[i].sequence != tokens[i - 1].sequence),
        strongest=tuple(strongest[peaks[strongest] > _STRONG * peaks.max(initial=0.0)].tolist()),
    )


def _masked(sight: Sight) -> NDArray[np.bool_] | None:
    """Which cells are of keys that a query may not look at, [row, column]."""
    return None if sight.masked is None else sight.masked[sight.rows][:, list(sight.keys)]


def _legend(sight: Sight) -> str:
    """How to read it."""
    if sight.kind == "cross":
        return "each row is a token of the decoder that looks, each column a token of the encoder that is looked at"
    also = ", never one after it" if sight.is_causal else ""
    return f"each row is a token that looks, each column a token that is looked at{also}"


def _foot(sight: Sight, view: View, n_panel: int) -> list[str]:
    lines = [shares_line(sight), quantity_line(sight, tells_largest=False)]
    if 0 < n_panel < len(sight.heads):
        lines.insert(1, f"the first {n_panel} of {count_of(len(sight.heads), 'head')}; choose heads to see others")
    return [line for line in lines if line is not None]


def _way_on(layout: Layout, n_panel: int) -> list[str]:
    """What a reader of several panels in a window can do."""
    return ["click a panel to see its head alone, larger and with its tokens"] if layout.height and n_panel > 1 else []


def _nothing(sight: Sight, x: float, baseline: float) -> Label:
    """Why there is no matrix."""
    why = "no head is chosen" if not sight.heads else nothing_read_line(sight) or "every token of this text is hidden"
    return Label(why, x, baseline, 13, "muted", align="middle")


def _panel(sight: Sight, shown: _Shown, number: int, place: _Place, layer: int) -> MatrixPanel:
    head = sight.heads[number]
    x, y = place.cells.place(number)
    name = f"L{layer} mean" if head == MEAN else f"L{layer}.{head_name(head)}"
    return MatrixPanel(
        head=head,
        title="rollout" if sight.quantity == "rollout" else name,
        weights=shown.weights[number],
        left=place.left + x,
        top=place.top + y,
        has_row_labels=place.cells.has_labels and number % place.cells.n_line == 0,
        has_column_labels=place.cells.has_labels and number < place.cells.n_line,
    )


def _titles(panels: Sequence[MatrixPanel], cells: Arrangement, theme: Theme) -> list[Label]:
    """The name of each of several panels in its head's colour."""
    if len(panels) == 1:
        return []
    rise = [cells.column_room + 12.0 if panel.has_column_labels else 6.0 for panel in panels]
    return [
        Label(panel.title, panel.left, panel.top - up, SMALL, colour=head_colour(panel.head, theme), bold=True)
        for panel, up in zip(panels, rise, strict=True)
    ]
