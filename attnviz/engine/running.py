"""Running a text through a model's stacks, and taking over from an earlier run what is the same in both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.attended import Attended, first_rows
from attnviz.engine.changes import differing_layers
from attnviz.engine.cutting import n_common
from attnviz.engine.forward import Beginning, Pass, embed
from attnviz.engine.layer_change import layer_change
from attnviz.engine.positions import places_stay
from attnviz.engine.products import apply
from attnviz.engine.residual import normed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.config import Kind, Stack
    from attnviz.engine.layer_change import LayerChange
    from attnviz.engine.layers import AttentionWeights, Norms, StackWeights, Weights
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected
    from attnviz.engine.tokenizer import Encoding
    from attnviz.engine.trace import Trace

# A text that is taken over in part is so many times as long as that part at most. Where one half is the same a third of the time is
# saved; where a quarter is, an eighth, and that is lost again when all layers are shown, whose attention is then made anew.
_WORTH: Final = 2


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
    """What of a side earlier runs have already: of all its tokens the first `n_layer` layers, from the run `below`; of its first
    `n_token` tokens all layers, from the run `before`."""

    n_layer: int = 0
    below: Trace | None = None
    n_token: int = 0
    before: Trace | None = None


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


def starts_of(trace: Trace, sides: list[Side], likes: Sequence[Trace]) -> list[Start]:
    """What of each side is taken over from earlier runs, so that least is left to compute: for the same tokens the layers below the
    first difference; for a causal model that reads on, all that it made of the first tokens, where these are the same."""
    usable = [like for like in likes if like.config is trace.config and like.head_count == trace.head_count]
    return [_start(trace, side, usable) for side in sides]


def _start(trace: Trace, side: Side, likes: Sequence[Trace]) -> Start:
    n, start, is_decoder = len(side.tokens.tokens), Start(), side.kinds != trace.kinds[:1]
    for like in likes:
        first = differing_layers(trace.changes, like.changes)
        if is_decoder and (trace.kinds[0] in first or not _are_equal(trace.encoding, like.encoding)):
            continue  # its encoder gave other vectors
        other = like.decoder_encoding if is_decoder else like.encoding
        if not (_are_equal(side.tokens, other) or _can_be_parted(side.stack, n, len(other.tokens))):
            continue
        common = n_common(side.tokens, other)
        n_layer = min((first[kind] for kind in side.kinds if kind in first), default=side.stack.n_layer)
        if common == n and n_layer > start.n_layer:
            start = replace(start, n_layer=n_layer, below=like)
        if common < n <= _WORTH * common and n_layer == side.stack.n_layer and common > start.n_token:
            start = replace(start, n_token=common, before=like)
    return start if start.n_layer < side.stack.n_layer else replace(start, n_token=0, before=None)


def _are_equal(one: Encoding, other: Encoding) -> bool:
    return len(one.tokens) == len(other.tokens) == n_common(one, other)


def _can_be_parted(stack: Stack, n: int, other: int) -> bool:
    """Whether what a stack makes of the first tokens of a text with `n` of them is the same in one with `other`."""
    return stack.looks[0].is_causal and places_stay(stack, n, other)


def run_side(
    trace: Trace,
    side: Side,
    start: Start,
    encoded: Float32 | None,
    step: Callable[[], None],
    cancelled: Callable[[], bool],
    is_whole: bool,
) -> Float32:
    """The final vectors of one side, [token, width]; what it leaves behind goes to the trace, with its attention if `is_whole`.
    Raises Cancelled."""
    below, before = start.below, start.before
    own, n, n_past = side.kinds[0], len(side.tokens.tokens), start.n_token
    for kind in side.kinds if below is not None else ():
        trace.take_over(below, kind, start.n_layer, n)
    if start.n_layer == side.stack.n_layer:
        trace.leave(side.kinds, first_rows(below.entering(start.n_layer, own), n))
        return first_rows(_final(below, side), n)

    def keep(is_cross: bool, entering: Float32, projected: Projected, attention: Float32, sink: Float32 | None) -> None:
        kind = side.kinds[is_cross]
        if before is None:
            trace.keep(kind, Attended(entering, projected, sink, side.head_count), attention)
        else:
            layer = trace.n_layer_of(kind)
            known = before.attended(layer, kind).until(n_past, is_cross)
            trace.keep(kind, known.before(entering, projected, sink), None)

    def change(is_cross: bool, layer: int) -> LayerChange | None:
        kind = side.kinds[is_cross]
        frozen = None if trace.unchanged is None else trace.unchanged.attended(layer, kind).projected
        return layer_change(trace.changes, kind, layer, frozen)

    def past(is_cross: bool, layer: int, weights: AttentionWeights, norms: Norms) -> Projected:
        known = before.attended(layer, side.kinds[is_cross]).until(n_past, is_cross)
        if known.projected.v is not None:
            return known.projected
        seen = encoded if is_cross else normed(known.entering, norms.before, side.stack)
        return replace(known.projected, v=apply(seen, weights.v))

    beginning = Beginning(start.n_layer, n_past, change, None if before is None else past)
    is_whole = is_whole and before is None
    passing = Pass(side.stack, side.weights, side.head_count, keep, step, cancelled, encoded, beginning, is_whole=is_whole)
    x = first_rows(below.entering(start.n_layer, own), n) if below else embed(trace.config, side.stack, side.weights, side.tokens)
    leaving = passing.run(x[n_past:])
    final = passing.final(leaving)
    if before is not None:
        leaving = np.concatenate([before.entering(side.stack.n_layer, own)[:n_past], leaving])
        final = np.concatenate([_final(before, side)[:n_past], final])
    trace.leave(side.kinds, leaving)
    return final


def _final(trace: Trace, side: Side) -> Float32:
    return trace.hidden if side.kinds == trace.kinds[:1] else trace.decoder_hidden
