"""How much memory a model takes, and a text of so many tokens, in bytes, before any of it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from attnviz.engine.attention_blocks import block_bytes
from attnviz.engine.forward import OUTPUT_ROWS
from attnviz.engine.layers import n_bytes
from attnviz.engine.ops import BLOCK
from attnviz.engine.threads import n_processor
from attnviz.engine.trace import ATTENTION_BUDGET
from attnviz.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from attnviz.engine.checkpoint import Plan
    from attnviz.engine.config import Kind, ModelConfig, Stack
    from attnviz.engine.families.family import Family

_FLOAT = 4
_TOKEN = 1 << 10  # a token's texts, numbers and span
_BESIDES = 1 << 19  # what the tokenizer takes
_OF_ACTIVATIONS = 3 * _FLOAT * BLOCK  # what a processor computes them in


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


def attention_fits(sizes: Mapping[Kind, tuple[int, int, int, int]]) -> bool:
    """Whether a run keeps its attention while it goes, having room for that of all its layers; sizes: of each kind its layers,
    heads, queries and keys. Of a longer text each layer's is made when it is asked for."""
    return sum(_FLOAT * prod(size) for size in sizes.values()) <= ATTENTION_BUDGET


def run_bytes(config: ModelConfig, head_count: int, n: int, n_decoder: int = 0, reads_on: bool = False) -> int:
    """What a run over `n` tokens, and `n_decoder` of an encoder-decoder's other side, takes beside the weights.

    That is what the trace keeps, the vectors that enter all layers, their projections and their attention if that of all fits its
    budget, and what one layer needs while it is made. reads_on: the last side goes on from an earlier run and keeps its values too.
    """
    sides = [(config.stack, n, [n])]
    if config.decoder is not None:
        sides.append((config.decoder, n_decoder, [n_decoder, n]))
    kept, making = _BESIDES + _TOKEN * (n + n_decoder), 0
    inner = max(n * config.stack.d_ff, n_decoder * (config.decoder.d_ff if config.decoder else 0))
    kept += min(n_processor() * _OF_ACTIVATIONS, 2 * _FLOAT * inner)
    maps = _maps(config, head_count, n, n_decoder)
    fits = sum(maps) <= ATTENTION_BUDGET
    for stack, queries, all_keys in sides:
        heads = stack.n_head if head_count == config.n_head else head_count
        # What enters each attention, what leaves the last layer, and the same behind the final norm.
        kept += _FLOAT * queries * stack.d_model * (stack.n_layer * len(all_keys) + 2)
        keeps_values = reads_on and stack is sides[-1][0]
        for keys in all_keys:
            kept += _FLOAT * stack.n_layer * stack.d_head * keys * stack.n_kv_head * keeps_values
            kept += stack.n_layer * _FLOAT * stack.d_head * (queries * stack.n_head + keys * stack.n_kv_head)
        keys = max(all_keys)
        making = max(making, _feed_forward(stack, heads, queries, keys), _attention(stack, heads, queries, keys, fits))
    return kept + sum(maps) * fits + making


def asked_bytes(config: ModelConfig, head_count: int, n: int, n_decoder: int = 0) -> int:
    """What the attention of a run takes that is made when it is asked for, layer by layer; 0 where the run keeps it."""
    maps = _maps(config, head_count, n, n_decoder)
    # The next attention is made before the least recently used goes.
    return 0 if sum(maps) <= ATTENTION_BUDGET else min(sum(maps), max(ATTENTION_BUDGET, max(maps)) + max(maps))


def _maps(config: ModelConfig, head_count: int, n: int, n_decoder: int) -> list[int]:
    """The attention of each layer."""
    maps: list[int] = []
    for stack, queries, all_keys in ((config.stack, n, (n,)), (config.decoder, n_decoder, (n_decoder, n))):
        if stack is not None:
            heads = stack.n_head if head_count == config.n_head else head_count
            maps += [_FLOAT * heads * queries * keys for keys in all_keys for _ in range(stack.n_layer)]
    return maps


def logits_bytes(config: ModelConfig, n: int, width: int) -> int:
    """What the predictions for `n` tokens take, whose final vectors have `width` numbers."""
    return _FLOAT * (n * config.n_vocab + 3 * n * width + min(config.n_vocab, OUTPUT_ROWS) * width)


def _attention(stack: Stack, heads: int, queries: int, keys: int, is_kept: bool) -> int:
    """Beside queries, keys and attention that is kept: the vectors before and after a norm, the other part's and the sum, cosines
    and sines, values, the weighted values, the keys as columns, and the blocks of attention that is not kept."""
    inner, shared = stack.n_head * stack.d_head, stack.n_kv_head * stack.d_head
    numbers = queries * (4 * stack.d_model + 2 * stack.d_head + inner) + 2 * keys * shared
    blocks = block_bytes(heads, queries, keys)
    if heads != stack.n_head:  # keys and values repeated for each head, values anew for each block
        numbers += (2 + n_processor()) * keys * inner
    bias = blocks if stack.buckets else 0  # that of some heads and rows, for another number of heads
    return _FLOAT * numbers + blocks * (not is_kept) + bias


def _feed_forward(stack: Stack, heads: int, queries: int, keys: int) -> int:
    """The vectors before and after a norm, the inner ones and their gate, what each processor gives of the output and the sum,
    beside the values and the keys as columns, which other rows still need; with experts, their scores, and what one of them reads
    and gives."""
    numbers = (3 + n_processor()) * stack.d_model + 2 * stack.d_ff
    if stack.experts:
        numbers += 2 * stack.d_model + 5 * stack.experts.n
    of_keys = stack.n_kv_head if heads == stack.n_head else stack.n_head
    return _FLOAT * (queries * numbers + keys * (stack.n_kv_head + of_keys) * stack.d_head)
