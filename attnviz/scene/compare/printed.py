"""The measures and cosines of two runs as lines of plain text, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.scene.compare.differences import differences
from attnviz.scene.compare.words import layers_phrase
from attnviz.session.comparison import comparison_of
from attnviz.session.layer_cosines import layer_cosines
from attnviz.session.measures import measures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.session.run import Run
    from attnviz.session.view import View

_GAP = "   "


def measure_lines(run: Run, view: View, with_layer: bool) -> list[str]:
    """The table of measures: the means over all layers, and before them those of the view's layer if `with_layer`."""
    rows = measures(run, view)
    groups = [(layers_phrase(run, view), [row.layer for row in rows])] if with_layer else []
    groups.append(("mean of all layers", [row.mean for row in rows]))
    names = ["", "", *(row.text for row in rows)]
    blocks = []
    for title, values in groups:
        written = [[row.written(pair[side]) for row, pair in zip(rows, values, strict=True)] for side in (0, 1)]
        pairs = _aligned([["A", *written[0]], ["B", *written[1]]], is_first_left=False)
        blocks.append([title, *pairs])
    return [*_sides(run), "", *_aligned([names, *blocks])]


def cosine_lines(run: Run, view: View) -> list[str] | None:
    """The cosines of the token in focus, layer by layer; None where it has no counterpart. Raises InputError for models of other
    shapes."""
    comparison = comparison_of(run, view)
    assert comparison is not None
    found = layer_cosines(comparison)
    if found is None or found.texts is None:
        return None
    n_layer = len(found.by_layer) - 1
    names = [*(f"entering layer {layer}" for layer in range(n_layer)), f"leaving layer {n_layer - 1}", "output"]
    values = [f"{value:.2f}" for value in (*found.by_layer.tolist(), found.output)]
    a, b = found.texts
    return [*_sides(run), "", f'cosine of the vectors of "{a}" in A and "{b}" in B', *_aligned([names, values])]


def _sides(run: Run) -> list[str]:
    return [f"{letter}  {text}" for letter, text in zip("AB", differences(run), strict=True)]


def _aligned(columns: Sequence[Sequence[str]], is_first_left: bool = True) -> list[str]:
    """Columns as lines, flush right, but for the first one."""
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for cells in zip(*columns, strict=True):
        set_cells = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        if is_first_left:
            set_cells[0] = cells[0].ljust(widths[0])
        lines.append(_GAP.join(set_cells).rstrip())
    return lines
