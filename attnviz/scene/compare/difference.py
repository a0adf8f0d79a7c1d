"""The difference of two runs as one picture on A's tokens: blue where A's weight is larger, orange where B's is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.scene.arcs.diagram import Diagram, set_diagram
from attnviz.scene.arcs.rows import set_rows
from attnviz.scene.compare.choice import edges_of_difference
from attnviz.scene.compare.words import bands_of_comparison, caption_of_comparison, difference_lines, side_title
from attnviz.scene.matrix.build import matrix_legend
from attnviz.scene.matrix.place import place_panels
from attnviz.scene.matrix.setting import bar_of, panels_of, set_matrix, shared_pixels_line
from attnviz.scene.matrix.shown import shown_of
from attnviz.scene.page import LINE, MARGIN, SMALL, Page
from attnviz.scene.ramps import difference_colours
from attnviz.scene.scene import Dot, Label
from attnviz.scene.shares import quantity_phrase
from attnviz.scene.words import direction_legend, shortened
from attnviz.session.comparison import comparison_of
from attnviz.session.logarithm import is_logarithmic

if TYPE_CHECKING:
    from attnviz.scene.matrix.scene import MatrixScene
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import ArcScene, Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.comparison import Comparison, Difference
    from attnviz.session.run import Run
    from attnviz.session.view import View

_HEAD = 10.0
_MORE: Final = ("more in A", "more in B")


def build_difference(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> ArcScene | MatrixScene:
    """A - B as arcs or as a matrix, as the view says, with all that there is to say of it. Raises InputError as `comparison_of`."""
    comparison = comparison_of(run, replace(view, setting="difference"))
    assert comparison is not None
    page = Page(theme, layout, measure)
    page.band_lines(bands_of_comparison(comparison))
    page.y += _HEAD
    if layout.caption:
        caption, bold = caption_of_comparison(comparison)
        page.text(caption, bold_until=bold)
    for side in comparison.sides:
        page.text(side_title(comparison, side), "ink", bold_until=1)
    if view.picture == "matrix":
        return _matrix(comparison, page)
    return _arcs(comparison, page)


def _arcs(comparison: Comparison, page: Page) -> ArcScene:
    difference, edges = _difference(comparison), edges_of_difference(comparison)
    sight, view = difference.sight, comparison.a.view
    rows = set_rows(sight.tokens, sight.visible, page.layout.width - 2 * MARGIN, page.measure, sight.first_query)
    page.text(direction_legend(sight, rows.n_row, page.layout.caption))
    _legend(page)
    foot = difference_lines(comparison, edges, view.threshold)
    diagram = Diagram(sight, edges, rows, page.layout.width, is_difference=True)
    return set_diagram(diagram, diagram.strengths(), page, foot, view.focus, _description(comparison))


def _matrix(comparison: Comparison, page: Page) -> MatrixScene:
    difference = _difference(comparison)
    sight, view = difference.sight, comparison.a.view
    shown = shown_of(sight, is_logarithmic(comparison.a.run, view), is_difference=True)
    page.text(matrix_legend(sight))
    foot = difference_lines(comparison, None, view.threshold)
    place = place_panels(shown, page.layout, page.y + 0.5 * MARGIN, page.height_of(foot) + MARGIN, page.measure)
    if shown.n_panel and place.cells.share_pixels:
        foot.append(shared_pixels_line({"": shown}))
        place = place_panels(shown, page.layout, page.y + 0.5 * MARGIN, page.height_of(foot) + MARGIN, page.measure)
    panels = panels_of(sight, shown, place, (difference.of_a, difference.of_b))
    bar = bar_of(shown, panels, place, page.measure) if panels else None
    return set_matrix(sight, shown, place, panels, bar, page, foot, view.focus, _description(comparison))


def _difference(comparison: Comparison) -> Difference:
    assert comparison.difference is not None
    return comparison.difference


def _legend(page: Page) -> None:
    """Which colour is whose."""
    x = MARGIN
    for text, colour in zip(_MORE, difference_colours(page.theme), strict=True):
        page.dots.append(Dot(x + 4, page.y + 9, 4, colour))
        page.labels.append(Label(text, x + 14, page.y + 13.0, SMALL, "muted"))
        x += 14 + page.measure(text, SMALL, False) + 18
    page.y += LINE + 4


def _description(comparison: Comparison) -> str:
    caption, _ = caption_of_comparison(comparison)
    a, b = comparison.sides
    what = quantity_phrase(a.sight.quantity)
    titles = ", ".join(" ".join(side_title(comparison, side).split()) for side in (a, b))
    return f"Difference of the {what} of {caption}; {titles}: {shortened(a.run.trace.text, 200)}"
