"""Opening a model and running it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.engine.budget import First
from attnviz.engine.checkpoint import Checkpoint, Plan
from attnviz.engine.checksum import sha256_of
from attnviz.engine.config_keys import ConfigKeys
from attnviz.engine.families import family_of
from attnviz.engine.folder import open_folder
from attnviz.engine.forward import Pass, embed, predict
from attnviz.engine.heads import check_head_count
from attnviz.engine.layers import Weights, n_bytes
from attnviz.engine.memory import free_memory, size
from attnviz.engine.tokenizer import readable
from attnviz.engine.trace import Trace
from attnviz.errors import Cancelled, InputError, ModelError, never

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.config import Kind, ModelConfig, Stack
    from attnviz.engine.families.family import Family
    from attnviz.engine.folder import Opened
    from attnviz.engine.layers import StackWeights
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected
    from attnviz.engine.tokenizer import Encoding, Tokenizer

# Activations, tokenizer tables and the like beside weights and attention.
_BESIDES = 64 << 20


def nowhere(done: int, total: int) -> None:
    """The progress of somebody who does not watch."""


@dataclass(frozen=True)
class Needs:
    """Memory that a model takes, in bytes: its largest layer (or expert) and what is held all the time, as float32."""

    largest: int
    always: int
    total: int


class Model:
    """A model that is ready to run. Safe to use from several threads."""

    def __init__(self, opened: Opened, config: ModelConfig, weights: Weights, tokenizer: Tokenizer) -> None:
        self.path = opened.path
        self.name = opened.name
        self.config = config
        self.tokenizer = tokenizer
        self._files = opened.files
        self._weights = weights

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the weights; of several files that of their SHA-256s, one per line. Read once, when first asked for."""
        return sha256_of(*self._files)

    def trace(
        self,
        text: str,
        pair: str | None = None,
        head_count: int | None = None,
        cancelled: Callable[[], bool] = never,
        progress: Callable[[int, int], None] = nowhere,
    ) -> Trace:
        """What the model does with `text`, or with a text and its `pair`. An encoder-decoder reads `text` with its encoder and
        `pair` with its decoder, as it would while writing it: after a start token, without the closing one.

        head_count: None for the trained one; progress(layers done, of how many). Text beyond the model's positions is cut;
        `trace.encoding.left_out` counts the tokens. Raises InputError for a head count that does not fit or a text that needs
        more memory than there is, Cancelled between layers.
        """
        config = self.config
        count = check_head_count(head_count, config.n_head, config.d_head)
        if config.kinds == ("decoder",) and pair is not None:
            raise InputError(f"{self.name} reads one text; leave out the second one, or write both as one text.")
        if config.decoder is None:
            encoding, decoding = self.tokenizer.encode(text, pair, config.n_position), None
        else:
            if count != config.n_head:
                check_head_count(count, config.decoder.n_head, config.decoder.d_head)
            encoding = self.tokenizer.encode(text, None, config.n_position)
            decoding = self.tokenizer.encode_begun(pair or "", config.decoder_start, config.n_position)
        self._check(encoding, decoding, count)
        trace = Trace(config, encoding, count, readable(text), None if pair is None else readable(pair), decoding)
        done, total = 0, config.n_layer + (config.decoder.n_layer if config.decoder else 0)

        def step() -> None:
            nonlocal done
            done += 1
            progress(done, total)

        def run(stack: Stack, weights: StackWeights, tokens: Encoding, kinds: tuple[Kind, ...], encoded: Float32 | None) -> Float32:
            def keep(is_cross: bool, projected: Projected, attention: Float32, sink: Float32 | None) -> None:
                trace.keep(kinds[is_cross], projected, attention, sink)

            heads = stack.n_head if count == config.n_head else count  # each side as it was trained
            passing = Pass(stack, weights, heads, keep, step, cancelled, encoded)
            return passing.run(embed(config, stack, weights, tokens))

        hidden = run(config.stack, self._weights.stack, encoding, config.kinds[:1], None)
        decoder_hidden = None
        if config.decoder is not None:
            decoder_hidden = run(config.decoder, self._weights.decoder, decoding, ("decoder", "cross"), hidden)
        head = self._weights.head
        trace.finish(hidden, decoder_hidden, None if head is None else partial(predict, config, head))
        return trace

    def _check(self, encoding: Encoding, decoding: Encoding | None, head_count: int) -> None:
        """Refuse a text that the model has no numbers for, or that the memory does not hold, before anything is computed."""
        for part in (encoding, *([] if decoding is None else [decoding])):
            if part.ids.max(initial=0) >= self.config.n_vocab:
                token = part.tokens[int(part.ids.argmax())]
                raise InputError(
                    f'{self.name} has no vector for "{token.text}" (number {token.id} of {self.config.n_vocab}); leave it out.'
                )
        if self.config.n_segment and encoding.segments.max(initial=0) >= self.config.n_segment:
            raise InputError(f"{self.name} was made for one text at a time; leave out the second one.")
        longest = max(len(encoding.tokens), 0 if decoding is None else len(decoding.tokens))
        # Scores and attention, and the temporaries of mask and softmax.
        needed = 3 * 4 * max(head_count, self.config.n_head) * longest**2
        free = free_memory()
        if needed > max(free, _BESIDES):
            raise InputError(
                f"Attention over {longest:,} tokens takes {size(needed)} of memory for one layer of {self.name}, and "
                f"{size(free)} are free; use a shorter text."
            )


