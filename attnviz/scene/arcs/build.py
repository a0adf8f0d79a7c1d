"""A run and a view become an arc diagram. Pure: the same input gives the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.scene.arcs.choice import choose_edges
from attnviz.scene.arcs.diagram import Diagram, set_diagram
from attnviz.scene.arcs.rows import set_rows
from attnviz.scene.captions import caption_of, warnings_of
from attnviz.scene.page import MARGIN, ONE_BAND, Layout, Page
from attnviz.scene.shares import drawn_line, nothing_read_line, quantity_line, quantity_phrase, shares_line
from attnviz.scene.words import direction_legend, shortened
from attnviz.session.sight import sight_of

if TYPE_CHECKING:
    from attnviz.scene.scene import ArcScene, Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.view import View

_HEAD = 10.0


def build_arcs(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> ArcScene:
    """The arc diagram of one layer of a run."""
    sight = sight_of(run.trace, view)
    edges = choose_edges(sight, view.threshold)
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
    description = f"{quantity_phrase(sight.quantity).capitalize()} of {caption}: {shortened(run.trace.text, 200)}"
    diagram = Diagram(sight, edges, rows, layout.width)
    return set_diagram(diagram, diagram.strengths(), page, foot, view.focus, description)
