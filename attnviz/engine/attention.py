"""The attention part of one layer: queries, keys and values of the tokens, and what the queries take from the values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.heads import apply_attention
from attnviz.engine.projected import Projected
from attnviz.engine.residual import apply, normed
from attnviz.engine.rope import rotate
from attnviz.engine.watch import EVERY, Watch, unwatched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.config import Looking, Stack
    from attnviz.engine.layer_change import LayerChange
    from attnviz.engine.layers import AttentionWeights, Linear, Norm
    from attnviz.engine.ops import Float32
    from attnviz.engine.watch import Stage

    Keep = Callable[[Projected, Float32, Float32 | None], None]

# What each side goes through: its projection, the norm of its heads, the turn by its positions.
_Q_STAGES: Final[tuple[Stage, Stage, Stage]] = ("q_projected", "q_normed", "q_turned")
_K_STAGES: Final[tuple[Stage, Stage, Stage]] = ("k_projected", "k_normed", "k_turned")


def unkept(projected: Projected, attention: Float32, sink: Float32 | None) -> None:
    """The keeping of somebody who keeps nothing."""


@dataclass(frozen=True)
class AttentionPart:
    """What the attention of one layer is made with; of cross-attention, a part that looks at other tokens than its own.

    rope: cosine and sine of each position's angles; bias: [n_head, 1 or query, key]; change: what a person has changed of it;
    past: of the tokens before those of a run that goes on from another one, which are then the last ones alone.
    """

    weights: AttentionWeights
    stack: Stack
    look: Looking
    rope: tuple[Float32, Float32] | None = None
    bias: Float32 | None = None
    change: LayerChange | None = None
    past: Projected | None = None

    def output(
        self,
        x: Float32,
        seen: Float32,
        head_count: int,
        keep: Keep = unkept,
        rows: slice = EVERY,
        watch: Watch = unwatched,
    ) -> Float32:
        """What the tokens of x take from the tokens `seen`, [token, d_model]; with rows those tokens of x alone.

        keep is called with the queries and keys of all tokens, and the attention and the sinks' share of the rows.
        """
        if self.past is None:
            projected, v = self._project(x, seen, watch), None
        else:
            projected = self._go_on(self.past, x, is_cross=seen is not x)
            v, rows = projected.v, slice(len(self.past.q), None)
        attention, sink = projected.attention(head_count, rows, watch)
        keep(projected, attention, sink)
        context = apply_attention(attention, self.values(seen, watch) if v is None else v, self.stack)
        if self.change is not None and self.change.strengths:
            watch("mixed", context)
            self.change.strengthen(context, head_count)
        watch("concatenated", context)
        return apply(context, self.weights.out)

    def output_of_many(self, x: Float32, rows: Sequence[slice], head_count: int, keep: Keep) -> Float32:
        """What the tokens of several texts take from their own text, [row, d_model]; rows: of each text, its rows of x.

        keep is called for each text in turn. The bias is that of the longest text: of a shorter one it is the same corner.
        """
        projected, v = self._project(x, x, unwatched), self.values(x, unwatched)
        context = np.empty((len(x), self.stack.n_head * self.stack.d_head), np.float32)
        for one in rows:
            n = one.stop - one.start
            bias = None if self.bias is None else self.bias[:, :n, :n]
            own = replace(projected, q=projected.q[one], k=projected.k[one], bias=bias)
            attention, sink = own.attention(head_count)
            keep(own, attention, sink)
            context[one] = apply_attention(attention, v[one], self.stack)
        if self.change is not None and self.change.strengths:
            self.change.strengthen(context, head_count)
        return apply(context, self.weights.out)

    def values(self, seen: Float32, watch: Watch = unwatched) -> Float32:
        """The values of the tokens looked at, [key, n_kv_head·d_head]."""
        v = apply(seen, self.weights.v)
        watch("values", v)
        return v

    def _project(self, x: Float32, seen: Float32, watch: Watch) -> Projected:
        weights, stack = self.weights, self.stack
        q = self._side(x, weights.q, weights.q_norm, stack.n_head, _Q_STAGES, watch)
        k = self._side(seen, weights.k, weights.k_norm, stack.n_kv_head, _K_STAGES, watch)
        return Projected(q, k, stack, self.look, self.bias, weights.sinks, self.change)

    def _go_on(self, past: Projected, x: Float32, is_cross: bool) -> Projected:
        """Queries, keys and values of all tokens, made anew for those of x alone; in cross-attention the keys are as they were."""
        weights, stack = self.weights, self.stack
        q = np.concatenate([past.q, self._side(x, weights.q, weights.q_norm, stack.n_head, _Q_STAGES, unwatched)])
        k, v = past.k, past.v
        if not is_cross:
            k = np.concatenate([k, self._side(x, weights.k, weights.k_norm, stack.n_kv_head, _K_STAGES, unwatched)])
            v = np.concatenate([v, self.values(x, unwatched)])
        return Projected(q, k, stack, self.look, self.bias, weights.sinks, self.change, v)

    def _side(
        self, x: Float32, weights: Linear, norm: Norm | None, n_head: int, stages: tuple[Stage, Stage, Stage], watch: Watch
    ) -> Float32:
        """Queries or keys: [token, d_model] -> [token, n_head·d_head]."""
        projected, with_norm, turned = stages
        y = apply(x, weights)
        watch(projected, y)
        if norm is not None:  # of each head's numbers, or of all heads' together, as wide as the norm is
            y = normed(y.reshape(-1, norm.scale.shape[0]), norm, self.stack).reshape(y.shape)
            watch(with_norm, y)
        if self.rope is not None:
            rotate(y, n_head, self.rope)
            watch(turned, y)
        return y
