"""A run and a view become a matrix: rows look at columns. Pure: the same input gives the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attnviz.scene.captions import caption_of, warnings_of
from attnviz.scene.matrix.colour_bar import level_bar, upright_bar
from attnviz.scene.matrix.place import place_panels
from attnviz.scene.matrix.scene import MatrixPanel, MatrixScene
from attnviz.scene.matrix.shown import shown_of
from attnviz.scene.page import LINE, MARGIN, ONE_BAND, SMALL, Page
from attnviz.scene.palette import head_colour
from attnviz.scene.scene import Label
from attnviz.scene.shares import nothing_read_line, quantity_line, quantity_phrase, shares_line
from attnviz.scene.words import count_of, head_name, shortened
from attnviz.session.sight import sight_of
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.scene.matrix.colour_bar import ColourBar
    from attnviz.scene.matrix.panels import Arrangement
    from attnviz.scene.matrix.place import Place
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
    shown = shown_of(sight, view)
    caption = caption_of(run, view, sight)
    page = _head(run, view, sight, Page(theme, layout, measure), layout)
    foot = [*_foot(sight, view, shown.n_panel), *_way_on(layout, shown.n_panel)]
    place = place_panels(shown, layout, page.y + 0.5 * MARGIN, LINE * len(foot) + MARGIN, measure)
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


def _bar(shown: Shown, panels: Sequence[MatrixPanel], place: Place, measure: Measure) -> ColourBar:
    head = panels[0].head if len(panels) == 1 else None
    top = panels[0].top
    bottom = top + place.cells.whole_height - place.cells.place(0)[1]
    level = place.level
    if level is not None:
        return level_bar(level.left, level.right, bottom, head, shown.scale, level.lines, measure)
    return upright_bar(place.panels_end, top, bottom - top, head, shown.scale, shown.notes)


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


def _panel(sight: Sight, shown: Shown, number: int, place: Place, layer: int) -> MatrixPanel:
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
