"""A run and a view become a matrix: rows look at columns. Pure: the same input gives the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.captions import caption_of, warnings_of
from attnviz.scene.colour_scale import scale_for
from attnviz.scene.matrix_scene import ColourBar, MatrixPanel, MatrixScene, TokenSide, weight_text
from attnviz.scene.page import LINE, MARGIN, ONE_BAND, SMALL, Page
from attnviz.scene.palette import head_colour
from attnviz.scene.panels import arrange
from attnviz.scene.scene import Label
from attnviz.scene.shares import nothing_read_line, quantity_line, shares_line
from attnviz.scene.words import count_of, head_name, shortened
from attnviz.session.sight import sight_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.colour_scale import ColourScale
    from attnviz.scene.page import Layout
    from attnviz.scene.panels import Arrangement
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import Quantity, View

MOST_PANELS: Final = 12  # beyond, a panel in a window is too small to read
_HEAD = 10.0
_BAR_AWAY, _BAR_WIDTH, _STRIP = 20.0, 12.0, 5.0
_SHORTEST_BAR, _LONGEST_BAR = 56.0, 168.0
_LEAST_ROOM = (120.0, 80.0)  # for panels with their labels, in the narrowest figure and the lowest window
_DEEPEST = 1.5  # the height on paper, in widths
_UNITS: Final[dict[Quantity, str]] = {"attention": "attention", "norms": "norm", "rollout": "rollout"}


def build_matrix(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> MatrixScene:
    """The matrix of one layer of a run: of one map, or a panel for each of several heads."""
    sight = sight_of(run.trace, view)
    queries, keys = _side(sight, sight.queries), _side(sight, sight.keys)
    weights = _weights(sight)
    n_panel = len(weights) if len(queries) and len(keys) else 0
    page = Page(theme, layout, measure)
    page.band_lines(warnings_of(run, view, sight))
    page.y += _HEAD
    caption = caption_of(run, view, sight)
    if layout.caption:
        page.text(caption, bold_until=len(run.model.name))
    page.text(_legend(sight, n_panel))
    if not (page.bands or layout.caption):
        page.y += ONE_BAND  # its place is kept, so that the matrix stays where it is when a what-if begins
    foot = [shares_line(sight, None, view.between), _left_out(sight, n_panel), quantity_line(sight)]
    foot = [line for line in foot if line is not None]

    dimmed = np.isin(sight.keys, list(sight.dimmed))
    loud = weights[:n_panel, :, ~dimmed]
    scale = scale_for(float(loud.max(initial=0.0)), None if sight.quantity == "norms" else 1.0, view.is_log)
    notes = _notes(sight, loud, scale)
    right = _bar_room(max(n_panel, 1), scale, notes, measure)
    free = layout.height - page.y - LINE * len(foot) - 1.5 * MARGIN if layout.height else _DEEPEST * layout.width
    room = (max(layout.width - 2 * MARGIN, _LEAST_ROOM[0]), max(free, _LEAST_ROOM[1]))
    placed = arrange(queries, keys, max(n_panel, 1), room, right, not layout.height, measure)
    tall = max(placed.whole_height, placed.column_room + _bar_height(placed) + LINE * len(notes)) if n_panel else 40.0
    left = max((layout.width - placed.whole_width) / 2, 0.0)
    top = page.y + 0.5 * MARGIN + max(0.0, (free - tall) / 2 if layout.height else 0.0)
    panels = tuple(_panel(sight, number, weights[number], placed, left, top, view.layer) for number in range(n_panel))
    labels = list(page.labels)
    bar = None
    if panels:
        labels += _titles(panels, placed, theme)
        bar = _bar(panels, placed, left + placed.whole_width - right)
        labels += _bar_labels(bar, scale, notes)
    else:
        labels.append(Label(_nothing(sight), layout.width / 2, top + 24, 13, "muted", align="middle"))
    page.labels = []
    page.y = top + tall + 0.5 * MARGIN
    page.y = max(page.y, layout.height - LINE * len(foot) - 0.5 * MARGIN)
    for line in foot:
        page.text(line)
    return MatrixScene(
        width=layout.width,
        height=max(layout.height, page.y + 0.5 * MARGIN),
        theme=theme,
        labels=(*labels, *page.labels),
        dots=tuple(page.dots),
        bands=tuple(page.bands),
        description=f"Matrix of {caption}: {shortened(run.trace.text, 200)}",
        layer=view.layer,
        quantity=sight.quantity,
        queries=queries,
        keys=keys,
        panels=panels,
        masked=_masked(sight),
        dimmed=dimmed,
        scale=scale,
        bar=bar,
        cell_width=placed.width,
        cell_height=placed.height,
        row_room=placed.row_room,
        column_room=placed.column_room,
        side_size=placed.side_size,
        focus=_focus(sight, view.focus),
    )


def _side(sight: Sight, units: Sequence[int]) -> TokenSide:
    """The tokens of one side, from the picture's units."""
    tokens = [sight.tokens[unit] for unit in units]
    follows = [place > 0 and units[place - 1] == unit - 1 for place, unit in enumerate(units)]
    return TokenSide(
        positions=tuple(sight.position(unit) for unit in units),
        texts=tuple(token.shown for token in tokens),
        is_quiet=tuple(token.is_special or unit in sight.dimmed for token, unit in zip(tokens, units, strict=True)),
        joined=tuple(token.continues and after for token, after in zip(tokens, follows, strict=True)),
        text_starts=tuple(i for i in range(1, len(tokens)) if tokens[i].sequence != tokens[i - 1].sequence),
    )


