"""All heads of all layers at once: each one's map made small, and three numbers that say what kind of head it is.

It is made layer by layer and holds no map in full: 32 layers of 32 heads take 4 MB, whatever the text's length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from attnviz.analysis.summary import HeadSummary, summarise
from attnviz.engine.threads import in_order, n_processor
from attnviz.errors import Cancelled, never
from attnviz.session.sight import Shares, frame_of, heads_of, is_one_map, kind_of
from attnviz.session.survey_layer import DIMMED, survey_layer

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.grid_choice import GridChoice
    from attnviz.session.sight import Sight
    from attnviz.session.survey_layer import LayerSurvey
    from attnviz.session.view import Quantity, View

# The finest a map is kept, so that all of them are some 4 MB: 64 up to 256 heads, 32 up to 1,024, 16 beyond.
_FINEST: Final = 64
_MOST_CELLS: Final = 1 << 20
_COARSEST: Final = 16
_SOON_READ: Final = 1 << 20  # weights that one thread reads in the time in which others would begin


@dataclass(frozen=True, eq=False)
class Survey:
    """What a grid of heads shows of a trace; each is equal to itself alone.

    heads: the head of each column, MEAN for one of several heads; maps: [layer, column, height, width] small maps of the weights
    of visible queries and keys, dimmed keys' at DIMMED of their strength; n_query, n_key: how many tokens or words those maps
    stand for; summary: its arrays are [layer, column]; shares: where the weight went, over all layers;
    scale: the largest weight that can be (1), or for norms the largest that there is in any layer; frame: what its layers have in
    common (see `frame_of`).
    """

    kind: Kind
    quantity: Quantity
    heads: tuple[int, ...]
    maps: Float32
    n_query: int
    n_key: int
    summary: HeadSummary
    shares: Shares
    scale: float
    frame: Sight

    @property
    def n_layer(self) -> int:
        """The number of layers, numbered from 0."""
        return self.maps.shape[0]


# The newest surveys of each trace, which go with it. Made on one thread and asked for on another.
_KEPT: WeakKeyDictionary[Trace, dict[tuple[object, ...], Survey]] = WeakKeyDictionary()
_N_KEPT = 3
_LOCK = Lock()


def _unwatched(done: int, total: int) -> None:
    """The progress of somebody who does not watch."""


def survey_of(
    trace: Trace,
    view: View,
    size: int | None = None,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = _unwatched,
) -> Survey:
    """All layers and heads of the view's kind of attention, whichever of them the view shows; with is_mean the mean of its shown
    heads, and with rollout theirs, one map a layer.

    size: the most cells along a side of a map, None for `finest_size`. progress(layers done, of how many) is called after each
    layer. May run on any thread, and uses others beside it where there is much to read. Raises Cancelled if `cancelled()` says so
    between two layers.
    """
    size = finest_size(trace, view) if size is None else size
    kept = kept_survey(trace, view, size)
    if kept is not None:
        return kept
    made = _make(trace, view, size, cancelled, progress)
    with _LOCK:
        surveys = _KEPT.setdefault(trace, {})
        while len(surveys) >= _N_KEPT:
            del surveys[next(iter(surveys))]
        surveys[survey_key(trace, view, size)] = made
    return made


def kept_survey(trace: Trace, view: View, size: int | None = None) -> Survey | None:
    """The survey that `survey_of` would give, if it is there already; None if it would have to be made."""
    size = finest_size(trace, view) if size is None else size
    with _LOCK:
        return _KEPT.get(trace, {}).get(survey_key(trace, view, size))


def finest_size(trace: Trace, view: View) -> int:
    """The most cells along a side of a map that keep all maps together small, whatever the text and the size of the window."""
    kind = kind_of(trace, view)
    has_one_map = is_one_map(trace, view)
    n_map = trace.n_layer_of(kind) * (1 if has_one_map else trace.head_count_of(kind))
    size = _FINEST
    while size > _COARSEST and n_map * size * size > _MOST_CELLS:
        size //= 2
    return size


def survey_view(trace: Trace, view: View, layer: int) -> View:
    """The view of one layer that a survey takes of it: all heads, or the one map of the shown ones."""
    return replace(view, layer=layer, heads=view.heads if is_one_map(trace, view) else None)


def chosen_values(survey: Survey, choice: GridChoice) -> Float32 | None:
    """The numbers that a choice puts on the heads, [layer, column]; None for no choice, or one that is not defined for them."""
    values = None if choice.summary is None else getattr(survey.summary, choice.summary)
    return None if values is None or np.isnan(values).all() else values


def summary_of(sight: Sight) -> HeadSummary:
    """The three numbers of each map of a sight, as its view treats the weights: what is hidden counts for the share on sinks alone,
    which is then that of the whole row, as in the line below every picture."""
    keys, is_one_text = list(sight.keys), sight.kind != "cross"
    positions = np.array([place.start for place in sight.units.places], np.intp)
    summary = summarise(
        sight.shown,
        np.zeros(len(keys), bool),
        positions[list(sight.queries)] if is_one_text else None,
        positions[keys] if is_one_text else None,
    )
    taken = sight.taken[:, sight.rows]
    return replace(summary, sink_share=taken.sum(-1) / np.float32(max(taken.shape[1], 1)))


def survey_key(trace: Trace, view: View, size: int | None = None) -> tuple[object, ...]:
    """What a survey depends on, besides the trace: two views of one key have the same survey."""
    heads = tuple(heads_of(trace, view)) if is_one_map(trace, view) else None
    size = finest_size(trace, view) if size is None else size
    return (kind_of(trace, view), size, heads, view.quantity, view.is_mean, view.words, view.sinks, view.between)


def _make(trace: Trace, view: View, size: int, cancelled: Callable[[], bool], progress: Callable[[int, int], None]) -> Survey:
    frame = frame_of(trace, survey_view(trace, view, 0))
    n_layer, layers = trace.n_layer_of(frame.kind), []
    for made in in_order(partial(_layer, trace, view, frame, size), n_layer, _n_worker(trace, frame)):
        if cancelled():
            raise Cancelled
        layers.append(made)
        progress(len(layers), n_layer)
    return Survey(
        kind=frame.kind,
        quantity=frame.quantity,
        heads=frame.heads,
        maps=np.stack([layer.maps for layer in layers]),
        n_query=len(frame.queries),
        n_key=len(frame.keys),
        summary=HeadSummary(*(np.stack([getattr(one.summary, name) for one in layers]) for name in vars(layers[0].summary))),
        shares=Shares(*(float(np.mean([getattr(one.shares, name) for one in layers])) for name in vars(layers[0].shares))),
        scale=max(layer.scale for layer in layers),
        frame=frame,
    )


def _layer(trace: Trace, view: View, frame: Sight, size: int, layer: int) -> LayerSurvey:
    return survey_layer(trace, survey_view(trace, view, layer), frame, size)


def _n_worker(trace: Trace, frame: Sight) -> int:
    """How many layers to read at one time. A rollout goes from layer to layer, and norms take a layer's memory several times."""
    n_weight = trace.head_count_of(frame.kind) * len(trace.queries(frame.kind)) * len(trace.keys(frame.kind))
    if frame.quantity != "attention" or n_weight * trace.n_layer_of(frame.kind) < _SOON_READ:
        return 1
    return n_processor()


def shown_weights(sight: Sight) -> Float32:
    """The weights of visible queries and keys, [map, query, key], those on dimmed keys at DIMMED of their strength."""
    weights = sight.shown
    dimmed = np.array([key in sight.dimmed for key in sight.keys], bool)
    return weights * np.where(dimmed, np.float32(DIMMED), np.float32(1)) if dimmed.any() else weights
