"""Zoom and place of a picture in a window: plain arithmetic, no Qt."""

from __future__ import annotations

_SMALLEST, _LARGEST = 0.2, 8.0


class Viewport:
    """Maps scene to screen: screen = (x, y) + zoom · scene."""

    def __init__(self) -> None:
        self.x = 0.0
        self.y = 0.0
        self.zoom = 1.0

    def to_scene(self, x: float, y: float) -> tuple[float, float]:
        """The scene's point under a point of the screen."""
        return (x - self.x) / self.zoom, (y - self.y) / self.zoom

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """The screen's point of a point of the scene."""
        return self.x + self.zoom * x, self.y + self.zoom * y

    def settle(self, width: float, height: float, room_x: float, room_y: float) -> None:
        """The first place of a picture: as wide as the room at most, in the middle or, where it is taller, from its top."""
        self.zoom = min(1.0, room_x / max(width, 1.0))
        self.x = (room_x - self.zoom * width) / 2
        self.y = max((room_y - self.zoom * height) / 2, 0.0)

    def fit(self, width: float, height: float, room_x: float, room_y: float) -> None:
        """The whole picture in the middle, no larger than life."""
        self.zoom = min(1.0, room_x / max(width, 1.0), room_y / max(height, 1.0))
        self.x = (room_x - self.zoom * width) / 2
        self.y = (room_y - self.zoom * height) / 2

    def zoom_about(self, factor: float, x: float, y: float) -> None:
        """Change the scale and leave the point under (x, y) where it is."""
        at_x, at_y = self.to_scene(x, y)
        self.zoom = min(max(self.zoom * factor, _SMALLEST), _LARGEST)
        self.x, self.y = x - self.zoom * at_x, y - self.zoom * at_y

    def scroll(self, dx: float, dy: float, width: float, height: float, room_x: float, room_y: float) -> None:
        """Move the picture as far as there is more of it to see."""
        self.x = _within(self.x, dx, self.zoom * width, room_x)
        self.y = _within(self.y, dy, self.zoom * height, room_y)

    def shown_share(self, height: float, room: float) -> tuple[float, float] | None:
        """Which part of the height is on the screen, as (start, size) of 1; None if all of it is."""
        whole = self.zoom * height
        if self.y >= -0.5 and self.y + whole <= room + 0.5:
            return None
        top = max(0.0, -self.y) / whole
        return top, min(1.0 - top, room / whole)


def _within(at: float, delta: float, size: float, room: float) -> float:
    # What fits and is in sight stays; what a zoom has put out of sight can be brought back.
    low, high = min(room - size, at), max(0.0, at)
    return min(max(at + delta, low), high)
