"""A run and a view become a Scene. Pure: the same input gives the same picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from attnviz.analysis.edges import Edges, strongest_edges
from attnviz.scene.curves import Ends, curves_of, ends_of, rise_of
from attnviz.scene.palette import head_colour
from attnviz.scene.rows import Rows, set_rows
from attnviz.scene.scene import Arcs, Band, Dot, Label, Scene, TokenBox
from attnviz.scene.words import (
    beyond_trained_line,
    direction_legend,
    drawn_line,
    heads_phrase,
    kind_phrase,
    left_out_line,
    nothing_read_line,
    shares_line,
    shortened,
    what_if_line,
    wrap,
)
from attnviz.session.sight import sight_of

if TYPE_CHECKING:
    from attnviz.analysis.edges import Threshold
    from attnviz.engine.ops import Float32
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View

_MARGIN = 24.0
_SMALL = 12
_LINE = 18.0  # of small text
_BAND_LINE = 20.0
_ONE_BAND = _BAND_LINE + 10.0
_HEAD = 10.0
# Lines wider than a hairline leave Qt's fast path (QTBUG-27545; 0.3-0.5 ms each here), so only the strongest get a width.
_N_WIDE = 48
# More lines than eyes can part, and about 0.2 s of painting; the picture says when it stops here.
_MOST_ARCS = 6_000
_WIDE_FROM = 0.08
_WIDEST = 6.0
_WIDTH_RAMP = 0.1


@dataclass(frozen=True)
class Layout:
    """The room for a picture. width, height: logical pixels, height 0 for as tall as it needs;
    caption: model, layer and a legend of heads are part of the picture (on paper) rather than beside it (in the window)."""

    width: float
    height: float = 0.0
    caption: bool = False


def build_scene(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> Scene:
    """The arc diagram of one layer of a run."""
    trace = run.trace
    sight = sight_of(trace, view)
    heads = sorted(view.shown_heads(sight.attention.shape[0]))
    visible = [i for i, piece in enumerate(sight.tokens) if not (view.hide_specials and piece.is_special)]
    edges = _edges(sight, heads, visible, view.threshold)
    hidden_texts = [piece.text for i, piece in enumerate(sight.tokens) if i not in set(visible) and sight.is_key(i)]
    rows = set_rows(sight.tokens, visible, layout.width - 2 * _MARGIN, measure, sight.first_query)
    page = _Page(theme, layout, measure)
    page.band(what_if_line(run), "what_if")
    page.band(left_out_line(run), "warning")
    page.band(beyond_trained_line(run), "warning")
    page.y += _HEAD
    phrase = heads_phrase(heads, sight.attention.shape[0])
    caption = f"{run.model.name}, {kind_phrase(trace, sight)}layer {view.layer}, {phrase}, both counted from 0"
    if layout.caption:
        page.text(caption, "muted", bold_until=len(run.model.name))
        page.heads(heads, theme)
    page.text(direction_legend(sight, rows.n_row), "muted")
    if not (page.bands or layout.caption):
        page.y += _ONE_BAND  # its place is kept, so that the sentence stays where it is when a what-if begins
    foot = [shares_line(edges, hidden_texts), nothing_read_line(sight, visible) or drawn_line(edges, view.threshold)]

    left = _row_starts(rows, layout.width)
    ends = ends_of(edges, rows, left, _lanes(heads))
    text_height = 1.5 * rows.font_size
    free = layout.height - page.y - _LINE * len(foot) - 3 * _MARGIN - rows.n_row * text_height
    between = _between_texts(rows, free, layout)
    tallest = _tallest(rows, free / (2 * rows.n_row), layout)
    rise = rise_of(ends, tallest)
    # In the window one row keeps its place whichever arcs are drawn; on paper, and in rows, arcs take just what they need.
    many = rows.n_row > 1 and not rows.second_text  # between two texts there are no arches
    least = tallest if rows.n_row == 1 and not layout.caption else 26.0 if many else 6.0
    under = 6.0 if sight.is_causal else least
    text_top, after = _row_heights(rows, ends, rise, text_height, page.y + 0.5 * _MARGIN, least, under, between)
    slack = layout.height - (after + 0.5 * _MARGIN + len(foot) * _LINE + 0.5 * _MARGIN)
    text_top += max(0.0, slack / 2)
    boxes = tuple(_boxes(sight, rows, left, text_top, text_height))
    page.y = after + 0.5 * _MARGIN + max(0.0, slack)
    for line in foot:
        page.text(line, "muted")
    return Scene(
        width=layout.width,
        height=max(layout.height, page.y + 0.5 * _MARGIN),
        theme=theme,
        font_size=rows.font_size,
        tokens=boxes,
        arcs=_arcs(edges, curves_of(ends, rise, text_top - 3, text_top + text_height + 3), heads, theme),
        labels=tuple(page.labels),
        dots=tuple(page.dots),
        bands=tuple(page.bands),
        focus=view.focus if view.focus in visible else None,
        description=f"Attention of {caption}: {shortened(trace.text, 200)}",
        first_query=sight.first_query,
    )


def _edges(sight: Sight, heads: list[int], visible: list[int], threshold: Threshold) -> Edges:
    """The arcs to draw, from token to token of the picture."""
    queries = [i - sight.first_query for i in visible if sight.is_query(i)]
    keys = [i for i in visible if sight.is_key(i)]
    edges = strongest_edges(sight.attention, heads, queries, keys, threshold, _MOST_ARCS)
    return replace(edges, query=edges.query + sight.first_query)


class _Page:
    """Sets lines of text one below the other."""

    def __init__(self, theme: Theme, layout: Layout, measure: Measure) -> None:
        self.y = 0.0
        self.labels: list[Label] = []
        self.dots: list[Dot] = []
        self.bands: list[Band] = []
        self._theme = theme
        self._width = layout.width
        self._measure = measure

    def band(self, text: str | None, kind: str) -> None:
        if text is None:
            return
        lines = wrap(text, 13, self._width - 2 * _MARGIN, self._measure)
        height = _BAND_LINE * len(lines) + 10
        self.bands.append(Band(self.y, height, kind))
        for number, line in enumerate(lines):
            baseline = self.y + 5 + _BAND_LINE * number + 14.5
            self.labels.append(Label(line, self._width / 2, baseline, 13, f"{kind}_ink", align="middle"))
        self.y += height

    def text(self, text: str, ink: str, bold_until: int = 0) -> None:
        for line in wrap(text, _SMALL, self._width - 2 * _MARGIN, self._measure):
            x, baseline = _MARGIN, self.y + 13.0
            if bold_until:
                start, line = line[:bold_until], line[bold_until:]
                self.labels.append(Label(start, x, baseline, _SMALL, "ink", bold=True))
                x += self._measure(start, _SMALL, True)
                bold_until = 0
            self.labels.append(Label(line, x, baseline, _SMALL, ink))
            self.y += _LINE

    def heads(self, heads: list[int], theme: Theme) -> None:
        x = _MARGIN
        for head in heads:
            advance = 12 + self._measure(f"H{head}", _SMALL, False) + 12
            if x > _MARGIN and x + advance - 12 > self._width - _MARGIN:
                x, self.y = _MARGIN, self.y + _LINE
            self.dots.append(Dot(x + 4, self.y + 9, 4, head_colour(head, theme)))
            self.labels.append(Label(f"H{head}", x + 12, self.y + 13.0, _SMALL, "muted"))
            x += advance
        self.y += _LINE + 4 if heads else 0


def _row_starts(rows: Rows, width: float) -> Float32:
    """The x where each row begins: each text's block of rows stands in the middle, flush left within itself as text is."""
    left = np.zeros(rows.n_row, np.float32)
    for text, extent in rows.extents:
        left[text.start : text.stop] = (width - extent) / 2
    return left


