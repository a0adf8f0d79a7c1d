"""Arcs in slices that take a moment each, the strongest first: what a picture shows at once, and what follows beneath it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attnviz.paint.arcs import hairlines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.scene import Arcs, Box


def slices_of(arcs: Arcs, sight: Box, first: float, then: float) -> list[NDArray[np.bool_]]:
    """All arcs in slices, [arc] each; there is always one, which has the arcs that are wider than a hairline.

    first, then: pixels of line that the first slice and the others have in sight; sight: the part of the picture that is seen.
    Painted over each other, the last slice first, they make what `paint_arcs` makes of all arcs.
    """
    order = hairlines(arcs)[::-1]  # the strongest first
    length = np.cumsum(np.where(_are_in(arcs.curve[order], sight), lengths_of(arcs.curve[order]), 0.0))
    number = np.maximum(np.ceil((length - first) / then), 0).astype(np.intp)
    slices = []
    for one in range(int(number.max(initial=0)) + 1):
        chosen = np.zeros(len(arcs), bool)
        chosen[order[number == one]] = True
        if chosen.any() or one == 0:
            slices.append(chosen)
    slices[0] |= arcs.width > 1.0
    return slices


def lengths_of(curve: Float32) -> Float32:
    """About how long each cubic is, [arc]: the middle of the ways straight and round by its control points (Gravesen 1997)."""
    way = np.linalg.norm(np.diff(curve, axis=1), axis=-1).sum(axis=1)
    return (np.linalg.norm(curve[:, 3] - curve[:, 0], axis=-1) + way) / 2


def _are_in(curve: Float32, sight: Box) -> NDArray[np.bool_]:
    """Which arcs may be seen: those whose control points have something of the sight between them."""
    low, high = curve.min(axis=1), curve.max(axis=1)
    return ((low <= (sight.right, sight.bottom)) & (high >= (sight.left, sight.top))).all(axis=1)
