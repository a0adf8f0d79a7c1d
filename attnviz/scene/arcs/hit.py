"""What lies under the pointer. Pure geometry, no painting."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from attnviz.scene.arcs.focus import arcs_in_focus
from attnviz.scene.numbers import signed
from attnviz.scene.words import head_name

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32
    from attnviz.scene.scene import Arcs, ArcScene

_REACH = 6.0  # pixels
_SAMPLES = 33  # the widest arcs are then met within 0.6 pixels


def token_under(scene: ArcScene, x: float, y: float) -> int | None:
    """The position in the trace of the token under a point, with a little room around its text."""
    for box in scene.tokens:
        if box.left - 4 <= x <= box.right + 4 and box.top - 2 <= y <= box.bottom + 2:
            return box.index
    return None


def arc_under(scene: ArcScene, x: float, y: float) -> int | None:
    """The number of the arc nearest to a point, within reach; of arcs about as near the one drawn strongest.

    While a token is in focus only its arcs can be hit.
    """
    arcs = scene.arcs
    near = _boxes_contain(arcs, x, y)
    if scene.focus is not None:
        near &= arcs_in_focus(scene)
    candidates = np.flatnonzero(near)
    if not candidates.size:
        return None
    distance = _distance_to_lines(sample(arcs.curve[candidates]), x, y) - arcs.width[candidates] / 2
    if distance.min() > _REACH:
        return None
    close = distance <= max(distance.min(), 0.0) + 1.5
    return int(candidates[np.flatnonzero(close)[-1]])  # arcs are kept weakest first


def arc_text(scene: ArcScene, arc: int) -> str:
    """What the pointer says of an arc: query, key, head, weight, of a difference with its sign; the texts are isolated, so that a
    right-to-left word does not turn the line round."""
    arcs, weight = scene.arcs, float(scene.arcs.weight[arc])
    query, key = (_isolated(scene, int(index)) for index in (arcs.query[arc], arcs.key[arc]))
    told = signed(weight, 3) if scene.is_difference else f"{weight:.3f}"
    return f"{query} \N{RIGHTWARDS ARROW} {key}   {head_name(int(arcs.head[arc]))}   {told}"


def _isolated(scene: ArcScene, index: int) -> str:
    """A token's text with a direction of its own (Unicode Standard Annex 9, isolates)."""
    box = scene.token_at(index)
    return f"\N{FIRST STRONG ISOLATE}{'' if box is None else box.text}\N{POP DIRECTIONAL ISOLATE}"


def sample(curve: Float32) -> Float32:
    """Points along cubics: [arc, 4, 2] -> [arc, point, 2]."""
    t = np.linspace(0.0, 1.0, _SAMPLES, dtype=np.float32)[:, None]
    basis = np.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1)
    return np.matmul(basis, curve)


def _boxes_contain(arcs: Arcs, x: float, y: float):  # -> bool [arc]
    low, high = _hulls(_Same(arcs.curve))
    point = np.array([x, y], np.float32)
    reach = _REACH + arcs.width[:, None] / 2
    return ((low - reach <= point) & (point <= high + reach)).all(axis=1)


class _Same:
    """An array as a cache key: equal only to itself."""

    def __init__(self, array: Float32) -> None:
        self.array = array

    def __hash__(self) -> int:
        return id(self.array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.array is self.array


@lru_cache(maxsize=2)
def _hulls(curve: _Same) -> tuple[Float32, Float32]:
    """Corners of the box around each arc's control points, in which the arc lies; kept while the pointer moves."""
    return curve.array.min(axis=1), curve.array.max(axis=1)


def _distance_to_lines(points: Float32, x: float, y: float) -> Float32:  # [arc, point, 2] -> [arc]
    """The distance from (x, y) to each polyline."""
    start, step = points[:, :-1], np.diff(points, axis=1)
    to_point = np.array([x, y], np.float32) - start
    along = np.einsum("apc,apc->ap", to_point, step) / np.maximum(np.einsum("apc,apc->ap", step, step), 1e-9)
    gap = to_point - np.clip(along, 0.0, 1.0)[..., None] * step
    return np.sqrt(np.einsum("apc,apc->ap", gap, gap).min(axis=1))
