"""What the picture of two runs needs made beforehand: see scene/preparing.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.errors import Cancelled, never
from attnviz.scene.arcs.choice import kept_edges
from attnviz.scene.compare.choice import edges_of_both, edges_of_difference
from attnviz.scene.matrix.maps import kept_maps, maps_of
from attnviz.session.comparison import comparison_of, kept_comparison

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.session.run import Run
    from attnviz.session.view import View


def prepare_compared(run: Run, view: View, cancelled: Callable[[], bool] = never) -> None:
    """Make what the picture of a run and the one that it is compared with is made of, beside the weights of either, and keep it.
    Raises Cancelled once `cancelled()` says so, InputError as `comparison_of`."""
    if cancelled():
        raise Cancelled
    comparison = comparison_of(run, view)
    assert comparison is not None
    difference = comparison.difference
    if view.picture == "arcs":
        choose = edges_of_both if difference is None else edges_of_difference
        choose(comparison, cancelled)
    elif difference is not None:
        maps_of(difference.sight, is_signed=True, cancelled=cancelled)
    else:
        for side in comparison.sides:
            maps_of(side.sight, cancelled=cancelled)


def is_compared_prepared(run: Run, view: View) -> bool:
    """Whether that is there already."""
    comparison = kept_comparison(run, view)
    if comparison is None:
        return False
    difference = comparison.difference
    sights = [side.sight for side in comparison.sides] if difference is None else [difference.sight]
    if view.picture == "arcs":
        return all(kept_edges(sight, view.threshold, comparison.scale) is not None for sight in sights)
    return all(kept_maps(sight) is not None for sight in sights)
