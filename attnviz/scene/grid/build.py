"""A run and a view become a grid of heads: layers down, heads across, each head's map in a square."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.captions import warnings_of
from attnviz.scene.grid.marks import RoleNote, marks_of, role_note
from attnviz.scene.grid.scene import Bar, GridScene
from attnviz.scene.grid.squares import NAME_GAP, Squares, arrange
from attnviz.scene.grid.summaries import SUMMARY_WORDS
from attnviz.scene.grid.words import caption_of_grid, foot_lines, legend_of_grid, scale_phrase
from attnviz.scene.page import LINE, MARGIN, ONE_BAND, SMALL, Layout, Page
from attnviz.scene.ramps import N_STEP, colour_name, ink_ramp
from attnviz.scene.scene import Box, Label
from attnviz.scene.words import head_name, shortened
from attnviz.session.grid_choice import GridChoice, passes
from attnviz.session.sight import heads_of
from attnviz.session.survey import chosen_values, survey_of
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.probing.summary import RoleSummary
    from attnviz.scene.grid.scene import HeadCell
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.head_roles import ShownRoles
    from attnviz.session.run import Run
    from attnviz.session.survey import Survey
    from attnviz.session.view import View

_HEAD: Final = 10.0
_BAR_WIDTH, _BAR_HEIGHT = 96.0, 8.0
_N_BAR: Final = 32
_NAMES_HEIGHT: Final = 20.0  # of the heads' names above the squares
_PLATE: Final = 8  # how far the ground reaches round the squares


def build_grid(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure, roles: RoleSummary | None = None) -> GridScene:
    """The grid of all layers and heads of a run; roles: what was measured of the run's model, to be marked. Makes the run's survey
    if that is not there yet (see `survey_of`)."""
    choice = view.grid
    survey = survey_of(run.trace, view)
    sight = replace(survey.frame, layer=view.layer)  # for words alone: of 32 heads and 512 tokens the weights take 65 ms
    page = Page(theme, layout, measure)
    page.band_lines(warnings_of(run, view, sight))
    page.y += _HEAD
    caption = caption_of_grid(run, view, sight, survey)
    if layout.caption:
        page.text(caption, bold_until=len(run.model.name))
    page.text(legend_of_grid(survey))
    page.y += _HEAD / 2 if layout.caption else 0.0
    if not (page.bands or layout.caption):
        page.y += ONE_BAND  # its place is kept, so that the squares stay where they are when a what-if begins
    foot = foot_lines(sight, survey, view, choice, _n_faded(survey, choice))
    note = role_note(run, view, survey, roles, layout.caption)
    foot_height = _foot(Page(theme, layout, measure), survey, note, foot)[1]
    cells: tuple[HeadCell, ...] = ()
    levels, plate, current = np.empty((0, 0, 0), np.uint8), None, None
    if survey.maps.size:
        free = layout.height - page.y - foot_height - 1.5 * MARGIN - _NAMES_HEIGHT - _PLATE
        room = (layout.width - 2 * MARGIN, max(free, 1.0) if layout.height else 0.0)
        squares = arrange(survey, choice, room, measure, note.mark_room)
        cells = _placed(squares, page.y + 0.5 * MARGIN, layout.width, free, note.roles)
        levels, plate, current = squares.levels(), _around(cells, squares, _PLATE), _current(cells, squares, view.layer)
        page.labels.extend(_names(squares, cells, run, view, choice, layout.width, measure))
        page.labels.extend(_below(squares, cells, view))
        page.y = plate.bottom + 0.5 * MARGIN
    page.y = max(page.y, layout.height - foot_height - 0.5 * MARGIN)
    bar, _ = _foot(page, survey, note, foot)
    return GridScene(
        width=layout.width,
        height=max(layout.height, page.y + 0.5 * MARGIN),
        theme=theme,
        labels=tuple(page.labels),
        dots=tuple(page.dots),
        bands=tuple(page.bands),
        description=f"All heads of {caption}: {shortened(run.trace.text, 200)}",
        cells=cells,
        levels=levels,
        bar=bar,
        plate=plate,
        current=current,
        selected=selected_head(run, view, survey),
        marks=tuple(marks_of(cells, theme)),
    )


def selected_head(run: Run, view: View, survey: Survey) -> tuple[int, int] | None:
    """The head that the view shows, as (layer, head), MEAN for the map of several; None if it shows several, or none."""
    if MEAN in survey.heads:
        return view.layer, MEAN
    shown = heads_of(run.trace, view)
    return (view.layer, shown[0]) if len(shown) == 1 else None


def _n_faded(survey: Survey, choice: GridChoice) -> int:
    n_layer, n_column = survey.maps.shape[:2]
    return int(np.count_nonzero(~passes(chosen_values(survey, choice), n_layer, n_column, choice)))


def _placed(squares: Squares, top: float, width: float, free: float, roles: ShownRoles | None) -> tuple[HeadCell, ...]:
    """The squares in the middle of the room, below the heads' names. free: the height there is for them."""
    block, height = squares.extent
    left = round((width - block - squares.beside) / 2 + squares.beside)
    names = 0.0 if squares.is_flow else _NAMES_HEIGHT
    return tuple(squares.cells(left, round(top + names + max(0.0, (free - height) / 2)), roles))


def _names(
    squares: Squares, cells: Sequence[HeadCell], run: Run, view: View, choice: GridChoice, width: float, measure: Measure
) -> Iterator[Label]:
    """The layers' names at the left and the heads' above, or how they are ordered; none where layers stand side by side."""
    if squares.is_flow:
        return
    yield from _layer_names(squares, cells, view.layer)
    line = cells[: squares.plan.n_place]
    baseline = cells[0].top - _PLATE - 5.0
    if choice.is_sorted and chosen_values(squares.survey, choice) is not None:
        yield from _order_names(line, baseline, SUMMARY_WORDS[choice.summary], width, measure)
    else:
        yield from _head_names(squares, line, baseline, set(heads_of(run.trace, view)), measure)


