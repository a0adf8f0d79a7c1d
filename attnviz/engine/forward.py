"""The forward pass: tokens -> embeddings -> (attention, projection, feed-forward) per layer -> context-aware vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.attention import AttentionPart
from attnviz.engine.by_rows import in_rows, rows_of_each
from attnviz.engine.layers import Linear, n_number
from attnviz.engine.ops import ACTIVATIONS, Float32, layer_norm, times_sigmoid
from attnviz.engine.positions import alibi, bucket_bias
from attnviz.engine.products import apply, in_columns, multiply
from attnviz.engine.residual import add_part, added, normed
from attnviz.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from attnviz.engine.config import Looking, ModelConfig, Stack
    from attnviz.engine.layer_change import LayerChange
    from attnviz.engine.layers import AttentionWeights, FeedForward, Head, Layer, Norms, StackWeights
    from attnviz.engine.projected import Projected
    from attnviz.engine.rope import Rope
    from attnviz.engine.tokenizer import Encoding

# Rows of the output matrix that are converted at one time.
OUTPUT_ROWS = 1 << 14


@dataclass(frozen=True)
class Beginning:
    """Where a pass begins, and with what.

    layer: the first one that is computed; n_past: tokens whose vectors are there already, so that those of a pass are the ones
    behind them; change(is_cross, layer): what a person has changed of an attention; past(is_cross, layer, weights, norms): of an
    attention, what the tokens before left behind, with their values.
    """

    layer: int = 0
    n_past: int = 0
    change: Callable[[bool, int], LayerChange | None] = lambda is_cross, layer: None
    past: Callable[[bool, int, AttentionWeights, Norms], Projected] | None = None


class Pass:
    """One text's way through one stack of layers. keep(is_cross, entering, projected, attention, sink) is called for each
    attention made, with the vectors that enter its part, which nothing changes any more; step() after each layer; encoded: for a
    decoder that looks at an encoder's final vectors, [token, d_model]; rows: of several texts at once, each one's rows, for each of
    which in turn keep is called with its own attention and with what enters of all; is_whole: whether keep is to get the attention
    of a text that is run alone, which then takes memory, and else None."""

    def __init__(
        self,
        stack: Stack,
        weights: StackWeights,
        head_count: int,
        keep: Callable[[bool, Float32, Projected, Float32 | None, Float32 | None], None],
        step: Callable[[], None],
        cancelled: Callable[[], bool],
        encoded: Float32 | None = None,
        beginning: Beginning | None = None,
        rows: Sequence[slice] | None = None,
        is_whole: bool = True,
    ) -> None:
        self._stack = stack
        self._weights = weights
        self._head_count = head_count
        self._keep = keep
        self._step = step
        self._cancelled = cancelled
        self._encoded = encoded
        self._beginning = beginning or Beginning()
        self._rows = rows
        self._is_whole = is_whole

    def run(self, x: Float32) -> Float32:
        """The token vectors after the last layer, before the final norm, [token, d_model]; x: those before the first layer that is
        computed, of the tokens that are.

        Raises Cancelled between layers once `cancelled()` says so.
        """
        begin = self._beginning
        n = begin.n_past + x.shape[0] if self._rows is None else max(rows.stop - rows.start for rows in self._rows)
        bias = self._bias(n)
        ropes = {look.rope: self._turns(look.rope, n) for look in self._stack.looks if look.rope}
        for number in range(begin.layer, self._stack.n_layer):
            if self._cancelled():
                raise Cancelled
            look = self._stack.looks[number]
            # No name holds the layer: two at one time would be one too many for a model whose layers just fit.
            x = self._layer(x, self._weights.layer(number), number, look, ropes.get(look.rope), bias)
            self._step()
        return x

    def final(self, x: Float32) -> Float32:
        """The final norm and projection of what left the last layer, [token, width], or the same vectors without any."""
        x = normed(x, self._weights.final_norm, self._stack)
        return x if self._weights.final_projection is None else apply(x, self._weights.final_projection)

    def _layer(
        self, x: Float32, layer: Layer, number: int, look: Looking, rope: tuple[Float32, Float32] | None, bias: Float32 | None
    ) -> Float32:
        def go_on(y: Float32, x: Float32, inner: Float32) -> Float32:
            return added(y, x, inner, layer.attention_norms, self._stack)

        end = partial(self._end, layer, number)
        own = self._part(False, number, layer.attention, layer.attention_norms, look, rope, bias)
        if layer.cross is None:
            return self._attend(False, own, layer.attention_norms, x, end, layer)
        x = self._attend(False, own, layer.attention_norms, x, go_on)
        look = replace(self._stack.looks[0], is_causal=False, reach=None, rope=None)
        cross = self._part(True, number, layer.cross, layer.cross_norms, look)
        return self._attend(True, cross, layer.cross_norms, x, end, layer)

    def _end(self, layer: Layer, number: int, y: Float32, x: Float32, inner: Float32) -> Float32:
        """What leaves a layer, of some tokens, from what its last attention adds to x; inner: what that read."""
        stack = self._stack

        def think(y: Float32) -> Float32:
            if layer.router is not None:
                return self._experts(y, layer.router, number)
            return self._feed_forward(y, layer.feed_forward)

        if stack.is_parallel:
            thought = think(normed(x, layer.feed_forward_norms.before, stack))
            thought += y
            thought += x
            return thought
        norms = layer.attention_norms if layer.cross is None else layer.cross_norms
        return add_part(added(y, x, inner, norms, stack), think, layer.feed_forward_norms, stack)

    def _part(
        self,
        is_cross: bool,
        number: int,
        weights: AttentionWeights,
        norms: Norms,
        look: Looking,
        rope: tuple[Float32, Float32] | None = None,
        bias: Float32 | None = None,
    ) -> AttentionPart:
        """One attention of a layer: what the tokens take from one another, or from the encoder's."""
        begin = self._beginning
        past = None if begin.past is None else begin.past(is_cross, number, weights, norms)
        return AttentionPart(weights, self._stack, look, rope, bias, begin.change(is_cross, number), past)

    def _attend(
        self,
        is_cross: bool,
        part: AttentionPart,
        norms: Norms,
        x: Float32,
        then: Callable[[Float32, Float32, Float32], Float32],
        ended: Layer | None = None,
    ) -> Float32:
        """One attention and what follows it, [token, d_model]. then: that, called with what the attention adds, x, and x behind the
        norm before it, of some tokens; ended: the layer that it ends, if it does."""
        n, head_count, keep = len(x), self._head_count, partial(self._keep, is_cross, x)
        inner = normed(x, norms.before, self._stack)
        if self._rows is None:
            mixing = part.mixing(inner, self._encoded if is_cross else inner, head_count, self._is_whole)
            take, grain = mixing.take, mixing.grain
        else:
            take, grain = part.taken_in_many(inner, self._rows, head_count, keep).__getitem__, 1

        def costs() -> NDArray[np.int64]:
            of_a_row = n_number(part.weights.out) + (0 if ended is None else n_number(ended.feed_forward))
            return np.full(n, of_a_row) + (mixing.costs if self._rows is None else 0)

        def of_some(rows: slice) -> Float32:
            return then(part.output(take(rows), head_count), x[rows], inner[rows])

        # Each expert is read once, for all tokens that it gets.
        has_experts = ended is not None and ended.router is not None
        made = in_rows(of_some, [slice(0, n)] if has_experts else rows_of_each(n, self._stack.d_model, grain, costs))
        if self._rows is None:
            keep(mixing.projected, mixing.attention, mixing.sink)
        return made

    def _feed_forward(self, x: Float32, weights: FeedForward) -> Float32:
        """[token, d_model] -> [token, d_model]. Processors that share it take some of the inner numbers each, from the first
        product to what these give in the last, and meet at the sum. Source: Shoeybi et al. 2019 (Megatron-LM), section 3."""
        down, width = weights.down, weights.up.weight.shape[1]

        def part(columns: slice) -> Float32:
            return apply(self._think(x, weights, columns), Linear(down.weight[columns]))

        first, *others = in_columns(x, width, part, 2 if weights.gate is None else 3)
        for one in others:
            first += one
        if down.bias is not None:
            first += down.bias
        return first

    def _think(self, x: Float32, weights: FeedForward, columns: slice) -> Float32:
        """Some columns of what goes into the feed-forward part's last product."""
        activate = ACTIVATIONS[self._stack.activation]
        inner = np.empty((len(x), columns.stop - columns.start), np.float32)
        if weights.gate is None:
            multiply(x, weights.up, columns, inner)
            return activate(inner)
        up = np.empty(inner.shape, np.float32)
        multiply(x, weights.gate, columns, inner)
        multiply(x, weights.up, columns, up)
        limit = self._stack.gate_limit
        if limit is None:
            activate(inner)
        else:  # gpt-oss: both are clamped, and the gate opens on up + 1
            np.minimum(inner, np.float32(limit), out=inner)
            np.clip(up, -limit, limit, out=up)
            up += 1.0
            times_sigmoid(inner, self._stack.gate_slope)
        inner *= up
        return inner

    def _experts(self, x: Float32, router: Linear, layer: int) -> Float32:
        """Each token through its highest-scored experts, weighted by the softmax of those scores. Source: Jiang et al. 2024
        (Mixtral), section 2.1."""
        scores = apply(x, router)
        chosen = np.argsort(-scores, axis=1, kind="stable")[:, : self._stack.experts.n_used]  # [token, use]
        weights = np.take_along_axis(scores, chosen, axis=1)
        weights = np.exp(weights - weights.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        y = np.zeros_like(x)
        for expert in np.unique(chosen):
            if self._cancelled():
                raise Cancelled
            tokens, uses = np.nonzero(chosen == expert)
            thought = self._feed_forward(x[tokens], self._weights.expert(layer, int(expert)))
            y[tokens] += thought * weights[tokens, uses][:, None]
        return y

    def _turns(self, rope: Rope, n: int) -> tuple[Float32, Float32]:
        """Cosine and sine of the angles of all rows' positions; n: the length of the text, or of the longest one."""
        if self._rows is None:
            cos, sin = rope.table(n)
            return cos[self._beginning.n_past :], sin[self._beginning.n_past :]
        tables = {length: rope.table(length) for length in {rows.stop - rows.start for rows in self._rows}}
        parts = [tables[rows.stop - rows.start] for rows in self._rows]
        return np.concatenate([cos for cos, _ in parts]), np.concatenate([sin for _, sin in parts])

    def _bias(self, n: int) -> Float32 | None:
        if self._stack.has_alibi:
            return alibi(self._stack.n_head, n)
        if self._stack.buckets is not None:
            return bucket_bias(self._weights.bucket_table, self._stack.buckets, n, self._stack.looks[0].is_causal)
        return None


def embed(config: ModelConfig, stack: Stack, weights: StackWeights, encoding: Encoding) -> Float32:
    """The vectors that enter the first layer: word + position + segment, normalised and projected, [token, d_model]."""
    parts = weights.embeddings
    x = parts.word.rows(encoding.ids)
    if config.embedding_scale != 1.0:
        x *= np.float32(config.embedding_scale)
    if parts.word_projection is not None:
        x = apply(x, parts.word_projection)
    if parts.position is not None:
        x += parts.position.rows(_positions(config, encoding.ids))
    if parts.segment is not None:
        x += parts.segment.rows(encoding.segments)
    if parts.norm is not None:
        x = normed(x, parts.norm, stack)
    return x if parts.projection is None else apply(x, parts.projection)


def predict(config: ModelConfig, head: Head, hidden: Float32) -> Float32:
    """Logits, [token, n_vocab], from final vectors [token, width]; the output matrix is read in blocks of rows."""
    x = hidden
    if head.transform is not None:
        x = ACTIVATIONS[config.head_activation](apply(x, head.transform))
    if head.norm is not None:
        x = layer_norm(x, head.norm.scale, head.norm.shift, config.stack.norm_eps)
    if config.logit_scale != 1.0:
        x = x * np.float32(config.logit_scale)
    n_vocab = head.output.shape[0]
    logits = np.empty((x.shape[0], n_vocab), np.float32)
    for start in range(0, n_vocab, OUTPUT_ROWS):
        rows = slice(start, start + OUTPUT_ROWS)
        _predict_some(x, Linear(head.output.rows(rows).T), logits[:, rows])
    if head.bias is not None:
        logits += head.bias
    if config.logit_cap is not None:
        logits /= np.float32(config.logit_cap)
        np.tanh(logits, out=logits)
        logits *= np.float32(config.logit_cap)
    return logits


def _predict_some(x: Float32, weights: Linear, out: Float32) -> None:
    """The logits of some tokens of the vocabulary, which nobody holds the weights of when the next ones are read."""

    def part(columns: slice) -> None:
        multiply(x, weights, columns, out[:, columns])

    in_columns(x, out.shape[1], part)


def _positions(config: ModelConfig, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of each token's position. RoBERTa leaves out tokens that are the padding, and gives them its row."""
    if config.padding_id is None:
        return np.arange(len(ids)) + config.first_position
    is_text = ids != config.padding_id
    return np.cumsum(is_text) * is_text + config.padding_id
