"""The lines round a grid of heads: what a square is, what its colour means, and where the weight of all layers went."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.scene.grid.summaries import SUMMARY_LINES, SUMMARY_WORDS, summary_number
from attnviz.scene.shares import nothing_read_line, quantity_line, shares_line
from attnviz.scene.words import count_of, heads_phrase, kind_phrase
from attnviz.session.sight import heads_of
from attnviz.session.survey import chosen_values
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from attnviz.session.grid_choice import GridChoice, SummaryName
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.survey import Survey
    from attnviz.session.view import View

_ROWS: Final = "its rows are the tokens that look, its columns those looked at"
_CROSS_ROWS: Final = "its rows are the decoder's tokens, which look, its columns the encoder's, which are looked at"
_ROLLOUT: Final = (
    "rollout from the input through the layer of each square: half the mean of the shown heads, half what was there "
    "(Abnar & Zuidema 2020)"
)


def caption_of_grid(run: Run, view: View, sight: Sight, survey: Survey) -> str:
    """Model, layers and heads in one line."""
    count = run.trace.head_count_of(sight.kind)
    heads = count_of(count, "head")
    if survey.quantity == "rollout":
        heads = f"rollout of {heads}"
    elif view.is_mean:
        heads = f"mean of {heads_phrase(heads_of(run.trace, view), count)}"
    units = "words, " if sight.units.are_words else ""
    layers = f"{kind_phrase(run.trace, sight)}{count_of(survey.n_layer, 'layer')}"
    return f"{run.model.name}, {layers}, {heads}, {units}both counted from 0"


def legend_of_grid(survey: Survey) -> str:
    """What one sees, for somebody who sees it for the first time."""
    of = "one head" if MEAN not in survey.heads else "one layer"
    rows = _CROSS_ROWS if survey.kind == "cross" else _ROWS
    return f"each square is {of}: {rows}, from the first at the top left"


def scale_phrase(survey: Survey) -> str:
    """What the colours of a square mean, beside the bar that shows them."""
    one = "one scale for all squares; " if survey.quantity == "norms" else ""
    return f"{one}colour follows the square root of the weight, so that faint patterns show"


def foot_lines(sight: Sight, survey: Survey, view: View, choice: GridChoice, n_faded: int) -> list[str]:
    """The lines below the squares. sight: of one layer, all of whose words hold for the others."""
    lines = [_coarse_line(survey), _number_line(survey, choice, n_faded)]
    whole = replace(sight, shares=survey.shares, scale=survey.scale, heads=survey.heads)
    prefix = "all layers: " if survey.n_layer > 1 and survey.heads and sight.queries and sight.keys else ""
    lines.append(prefix + shares_line(whole))
    lines.append(nothing_read_line(sight))
    lines.append(_ROLLOUT if survey.quantity == "rollout" else quantity_line(whole))
    return [line for line in lines if line is not None]


def _coarse_line(survey: Survey) -> str | None:
    """That a square shows less than each weight; None where it shows each."""
    height, width = survey.maps.shape[2:]
    if (height, width) == (survey.n_query, survey.n_key):
        return None
    return f"{survey.n_query:,} x {survey.n_key:,} weights in {height} x {width} cells, each with the largest of its own"


def _number_line(survey: Survey, choice: GridChoice, n_faded: int) -> str | None:
    """Which number was chosen, and which heads stand back by it; None where none was."""
    name = choice.summary
    if name is None or not survey.heads:
        return None
    if chosen_values(survey, choice) is None:
        return f"{SUMMARY_WORDS[name]}: not defined between two texts"
    is_sorted = choice.is_sorted and len(survey.heads) > 1
    line = f"chosen: {SUMMARY_LINES[name]}{', lowest first' if is_sorted else ''}"
    return f"{line}  ·  {_faded(survey, choice, name, n_faded)}" if n_faded else line


def _faded(survey: Survey, choice: GridChoice, name: SummaryName, n_faded: int) -> str:
    """How many heads stand back, and why."""
    bounds = [
        f"{side} {summary_number(name, bound)}"
        for side, bound in (("below", choice.least), ("above", choice.most))
        if bound is not None
    ]
    n_cell = survey.n_layer * len(survey.heads)
    return f"faded: {n_faded} of {n_cell}, {' or '.join(bounds)}"