def _between_texts(rows: Rows, free: float, layout: Layout) -> float:
    """The room for the arcs from one text to another: in the window what is left, on paper a share of the width; else none."""
    if not rows.second_text:
        return 0.0
    widest = max(extent for _, extent in rows.extents)
    wanted = free - 70.0 * rows.n_row if layout.height else 0.2 * widest
    return min(max(wanted, 70.0), 0.3 * widest + 70.0, 260.0)


def _lanes(heads: list[int]) -> dict[int, float]:
    return {head: (place + 0.5) / len(heads) - 0.5 for place, head in enumerate(heads)}


def _tallest(rows: Rows, free: float, layout: Layout) -> float:
    """The height of the widest arch: what the window leaves, within the bounds of a good shape."""
    extent = max((place.right for place in rows.places), default=0.0)
    if rows.n_row > 1:
        return min(max(free, 40.0), 110.0)
    wanted = free if layout.height else 0.26 * extent
    return min(max(wanted, 60.0), 0.36 * extent + 30.0, 320.0)


def _row_heights(
    rows: Rows, ends: Ends, rise: Float32, text_height: float, y: float, least: float, under: float, between: float
) -> tuple[Float32, float]:
    """The y of each row's text, and the y after the last arc; each row takes the room that its arcs need, `least` or more above
    and `under` or more below, a second text `between` besides."""
    tops = np.zeros(rows.n_row, np.float32)
    for row in range(rows.n_row):
        mine = ends.row_query == row
        above = rise[mine & (ends.outward < 0)].max(initial=least)
        below = rise[mine & (ends.outward > 0)].max(initial=under)
        tops[row] = y + above + 6 + (between if row and row == rows.second_text else 0.0)
        y = float(tops[row]) + text_height + float(below) + 6
    return tops, y


def _boxes(sight: Sight, rows: Rows, left: Float32, tops: Float32, text_height: float) -> list[TokenBox]:
    boxes = []
    last = None
    for place in rows.places:
        piece = sight.tokens[place.index]
        x, top = float(left[place.row]), float(tops[place.row])
        boxes.append(
            TokenBox(
                index=place.index,
                text=piece.shown,
                left=x + place.left,
                right=x + place.right,
                top=top,
                baseline=top + 0.5 * text_height + 0.36 * rows.font_size,
                bottom=top + text_height,
                row=place.row,
                is_special=piece.is_special,
                joined=piece.continues and last is not None and last.row == place.row and last.index == place.index - 1,
            )
        )
        last = place
    return boxes


def _arcs(edges: Edges, curve: Float32, heads: list[int], theme: Theme) -> Arcs:
    """Weight is opacity, and width for the strongest; hue is the head's."""
    weight = edges.weight
    # Width begins where the _N_WIDE strongest begin and reaches its full measure a little above, so that of two arcs the
    # stronger is never the thinner one, and like ones look alike.
    begin = max(_WIDE_FROM, float(weight[-_N_WIDE - 1]) if len(weight) > _N_WIDE else 0.0)
    width = 1.0 + (_WIDEST - 1.0) * weight * np.clip((weight - begin) / _WIDTH_RAMP, 0.0, 1.0)
    place = np.zeros(max(heads, default=-1) + 1, np.intp)
    place[heads] = np.arange(len(heads))
    return Arcs(
        head=edges.head,
        query=edges.query,
        key=edges.key,
        weight=weight,
        opacity=(0.05 + 0.93 * weight**0.75).astype(np.float32),
        width=width.astype(np.float32),
        colour=place[edges.head],
        curve=curve,
        colours=tuple(head_colour(head, theme) for head in heads),
    )