def _weights(sight: Sight) -> Float32:
    """What the panels show: [map, row, column]."""
    rows = [unit - sight.first_query for unit in sight.queries]
    return sight.weights[:MOST_PANELS][:, rows][:, :, list(sight.keys)]


def _masked(sight: Sight) -> NDArray[np.bool_] | None:
    if not sight.is_causal:
        return None
    return np.array(sight.keys, np.intp) > np.array(sight.queries, np.intp)[:, None]


def _focus(sight: Sight, focus: int | None) -> int | None:
    """The position of the visible unit that holds the pinned token."""
    unit = None if focus is None else sight.units.unit_at(focus)
    return sight.position(unit) if unit in sight.visible else None


def _legend(sight: Sight, n_panel: int) -> str:
    """How to read it."""
    if sight.kind == "cross":
        return "each row is a token of the decoder that looks, each column a token of the encoder that is looked at"
    also = ", never one after it" if sight.is_causal and n_panel else ""
    return f"each row is a token that looks, each column a token that is looked at{also}"


def _left_out(sight: Sight, n_panel: int) -> str | None:
    if len(sight.heads) <= n_panel or not n_panel:
        return None
    return f"the first {n_panel} of {count_of(len(sight.heads), 'head')}; choose heads to see others"


def _nothing(sight: Sight) -> str:
    """Why there is no matrix."""
    if not sight.heads:
        return "no head is chosen"
    return nothing_read_line(sight) or "every token of this text is hidden"


def _notes(sight: Sight, loud: Float32, scale: ColourScale) -> list[str]:
    """What stands under the bar: the unit, and how far the scale is used."""
    unit = _UNITS[sight.quantity] + (", log" if scale.is_log else "")
    return [unit, f"largest {weight_text(float(loud.max()), sight.quantity)}"] if loud.size else [unit]


def _panel(sight: Sight, number: int, weights: Float32, placed: Arrangement, left: float, top: float, layer: int) -> MatrixPanel:
    x, y = placed.place(number)
    head = sight.heads[number]
    return MatrixPanel(
        head=head,
        title=sight.quantity if sight.quantity == "rollout" else f"L{layer}.{head_name(head)}" if head >= 0 else f"L{layer} mean",
        weights=weights,
        left=left + x,
        top=top + y,
        has_row_labels=number % placed.n_line == 0,
        has_column_labels=number < placed.n_line,
    )


def _titles(panels: Sequence[MatrixPanel], placed: Arrangement, theme: Theme) -> list[Label]:
    """The name of each of several panels in its head's colour."""
    if len(panels) == 1:
        return []
    rise = [placed.column_room + 12.0 if panel.has_column_labels else 6.0 for panel in panels]
    return [
        Label(panel.title, panel.left, panel.top - up, SMALL, colour=head_colour(panel.head, theme), bold=True)
        for panel, up in zip(panels, rise, strict=True)
    ]


def _bar_room(n_panel: int, scale: ColourScale, notes: Sequence[str], measure: Measure) -> float:
    """The width of the bar with all that belongs to it."""
    ticks = max(measure(text, SMALL, False) for _, text in scale.ticks())
    return _BAR_AWAY + max(_strips(n_panel) + 6 + ticks, *(measure(note, SMALL, False) for note in notes))


def _strips(n_panel: int) -> float:
    return max(_BAR_WIDTH, _STRIP * n_panel)


def _bar_height(placed: Arrangement) -> float:
    return min(max(placed.panel_height, _SHORTEST_BAR), _LONGEST_BAR)


def _bar(panels: Sequence[MatrixPanel], placed: Arrangement, left: float) -> ColourBar:
    """The bar right of the panels, level with the first."""
    heads = tuple(panel.head for panel in panels)
    return ColourBar(left + _BAR_AWAY, panels[0].top, _strips(len(heads)), _bar_height(placed), heads)


def _bar_labels(bar: ColourBar, scale: ColourScale, notes: Sequence[str]) -> list[Label]:
    """The numbers at the bar's marks, and the notes below it."""
    x = bar.left + bar.width + 6
    ticks = [Label(text, x, bar.top + (1 - share) * (bar.height - 9) + 9, SMALL, "muted") for share, text in scale.ticks()]
    under = bar.top + bar.height + 18
    return ticks + [Label(note, bar.left, under + number * LINE, SMALL, "muted") for number, note in enumerate(notes)]
