"""The weights of some heads of one layer, by the quantity that a view asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from attnviz.analysis.norms import summed_norms, weighted_norms
from attnviz.analysis.places import as_slice
from attnviz.analysis.rollout import rollout
from attnviz.engine.needs import attention_fits
from attnviz.errors import Cancelled, never

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.view import Quantity

# The number of a map that is no single head's.
MEAN: Final = -1


def weights_of(
    trace: Trace,
    kind: Kind,
    layer: int,
    heads: Sequence[int],
    quantity: Quantity,
    is_mean: bool,
    cancelled: Callable[[], bool] = never,
) -> tuple[Float32, Float32, Float32]:
    """The weights [map, query, key] of `heads`, one map each or their mean as one; what each row is shared out of, [map, query];
    and the part of it that goes to a learned sink, [map, query]. No heads give no map.

    attention: rows and the sink's part sum to 1. norms: of each head's weighted value vectors behind the output projection, for
    the mean the norm of their sum over the heads; a row is shared out of its own sum, and a learned sink has no vector.
    rollout: one map, of the mean of these heads in all layers up to this one; rows sum to 1. Raises Cancelled between two of them.
    """
    chosen = list(heads)
    if not chosen:
        return _whole_rows(trace.attention_of_heads(layer, (), kind))
    if quantity == "rollout":
        return _whole_rows(_rollout(trace, kind, layer, tuple(chosen), cancelled)[None])
    attention = _attention(trace, kind, layer, chosen)
    if quantity == "norms":
        d_model = trace.config.stack_of(kind).d_model

        def values(keys: slice) -> Float32:
            return trace.value_vectors(layer, kind, keys, chosen)

        norms = summed_norms(attention, values, d_model)[None] if is_mean else weighted_norms(attention, values, d_model)
        return _whole_rows(norms)
    learned = trace.sink(layer, kind)[chosen]
    if is_mean:
        attention, learned = (part.mean(axis=0, dtype=np.float32)[None] for part in (attention, learned))
    return attention, np.ones_like(learned), learned


def keeps_attention(trace: Trace, kind: Kind) -> bool:
    """Whether a trace has room for the attention of all layers."""
    n_query, n_key = len(trace.queries(kind)), len(trace.keys(kind))
    return attention_fits({kind: (trace.n_layer_of(kind), trace.head_count_of(kind), n_query, n_key)})


def _attention(trace: Trace, kind: Kind, layer: int, heads: list[int]) -> Float32:
    """The attention of some heads, made for them alone of a text of thousands of tokens, where a head takes tens of megabytes."""
    if len(heads) == trace.head_count_of(kind):
        return trace.attention(layer, kind)
    return trace.attention(layer, kind)[heads] if keeps_attention(trace, kind) else trace.attention_of_heads(layer, heads, kind)


# The last rollout of each trace: that of the next layer goes on from it. It goes with its trace.
_ROLLED: WeakKeyDictionary[Trace, tuple[tuple[Kind, tuple[int, ...]], int, Float32]] = WeakKeyDictionary()


def _rollout(trace: Trace, kind: Kind, layer: int, heads: tuple[int, ...], cancelled: Callable[[], bool]) -> Float32:
    what, reached, below = _ROLLED.get(trace, (None, -1, None))
    if what != (kind, heads) or reached > layer:
        reached, below = -1, None

    def picked(one: int) -> Float32:
        if cancelled():
            raise Cancelled
        return trace.attention(one, kind)[as_slice(heads)]  # of all heads no copy, which would hold the interpreter's lock

    rolled = rollout(map(picked, range(reached + 1, layer + 1)), len(trace.queries(kind)), below)
    _ROLLED[trace] = ((kind, heads), layer, rolled)
    return rolled


def _whole_rows(weights: Float32) -> tuple[Float32, Float32, Float32]:
    total = weights.sum(axis=-1)
    return weights, total, np.zeros_like(total)
