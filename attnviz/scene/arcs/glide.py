"""The way from one picture to the next when only the head count changed: arcs move to their new lanes and weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from attnviz.scene.scene import ArcScene
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.scene import Arcs, Scene

_MOST_ARCS = 3_000  # about 80 ms a frame; beyond, motion would only stutter


class Glide:
    """Arcs between two scenes of the same tokens.

    Each new arc starts where an old arc of the same query and key was, of the old head that holds the same part of the
    model's projections, with that arc's opacity; old arcs that lead nowhere fade.
    """

    def __init__(self, old: ArcScene, new: ArcScene, old_count: int, new_count: int) -> None:
        self._old, self._new = old.arcs, new.arcs
        self._start = _matches(old.arcs, new.arcs, old_count, new_count)
        found = self._start >= 0
        # A band may have come or gone above the text, and each row has room of its own: arcs move with their query's row.
        drop = _drops(old, new)
        before = old.arcs.curve[self._start] + drop[old.arcs.query[self._start]][:, None]
        self._curve = np.where(found[:, None, None], before, new.arcs.curve)
        self._opacity = np.where(found, old.arcs.opacity[self._start], 0.0).astype(np.float32)
        self._width = np.where(found, old.arcs.width[self._start], 1.0).astype(np.float32)
        leaving = np.ones(len(old.arcs), bool)
        leaving[self._start[found]] = False
        self._leaving = np.flatnonzero(leaving)
        self._leaving_curve = old.arcs.curve[self._leaving] + drop[old.arcs.query[self._leaving]][:, None]

    def arriving(self, share: float) -> Arcs:
        """The new scene's arcs at `share` of the way, 0 to 1."""
        return replace(
            self._new,
            curve=(1 - share) * self._curve + np.float32(share) * self._new.curve,
            opacity=(1 - share) * self._opacity + np.float32(share) * self._new.opacity,
            width=(1 - share) * self._width + np.float32(share) * self._new.width,
        )

    def leaving(self, share: float) -> Arcs:
        """The old scene's arcs that have no place in the new one, fading."""
        at = self._leaving
        old = self._old
        return replace(
            old,
            head=old.head[at],
            query=old.query[at],
            key=old.key[at],
            weight=old.weight[at],
            opacity=old.opacity[at] * np.float32(1 - share),
            width=old.width[at],
            colour=old.colour[at],
            curve=self._leaving_curve,
        )


def can_glide(old: Scene | None, new: ArcScene) -> bool:
    """Whether two scenes show the same tokens in the same places, with few enough arcs to move smoothly."""
    if not isinstance(old, ArcScene) or not len(old.arcs) or old.theme != new.theme or len(old.arcs) + len(new.arcs) > _MOST_ARCS:
        return False
    if MEAN in old.arcs.head or MEAN in new.arcs.head:  # which belongs to no part of the projections
        return False
    texts = [(box.index, box.text, box.left, box.row) for box in old.tokens]
    return texts == [(box.index, box.text, box.left, box.row) for box in new.tokens]


def _drops(old: ArcScene, new: ArcScene) -> Float32:
    """How much each token moved from one scene to the other, [token, 2]; 0 across, the rest down."""
    drops = np.zeros((1 + max(box.index for box in new.tokens), 2), np.float32)
    for before, now in zip(old.tokens, new.tokens, strict=True):
        drops[now.index, 1] = now.top - before.top
    return drops


def _matches(old: Arcs, new: Arcs, old_count: int, new_count: int) -> NDArray[np.intp]:  # -> [new arc]
    """For each new arc the old arc it comes from, -1 for none."""
    n = 1 + max(int(side.max(initial=0)) for arcs in (old, new) for side in (arcs.query, arcs.key))
    place = np.full((old_count, n, n), -1, np.intp)
    place[old.head, old.query, old.key] = np.arange(len(old))
    middle = (2 * new.head + 1) * old_count // (2 * new_count)  # the old head at the middle of the new head's part
    return place[middle, new.query, new.key]
