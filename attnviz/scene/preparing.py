"""What the picture of a run needs made beforehand, weights and what is chosen among them, and how much that is: so that a window
can have it made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.errors import never
from attnviz.scene.arcs.choice import choose_edges, kept_edges
from attnviz.scene.pictures import is_compared
from attnviz.session import preparing
from attnviz.session.sight import kept_sight, sight_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.trace import Trace
    from attnviz.session.run import Run
    from attnviz.session.view import View

# Weights among which arcs are chosen at once, within a frame or two: one head of 2,048 tokens has as many, 12 have them from 590
# tokens on. They take 25 ms where tokens look back alone; 8 heads of 2,048 tokens 190, of 4,096 tokens 730. The difference of two
# runs takes longer than a choice.
_TO_CHOOSE_AMONG: Final = 1 << 22
# Weights whose maps are made at once: one head of 4,096 tokens has as many, whose strongest rows and columns take 10 ms, so have 4
# heads of 2,048, whose rows in fours take 10 more; 8 heads of 4,096 tokens take 120.
_TO_MAP: Final = 1 << 24


def is_at_hand(run: Run, view: View) -> bool:
    """Whether the picture of a view can be built in the time of a glance, as what it needs is there or soon made."""
    sides = _sides(run, view)
    return all(preparing.is_at_hand(*side) for side in sides) and (
        view.picture in ("grid", "steps")
        or all(preparing.n_weight(*side) <= _most_at_once(view, len(sides)) for side in sides)
        or _is_prepared(run, view)
    )


def prepare(run: Run, view: View, cancelled: Callable[[], bool] = never) -> None:
    """Make what the picture of a view needs, on any thread, and keep it with the run. Raises Cancelled in the midst of it, once
    `cancelled()` says so, and InputError for want of memory."""
    for side in _sides(run, view):
        preparing.prepare(*side, cancelled)
    if is_compared(run, view):
        from attnviz.scene.compare.preparing import prepare_compared  # what few starts need

        prepare_compared(run, view, cancelled)
    elif view.picture == "arcs":
        choose_edges(sight_of(run.trace, view), view.threshold, cancelled=cancelled)
    elif view.picture == "matrix":
        from attnviz.scene.matrix.maps import maps_of

        maps_of(sight_of(run.trace, view), cancelled=cancelled)


def preparation_key(run: Run, view: View) -> tuple[object, ...]:
    """What the preparation of a picture depends on: what is made for two of one key is the same."""
    sides = [(trace, *preparing.preparation_key(trace, own)) for trace, own in _sides(run, view)]
    return (view.picture, view.threshold if view.picture == "arcs" else None, view.setting if len(sides) > 1 else None, *sides)


def _sides(run: Run, view: View) -> list[tuple[Trace, View]]:
    """The views whose weights the picture is made of, each with its trace."""
    if not is_compared(run, view):
        return [(run.trace, view)]
    from attnviz.session.comparison import views_of

    return list(zip((run.trace, run.against.trace), views_of(run, view), strict=True))


def _most_at_once(view: View, n_side: int) -> int:
    """The most weights of a side of which a picture is built in the time of a glance."""
    is_difference = n_side > 1 and view.setting == "difference"
    return _TO_MAP if view.picture == "matrix" and not is_difference else _TO_CHOOSE_AMONG


def _is_prepared(run: Run, view: View) -> bool:
    """Whether what arcs or a matrix take beside weights is there already."""
    if is_compared(run, view):
        from attnviz.scene.compare.preparing import is_compared_prepared

        return is_compared_prepared(run, view)
    sight = kept_sight(run.trace, view)
    if sight is None or view.picture == "arcs":
        return sight is not None and kept_edges(sight, view.threshold) is not None
    from attnviz.scene.matrix.maps import kept_maps

    return kept_maps(sight) is not None
