"""The names round the cells of an atlas: layers at the left, heads above, or what the order of sorted heads means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.atlas.choice import ROLE
from attnviz.scene.atlas.plan import NAME_GAP, STRIP_SIZE
from attnviz.scene.page import SMALL
from attnviz.scene.scene import Label
from attnviz.scene.words import head_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.scene.atlas.choice import AtlasChoice
    from attnviz.scene.atlas.plan import AtlasPlan
    from attnviz.scene.atlas.scene import AtlasCell
    from attnviz.scene.scene import Measure

NAMES_HEIGHT: Final = 20.0  # of what stands above the cells
_ABOVE: Final = 8.0  # its baseline above them
_LEAST_PITCH: Final = 14  # between the names of layers


def names_of(cells: Sequence[AtlasCell], plan: AtlasPlan, choice: AtlasChoice, width: float, measure: Measure) -> Iterator[Label]:
    """All of them; those of the selected head stand forward. width: of the picture."""
    layer, head = choice.selected or (-1, -1)
    yield from _layer_names(cells, plan, layer)
    if choice.order == "trained" or plan.n_column == 1:
        yield from _head_names(cells, plan, head, measure)
    else:
        yield from _order_names(cells, plan, choice, width, measure)


def _layer_names(cells: Sequence[AtlasCell], plan: AtlasPlan, selected: int) -> Iterator[Label]:
    """The names of as many layers as there is height for, in equal steps from the first."""
    firsts = cells[:: plan.n_column]
    for layer in range(0, len(firsts), -(-_LEAST_PITCH // plan.pitch_y)):
        cell = firsts[layer]
        yield _named(f"L{layer}", cell.left - NAME_GAP, (cell.top + cell.bottom) / 2 + 4.3, layer == selected, "right")


def _head_names(cells: Sequence[AtlasCell], plan: AtlasPlan, selected: int, measure: Measure) -> Iterator[Label]:
    """The names of as many heads as there is width for, in equal steps from the first."""
    line = cells[: plan.n_column]
    step = int(-(-(measure(head_name(len(line) - 1), SMALL, True) + 5) // plan.pitch_x))
    for head in range(0, len(line), step):
        cell = line[head]
        yield _named(head_name(head), (cell.left + cell.right) / 2, cell.top - _ABOVE, head == selected, "middle")


def _order_names(
    cells: Sequence[AtlasCell], plan: AtlasPlan, choice: AtlasChoice, width: float, measure: Measure
) -> Iterator[Label]:
    """What a line's places mean where heads are sorted, and below each cell its head."""
    left, right, baseline = cells[0].left, cells[plan.n_column - 1].right, cells[0].top - _ABOVE
    first, last = ("by group, the clearest first", "") if choice.colour == ROLE else ("highest", "lowest")
    first_width = measure(first, SMALL, False)
    if left + first_width <= width:
        yield Label(first, left, baseline, SMALL, "muted")
        if last and first_width + 16 + measure(last, SMALL, False) <= right - left:
            yield Label(last, right, baseline, SMALL, "muted", align="right")
    if plan.strip:
        for cell in cells:
            middle, is_selected = (cell.left + cell.right) / 2, (cell.layer, cell.head) == choice.selected
            ink = "ink" if is_selected else "muted"
            yield Label(head_name(cell.head), middle, cell.bottom + 11.0, STRIP_SIZE, ink, bold=is_selected, align="middle")


def _named(text: str, x: float, baseline: float, is_selected: bool, align: str) -> Label:
    return Label(text, x, baseline, SMALL, "ink" if is_selected else "muted", bold=is_selected, align=align)
