"""How two runs spread their attention, in numbers that can be set beside each other: a layer's, and the mean over all layers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal
from weakref import WeakKeyDictionary

import numpy as np

from attnviz.analysis.focus import distinct_targets, largest_share
from attnviz.errors import Cancelled, never
from attnviz.session.sight import heads_of, kind_of, make_sight, quantity_of
from attnviz.session.survey import summary_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View

MeasureName = Literal["heads", "entropy", "distinct_targets", "largest_weight", "distance", "sink_share", "cosine_to_trained"]

# As a person reads them, in the order they stand in.
MEASURE_NAMES: Final[dict[MeasureName, str]] = {
    "heads": "heads",
    "entropy": "entropy of a row, nats",
    "distinct_targets": "distinct targets per token",
    "largest_weight": "largest weight of a row",
    "distance": "distance to the keys, tokens",
    "sink_share": "share on sinks",
    "cosine_to_trained": "cosine of the output to the trained run",
}


@dataclass(frozen=True)
class Measure:
    """One number of two runs. layer: A's and B's in the view's layer; mean: over all layers; NaN where it is not defined."""

    name: MeasureName
    layer: tuple[float, float]
    mean: tuple[float, float]

    @property
    def is_of_layer(self) -> bool:
        """Whether a layer has it by itself, on either side."""
        return any(value == value for value in self.layer)  # NaN is none

    @property
    def text(self) -> str:
        """What it is, as a person reads it."""
        return MEASURE_NAMES[self.name]

    def written(self, value: float) -> str:
        """One of its values with its unit; a dash where it is not defined."""
        if np.isnan(value):
            return "\N{EN DASH}"
        if self.name == "heads":
            return f"{value:.0f}"
        if self.name == "sink_share":
            return f"{100 * value:.0f} %"
        # A muted head of many turns the output little: enough digits to tell it from 1.
        is_nearly_one = self.name == "cosine_to_trained" and value < 1.0
        digits = next((n for n in range(2, 6) if round(value, n) < 1.0), 2) if is_nearly_one else 2
        return f"{value:.{digits}f}"


@dataclass(frozen=True)
class LayerMeasures:
    """The measures of each layer of one run, [layer] each, means over the shown heads and over the visible tokens that look.

    entropy, distance: of the shown weights of a row, each by its share of their sum (analysis/summary.py; after Vig & Belinkov
    2019); distinct_targets: to how many different tokens the heads' largest shown weights go; largest_weight: the largest shown
    weight of a row, a head's confidence in Voita et al. 2019 ("Analyzing Multi-Head Self-Attention", section 4, where [EOS] is
    left out); sink_share: of the whole row.
    """

    entropy: Float32
    distinct_targets: Float32
    largest_weight: Float32
    distance: Float32
    sink_share: Float32


def measures(run: Run, view: View, cancelled: Callable[[], bool] = never) -> tuple[Measure, ...]:
    """All measures of a run that is compared with another, and of that one.

    They are of the heads that the view shows, one by one even where it shows their mean, with sinks, words and texts treated as it
    says: with special tokens hidden, only what goes to the others counts, but for the share on sinks. A run that has fewer layers
    than the view's has its last for it. `heads`: how many are shown; `cosine_to_trained`, where either run is a what-if: the mean
    over tokens of that of the final vectors, which is the whole run's and no layer's. Raises Cancelled between two layers, once
    `cancelled()` says so.
    """
    assert run.against is not None
    sides = (run, run.against)
    by_layer = [measures_by_layer(side.trace, view, cancelled) for side in sides]
    n_head = tuple(float(len(heads_of(side.trace, view))) for side in sides)
    found = [Measure("heads", n_head, n_head)]
    for field in fields(LayerMeasures):
        values = [getattr(one, field.name) for one in by_layer]
        of_layer = tuple(float(one[min(view.layer, len(one) - 1)]) for one in values)
        found.append(Measure(field.name, of_layer, tuple(float(one.mean(dtype=np.float64)) for one in values)))
    if any(side.trace.is_what_if for side in sides):
        cosines = tuple(side.cosine_to_trained for side in sides)
        found.append(Measure("cosine_to_trained", (float("nan"), float("nan")), cosines))
    return tuple(found)


# The newest measures of each trace, which go with it: a figure's preview asks for them again and again.
_KEPT: WeakKeyDictionary[Trace, dict[tuple[object, ...], LayerMeasures]] = WeakKeyDictionary()
_N_KEPT = 4
_LOCK = Lock()


def measures_by_layer(trace: Trace, view: View, cancelled: Callable[[], bool] = never) -> LayerMeasures:
    """The measures of all layers of a run, made layer by layer and kept with it. May run on any thread."""
    kept = _kept(trace, view)
    if kept is not None:
        return kept
    key, kind, view = _key(trace, view), kind_of(trace, view), replace(view, is_mean=False)
    rows = []
    for layer in range(trace.n_layer_of(kind)):
        if cancelled():
            raise Cancelled
        rows.append(_measure(make_sight(trace, replace(view, layer=layer))))
    made = LayerMeasures(*np.array(rows, np.float32).T)
    with _LOCK:
        kept_here = _KEPT.setdefault(trace, {})
        while len(kept_here) >= _N_KEPT:
            del kept_here[next(iter(kept_here))]
        kept_here[key] = made
    return made


def are_kept(run: Run, view: View) -> bool:
    """Whether `measures` has all that it needs, whatever the view's layer."""
    return run.against is not None and all(_kept(side.trace, view) is not None for side in (run, run.against))


def _kept(trace: Trace, view: View) -> LayerMeasures | None:
    with _LOCK:
        return _KEPT.get(trace, {}).get(_key(trace, view))


def _key(trace: Trace, view: View) -> tuple[object, ...]:
    """What the measures of all layers depend on, besides the trace."""
    return (kind_of(trace, view), *heads_of(trace, view), quantity_of(trace, view), view.words, view.sinks, view.between)


def _measure(sight: Sight) -> tuple[float, ...]:
    """The measures of one layer, in the order of LayerMeasures; NaN for all where no head or no token is shown."""
    if not (sight.weights.shape[0] and sight.queries and sight.keys):
        return (float("nan"),) * len(fields(LayerMeasures))
    summary, targets = summary_of(sight), distinct_targets(sight.shown)
    seeing = targets[targets > 0]
    return (
        float(summary.entropy.mean()),
        float(seeing.mean()) if seeing.size else 0.0,
        largest_share(sight.shown),
        float(summary.distance.mean()),
        float(summary.sink_share.mean()),
    )
