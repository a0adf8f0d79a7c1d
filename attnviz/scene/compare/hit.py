"""What of the course through the layers lies under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnviz.scene.compare.scene import ChartPoint, ChartScene

_REACH = 9.0  # pixels from a point of a chart


def point_at(scene: ChartScene, x: float, y: float) -> ChartPoint | None:
    """The point of a chart at a place; None where there is none near."""
    near = [point for point in scene.points if abs(point.x - x) <= _REACH and abs(point.y - y) <= _REACH]
    return min(near, key=lambda point: abs(point.x - x) + abs(point.y - y), default=None)
