"""Which part of a matrix is seen, and how large: plain arithmetic, no Qt. All panels of a picture are seen through one lens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnviz.scene.matrix.scene import Cells

    Box = tuple[float, float, float, float]  # left, top, right, bottom

_LARGEST_CELL = 72.0  # pixels, across its shorter side


class Lens:
    """zoom: 1 shows all; x, y: how far the first cell has moved left and up out of the room, in pixels."""

    def __init__(self) -> None:
        self.x = 0.0
        self.y = 0.0
        self.zoom = 1.0

    def fit(self) -> None:
        """See all of it."""
        self.x = self.y = 0.0
        self.zoom = 1.0

    def place(self, whole: Cells) -> Cells:
        """Where the cells lie that without a lens lie as `whole`: in the same room, or in what that has grown to with them."""
        room = self._room(whole)
        return replace(
            whole,
            left=room[0] - self.x,
            top=room[1] - self.y,
            width=whole.width * self.zoom,
            height=whole.height * self.zoom,
            room=room,
        )

    def zoom_about(self, factor: float, x: float, y: float, whole: Cells) -> None:
        """Enlarge or reduce; what lies under (x, y) stays there, as far as no edge of the matrix leaves the edge of its room."""
        before = self.place(whole)
        left, top, right, bottom = before.room
        x, y = min(max(x, left), right), min(max(y, top), bottom)
        column, row = (x - before.left) / before.width, (y - before.top) / before.height
        largest = max(1.0, _LARGEST_CELL / min(whole.width, whole.height))
        self.zoom = min(max(self.zoom * factor, 1.0), largest)
        room = self._room(whole)
        self.x = room[0] + column * whole.width * self.zoom - x
        self.y = room[1] + row * whole.height * self.zoom - y
        self.pan(0.0, 0.0, whole)

    def pan(self, dx: float, dy: float, whole: Cells) -> None:
        """Move the cells, as far as there are more to see."""
        left, top, right, bottom = self._room(whole)
        wide, high = whole.room[2] - whole.room[0], whole.room[3] - whole.room[1]
        self.x = min(max(self.x - dx, 0.0), max(self.zoom * wide - (right - left), 0.0))
        self.y = min(max(self.y - dy, 0.0), max(self.zoom * high - (bottom - top), 0.0))

    def bring_into_sight(self, row: int | None, column: int | None, whole: Cells) -> None:
        """Move the cells until that row and that column are in the room."""
        cells = self.place(whole)
        left, top, right, bottom = cells.room
        dx = 0.0 if column is None else _step_into(cells.left + column * cells.width, cells.width, left, right)
        dy = 0.0 if row is None else _step_into(cells.top + row * cells.height, cells.height, top, bottom)
        self.pan(dx, dy, whole)

    def _room(self, whole: Cells) -> Box:
        """The room at this zoom: as large as the cells, until it is all that it may be."""
        if whole.most is None:
            return whole.room
        (left, right), (top, bottom) = (_grown(whole.room[at::2], whole.most[at::2], self.zoom) for at in (0, 1))
        return left, top, right, bottom


def _grown(span: tuple[float, ...], most: tuple[float, ...], zoom: float) -> tuple[float, float]:
    """The span so much longer, but inside `most`; it grows to both sides as there is room."""
    (start, end), (low, high) = span, most
    length, spare = end - start, (high - low) - (end - start)
    gain = min((zoom - 1.0) * length, max(spare, 0.0))
    before = gain * (start - low) / spare if gain else 0.0
    return start - before, end - before + gain


def _step_into(start: float, size: float, low: float, high: float) -> float:
    """How far something of that size must move to lie between two bounds, with one of its like beside it."""
    if start - size < low:
        return low - (start - size)
    return min(0.0, high - (start + 2 * size))
