"""Opening a model and running it."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.blas import on_one_thread
from attnviz.engine.budget import First
from attnviz.engine.changes import NOTHING, check_changes
from attnviz.engine.checkpoint import Checkpoint, Plan
from attnviz.engine.checksum import sha256_of
from attnviz.engine.config_keys import ConfigKeys
from attnviz.engine.families import family_of
from attnviz.engine.folder import open_folder
from attnviz.engine.forward import predict
from attnviz.engine.heads import check_head_count
from attnviz.engine.layers import Weights, n_bytes
from attnviz.engine.memory import free_memory, size
from attnviz.engine.needs import Needs, asked_bytes, attention_fits, logits_bytes, needs_of, run_bytes
from attnviz.engine.packed import run_packed
from attnviz.engine.running import run_side, sides_of, sizes_of, starts_of
from attnviz.engine.texts import read_texts
from attnviz.engine.trace import Trace
from attnviz.errors import InputError, ModelError, never

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.changes import Changes, HeadAt
    from attnviz.engine.config import Kind, ModelConfig
    from attnviz.engine.folder import Opened
    from attnviz.engine.layers import Layer, StackWeights
    from attnviz.engine.ops import Float32
    from attnviz.engine.packed import Packed, See
    from attnviz.engine.tokenizer import Encoding, Tokenizer

# Tokenizer tables, a short text and the like beside the weights; so much is taken whatever the system says is free.
_BESIDES = 64 << 20
# Bytes of layers that one run keeps ready for the next ones. Memory that is used for the first time costs more than the conversion:
# a model of 1.1 billion parameters has its first attention in 1.8 s if none of 4.4 GiB are kept, and in 5.7 if all are.
_KEPT_AT_A_TIME = 512 << 20
# Tokens that a tokenizer may have beyond the model's vectors: BART's has <mask>, which its published summarisers lack.
_BEYOND = 16


def nowhere(done: int, total: int) -> None:
    """The progress of somebody who does not watch."""


class Model:
    """A model that is ready to run. Safe to use from several threads.

    ends: the numbers of the tokens with which it ends what it writes; none where its files name none.
    """

    def __init__(
        self, opened: Opened, config: ModelConfig, weights: Weights, tokenizer: Tokenizer, needs: Needs, budget: int
    ) -> None:
        self.path = opened.path
        self.name = opened.name
        self.config = config
        self.tokenizer = tokenizer
        self._files = opened.files
        self.ends = opened.ends
        self._needs = needs
        self._budget = budget
        self._kept: First = First(budget, n_bytes, max(_KEPT_AT_A_TIME, needs.largest))
        self._weights = _keeping(weights, self._kept)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the weights; of several files that of their SHA-256s, one per line. Read once, when first asked for.

        Raises ModelError if the files are no longer there.
        """
        return self.read_sum()

    def read_sum(self, cancelled: Callable[[], bool] = never) -> str:
        """The same; it is known at once after the first time. Raises Cancelled once `cancelled()` says so."""
        try:
            return sha256_of(*self._files, cancelled=cancelled)
        except OSError as error:
            raise ModelError(
                f"{error.filename or self.path}: cannot be read any more ({error.strerror or error}); "
                "put the model back where it was, or open it again."
            ) from error

    def release(self) -> None:
        """Let go of the layers kept ready; the model still runs, reading them again."""
        self._kept.clear()

    @property
    def writes(self) -> bool:
        """Whether the model can go on with a text, token by token."""
        return self._weights.head is not None and "decoder" in self.config.kinds

    @property
    def predicts(self) -> bool:
        """Whether the model has a prediction head."""
        return self._weights.head is not None

    @property
    def mask(self) -> str | None:
        """How a masked token is written in a text; None for a model whose family fills in no masks. One that has kept the
        tokenizer of such a model but not its prediction head, as sentence embedders do, has it too."""
        return self.tokenizer.mask if self.config.kinds == ("encoder",) else None

    @on_one_thread()
    @np.errstate(all="ignore")  # what is no number is found by _sound
    def trace(
        self,
        text: str,
        pair: str | None = None,
        head_count: int | None = None,
        cancelled: Callable[[], bool] = never,
        progress: Callable[[int, int], None] = nowhere,
        *,
        changes: Changes = NOTHING,
        written: Sequence[int] = (),
        like: Trace | Sequence[Trace] | None = None,
    ) -> Trace:
        """What the model does with `text`, or with a text and its `pair`. An encoder-decoder reads `text` with its encoder and
        `pair` with its decoder, as it would while writing it: after a start token, without the closing one.

        head_count: None for the trained one; progress(layers done, of how many); changes: heads muted and the like; written: tokens
        that the model has written behind the text, by their numbers; like: an earlier run, or several, of which is taken over what
        is the same, so that only the layers from the first change on, or those of a causal model for the tokens from the first
        new one on, are computed. Text beyond the model's positions is cut; `trace.encoding.left_out` counts the tokens. Raises
        InputError for a head count or a change that does not fit or a text that needs more memory than there is, ModelError if
        weights are damaged so that no numbers come out, Cancelled between layers.
        """
        config, changes = self.config, changes.effective()
        likes = () if like is None else (like,) if isinstance(like, Trace) else like
        count = check_head_count(head_count, config.n_head, config.d_head)
        if written and not self.writes:
            raise InputError(f"{self.name} does not write: it has no prediction head, or reads its text both ways; open a decoder.")
        if config.decoder is not None and count != config.n_head:
            check_head_count(count, config.decoder.n_head, config.decoder.d_head)
        read = read_texts(self.name, config, self.tokenizer, text, pair, written)
        self._check_memory(read.lengths, count, bool(likes) and "decoder" in config.kinds)
        unchanged = None
        if changes.is_frozen:
            before = [one.unchanged or one for one in likes]
            unchanged = self.trace(text, pair, head_count, cancelled, written=written, like=before)
        texts = read.text, read.pair, read.decoding
        trace = Trace(config, read.encoding, count, *texts, changes, len(written), unchanged, read.begun)
        sides = sides_of(trace, self._weights)
        sizes = sizes_of(trace, sides)
        check_changes(changes, sizes)
        starts = starts_of(trace, sides, likes)
        done, total = 0, sum(side.stack.n_layer - start.n_layer for side, start in zip(sides, starts, strict=True))

        def step() -> None:
            nonlocal done
            done += 1
            progress(done, total)

        finals: list[Float32] = []
        for side, start in zip(sides, starts, strict=True):
            encoded = finals[0] if finals else None
            finals.append(self._sound(run_side(trace, side, start, encoded, step, cancelled, attention_fits(sizes))))
        decoder_hidden = finals[1] if len(finals) > 1 else None
        trace.finish(finals[0], decoder_hidden, self._layer, None if self._weights.head is None else self._predict)
        return trace

    @on_one_thread()
    @np.errstate(all="ignore")
    def read_packed(
        self,
        texts: Sequence[Encoding],
        see: See | None = None,
        *,
        muted: HeadAt | None = None,
        like: Packed | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Packed:
        """One run over many texts, each attending to itself alone, with the trained heads; of an encoder-decoder its encoder.

        see(text, layer, attention) gets each attention, [head, query, key], which is not kept; muted: a head whose output is zero;
        like: a run of the same texts without that, whose layers below the muted head's are taken over; of other texts nothing is.
        Raises InputError for a head that is not there or texts that need more memory than there is, ModelError if no numbers
        come out, Cancelled between layers.
        """
        config = self.config
        changes = NOTHING if muted is None else NOTHING.with_muted(muted, True)
        longest = max(len(text.tokens) for text in texts)
        check_changes(changes, {config.kinds[0]: (config.stack.n_layer, config.stack.n_head, longest, longest)})
        self._check_memory([sum(len(text.tokens) for text in texts)], config.n_head, False)
        packed = run_packed(config, self._weights.stack, texts, see, changes, like, cancelled)
        self._sound(packed.hidden)
        return packed

    def predict(self, hidden: Float32) -> Float32 | None:
        """Scores over the vocabulary for some final vectors, [row, n_vocab]; None for a model without a prediction head, and for an
        encoder-decoder, which predicts from its decoder's."""
        return None if self._weights.head is None or self.config.decoder is not None else self._predict(hidden)

    def _layer(self, kind: Kind, number: int, beside: int) -> Layer:
        """The weights of the layer that has that attention, for somebody who needs so many bytes beside them."""
        needed = self._needs.largest + beside
        free = self._make_room(needed)
        if needed > free:
            raise InputError(
                f"The numbers inside a layer take {size(needed)} of memory with {self.name}, and {size(free)} are free; "
                "ask for fewer keys at a time, or use a shorter text."
            )
        weights = self._weights.stack if kind == self.config.kinds[0] else self._weights.decoder
        return weights.layer(number)

    @np.errstate(all="ignore")
    def _predict(self, hidden: Float32) -> Float32:
        n, width = hidden.shape
        needed = logits_bytes(self.config, n, width)
        free = self._make_room(needed)
        if needed > free:
            raise InputError(
                f"Predictions for {n:,} tokens take {size(needed)} of memory, {self.config.n_vocab:,} numbers for each, and "
                f"{size(free)} are free; use a shorter text, or do without the predictions."
            )
        return self._sound(predict(self.config, self._weights.head, hidden))

    def _sound(self, numbers: Float32) -> Float32:
        """The same, made sure to be numbers. One that is none stays in its token's vector up to the last layer."""
        if not math.isfinite(numbers.sum()):  # without an array of claims as large as these numbers
            raise ModelError(
                f"{self.path}: the run gave numbers that are none (NaN or infinity); the weights are damaged or need a precision "
                "that float32 does not have; get the file again."
            )
        return numbers

    def _make_room(self, needed: int) -> int:
        """The memory that `needed` may be taken from: what is free, without the kept layers where it would not fit beside them.
        Those that are kept from now on leave room for it."""
        free = free_memory()
        if needed > free:
            self.release()
            free = free_memory()
        self._kept.limit(min(self._budget, self._kept.n_bytes + max(0, free - needed)))
        return max(free, _BESIDES)

    def _check_memory(self, lengths: list[int], head_count: int, reads_on: bool) -> None:
        """Refuse a text that the memory does not hold, before anything is computed."""
        self._kept.begin()
        asked = asked_bytes(self.config, head_count, *lengths)
        needed = run_bytes(self.config, head_count, *lengths, reads_on=reads_on) + asked + self._needs.largest
        free = self._make_room(needed)
        if needed > free:
            raise InputError(
                f"A text of {sum(lengths):,} tokens takes {size(needed)} of memory with {self.name}, and {size(free)} are free; "
                "use a shorter text."
            )


@np.errstate(all="ignore")
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
    needs = needs_of(family, config, plan, cancelled, progress)
    least, free = needs.largest + needs.always + _BESIDES, free_memory()
    if least > free:
        raise ModelError(
            f"{opened.path}: needs {size(least)} of memory at the least, {size(needs.largest)} of it for one layer at a time, and "
            f"{size(free)} are free; close other programs or choose a smaller model."
        )
    tokenizer = opened.tokenizer()
    if tokenizer.n_vocab > config.n_vocab + _BEYOND:
        raise ModelError(
            f"{opened.path}: the tokenizer numbers {tokenizer.n_vocab} tokens and the model has {config.n_vocab}; "
            "they do not belong together."
        )
    budget = free // 2 if budget is None else budget
    weights = family.read_weights(config, Checkpoint(opened.tensors, family.probe, family.prefixes))
    return Model(opened, config, weights, tokenizer, needs, max(0, budget - needs.always))


def _keeping(weights: Weights, kept: First) -> Weights:
    """The same weights, with layers and experts kept once they were read, as many as fit."""

    def keeping(name: str, stack: StackWeights) -> StackWeights:
        def layer(number: int):
            return kept.get((name, number), stack.layer, number)

        def expert(number: int, one: int):
            return kept.get((name, number, one), stack.expert, number, one)

        return replace(stack, layer=layer, expert=expert if stack.expert else None)

    decoder = None if weights.decoder is None else keeping("decoder", weights.decoder)
    return replace(weights, stack=keeping("stack", weights.stack), decoder=decoder)
