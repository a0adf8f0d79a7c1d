"""A run and a view become an arc diagram. Pure: the same input gives the same picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from attnviz.analysis.edges import Edges, strongest_edges
from attnviz.scene.arcs.curves import Ends, curves_of, ends_of, rise_of
from attnviz.scene.arcs.rows import Rows, set_rows
from attnviz.scene.captions import caption_of, warnings_of
from attnviz.scene.page import LINE, MARGIN, ONE_BAND, Layout, Page
from attnviz.scene.palette import head_colour
from attnviz.scene.scene import Arcs, ArcScene, TokenBox
from attnviz.scene.shares import drawn_line, nothing_read_line, quantity_line, quantity_phrase, shares_line
from attnviz.scene.words import direction_legend, shortened
from attnviz.session.sight import sight_of
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from attnviz.analysis.edges import Threshold
    from attnviz.engine.ops import Float32
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View

_HEAD = 10.0
# Lines wider than a hairline leave Qt's fast path (QTBUG-27545; 0.3-0.5 ms each here), so only the strongest get a width.
_N_WIDE = 48
# More lines than eyes can part; 12 to 15 us of painting each, so that a change of view is there within 50 ms (12 heads of 15
# tokens have 2,700, all of which are drawn when asked for). The picture says when it stops here.
_MOST_ARCS = 2_700
_WIDE_FROM = 0.08
_WIDEST = 6.0
_WIDTH_RAMP = 0.1
_DIMMED = 0.3  # what is left of the opacity of an arc to a sink that is dimmed


def build_arcs(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure, edges: Edges | None = None) -> ArcScene:
    """The arc diagram of one layer of a run. edges: what `choose_edges` gives for the view, where it has been chosen before."""
    sight = sight_of(run.trace, view)
    edges = choose_edges(sight, view.threshold) if edges is None else edges
    rows = set_rows(sight.tokens, sight.visible, layout.width - 2 * MARGIN, measure, sight.first_query)
    page = Page(theme, layout, measure)
    page.band_lines(warnings_of(run, view, sight))
    page.y += _HEAD
    caption = caption_of(run, view, sight)
    if layout.caption:
        page.text(caption, bold_until=len(run.model.name))
        page.heads(sight.heads)
    page.text(direction_legend(sight, rows.n_row, layout.caption))
    if not (page.bands or layout.caption):
        page.y += ONE_BAND  # its place is kept, so that the sentence stays where it is when a what-if begins
    last = nothing_read_line(sight) or drawn_line(edges, view.threshold, sight)
    foot = [line for line in (shares_line(sight, edges), last, quantity_line(sight)) if line is not None]

    left = _row_starts(rows, layout.width)
    ends = ends_of(edges, rows, left, _lanes(len(sight.heads)))
    text_height = 1.5 * rows.font_size
    free = layout.height - page.y - LINE * len(foot) - 3 * MARGIN - rows.n_row * text_height
    between = _between_texts(rows, free, layout)
    tallest = _tallest(rows, free / (2 * rows.n_row), layout)
    rise = rise_of(ends, tallest)
    # In the window one row keeps its place whichever arcs are drawn; on paper, and in rows, arcs take just what they need.
    many = rows.n_row > 1 and not rows.second_text  # between two texts there are no arches
    least = tallest if rows.n_row == 1 and not layout.caption else 26.0 if many else 6.0
    under = 6.0 if sight.is_causal else least
    text_top, after = _row_heights(rows, ends, rise, text_height, page.y + 0.5 * MARGIN, least, under, between)
    slack = layout.height - (after + 0.5 * MARGIN + len(foot) * LINE + 0.5 * MARGIN)
    text_top += max(0.0, slack / 2)
    boxes = tuple(_boxes(sight, rows, left, text_top, text_height))
    page.y = after + 0.5 * MARGIN + max(0.0, slack)
    for line in foot:
        page.text(line)
    return ArcScene(
        width=layout.width,
        height=max(layout.height, page.y + 0.5 * MARGIN),
        theme=theme,
        font_size=rows.font_size,
        tokens=boxes,
        arcs=_arcs(sight, edges, curves_of(ends, rise, text_top - 3, text_top + text_height + 3), theme),
        labels=tuple(page.labels),
        dots=tuple(page.dots),
        bands=tuple(page.bands),
        focus=sight.in_focus(view.focus),
        description=f"{quantity_phrase(sight.quantity).capitalize()} of {caption}: {shortened(run.trace.text, 200)}",
        first_query=sight.position(sight.first_query) if sight.first_query else 0,
    )


def choose_edges(sight: Sight, threshold: Threshold) -> Edges:
    """The arcs to draw, from unit to unit of the picture, `head` counting its maps."""
    edges = strongest_edges(
        sight.weights,
        range(len(sight.heads)),
        [unit - sight.first_query for unit in sight.queries],
        sight.keys,
        threshold,
        _MOST_ARCS,
        sight.total,
        sight.scale,
        sight.dimmed,
    )
    return replace(edges, query=edges.query + sight.first_query)


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


def _lanes(n_map: int) -> Float32:
    """The place of each map's arcs between the same tokens, [map], -0.5 to 0.5."""
    return ((np.arange(n_map, dtype=np.float32) + 0.5) / max(n_map, 1) - 0.5).astype(np.float32)


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
                index=sight.position(place.index),
                text=piece.shown,
                left=x + place.left,
                right=x + place.right,
                top=top,
                baseline=top + 0.5 * text_height + 0.36 * rows.font_size,
                bottom=top + text_height,
                row=place.row,
                is_quiet=piece.is_special or place.index in sight.quiet,
                joined=piece.continues and last is not None and last.row == place.row and last.index == place.index - 1,
            )
        )
        last = place
    return boxes


def _darkest(sight: Sight, weight: Float32) -> float:
    """The weight that is drawn in full: the largest that can be; of one map of several heads, whose weights are small, the largest
    that there is."""
    return float(weight[-1]) if MEAN in sight.heads and len(weight) else sight.scale


def _arcs(sight: Sight, edges: Edges, curve: Float32, theme: Theme) -> Arcs:
    """Weight is opacity, and width for the strongest; hue is the head's."""
    dimmed = np.isin(edges.key, list(sight.dimmed))
    strength = np.minimum(edges.weight / np.float32(_darkest(sight, edges.weight[~dimmed])), np.float32(1))
    loud = strength[~dimmed]
    # Width begins where the _N_WIDE strongest begin and reaches its full measure a little above, so that of two arcs the
    # stronger is never the thinner one, and like ones look alike.
    begin = max(_WIDE_FROM, float(loud[-_N_WIDE - 1]) if len(loud) > _N_WIDE else 0.0)
    width = 1.0 + (_WIDEST - 1.0) * strength * np.clip((strength - begin) / _WIDTH_RAMP, 0.0, 1.0)
    opacity = (0.05 + 0.93 * strength**0.75) * np.where(dimmed, _DIMMED, 1.0)
    positions = np.array([place.start for place in sight.units.places], np.intp)
    return Arcs(
        head=np.array(sight.heads, np.intp)[edges.head],
        query=positions[edges.query],
        key=positions[edges.key],
        weight=edges.weight,
        opacity=opacity.astype(np.float32),
        width=np.where(dimmed, 1.0, width).astype(np.float32),
        colour=edges.head,
        curve=curve,
        colours=tuple(head_colour(head, theme) for head in sight.heads),
    )
