"""The attention part of one layer: queries, keys and values of the tokens, and what the queries take from the values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.attention_blocks import Mixing
from attnviz.engine.heads import apply_attention
from attnviz.engine.products import apply, apply_each
from attnviz.engine.projected import Projected
from attnviz.engine.residual import normed
from attnviz.engine.rope import rotate
from attnviz.engine.watch import EVERY, Watch, unwatched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.config import Looking, Stack
    from attnviz.engine.layer_change import LayerChange
    from attnviz.engine.layers import AttentionWeights, Norm
    from attnviz.engine.ops import Float32
    from attnviz.engine.watch import Stage

    Keep = Callable[[Projected, Float32 | None, Float32 | None], None]

# What each side goes through: its projection, the norm of its heads, the turn by its positions.
_Q_STAGES: Final[tuple[Stage, Stage, Stage]] = ("q_projected", "q_normed", "q_turned")
_K_STAGES: Final[tuple[Stage, Stage, Stage]] = ("k_projected", "k_normed", "k_turned")


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

    def mixing(self, x: Float32, seen: Float32, head_count: int, is_whole: bool = True) -> Mixing:
        """What the tokens of x take from the tokens `seen`, which may be taken some tokens at a time; their queries, keys and
        values are made now. is_whole: whether their attention is wanted."""
        if self.past is None:
            projected, v = self._project(x, seen, unwatched)
            return Mixing(projected, v, head_count, EVERY, is_whole)
        projected = self._go_on(self.past, x, is_cross=seen is not x)
        return Mixing(projected, projected.v, head_count, slice(len(self.past.q), None), is_whole)

    def taken_in_many(self, x: Float32, rows: Sequence[slice], head_count: int, keep: Keep) -> Float32:
        """What the tokens of several texts take from their own text, [row, n_head·d_head]; rows: of each text, its rows of x.

        keep is called for each text in turn. The bias is that of the longest text: of a shorter one it is the same corner.
        """
        projected, v = self._project(x, x, unwatched)
        context = np.empty((len(x), self.stack.n_head * self.stack.d_head), np.float32)
        for one in rows:
            n = one.stop - one.start
            bias = None if self.bias is None else self.bias[:, :n, :n]
            own = replace(projected, q=projected.q[one], k=projected.k[one], bias=bias)
            mixing = Mixing(own, v[one], head_count)
            context[one] = mixing.take()
            keep(own, mixing.attention, mixing.sink)
        return context

    def output(self, context: Float32, head_count: int, watch: Watch = unwatched) -> Float32:
        """What the part adds to some tokens, [token, d_model], from what they have taken, [token, n_head·d_head], which is used
        up."""
        if self.change is not None and self.change.strengths:
            watch("mixed", context)
            self.change.strengthen(context, head_count)
        watch("concatenated", context)
        return apply(context, self.weights.out)

    def watched_output(self, x: Float32, seen: Float32, head_count: int, query: int, watch: Watch) -> Float32:
        """What the part adds to one token of x that looks at the tokens `seen`, [1, d_model], each step of it shown to `watch`."""
        projected, v = self._project(x, seen, watch)
        attention, _ = projected.block(head_count, range(query, query + 1), watch=watch)
        return self.output(apply_attention(attention, v, self.stack), head_count, watch)

    def values(self, seen: Float32) -> Float32:
        """The values of the tokens looked at, [key, n_kv_head·d_head]."""
        return apply(seen, self.weights.v)

    def _project(self, x: Float32, seen: Float32, watch: Watch) -> tuple[Projected, Float32]:
        """Queries and keys, and values."""
        weights, stack = self.weights, self.stack
        if seen is x:
            q, k, v = apply_each(x, (weights.q, weights.k, weights.v))
        else:
            q, (k, v) = apply(x, weights.q), apply_each(seen, (weights.k, weights.v))
        q = self._side(q, weights.q_norm, stack.n_head, _Q_STAGES, watch)
        k = self._side(k, weights.k_norm, stack.n_kv_head, _K_STAGES, watch)
        watch("values", v)
        return Projected(q, k, stack, self.look, self.bias, weights.sinks, self.change), v

    def _go_on(self, past: Projected, x: Float32, is_cross: bool) -> Projected:
        """Queries, keys and values of all tokens, made anew for those of x alone; in cross-attention the keys are as they were."""
        weights, stack = self.weights, self.stack
        k, v = past.k, past.v
        if is_cross:
            q = apply(x, weights.q)
        else:
            q, new_k, new_v = apply_each(x, (weights.q, weights.k, weights.v))
            k = np.concatenate([k, self._side(new_k, weights.k_norm, stack.n_kv_head, _K_STAGES, unwatched)])
            v = np.concatenate([v, new_v])
        q = np.concatenate([past.q, self._side(q, weights.q_norm, stack.n_head, _Q_STAGES, unwatched)])
        return Projected(q, k, stack, self.look, self.bias, weights.sinks, self.change, v)

    def _side(self, y: Float32, norm: Norm | None, n_head: int, stages: tuple[Stage, Stage, Stage], watch: Watch) -> Float32:
        """Queries or keys from their projection, [token, n_head·d_head], perhaps in place."""
        projected, with_norm, turned = stages
        watch(projected, y)
        if norm is not None:  # of each head's numbers, or of all heads' together, as wide as the norm is
            y = normed(y.reshape(-1, norm.scale.shape[0]), norm, self.stack).reshape(y.shape)
            watch(with_norm, y)
        if self.rope is not None:
            rotate(y, n_head, self.rope)
            watch(turned, y)
        return y
