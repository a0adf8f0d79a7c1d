"""The panels of a matrix set on their page: their names, their bar of colours, and what stands in place of none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.analysis.places import as_slice
from attnviz.scene.matrix.colour_bar import level_bar, upright_bar
from attnviz.scene.matrix.scene import BothWeights, MatrixPanel, MatrixScene
from attnviz.scene.page import MARGIN, SMALL
from attnviz.scene.palette import head_colour
from attnviz.scene.scene import Label
from attnviz.scene.shares import nothing_read_line
from attnviz.scene.words import head_name
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.matrix.colour_bar import ColourBar
    from attnviz.scene.matrix.panels import Arrangement
    from attnviz.scene.matrix.place import Place
    from attnviz.scene.matrix.shown import Shown
    from attnviz.scene.page import Page
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.sight import Sight


def set_matrix(
    sight: Sight,
    shown: Shown,
    place: Place,
    panels: tuple[MatrixPanel, ...],
    bar: ColourBar | None,
    page: Page,
    foot: Sequence[str],
    focus: int | None,
    description: str,
) -> MatrixScene:
    """The scene of panels in their place, below what has been set on a page, with the lines of `foot` below; focus: the pinned
    token."""
    layout = page.layout
    if panels:
        page.labels += _titles(panels, place.cells, page.theme)
    else:
        page.labels.append(_nothing(sight, layout.width / 2, place.top + 24))
    page.y = max(place.end + 0.5 * MARGIN, layout.height - page.height_of(foot) - 0.5 * MARGIN)
    for line in foot:
        page.text(line)
    return MatrixScene(
        width=layout.width,
        height=max(layout.height, page.y + 0.5 * MARGIN),
        theme=page.theme,
        labels=tuple(page.labels),
        dots=tuple(page.dots),
        bands=tuple(page.bands),
        description=description,
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
        focus=sight.in_focus(focus),
        can_slant=len(panels) == 1 and place.cells.right > 0,
        free=place.free,
    )


def panels_of(sight: Sight, shown: Shown, place: Place, both: tuple[Float32, Float32] | None = None) -> tuple[MatrixPanel, ...]:
    """The panels of a sight in their place; both: of a difference, the weights of A and of B, [map, query, key] each."""
    return tuple(_panel(sight, shown, number, place, both) for number in range(shown.n_panel))


def bar_of(shown: Shown, panels: Sequence[MatrixPanel], place: Place, measure: Measure) -> ColourBar:
    """The bar that belongs to those panels."""
    head = head_of_bar(panels)
    top = panels[0].top
    bottom = top + place.cells.whole_height - place.cells.place(0)[1]
    level = place.level
    if level is not None:
        return level_bar(level.left, level.right, bottom, head, shown.scale, level.lines, measure)
    return upright_bar(place.panels_end, top, bottom - top, head, shown.scale, shown.notes)


def shared_pixels_line(shown: Mapping[str, Shown]) -> str:
    """What a pixel stands for where cells are smaller; true at every zoom, on every screen and in every file.

    shown: of each of two runs by its letter, or of a picture by itself under "".
    """
    is_difference = any(one.scale.is_signed for one in shown.values())
    what, most = ("differences", "largest") if is_difference else ("weights", "strongest")
    whose: dict[str, list[str]] = {}
    for letter, one in shown.items():
        each = " in each panel" if one.n_panel > 1 else ""
        whose.setdefault(f"{len(one.queries):,} x {len(one.keys):,} {what}{each}", []).append(letter)
    told = [f"{size} of {' and '.join(letters)}" if letters != [""] else size for size, letters in whose.items()]
    return f"{', '.join(told)}: a pixel on which several fall shows the {most} of them"


def head_of_bar(panels: Sequence[MatrixPanel]) -> int | None:
    """The head whose ramp a bar of those panels shows; None where they are several heads'."""
    heads = {panel.head for panel in panels}
    return heads.pop() if len(heads) == 1 else None


def _masked(sight: Sight) -> NDArray[np.bool_] | None:
    """Which cells are of keys that a query may not look at, [row, column]; where nothing between them is hidden no copy."""
    return None if sight.masked is None else sight.masked[as_slice(sight.rows)][:, as_slice(sight.keys)]


def _nothing(sight: Sight, x: float, baseline: float) -> Label:
    """Why there is no matrix."""
    why = "no head is chosen" if not sight.heads else nothing_read_line(sight) or "every token of this text is hidden"
    return Label(why, x, baseline, 13, "muted", align="middle")


def _panel(sight: Sight, shown: Shown, number: int, place: Place, both: tuple[Float32, Float32] | None) -> MatrixPanel:
    head = sight.heads[number]
    x, y = place.cells.place(number)
    name = f"L{sight.layer} mean" if head == MEAN else f"L{sight.layer}.{head_name(head)}"
    return MatrixPanel(
        head=head,
        title="rollout" if sight.quantity == "rollout" else name,
        weights=shown.maps.weights[number],
        left=place.left + x,
        top=place.top + y,
        has_row_labels=place.cells.has_labels and number % place.cells.n_line == 0,
        has_column_labels=place.cells.has_labels and number < place.cells.n_line,
        both=None if both is None else BothWeights(both[0][number], both[1][number], sight.rows, sight.keys),
        in_fours=shown.maps.in_fours[number],
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