def load_model(
    path: str | Path,
    budget: int | None = None,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = nowhere,
) -> Model:
    """The model in a Hugging Face folder (config.json, tokenizer.json, *.safetensors in one file or several) or a .gguf file.

    The weights stay in the mapped file; layers are converted as they are used and kept while they fit `budget` bytes, by
    default half of the free memory. progress(parts checked, of how many). Raises ModelError, which says what is missing or not
    understood or does not fit the memory; pickles are never opened. Raises Cancelled once `cancelled()` says so.
    """
    opened = open_folder(Path(path))
    family = family_of(opened.config, opened.config_path)
    config = family.read_config(ConfigKeys(opened.config, opened.config_path))
    plan = Plan(opened.tensors, family.probe, family.prefixes)
    needs = _needs(family, config, plan, cancelled, progress)
    free = free_memory()
    if needs.largest + needs.always + _BESIDES > free:
        raise ModelError(
            f"{opened.path}: needs {size(needs.largest + needs.always + _BESIDES)} of memory for its largest layer alone, and "
            f"{size(free)} are free; close other programs or choose a smaller model."
        )
    tokenizer = opened.tokenizer()
    if tokenizer.n_vocab > config.n_vocab:
        raise ModelError(
            f"{opened.path}: the tokenizer numbers {tokenizer.n_vocab} tokens and the model has {config.n_vocab}; "
            "they do not belong together."
        )
    budget = free // 2 if budget is None else budget
    weights = family.read_weights(config, Checkpoint(opened.tensors, family.probe, family.prefixes))
    return Model(opened, config, _kept(weights, max(0, budget - needs.always)), tokenizer)


def _needs(
    family: Family,
    config: ModelConfig,
    plan: Plan,
    cancelled: Callable[[], bool],
    progress: Callable[[int, int], None],
) -> Needs:
    """What the model takes, found by going through all its parts without reading a number; each tensor is thereby checked."""
    weights = family.read_weights(config, plan)
    pairs = [(config.stack, weights.stack), (config.decoder, weights.decoder)]
    total = sum(stack.n_layer for stack, _ in pairs if stack is not None)
    sizes: list[int] = []
    always = n_bytes(weights.head) if weights.head else 0
    for stack, parts in pairs:
        if stack is None or parts is None:
            continue
        always += n_bytes(parts)
        for number in range(stack.n_layer):
            if cancelled():
                raise Cancelled
            experts = range(stack.experts.n) if stack.experts else ()
            sizes.append(n_bytes(parts.layer(number)) + max((n_bytes(parts.expert(number, one)) for one in experts), default=0))
            progress(len(sizes), total)
    plan.refuse_unknown(family.known)
    return Needs(max(sizes), always, sum(sizes))


def _kept(weights: Weights, budget: int) -> Weights:
    """The same weights, with layers and experts kept once they were read, as many as fit."""
    kept: First = First(budget, n_bytes)

    def keeping(name: str, stack: StackWeights) -> StackWeights:
        def layer(number: int):
            return kept.get((name, number), stack.layer, number)

        def expert(number: int, one: int):
            return kept.get((name, number, one), stack.expert, number, one)

        return replace(stack, layer=layer, expert=expert if stack.expert else None)

    decoder = None if weights.decoder is None else keeping("decoder", weights.decoder)
    return replace(weights, stack=keeping("stack", weights.stack), decoder=decoder)
