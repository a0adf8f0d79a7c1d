"""How large the squares of a grid can be in the room there is. All lengths are whole pixels, so that each is painted sharp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Pair = tuple[int, int]  # rows, columns

_SMALLEST: Final = 12  # of a square in a window that scrolls
_LARGEST: Final = 220
_LARGEST_ON_PAPER: Final = 96
_FLOW: Final = 88  # about the width of a square where those of one map a layer stand side by side on paper
_WIDEST_GAP: Final = 6
# A square gives up this much at most to have all its cells the same number of pixels.
_EVEN: Final = 0.88
_FLATTEST: Final = 1 / 6  # one decoder token that looks at a hundred would be a line


@dataclass(frozen=True)
class GridPlan:
    """n_place: squares in a line; width, height: of a square, pixels; gap: between two; strip: the room for text below each."""

    n_place: int
    width: int
    height: int
    gap: int
    strip: int

    @property
    def pitch_x(self) -> int:
        """From one square's left end to the next one's."""
        return self.width + self.gap

    @property
    def pitch_y(self) -> int:
        """From one square's top to the next one's."""
        return self.height + self.strip + self.gap

    def extent(self, n_cell: int) -> tuple[int, int]:
        """The width and height that so many squares take."""
        n_line = -(-n_cell // self.n_place)
        return self.n_place * self.pitch_x - self.gap, n_line * self.pitch_y - self.gap


def plan_grid(n_cell: int, n_place: int, cells: Pair, shape: Pair, room: tuple[float, float], strip: int) -> GridPlan:
    """The largest squares for `n_cell` maps, `n_place` in a line, or as many as serve best if it is 0.

    cells: of a map, (rows, columns); shape: the tokens those stand for, whose proportions a square has;
    room: width and height in pixels, height 0 for as tall as it needs.
    """
    if n_place:
        return _plan(n_cell, n_place, cells, shape, room, strip)
    if not room[1]:
        most = max(1, int(room[0]) // _FLOW)
        n_line = -(-n_cell // most)
        return _plan(n_cell, -(-n_cell // n_line), cells, shape, room, strip)
    plans = (_plan(n_cell, wanted, cells, shape, room, strip) for wanted in range(1, n_cell + 1))
    return max(plans, key=lambda plan: (plan.width * plan.height, -plan.n_place))


def _plan(n_cell: int, n_place: int, cells: Pair, shape: Pair, room: tuple[float, float], strip: int) -> GridPlan:
    n_line = -(-n_cell // n_place)
    aspect = min(max(shape[0] / shape[1], _FLATTEST), 1 / _FLATTEST)
    pitch = int(room[0] / n_place)
    if room[1]:
        pitch = min(pitch, max(int((room[1] / n_line - strip) / aspect), _SMALLEST + 1))
    gap = min(_WIDEST_GAP, max(1, round(0.08 * pitch))) if pitch > 3 else 0
    width = max(1, min(pitch - gap, _LARGEST if room[1] else _LARGEST_ON_PAPER))
    if room[1]:
        width = min(width, max(int((room[1] / n_line - strip - gap) / aspect), _SMALLEST))
    return GridPlan(n_place, _even(width, cells[1]), _even(max(1, int(width * aspect)), cells[0]), gap, strip)


def _even(side: int, n: int) -> int:
    """The side, or a little less if that gives each of `n` cells the same number of pixels."""
    even = side // n * n
    return even if even >= _EVEN * side else side
