"""What weights a picture shows, and how much they are to make: so that a window can have them made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.errors import never
from attnviz.session.sight import heads_of, is_one_map, kept_sight, kind_of, quantity_of, sight_key, sight_of
from attnviz.session.survey import kept_survey, survey_key, survey_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.trace import Trace
    from attnviz.session.view import View

# Weights that are made at once, in the time of a glance. A layer of 12 heads and 64 tokens has 50,000, one of 512 tokens 3 million
# (some 40 ms); a survey makes small maps of them and sums besides (6 layers of 12 heads and 64 tokens: 15 ms).
_OF_A_LAYER: Final = 1 << 22
_OF_ALL: Final = 1 << 20
_NORM: Final = 3  # what a norm costs in weights; its value vectors are computed


def is_at_hand(trace: Trace, view: View) -> bool:
    """Whether the weights that a picture shows are there, or made in the time of a glance."""
    if view.picture == "steps":  # of one token: some milliseconds at any length
        return True
    if view.picture == "grid":
        return kept_survey(trace, view) is not None or is_survey_at_hand(trace, view)
    n_layer = view.layer + 1 if quantity_of(trace, view) == "rollout" else 1
    return kept_sight(trace, view) is not None or n_layer * _of_a_layer(trace, view) <= _OF_A_LAYER


def is_survey_at_hand(trace: Trace, view: View) -> bool:
    """Whether going through the weights of all layers takes no longer than a glance."""
    return trace.n_layer_of(kind_of(trace, view)) * _of_a_layer(trace, view) <= _OF_ALL


def prepare(trace: Trace, view: View, cancelled: Callable[[], bool] = never) -> None:
    """Make the weights that the picture of a view shows, on any thread, and keep them with the trace. Raises Cancelled between two
    layers, once `cancelled()` says so, and InputError for want of memory."""
    if view.picture == "grid":
        survey_of(trace, view, cancelled=cancelled)
    else:
        sight_of(trace, view, cancelled)


def preparation_key(trace: Trace, view: View) -> tuple[object, ...]:
    """What the weights of a picture depend on, besides the trace."""
    return ("survey", *survey_key(trace, view)) if view.picture == "grid" else ("sight", *sight_key(trace, view))


def n_weight(trace: Trace, view: View) -> int:
    """How many weights the maps of a view have, of all tokens."""
    kind = kind_of(trace, view)
    n_map = 1 if is_one_map(trace, view) else len(heads_of(trace, view))
    return n_map * len(trace.queries(kind)) * len(trace.keys(kind))


def _of_a_layer(trace: Trace, view: View) -> int:
    """The weights of one layer of a trace, in what they cost to make."""
    kind = kind_of(trace, view)
    each = _NORM if view.quantity == "norms" else 1
    return each * trace.head_count_of(kind) * len(trace.queries(kind)) * len(trace.keys(kind))
