"""Which weights of two runs, or of their difference, get an arc."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attnviz.errors import never
from attnviz.scene.arcs.choice import choose_edges

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.analysis.edges import Edges
    from attnviz.engine.ops import Float32
    from attnviz.session.comparison import Comparison


def edges_of_both(comparison: Comparison, cancelled: Callable[[], bool] = never) -> tuple[Edges, Edges]:
    """The arcs to draw of either side, by one rule. Raises Cancelled once `cancelled()` says so."""
    sides, scale = comparison.sides, comparison.scale
    return tuple(choose_edges(side.sight, side.view.threshold, scale, cancelled=cancelled) for side in sides)


def edges_of_difference(comparison: Comparison, cancelled: Callable[[], bool] = never) -> Edges:
    """The arcs to draw of a difference: the largest either way, none where both runs have the same weights. Raises Cancelled once
    `cancelled()` says so."""
    difference = comparison.difference
    assert difference is not None

    def sizes() -> Float32:
        return np.abs(difference.sight.weights)

    # A threshold by weight is a share of the largest weight that there can be, not of the largest difference.
    return choose_edges(difference.sight, comparison.a.view.threshold, comparison.scale, sizes, cancelled)
