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
# tokens on. They take 25 ms where tokens look back alone; 8 heads of 2,048 tokens 190, of 4,096 tokens 730.
_TO_CHOOSE_AMONG: Final = 1 << 22


def is_at_hand(run: Run, view: View) -> bool:
    """Whether the picture of a view can be built in the time of a glance, as what it needs is there or soon made."""
    sides = _sides(run, view)
    if not all(preparing.is_at_hand(*side) for side in sides):
        return False
    if view.picture != "arcs" or all(preparing.n_weight(*side) <= _TO_CHOOSE_AMONG for side in sides):
        return True
    return _are_chosen(run, view)


def prepare(run: Run, view: View, cancelled: Callable[[], bool] = never) -> None:
    """Make what the picture of a view needs, on any thread, and keep it with the run. Raises Cancelled in the midst of it, once
    `cancelled()` says so, and InputError for want of memory."""
    for side in _sides(run, view):
        preparing.prepare(*side, cancelled)
    if view.picture != "arcs":
        return
    if not is_compared(run, view):
        choose_edges(sight_of(run.trace, view), view.threshold, cancelled=cancelled)
        return
    from attnviz.scene.compare.choice import choose_compared  # what few starts need

    choose_compared(run, view, cancelled)


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


def _are_chosen(run: Run, view: View) -> bool:
    """Whether the arcs of a view are chosen already."""
    if is_compared(run, view):
        from attnviz.scene.compare.choice import are_compared_chosen

        return are_compared_chosen(run, view)
    sight = kept_sight(run.trace, view)
    return sight is not None and kept_edges(sight, view.threshold) is not None
