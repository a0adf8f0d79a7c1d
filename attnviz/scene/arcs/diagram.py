"""An arc diagram's geometry: where its tokens stand, how its arcs run, and how strongly each is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from attnviz.scene.arcs.curves import curves_of, ends_of, rise_of, widest_span
from attnviz.scene.page import MARGIN
from attnviz.scene.palette import head_colour
from attnviz.scene.ramps import difference_colours
from attnviz.scene.scene import Arcs, ArcScene, TokenBox
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.analysis.edges import Edges
    from attnviz.engine.ops import Float32
    from attnviz.scene.arcs.curves import Ends
    from attnviz.scene.arcs.rows import Rows
    from attnviz.scene.page import Layout, Page
    from attnviz.scene.theme import Theme
    from attnviz.session.sight import Sight

# Lines wider than a hairline leave Qt's fast path (QTBUG-27545; 0.3-0.5 ms each here), so only the strongest get a width.
_N_WIDE = 48
_WIDE_FROM = 0.08
_WIDEST = 6.0
_WIDTH_RAMP = 0.1
_DIMMED = 0.3  # what is left of the opacity of an arc to a sink that is dimmed


@dataclass(frozen=True)
class Strengths:
    """How weights are drawn, the same for two diagrams that are to be compared.

    full: the weight that is drawn in full; wide_from: the share of it above which arcs have a width; widest: the span of the widest
    arch, pixels, which rises highest.
    """

    full: float
    wide_from: float
    widest: float


@dataclass(frozen=True)
class Diagram:
    """What is drawn: a sight, the edges chosen of it, and its tokens set in rows; is_difference: the weights are signed, and have
    the colours of the two runs in place of those of heads."""

    sight: Sight
    edges: Edges
    rows: Rows
    width: float
    is_difference: bool = False

    @cached_property
    def ends(self) -> Ends:
        """The ends of each edge."""
        return ends_of(self.edges, self.rows, _row_starts(self.rows, self.width), _lanes(len(self.sight.heads)))

    def strengths(self) -> Strengths:
        """How its own weights are drawn, taken by themselves."""
        dimmed = np.isin(self.edges.key, list(self.sight.dimmed))
        loud = self.edges.weight[~dimmed]
        full = _darkest(self.sight, loud, self.is_difference)
        # Width begins where the _N_WIDE strongest begin and reaches its full measure a little above, so that of two arcs the
        # stronger is never the thinner one, and like ones look alike.
        begin = min(float(loud[-_N_WIDE - 1]) / full, 1.0) if len(loud) > _N_WIDE else 0.0
        return Strengths(full, max(_WIDE_FROM, begin), widest_span(self.ends))


def common_strengths(one: Strengths, other: Strengths) -> Strengths:
    """How two diagrams are drawn so that like weights look alike, and arches of one span are as high."""
    full = max(one.full, other.full)
    begin = max(strengths.wide_from * strengths.full / full for strengths in (one, other))
    return Strengths(full, max(_WIDE_FROM, begin), max(one.widest, other.widest))


def set_diagram(
    diagram: Diagram, strengths: Strengths, page: Page, foot: Sequence[str], focus: int | None, description: str
) -> ArcScene:
    """The scene of a diagram below what has been set on a page, with the lines of `foot` below it; focus: the pinned token."""
    sight, rows, layout = diagram.sight, diagram.rows, page.layout
    ends, text_height = diagram.ends, 1.5 * rows.font_size
    free = layout.height - page.y - page.height_of(foot) - 3 * MARGIN - rows.n_row * text_height
    between = _between_texts(rows, free, layout)
    tallest = _tallest(rows, free / (2 * rows.n_row), layout)
    rise = rise_of(ends, tallest, strengths.widest)
    # In the window one row keeps its place whichever arcs are drawn; on paper, and in rows, arcs take just what they need.
    many = rows.n_row > 1 and not rows.second_text  # between two texts there are no arches
    least = tallest if rows.n_row == 1 and not layout.caption else 26.0 if many else 6.0
    under = 6.0 if sight.is_causal else least
    text_top, after = _row_heights(rows, ends, rise, text_height, page.y + 0.5 * MARGIN, least, under, between)
    slack = layout.height - (after + 0.5 * MARGIN + page.height_of(foot) + 0.5 * MARGIN)
    text_top += max(0.0, slack / 2)
    boxes = tuple(_boxes(sight, rows, _row_starts(rows, layout.width), text_top, text_height))
    page.y = after + 0.5 * MARGIN + max(0.0, slack)
    for line in foot:
        page.text(line)
    return ArcScene(
        width=layout.width,
        height=max(layout.height, page.y + 0.5 * MARGIN),
        theme=page.theme,
        font_size=rows.font_size,
        tokens=boxes,
        arcs=_arcs(diagram, strengths, curves_of(ends, rise, text_top - 3, text_top + text_height + 3), page.theme),
        labels=tuple(page.labels),
        dots=tuple(page.dots),
        bands=tuple(page.bands),
        focus=sight.in_focus(focus),
        description=description,
        first_query=sight.position(sight.first_query) if sight.first_query else 0,
        is_difference=diagram.is_difference,
    )


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
    extent = max((width for _, width in rows.extents), default=0.0)
    if rows.n_row > 1:
        return min(max(free, 40.0), 110.0)
    wanted = free if layout.height else 0.26 * extent
    return min(max(wanted, 40.0), 0.36 * extent + 30.0, 320.0)


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


def _darkest(sight: Sight, loud: Float32, is_difference: bool) -> float:
    """The weight that is drawn in full: the largest that can be; of one map of several heads, whose weights are small, and of
    differences, the largest that there is."""
    one_map = MEAN in sight.heads and len(loud)
    return float(loud[-1]) if one_map and not is_difference else sight.scale


def _arcs(diagram: Diagram, strengths: Strengths, curve: Float32, theme: Theme) -> Arcs:
    """Weight is opacity, and width for the strongest; hue is the head's, or of a difference the run's that has more."""
    sight, edges = diagram.sight, diagram.edges
    dimmed = np.isin(edges.key, list(sight.dimmed))
    strength = np.minimum(edges.weight / np.float32(strengths.full), np.float32(1))
    width = 1.0 + (_WIDEST - 1.0) * strength * np.clip((strength - strengths.wide_from) / _WIDTH_RAMP, 0.0, 1.0)
    opacity = (0.05 + 0.93 * strength**0.75) * np.where(dimmed, _DIMMED, 1.0)
    positions = np.array([place.start for place in sight.units.places], np.intp)
    weight = sight.weights[edges.head, edges.query - sight.first_query, edges.key] if diagram.is_difference else edges.weight
    return Arcs(
        head=np.array(sight.heads, np.intp)[edges.head],
        query=positions[edges.query],
        key=positions[edges.key],
        weight=weight,
        opacity=opacity.astype(np.float32),
        width=np.where(dimmed, 1.0, width).astype(np.float32),
        colour=(weight < 0).astype(np.intp) if diagram.is_difference else edges.head,
        curve=curve,
        colours=difference_colours(theme) if diagram.is_difference else tuple(head_colour(head, theme) for head in sight.heads),
    )
