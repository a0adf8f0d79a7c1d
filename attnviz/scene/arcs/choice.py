"""Which weights of a sight get an arc. What was chosen stays with the sight: a picture of it in another size asks for the same."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from attnviz.analysis.edges import strongest_edges
from attnviz.errors import never

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.analysis.edges import Edges, Threshold
    from attnviz.engine.ops import Float32
    from attnviz.session.sight import Sight

# More lines than eyes can part; 12 to 15 us of painting each, so that a change of view is there within 50 ms (12 heads of 15
# tokens have 2,700, all of which are drawn when asked for). The picture says when it stops here.
_MOST_ARCS: Final = 2_700

# The newest choices of each sight, by threshold and scale; they go with it. One of 2,700 arcs has some 80 KB.
_KEPT: WeakKeyDictionary[Sight, dict[tuple[Threshold, float], Edges]] = WeakKeyDictionary()
_N_KEPT: Final = 8
_LOCK = Lock()  # made on one thread and asked for on another


def choose_edges(
    sight: Sight,
    threshold: Threshold,
    scale: float | None = None,
    sizes: Callable[[], Float32] | None = None,
    cancelled: Callable[[], bool] = never,
) -> Edges:
    """The arcs to draw, from unit to unit of the picture, `head` counting its maps: all that pass the threshold, or of too many
    the strongest of all and of each block of the text.

    scale: the weight of which a threshold by weight is a share, None for the sight's own; sizes: makes what stands for the weights
    of a sight that has signed ones, always the same. Raises Cancelled once `cancelled()` says so.
    """
    kept = kept_edges(sight, threshold, scale)
    if kept is not None:
        return kept
    scale = _scale(sight, scale)
    chosen = strongest_edges(
        sight.weights if sizes is None else sizes(),
        range(len(sight.heads)),
        [unit - sight.first_query for unit in sight.queries],
        sight.keys,
        threshold,
        _MOST_ARCS,
        sight.total,
        scale,
        sight.dimmed,
        cancelled,
    )
    made = replace(chosen, query=chosen.query + sight.first_query)
    with _LOCK:
        of_sight = _KEPT.setdefault(sight, {})
        of_sight[threshold, scale] = made
        while len(of_sight) > _N_KEPT:
            del of_sight[next(iter(of_sight))]
    return made


def kept_edges(sight: Sight, threshold: Threshold, scale: float | None = None) -> Edges | None:
    """The arcs that `choose_edges` would give, if they are chosen already."""
    with _LOCK:
        return _KEPT.get(sight, {}).get((threshold, _scale(sight, scale)))


def _scale(sight: Sight, scale: float | None) -> float:
    return sight.scale if scale is None else scale
