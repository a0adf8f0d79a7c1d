"""What a run keeps of one layer's attention: enough to make it again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.attention_blocks import Mixing
from attnviz.engine.heads import attend, per_head, repeat_heads, scale_of, split_heads
from attnviz.engine.positions import by_distance, distances
from attnviz.engine.watch import EVERY, Watch, unwatched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.config import Looking, Stack
    from attnviz.engine.layer_change import LayerChange
    from attnviz.engine.ops import Float32


@dataclass(frozen=True)
class Projected:
    """One layer's queries and keys, after position encoding, with how they look at each other.

    q: [query, n_head·d_head]; k: [key, n_kv_head·d_head]; bias: [n_head, 1 or query, key]; sinks: [n_head]; change: what a person
    has changed of it; v: [key, n_kv_head·d_head], the values, kept only by a run that goes on from another one.
    """

    q: Float32
    k: Float32
    stack: Stack
    look: Looking
    bias: Float32 | None = None
    sinks: Float32 | None = None
    change: LayerChange | None = None
    v: Float32 | None = None

    def attention(self, head_count: int, rows: slice = EVERY) -> tuple[Float32, Float32 | None]:
        """Attention [head, query, key] and the sinks' share [head, query], or None without sinks; rows: those queries alone."""
        mixing = Mixing(self, None, head_count, rows)
        mixing.take()
        return mixing.attention, mixing.sink

    @property
    def looked_at(self) -> Float32:
        """The keys that its attention is made with, [key, n_kv_head·d_head]."""
        frozen = None if self.change is None else self.change.frozen
        return self.k if frozen is None else frozen.looked_at

    def block(
        self,
        head_count: int,
        rows: range,
        keys: slice = EVERY,
        out: Float32 | None = None,
        watch: Watch = unwatched,
        columns: Float32 | None = None,
    ) -> tuple[Float32, Float32 | None]:
        """The attention of a few queries, [head, query, key], on `keys`, all that they may see, and their sinks' share; made by
        this thread alone. out: where the attention goes; columns: what `key_columns` makes of `looked_at`."""
        change, some = self.change, slice(rows.start, rows.stop)
        if change is None:
            return self._attend(head_count, some, watch, keys, out, columns)
        if change.frozen is None:
            attention, sink = self._attend(head_count, some, watch, keys, out, columns)
        else:
            if watch is not unwatched:
                self._attend(head_count, some, watch, keys)
            attention, sink = change.frozen.block(head_count, rows, keys, out, columns=columns)
        attention, sink = change.change(attention, sink, len(self.q), len(self.k), self.look, some, keys)
        watch("changed", attention)
        return attention, sink

    def of_heads(self, heads: Sequence[int], head_count: int) -> Projected:
        """The same of some of the heads that it is read with, in that order, as if the layer was trained with those alone."""
        stack, chosen = self.stack, list(heads)
        width = stack.n_head * stack.d_head // head_count
        if head_count == stack.n_head:  # the keys that several heads share are repeated for the chosen ones alone
            k = split_heads(self.k, stack.n_kv_head)[np.array(chosen, np.intp) * stack.n_kv_head // stack.n_head]
        else:
            k = split_heads(repeat_heads(self.k, stack), head_count)[chosen]
        return Projected(
            _side_by_side(split_heads(self.q, head_count)[chosen]),
            _side_by_side(k),
            replace(stack, n_head=len(chosen), n_kv_head=len(chosen), d_head=width),
            replace(self.look, scale=float(scale_of(stack, self.look, head_count))),
            None if self.bias is None else _bias_of_heads(self.bias, chosen, head_count),
            None if self.sinks is None else per_head(self.sinks, head_count)[chosen],
            None if self.change is None else self.change.of_heads(chosen, head_count),
        )

    def until(self, n: int, is_cross: bool) -> Projected:
        """The same of the first `n` queries alone, which in a causal model do not know those behind them."""
        keys = slice(None) if is_cross else slice(n)
        change = self.change
        if change is not None and change.frozen is not None:
            change = replace(change, frozen=change.frozen.until(n, is_cross))
        return replace(
            self,
            q=self.q[:n],
            k=self.k[keys],
            v=None if self.v is None else self.v[keys],
            bias=None if self.bias is None else self.bias[:, :n, keys],
            change=change,
        )

    def _attend(
        self,
        head_count: int,
        rows: slice,
        watch: Watch,
        keys: slice,
        out: Float32 | None = None,
        columns: Float32 | None = None,
    ) -> tuple[Float32, Float32 | None]:
        look, bias, sinks = self.look, self.bias, self.sinks
        return attend(self.q, self.k, self.stack, look, head_count, bias, sinks, rows, watch, keys, out, columns)


def _side_by_side(of_heads: Float32) -> Float32:
    """[head, token, width] -> [token, all heads' numbers]."""
    return of_heads.transpose(1, 0, 2).reshape(of_heads.shape[1], of_heads.shape[0] * of_heads.shape[2])


def _bias_of_heads(bias: Float32, heads: list[int], head_count: int) -> Float32:
    """The bias of some heads; of each pair of tokens a view, as `bias` is: a copy would be as large as the attention."""
    if bias.shape[1] == 1:
        return per_head(bias, head_count)[heads]
    return by_distance(per_head(distances(bias), head_count)[heads], bias.shape[1])
