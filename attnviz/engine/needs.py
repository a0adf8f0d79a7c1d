"""How much memory a model takes, and a text of so many tokens, in bytes, before any of it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.engine.forward import OUTPUT_ROWS
from attnviz.engine.layers import n_bytes
from attnviz.engine.trace import ATTENTION_BUDGET
from attnviz.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.checkpoint import Plan
    from attnviz.engine.config import ModelConfig, Stack
    from attnviz.engine.families.family import Family

_FLOAT = 4
_TOKEN = 1 << 10  # a token's texts, numbers and span
_BESIDES = 1 << 19  # the blocks that activations are computed in, and what the tokenizer takes


@dataclass(frozen=True)
class Needs:
    """What a model takes as float32. largest: of what is read and let go, the most at one time, a layer with one of its experts;
    always: what is held from the opening on."""

    largest: int
    always: int


def needs_of(
    family: Family,
    config: ModelConfig,
    plan: Plan,
    cancelled: Callable[[], bool],
    progress: Callable[[int, int], None],
) -> Needs:
    """What the model takes, found by going through all its parts without reading a number; each tensor is thereby checked.

    progress(layers checked, of how many). Raises ModelError for what is missing or unknown, Cancelled between layers.
    """
    weights = family.read_weights(config, plan)
    both = ((config.stack, weights.stack), (config.decoder, weights.decoder))
    sides = [(stack, parts) for stack, parts in both if stack and parts]
    total = sum(stack.n_layer for stack, _ in sides)
    sizes: list[int] = []
    for stack, parts in sides:
        experts = range(stack.experts.n) if stack.experts else ()
        for number in range(stack.n_layer):
            if cancelled():
                raise Cancelled
            sizes.append(n_bytes(parts.layer(number)) + max((n_bytes(parts.expert(number, one)) for one in experts), default=0))
            progress(len(sizes), total)
    plan.refuse_unknown(family.known)
    return Needs(max(sizes), n_bytes(weights.head) + sum(n_bytes(parts) for _, parts in sides))


def run_bytes(config: ModelConfig, head_count: int, n: int, n_decoder: int = 0, reads_on: bool = False) -> int:
    """What a run over `n` tokens, and `n_decoder` of an encoder-decoder's other side, takes beside the weights.

    That is what the trace keeps, the vectors that enter all layers, their projections and the attention that fits its budget, and
    what one layer needs while it is made. reads_on: the last side goes on from an earlier run and keeps its values too.
    """
    sides = [(config.stack, n, [n])]
    if config.decoder is not None:
        sides.append((config.decoder, n_decoder, [n_decoder, n]))
    kept, making, maps = _BESIDES + _TOKEN * (n + n_decoder), 0, []
    for stack, queries, all_keys in sides:
        heads = stack.n_head if head_count == config.n_head else head_count
        # What enters each attention, what leaves the last layer, and the same behind the final norm.
        kept += _FLOAT * queries * stack.d_model * (stack.n_layer * len(all_keys) + 2)
        keeps_values = reads_on and stack is sides[-1][0]
        for keys in all_keys:
            kept += _FLOAT * stack.n_layer * stack.d_head * keys * stack.n_kv_head * keeps_values
            kept += stack.n_layer * _FLOAT * stack.d_head * (queries * stack.n_head + keys * stack.n_kv_head)
            maps += [_FLOAT * heads * queries * keys] * stack.n_layer
        making = max(making, _feed_forward(stack, queries), _attention(stack, heads, queries, max(all_keys)))
    largest = max(maps)
    # The next attention is made before the least recently used goes.
    return kept + min(sum(maps), max(ATTENTION_BUDGET, largest) + largest) + making


def logits_bytes(config: ModelConfig, n: int, width: int) -> int:
    """What the predictions for `n` tokens take, whose final vectors have `width` numbers."""
    return _FLOAT * (n * config.n_vocab + 3 * n * width + min(config.n_vocab, OUTPUT_ROWS) * width)


def _attention(stack: Stack, heads: int, queries: int, keys: int) -> int:
    """Beside queries, keys and the attention itself: the vectors before and after a norm, the other part's and the sum, cosines and
    sines, values, and the weighted values in two orders."""
    inner, shared = stack.n_head * stack.d_head, stack.n_kv_head * stack.d_head
    numbers = queries * (4 * stack.d_model + 2 * stack.d_head + 2 * inner) + keys * shared
    if heads != stack.n_head:
        numbers += 2 * keys * inner  # keys and values repeated for each head
        numbers += heads * queries * keys if stack.buckets else 0  # the bias of the other heads
    return _FLOAT * numbers


def _feed_forward(stack: Stack, queries: int) -> int:
    """The vectors before and after a norm, the inner ones and their gate, the output and the sum; with experts, their scores,
    and what one of them reads and gives."""
    numbers = 4 * stack.d_model + 2 * stack.d_ff
    if stack.experts:
        numbers += 2 * stack.d_model + 5 * stack.experts.n
    return _FLOAT * queries * numbers
