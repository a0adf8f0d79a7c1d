"""The weights of some heads of one layer, by the quantity that a view asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from attnviz.analysis.norms import summed_norms, weighted_norms
from attnviz.analysis.rollout import rollout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.view import Quantity

# The number of a map that is no single head's.
MEAN: Final = -1


def weights_of(
    trace: Trace, kind: Kind, layer: int, heads: Sequence[int], quantity: Quantity, is_mean: bool
) -> tuple[Float32, Float32, Float32]:
    """The weights [map, query, key] of `heads`, one map each or their mean as one; what each row is shared out of, [map, query];
    and the part of it that goes to a learned sink, [map, query].

    attention: rows and the sink's part sum to 1. norms: of each head's weighted value vectors behind the output projection, for
    the mean the norm of their sum over the heads; a row is shared out of its own sum, and a learned sink has no vector.
    rollout: of all heads and layers up to this one, whatever heads are shown; rows sum to 1.
    """
    if quantity == "rollout":
        return _whole_rows(_rollout(trace, kind, layer)[None])
    attention = trace.attention(layer, kind)
    if not heads:
        none = attention[:0]
        return none, none.sum(-1), none.sum(-1)
    if quantity == "norms":
        chosen = list(heads)

        def values(keys: slice) -> Float32:
            return trace.value_vectors(layer, kind, keys)[chosen]

        d_model = trace.config.stack_of(kind).d_model
        if is_mean:
            return _whole_rows(summed_norms(attention[chosen], values, d_model)[None])
        return _whole_rows(weighted_norms(attention[chosen], values, d_model))
    learned = trace.sink(layer, kind)
    if is_mean:
        mean = attention[list(heads)].mean(axis=0, dtype=np.float32)[None]
        sink = learned[list(heads)].mean(axis=0, dtype=np.float32)[None]
        return mean, np.ones_like(sink), sink
    if len(heads) == attention.shape[0]:
        return attention, np.ones_like(learned), learned
    return attention[list(heads)], np.ones_like(learned[list(heads)]), learned[list(heads)]


# The last rollout of each trace: that of the next layer goes on from it. It goes with its trace.
_ROLLED: WeakKeyDictionary[Trace, tuple[Kind, int, Float32]] = WeakKeyDictionary()


def _rollout(trace: Trace, kind: Kind, layer: int) -> Float32:
    kept_kind, kept_layer, kept = _ROLLED.get(trace, (kind, -1, None))
    first, below = (kept_layer + 1, kept) if kept_kind == kind and kept_layer <= layer else (0, None)
    rolled = rollout((trace.attention(one, kind) for one in range(first, layer + 1)), len(trace.queries(kind)), below)
    _ROLLED[trace] = (kind, layer, rolled)
    return rolled


def _whole_rows(weights: Float32) -> tuple[Float32, Float32, Float32]:
    total = weights.sum(axis=-1)
    return weights, total, np.zeros_like(total)
