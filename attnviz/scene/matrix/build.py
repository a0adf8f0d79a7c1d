"""A run and a view become a matrix: rows look at columns. Pure: the same input gives the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.scene.captions import caption_of, warnings_of
from attnviz.scene.matrix.place import place_panels
from attnviz.scene.matrix.setting import bar_of, panels_of, set_matrix, shared_pixels_line
from attnviz.scene.matrix.shown import shown_of
from attnviz.scene.page import MARGIN, ONE_BAND, Page
from attnviz.scene.shares import quantity_line, quantity_phrase, shares_line
from attnviz.scene.words import count_of, shortened
from attnviz.session.logarithm import is_logarithmic
from attnviz.session.sight import sight_of

if TYPE_CHECKING:
    from attnviz.scene.matrix.scene import MatrixScene
    from attnviz.scene.matrix.shown import Shown
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View

_HEAD = 10.0
_LOW = 420.0  # a window in which no height is kept for a strip that may come


def build_matrix(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> MatrixScene:
    """The matrix of one layer of a run: of one map, or a panel for each of several heads."""
    sight = sight_of(run.trace, view)
    shown = shown_of(sight, is_logarithmic(run, view))
    caption = caption_of(run, view, sight)
    page = _head(run, view, sight, Page(theme, layout, measure), layout)
    way_on = _way_on(layout, shown, view)
    foot = [*_foot(sight, view, shown.n_panel), *way_on]
    place = place_panels(shown, layout, page.y + 0.5 * MARGIN, page.height_of(foot) + MARGIN, measure)
    if shown.n_panel and place.cells.share_pixels:
        foot[len(foot) - len(way_on) :] = [shared_pixels_line({"": shown}), *way_on]
        place = place_panels(shown, layout, page.y + 0.5 * MARGIN, page.height_of(foot) + MARGIN, measure)
    panels = panels_of(sight, shown, place)
    bar = bar_of(shown, panels, place, measure) if panels else None
    description = f"Matrix of the {quantity_phrase(sight.quantity)} of {caption}: {shortened(run.trace.text, 200)}"
    return set_matrix(sight, shown, place, panels, bar, page, foot, view.focus, description)


def _head(run: Run, view: View, sight: Sight, page: Page, layout: Layout) -> Page:
    """What stands above: strips, the caption on paper, how to read it."""
    page.band_lines(warnings_of(run, view, sight))
    page.y += _HEAD
    if layout.caption:
        page.text(caption_of(run, view, sight), bold_until=len(run.model.name))
    page.text(matrix_legend(sight))
    if not (page.bands or layout.caption) and layout.height >= _LOW:
        page.y += ONE_BAND  # its place is kept, so that the matrix stays where it is when a what-if begins
    return page


def matrix_legend(sight: Sight) -> str:
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


def _way_on(layout: Layout, shown: Shown, view: View) -> list[str]:
    """What a reader of a window can do: with the colours that a long text has by itself, with several panels."""
    lines = []
    if shown.n_panel and shown.scale.is_log and view.is_log is None:
        lines.append("the text is long, so colours follow the logarithm of the weight; the menu Weights has linear ones")
    if shown.n_panel > 1:
        lines.append("click a panel to see its head alone, larger and with its tokens")
    return lines if layout.height else []
