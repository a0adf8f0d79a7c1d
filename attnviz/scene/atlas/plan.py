"""How large the cells of an atlas can be in the room there is, and what text they then hold. All lengths are whole pixels."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from attnviz.scene.atlas.texts import TextForm, form_for
from attnviz.scene.page import SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.atlas.content import Content
    from attnviz.scene.scene import Measure

NAME_GAP: Final = 10  # between a line of cells and the name of its layer
_WIDEST, _TALLEST = 128, 56
_SHORTEST: Final = 12  # of a cell in a window that scrolls
_SQUARE: Final = 28  # the height of cells without text on paper, at the most
_STRIP: Final = 14  # below each cell for its head's name, where heads do not stand in their order
STRIP_SIZE: Final = 9
_AIR, _AIR_ALONE = 4, 10  # of a cell on paper besides what its text needs, and what a number alone does


@dataclass(frozen=True)
class AtlasPlan:
    """n_column: cells in a line; width, height: of a cell; gap: between two; thick: the height of the line along its foot; strip:
    the room for a head's name below each; beside: that for a layer's name left of a line; form: of the text in cells, None for
    none."""

    n_column: int
    width: int
    height: int
    gap: int
    thick: int
    strip: int
    beside: float
    form: TextForm | None

    @property
    def pitch_x(self) -> int:
        """From one cell's left end to the next one's."""
        return self.width + self.gap

    @property
    def pitch_y(self) -> int:
        """From one cell's top to the next one's."""
        return self.height + self.strip + self.gap

    def extent(self, n_line: int) -> tuple[int, int]:
        """The width and height that so many lines take."""
        return self.n_column * self.pitch_x - self.gap, n_line * self.pitch_y - self.gap


def plan_atlas(
    lines: Sequence[Sequence[Content]], room: tuple[float, float], has_text: bool, with_names: bool, measure: Measure
) -> AtlasPlan:
    """The largest cells for some lines of them.

    room: width and height, pixels, height 0 for as tall as they need; has_text: whether they have text if there is room;
    with_names: each says its head below it, where it is wide enough.
    """
    n_column = len(lines[0])
    beside = measure(f"L{len(lines) - 1}", SMALL, True) + NAME_GAP
    pitch = max(int((room[0] - beside) / n_column), 1)
    gap = 4 if pitch >= 40 else 2 if pitch >= 12 else 1 if pitch >= 4 else 0
    width = max(1, min(pitch - gap, _WIDEST))
    strip = _STRIP if with_names and measure(f"H{n_column - 1}", STRIP_SIZE, False) + 4 <= pitch else 0
    thick = 3 if width >= 24 else 2
    most = _TALLEST if room[1] else inf
    if room[1]:
        most = min(max(int(room[1] / len(lines)) - gap - strip, _SHORTEST), _TALLEST)
    form = form_for([content for line in lines for content in line], width, most - thick, measure) if has_text else None
    if room[1]:
        height = int(most)  # the same whatever is shown, so that cells stay where they are when that changes
    elif form is None:
        height = min(width, _SQUARE)
    else:
        height = form.depth + thick + (_AIR if form.n_name else _AIR_ALONE)
    return AtlasPlan(n_column, width, height, gap, min(thick, max(1, height // 4)), strip, beside, form)
