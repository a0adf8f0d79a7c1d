"""What a person's changes do to the attention of one layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.heads import hidden_keys
from attnviz.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.engine.changes import Changes
    from attnviz.engine.config import Kind, Looking
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected


@dataclass(frozen=True)
class LayerChange:
    """strengths: (head, factor on its output); uniform: heads that attend alike to all they may see; weights: (head, query, key,
    weight) set by hand; frozen: queries and keys whose attention is taken in place of the layer's own, None for its own."""

    strengths: tuple[tuple[int, float], ...] = ()
    uniform: tuple[int, ...] = ()
    weights: tuple[tuple[int, int, int, float], ...] = ()
    frozen: Projected | None = None

    def change(
        self, attention: Float32, sink: Float32 | None, n_query: int, n_key: int, look: Looking, rows: slice, keys: slice
    ) -> tuple[Float32, Float32 | None]:
        """Attention [head, query, key] of some rows on `keys`, all that they see, and the sinks' share [head, query], in place, as
        changed; rows sum to what they summed to, the sinks' share of a uniform head going to its keys.

        Raises InputError for a weight on a key that its query may not see, or on the only one that it sees.
        """
        queries = range(n_query)[rows]
        hidden = hidden_keys(n_query, n_key, look)
        if self.uniform:
            seen = np.ones(attention.shape[1:], np.float32) if hidden is None else (~hidden[rows, keys]).astype(np.float32)
            attention[list(self.uniform)] = seen / seen.sum(axis=1, keepdims=True)
            if sink is not None:
                sink[list(self.uniform)] = 0.0
        for head, query in dict.fromkeys((head, query) for head, query, _, _ in self.weights):
            if query in queries:
                at = query - queries.start
                chosen = {key: weight for h, q, key, weight in self.weights if (h, q) == (head, query)}
                visible = np.ones(n_key, bool) if hidden is None else ~hidden[query]
                for key in chosen:
                    if not visible[key]:
                        raise InputError(f"Token {query} cannot see token {key}; set another weight.")
                here = range(n_key)[keys]
                chosen = {here.index(key): weight for key, weight in chosen.items()}
                share = None if sink is None else sink[head, at : at + 1]
                _set_weights(attention[head, at], share, chosen, visible[keys], query)
        return attention, sink

    def of_heads(self, heads: Sequence[int], head_count: int) -> LayerChange:
        """What is changed in the attention of some heads, of so many, numbered in that order."""
        number = {head: at for at, head in enumerate(heads)}
        return LayerChange(
            uniform=tuple(number[head] for head in self.uniform if head in number),
            weights=tuple((number[head], *rest) for head, *rest in self.weights if head in number),
            frozen=None if self.frozen is None else self.frozen.of_heads(heads, head_count),
        )

    def strengthen(self, context: Float32, head_count: int) -> None:
        """Multiply the heads' outputs in place; context: [query, n_head·d_head]."""
        by_head = context.reshape(len(context), head_count, -1)
        for head, strength in self.strengths:
            if strength == 0.0:
                by_head[:, head] = 0.0  # a product would keep the signs of zeros and make NaN of infinity
            else:
                by_head[:, head] *= np.float32(strength)


def layer_change(changes: Changes, kind: Kind, layer: int, frozen: Projected | None) -> LayerChange | None:
    """What the changes are in one layer's attention; None for nothing. frozen: that attention in the run without changes."""
    here = (kind, layer)
    muted = sorted(at.head for at in changes.muted if at[:2] == here)
    strengths = {at.head: value for at, value in changes.strengths if at[:2] == here}
    if changes.muting != "uniform":
        strengths |= dict.fromkeys(muted, 0.0)
    change = LayerChange(
        strengths=tuple(sorted(strengths.items())),
        uniform=tuple(muted) if changes.muting == "uniform" else (),
        weights=tuple((at.head, at.query, at.key, value) for at, value in changes.weights if at[:2] == here),
        frozen=frozen if changes.is_frozen else None,
    )
    return None if change == LayerChange() else change


def _set_weights(row: Float32, sink: Float32 | None, chosen: dict[int, float], visible: NDArray[np.bool_], query: int) -> None:
    """Set weights of one row, [key], in place, and scale the others, the sink's share among them, to what that leaves."""
    keys = list(chosen)
    others = visible.copy()
    others[keys] = False
    left = max(0.0, 1.0 - sum(chosen.values()))
    before = float(row[others].sum(dtype=np.float64)) + (0.0 if sink is None else float(sink[0]))
    if before == 0.0 and not others.any() and left > 1e-6:
        raise InputError(
            f"Token {query} sees no other token that could take the rest of its attention; set the weights to sum to 1."
        )
    if before > 0.0:  # perhaps so little that the quotient is beyond float32
        row[others] = row[others] * np.float64(left / before)
        if sink is not None:
            sink[:] = sink * np.float64(left / before)
    elif others.any():  # all of the row was on the keys that are set
        row[others] = np.float32(left / others.sum())
    row[keys] = [chosen[key] for key in keys]
