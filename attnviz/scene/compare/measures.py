"""The measures of two runs as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.compare.differences import told_apart
from attnviz.scene.compare.scene import Line, TableScene
from attnviz.scene.compare.words import layers_phrase
from attnviz.scene.page import LINE, MARGIN, SMALL
from attnviz.scene.scene import Label
from attnviz.scene.words import wrap
from attnviz.session.measures import measures

if TYPE_CHECKING:
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure as MeasureText
    from attnviz.scene.theme import Theme
    from attnviz.session.measures import Measure
    from attnviz.session.run import Run
    from attnviz.session.view import View

_WIDEST: Final = 520.0  # a table that is wider is hard to read along its rows
_COLUMN, _NARROWEST = 58.0, 34.0
_GAP, _NARROW_GAP, _NARROW = 18.0, 10.0, 320.0  # between the two groups; in a table narrower than the last number the second
_WHOLE_NAME, _SHORT_NAME = "mean of all layers", "all layers"
_WIDEST_NAME: Final = 250.0


def build_measures(run: Run, view: View, theme: Theme, layout: Layout, measure: MeasureText) -> TableScene:
    """The measures of a run and of the one that it is compared with: A and B in the view's layer, and the means over all layers."""
    rows = measures(run, view)
    width = min(layout.width - 2 * MARGIN, _WIDEST)
    gap = _GAP if width >= _NARROW else _NARROW_GAP
    column = min(max((width - gap - _WIDEST_NAME) / 4, _NARROWEST), _COLUMN)
    name_width = width - gap - 4 * column
    ends = [MARGIN + name_width + column * (place + 1) + (gap if place > 1 else 0.0) for place in range(4)]
    labels, lines = _heads(ends, column, layers_phrase(run, view), measure)
    y = 2 * LINE + 12.0
    for row in rows:
        y = _row(row, name_width, ends, y, labels, measure)
    lines.append(Line(MARGIN, y + 3.0, ends[-1], y + 3.0))
    return TableScene(
        width=layout.width,
        height=max(layout.height, y + 12.0),
        theme=theme,
        labels=tuple(labels),
        dots=(),
        bands=(),
        description=f"Measures of two runs, {told_apart(run)}: " + "; ".join(_spoken(row) for row in rows),
        lines=tuple(lines),
    )


def _heads(ends: list[float], column: float, layers: str, measure: MeasureText) -> tuple[list[Label], list[Line]]:
    """The two groups of columns with their names, and the lines above and below them."""
    labels = []
    lines = [Line(MARGIN, 2.0, ends[-1], 2.0), Line(MARGIN, 2 * LINE + 6.0, ends[-1], 2 * LINE + 6.0)]
    fits = measure(_WHOLE_NAME, SMALL, False) <= 2 * column - 4.0
    for first, text in ((0, layers), (2, _WHOLE_NAME if fits else _SHORT_NAME)):
        left, right = ends[first] - column + 8.0, ends[first + 1]
        labels.append(Label(text, (left + right) / 2, 16.0, SMALL, "muted", align="middle"))
        lines.append(Line(left, LINE + 3.0, right, LINE + 3.0))
        for place, letter in ((first, "A"), (first + 1, "B")):
            labels.append(Label(letter, ends[place], LINE + 17.0, SMALL, "ink", bold=True, align="right"))
    return labels, lines


def _row(row: Measure, name_width: float, ends: list[float], y: float, labels: list[Label], measure: MeasureText) -> float:
    """One measure; the y after it."""
    values = [row.written(value) for value in (*row.layer, *row.mean)]
    for text, right in zip(values, ends, strict=True):
        labels.append(Label(text, right, y + 13.0, SMALL, "ink", align="right"))
    for line in wrap(row.text, SMALL, name_width - 8.0, measure):
        labels.append(Label(line, MARGIN, y + 13.0, SMALL, "muted"))
        y += LINE
    return y


def _spoken(row: Measure) -> str:
    of_layer = f"{row.written(row.layer[0])} and {row.written(row.layer[1])} in the layer, "
    return f"{row.text}: {of_layer if row.is_of_layer else ''}{row.written(row.mean[0])} and {row.written(row.mean[1])}"
