"""The course of each arc.

An arc that leaves its query upwards looks back, one that leaves downwards looks ahead. On its own row it arches over the
sentence (or under it) and lands on the same side; to another row it lands on the side it comes from. A loop looks at itself.
Each head has its own lane, so that arcs of several heads between the same tokens lie beside each other, nested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.analysis.edges import Edges
    from attnviz.engine.ops import Float32
    from attnviz.scene.arcs.rows import Rows

# A cubic whose inner control points are lifted by h rises to 3/4·h.
_LIFT = 4.0 / 3.0
_LOOP_HEIGHT = 20.0
_GROWTH = 0.62  # arches grow slower than their span, so that neighbours' arcs can be seen beside long ones


@dataclass(frozen=True)
class Ends:
    """Where each edge begins and ends: x of query and key, rows of query and key, [edge] each; outward: -1 up, +1 down."""

    x_query: Float32
    x_key: Float32
    row_query: NDArray[np.intp]
    row_key: NDArray[np.intp]
    outward: Float32
    lane: Float32
    is_loop: NDArray[np.bool_]


def ends_of(edges: Edges, rows: Rows, left: Float32, lanes: Float32) -> Ends:
    """The ends of each edge; left: [row] where each row begins; lanes: [map] -0.5 to 0.5."""
    n = max((place.index for place in rows.places), default=-1) + 1
    middle, half, row = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.intp)
    for place in rows.places:
        middle[place.index] = left[place.row] + (place.left + place.right) / 2
        half[place.index] = (place.right - place.left) / 2
        row[place.index] = place.row
    lane = lanes[edges.head]
    room = min(11.0, 1.6 * len(lanes))
    spread_query = lane * 2 * np.minimum(0.75 * half[edges.query], room)
    spread_key = lane * 2 * np.minimum(0.75 * half[edges.key], room)
    # The left end moves left and the right end right with the lane: nested arcs, which do not cross.
    side = np.where(middle[edges.query] <= middle[edges.key], -1.0, 1.0).astype(np.float32)
    return Ends(
        x_query=middle[edges.query] + side * spread_query,
        x_key=middle[edges.key] - side * spread_key,
        row_query=row[edges.query],
        row_key=row[edges.key],
        outward=np.where(edges.key <= edges.query, -1.0, 1.0).astype(np.float32),
        lane=lane,
        is_loop=edges.key == edges.query,
    )


def widest_span(ends: Ends) -> float:
    """The span of the widest arch, pixels; 1 where there is none."""
    arches = np.abs(ends.x_key - ends.x_query)[_are_arches(ends)]
    return max(float(arches.max(initial=0.0)), 1.0)


def rise_of(ends: Ends, tallest: float, widest: float) -> Float32:
    """How far each arc leaves its line, [edge]: `tallest` for an arch as wide as `widest`."""
    span = np.abs(ends.x_key - ends.x_query)
    same_row = _are_arches(ends)
    arch = tallest * (span / widest) ** _GROWTH * (1.0 + 0.12 * ends.lane)
    loop = _LOOP_HEIGHT * (1.0 + 0.7 * ends.lane)
    return np.where(ends.is_loop, np.minimum(loop, tallest), np.where(same_row, arch, 0.0)).astype(np.float32)


def curves_of(ends: Ends, rise: Float32, top: Float32, bottom: Float32) -> Float32:
    """Control points [edge, 4, 2]; top, bottom: [row] the y from which arcs leave above and below the text."""
    same_row = ends.row_query == ends.row_key
    up = ends.outward < 0
    y_query = np.where(up, top[ends.row_query], bottom[ends.row_query])
    near_side = np.where(up, top[ends.row_key], bottom[ends.row_key])
    far_side = np.where(up, bottom[ends.row_key], top[ends.row_key])
    y_key = np.where(same_row, near_side, far_side)
    # Between rows the curve leaves and lands upright; half the distance makes an even S.
    lift = np.where(same_row, _LIFT * rise, 0.55 * np.abs(y_key - y_query))
    flare = np.where(ends.is_loop, 5.0 + 4.0 * (ends.lane + 0.5), 0.0)
    x_query = ends.x_query - np.where(ends.is_loop, 3.0, 0.0)
    x_key = np.where(ends.is_loop, ends.x_query + 3.0, ends.x_key)
    curve = np.empty((len(rise), 4, 2), np.float32)
    curve[:, 0] = np.stack([x_query, y_query], axis=1)
    curve[:, 1] = np.stack([x_query - flare, y_query + ends.outward * lift], axis=1)
    curve[:, 2] = np.stack([x_key + flare, y_key + np.where(same_row, 1, -1) * ends.outward * lift], axis=1)
    curve[:, 3] = np.stack([x_key, y_key], axis=1)
    return curve


def _are_arches(ends: Ends) -> NDArray[np.bool_]:
    """Which arcs lead over their own row to another token."""
    return (ends.row_query == ends.row_key) & ~ends.is_loop
