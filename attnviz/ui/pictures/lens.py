"""Which part of a matrix is seen, and how large: plain arithmetic, no Qt. All panels of a picture are seen through one lens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnviz.scene.matrix.scene import Cells

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
        """Where the cells lie that without a lens lie as `whole`, in the same room."""
        return replace(
            whole,
            left=whole.room[0] - self.x,
            top=whole.room[1] - self.y,
            width=whole.width * self.zoom,
            height=whole.height * self.zoom,
        )

    def zoom_about(self, factor: float, x: float, y: float, whole: Cells) -> None:
        """Enlarge or reduce; what lies under (x, y) stays there, as far as no edge of the matrix leaves the edge of its room."""
        left, top, right, bottom = whole.room
        x, y = min(max(x, left), right) - left, min(max(y, top), bottom) - top
        largest = max(1.0, _LARGEST_CELL / min(whole.width, whole.height))
        zoom = min(max(self.zoom * factor, 1.0), largest)
        factor = zoom / self.zoom
        self.zoom = zoom
        self.x, self.y = (self.x + x) * factor - x, (self.y + y) * factor - y
        self.pan(0.0, 0.0, whole)

    def pan(self, dx: float, dy: float, whole: Cells) -> None:
        """Move the cells, as far as there are more to see."""
        left, top, right, bottom = whole.room
        self.x = min(max(self.x - dx, 0.0), (self.zoom - 1.0) * (right - left))
        self.y = min(max(self.y - dy, 0.0), (self.zoom - 1.0) * (bottom - top))

    def bring_into_sight(self, row: int | None, column: int | None, whole: Cells) -> None:
        """Move the cells until that row and that column are in the room."""
        cells = self.place(whole)
        left, top, right, bottom = whole.room
        dx = 0.0 if column is None else _step_into(cells.left + column * cells.width, cells.width, left, right)
        dy = 0.0 if row is None else _step_into(cells.top + row * cells.height, cells.height, top, bottom)
        self.pan(dx, dy, whole)


def _step_into(start: float, size: float, low: float, high: float) -> float:
    """How far something of that size must move to lie between two bounds, with one of its like beside it."""
    if start - size < low:
        return low - (start - size)
    return min(0.0, high - (start + 2 * size))
