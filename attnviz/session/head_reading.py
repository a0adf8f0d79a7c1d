"""One head looked at closely: its map, its three numbers and its strongest pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from attnviz.session.sight import kind_of, sight_of
from attnviz.session.survey import shown_weights, summary_of
from attnviz.session.view import HeadChoice
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from attnviz.analysis.summary import HeadSummary
    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.sight import Sight
    from attnviz.session.view import View


@dataclass(frozen=True)
class Pair:
    """One token that looks at another: their texts, and the weight."""

    query: str
    key: str
    weight: float


@dataclass(frozen=True)
class HeadReading:
    """weights: [query, key] of visible tokens, dimmed keys' at a part of their strength; scale: the largest weight that can be, for
    norms the largest of this head; summary: arrays of one number each; pairs: strongest first."""

    layer: int
    head: int
    weights: Float32
    scale: float
    summary: HeadSummary
    pairs: tuple[Pair, ...]


def read_head(trace: Trace, view: View, layer: int, head: int, most: int = 5) -> HeadReading | None:
    """A head of a layer as the view treats it, with its `most` strongest pairs; MEAN for the one map of a mean or a rollout.

    None where there is nothing to see: no visible token, or the mean of no heads.
    """
    heads = view.heads if head == MEAN else HeadChoice(frozenset({head}), trace.head_count_of(kind_of(trace, view)))
    sight = sight_of(trace, replace(view, layer=layer, heads=heads))
    if not (len(sight.weights) and sight.queries and sight.keys):
        return None
    weights = shown_weights(sight)[0]
    return HeadReading(layer, head, weights, sight.scale, summary_of(sight), _strongest(sight, most))


def _strongest(sight: Sight, most: int) -> tuple[Pair, ...]:
    """The strongest pairs between visible tokens that are not dimmed."""
    keys = [key for key in sight.keys if key not in sight.dimmed]
    weights = sight.weights[0][np.ix_(sight.rows, keys)]
    flat = weights.ravel()
    most = min(most, flat.size)
    found = np.argpartition(flat, flat.size - most)[flat.size - most :] if most else np.empty(0, np.intp)
    found = found[np.lexsort((found, -flat[found]))]
    return tuple(
        Pair(
            sight.tokens[sight.queries[place // len(keys)]].shown,
            sight.tokens[keys[place % len(keys)]].shown,
            float(flat[place]),
        )
        for place in found.tolist()
        if flat[place] > 0
    )
