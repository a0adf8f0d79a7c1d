"""Finding the heads that look from one token at another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attnviz.session.sight import kind_of
from attnviz.session.units import units_of

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.view import Arc, View


@dataclass(frozen=True)
class FoundHead:
    """A head with its attention weight for a pair, 0 to 1."""

    layer: int
    head: int
    weight: float


@dataclass(frozen=True)
class Pair:
    """A query and a key as a view shows them, words where it merges their pieces. weights: [layer, head], the attention itself,
    whatever quantity the view shows; of words what goes to the key's pieces summed, what comes from the query's averaged."""

    query: str
    key: str
    weights: Float32
    is_one_token_each: bool

    def heads(self) -> tuple[FoundHead, ...]:
        """All heads of all layers, the strongest first."""
        order = np.argsort(-self.weights, axis=None, kind="stable")
        places = zip(*np.unravel_index(order, self.weights.shape), strict=True)
        return tuple(FoundHead(int(layer), int(head), float(self.weights[layer, head])) for layer, head in places)


def pair_of(trace: Trace, view: View, arc: Arc) -> Pair | None:
    """What all heads have for a pair of tokens; None for a pair that cannot look at each other in the view's kind of attention."""
    kind = kind_of(trace, view)
    units = units_of(trace, kind, view.words)
    query, key = units.unit_at(arc.query), units.unit_at(arc.key)
    if query is None or key is None or query < units.first_query or key >= units.n_key:
        return None
    rows, columns = units.query_groups[query - units.first_query], units.key_groups[key]
    weights = np.stack(
        [
            np.mean(
                [trace.attention_row(layer, row, kind)[:, columns.start : columns.stop].sum(axis=1) for row in rows],
                axis=0,
                dtype=np.float32,
            )
            for layer in range(trace.n_layer_of(kind))
        ]
    )
    is_one = len(rows) == 1 and len(columns) == 1
    return Pair(units.tokens[query].shown, units.tokens[key].shown, weights, is_one)