def _layer_names(squares: Squares, cells: Sequence[HeadCell], current: int) -> Iterator[Label]:
    """The names of as many layers as there is height for, the current one's among them."""
    firsts = cells[:: squares.plan.n_place]
    for layer in _thinned(len(firsts), -(-14 // squares.plan.pitch_y), (current,)):
        baseline = (firsts[layer].top + firsts[layer].bottom) / 2 + 4.3
        x, ink = firsts[layer].left - NAME_GAP, "ink" if layer == current else "muted"
        yield Label(f"L{layer}", x, baseline, SMALL, ink, bold=layer == current, align="right")


def _head_names(squares: Squares, line: Sequence[HeadCell], y: float, shown: set[int], measure: Measure) -> Iterator[Label]:
    """The names of as many heads as there is width for, in equal steps from the first, and of the shown ones where room is left;
    those stand forward, unless all are shown."""
    forward = sorted(shown) if len(shown) < len(line) else []
    step = int(-(-(measure(head_name(len(line) - 1), SMALL, True) + 5) // squares.plan.pitch_x))
    for head in _thinned(len(line), step, (*range(0, len(line), step), *forward)):
        ink = "ink" if head in forward else "faint" if len(shown) < len(line) else "muted"
        middle = (line[head].left + line[head].right) / 2
        yield Label(head_name(head), middle, y, SMALL, ink, bold=head in forward, align="middle")


def _thinned(n: int, step: int, first: Sequence[int]) -> list[int]:
    """Numbers below `n` that are `step` or more apart: as many of `first` as can be, then every step-th that is left room for."""
    chosen: list[int] = []
    for number in (*first, *range(0, n, step)):
        if all(abs(number - other) >= step for other in chosen):
            chosen.append(number)
    return chosen


def _order_names(line: Sequence[HeadCell], y: float, what: str, width: float, measure: Measure) -> Iterator[Label]:
    """What a line's places mean where heads are sorted: at its left end the lowest number, at its right end the highest.
    width: of the picture."""
    left, right, high = line[0].left, line[-1].right, "highest"
    low = f"lowest {what}" if left + measure(f"lowest {what}", SMALL, False) <= width else "lowest"
    yield Label(low, left, y, SMALL, "muted")
    if measure(low, SMALL, False) + 16 + measure(high, SMALL, False) <= right - left:
        yield Label(high, right, y, SMALL, "muted", align="right")


def _below(squares: Squares, cells: Sequence[HeadCell], view: View) -> Iterator[Label]:
    """What stands below each square: its name at the left, its number at the right, or one of them in the middle."""
    size = squares.text_size
    for cell, name, number in zip(cells, squares.names, squares.numbers, strict=True):
        baseline, middle = cell.bottom + squares.below + size + 1.0, (cell.left + cell.right) / 2
        ink = "faint" if cell.is_faded else "ink" if squares.is_flow and cell.layer == view.layer else "muted"
        if name and number:
            yield Label(name, cell.left, baseline, size, ink)
            yield Label(number, cell.right, baseline, size, ink, align="right")
        elif name or number:
            yield Label(name or number, middle, baseline, size, ink, align="middle")


def _foot(page: Page, survey: Survey, note: RoleNote, lines: Sequence[str]) -> tuple[Bar, float]:
    """All that stands below the squares, set on the page; the bar of colours, and the height of all."""
    top = page.y
    bar = _bar(page, survey)
    note.put_on(page)
    for line in lines:
        page.text(line)
    return bar, page.y - top


def _bar(page: Page, survey: Survey) -> Bar:
    """The colours of the weights and what they mean, set as the next line of the page. Grey, for each head has its own colour."""
    theme, layout, measure = page.theme, page.layout, page.measure
    steps = ink_ramp(theme)[[round((at + 0.5) / _N_BAR * (N_STEP - 1)) for at in range(_N_BAR)]]
    largest, phrase = "1" if survey.scale == 1.0 else f"{survey.scale:.3g}", scale_phrase(survey)
    baseline = page.y + 13.0
    left = float(round(MARGIN + measure("0", SMALL, False) + 6))
    width = min(_BAR_WIDTH, layout.width - MARGIN - measure(largest, SMALL, False) - 6 - left)
    x = left + width + 6
    page.labels.append(Label("0", MARGIN, baseline, SMALL, "muted"))
    page.labels.append(Label(largest, x, baseline, SMALL, "muted"))
    x += measure(largest, SMALL, False) + 14
    page.y += LINE
    if x + measure(phrase, SMALL, False) <= layout.width - MARGIN:
        page.labels.append(Label(phrase, x, baseline, SMALL, "muted"))
    else:
        page.text(phrase)
    return Bar(left, round(baseline - _BAR_HEIGHT), width, _BAR_HEIGHT, tuple(colour_name(step) for step in steps))


def _around(cells: Sequence[HeadCell], squares: Squares, by: float) -> Box:
    """The box round some squares and the text below them, `by` pixels from them."""
    right, bottom = max(cell.right for cell in cells), max(cell.bottom for cell in cells) + squares.plan.strip
    return Box(min(cell.left for cell in cells) - by, min(cell.top for cell in cells) - by, right + by, bottom + by)


def _current(cells: Sequence[HeadCell], squares: Squares, layer: int) -> Box:
    """The box round the squares of a layer and its name."""
    box = _around([cell for cell in cells if cell.layer == layer], squares, max(squares.plan.gap / 2, 1.0))
    return replace(box, left=box.left - squares.beside)
