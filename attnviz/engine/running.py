"""Running a text through a model's stacks, and taking over from an earlier run what is the same in both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.attended import Attended
from attnviz.engine.changes import differing_layers
from attnviz.engine.forward import Beginning, Pass, embed
from attnviz.engine.layer_change import layer_change
from attnviz.engine.positions import places_stay
from attnviz.engine.residual import apply, normed

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.config import Kind, ModelConfig, Stack
    from attnviz.engine.layer_change import LayerChange
    from attnviz.engine.layers import AttentionWeights, Norms, StackWeights, Weights
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected
    from attnviz.engine.tokenizer import Encoding
    from attnviz.engine.trace import Trace


@dataclass(frozen=True)
class Side:
    """One stack with the tokens that it reads. kinds: the attentions that it leaves behind; head_count: what it runs with."""

    stack: Stack
    weights: StackWeights
    tokens: Encoding
    kinds: tuple[Kind, ...]
    head_count: int


@dataclass(frozen=True)
class Start:
    """How much of a side is taken over from an earlier run: its first layers of all tokens, or all layers of its first tokens."""

    n_layer: int = 0
    n_token: int = 0


def sides_of(trace: Trace, weights: Weights) -> list[Side]:
    """The stacks that a trace is made by, in their order."""
    config = trace.config
    what_if = None if trace.head_count == config.n_head else trace.head_count  # else each side as it was trained
    sides = [Side(config.stack, weights.stack, trace.encoding, config.kinds[:1], what_if or config.n_head)]
    if config.decoder is not None:
        heads = what_if or config.decoder.n_head
        sides.append(Side(config.decoder, weights.decoder, trace.decoder_encoding, ("decoder", "cross"), heads))
    return sides


def sizes_of(trace: Trace, sides: list[Side]) -> dict[Kind, tuple[int, int, int, int]]:
    """Of each kind of attention its layers, heads, queries and keys."""
    return {
        kind: (side.stack.n_layer, side.head_count, len(side.tokens.tokens), len(trace.keys(kind)))
        for side in sides
        for kind in side.kinds
    }


def starts_of(trace: Trace, sides: list[Side], like: Trace | None) -> list[Start]:
    """What of each side an earlier run has already: for the same tokens the layers below the first difference; for a causal model
    that reads on, the vectors of its first tokens."""
    if like is None or like.config is not trace.config or like.head_count != trace.head_count:
        return [Start() for _ in sides]
    first = differing_layers(trace.changes, like.changes)
    starts: list[Start] = []
    for side in sides:
        is_decoder = side.kinds != trace.kinds[:1]
        encoder_is_same = not is_decoder or starts[0].n_layer == sides[0].stack.n_layer
        before = like.decoder_encoding if is_decoder else like.encoding
        differs = [first[kind] for kind in side.kinds if kind in first]
        starts.append(_start(trace.config, side, before, differs) if encoder_is_same else Start())
    return starts


def _start(config: ModelConfig, side: Side, before: Encoding, differs: list[int]) -> Start:
    own, other = side.tokens, before
    n = len(other.tokens)
    if not (np.array_equal(own.ids[:n], other.ids) and np.array_equal(own.segments[:n], other.segments)):
        return Start()
    if len(own.tokens) == n:
        return Start(n_layer=min(differs, default=side.stack.n_layer))
    reads_on = side.stack.looks[0].is_causal and not differs and places_stay(side.stack, n, len(own.tokens))
    return Start(n_token=n) if reads_on and config.padding_id is None else Start()


def run_side(
    trace: Trace,
    side: Side,
    start: Start,
    like: Trace | None,
    encoded: Float32 | None,
    step: Callable[[], None],
    cancelled: Callable[[], bool],
) -> Float32:
    """The final vectors of one side, [token, width]; what it leaves behind goes to the trace. Raises Cancelled."""
    reads_on = start.n_token > 0
    if not reads_on and start.n_layer:
        for kind in side.kinds:
            trace.take_over(like, kind, start.n_layer)
    if start.n_layer == side.stack.n_layer:
        trace.leave(side.kinds, like.entering(start.n_layer, side.kinds[0]))
        return like.hidden if side.kinds == trace.kinds[:1] else like.decoder_hidden

    def keep(is_cross: bool, entering: Float32, projected: Projected, attention: Float32, sink: Float32 | None) -> None:
        kind = side.kinds[is_cross]
        if reads_on:
            before = like.attended(trace.n_layer_of(kind), kind)
            trace.keep(kind, before.before(entering, projected, sink), None)
        else:
            trace.keep(kind, Attended(entering, projected, sink, side.head_count), attention)

    def change(is_cross: bool, layer: int) -> LayerChange | None:
        kind = side.kinds[is_cross]
        frozen = None if trace.unchanged is None else trace.unchanged.attended(layer, kind).projected
        return layer_change(trace.changes, kind, layer, frozen)

    def past(is_cross: bool, layer: int, weights: AttentionWeights, norms: Norms) -> Projected:
        before = like.attended(layer, side.kinds[is_cross])
        if before.projected.v is not None:
            return before.projected
        seen = encoded if is_cross else normed(before.entering, norms.before, side.stack)
        return replace(before.projected, v=apply(seen, weights.v))

    beginning = Beginning(start.n_layer, start.n_token, change, past if reads_on else None)
    passing = Pass(side.stack, side.weights, side.head_count, keep, step, cancelled, encoded, beginning)
    if start.n_layer:
        x = like.entering(start.n_layer, side.kinds[0])
    else:
        x = embed(trace.config, side.stack, side.weights, side.tokens)[start.n_token :]
    leaving = passing.run(x)
    final = passing.final(leaving)
    if reads_on:
        before = like.hidden if side.kinds == trace.kinds[:1] else like.decoder_hidden
        leaving = np.concatenate([like.entering(side.stack.n_layer, side.kinds[0]), leaving])
        final = np.concatenate([before, final])
    trace.leave(side.kinds, leaving)
    return final
