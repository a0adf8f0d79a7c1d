"""The texts that a model is given, as the tokens that its sides read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attnviz.engine.tokenizer import readable
from attnviz.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.config import ModelConfig
    from attnviz.engine.tokenizer import Encoding, Tokenizer


class Read(NamedTuple):
    """The tokens that the sides of a model read, and the texts that they stand for; begun: what the writing side begins with."""

    encoding: Encoding
    decoding: Encoding | None
    text: str
    pair: str | None
    begun: str | None

    @property
    def lengths(self) -> list[int]:
        """The tokens of each side."""
        return [len(part.tokens) for part in (self.encoding, self.decoding) if part is not None]


def read_texts(name: str, config: ModelConfig, tokenizer: Tokenizer, text: str, pair: str | None, written: Sequence[int]) -> Read:
    """The tokens of the texts and of what the model wrote behind them, on each side. name: the model's, for messages.

    Raises InputError for what does not fit its positions or has no vector.
    """
    if config.kinds == ("decoder",) and pair is not None:
        raise InputError(f"{name} reads one text; leave out the second one, or write both as one text.")
    unknown = next((number for number in written if not 0 <= number < config.n_vocab), None)
    if unknown is not None:
        raise InputError(f"{name} has no token number {unknown} of 0 to {config.n_vocab - 1}; leave it out.")
    read = _read(config, tokenizer, text, pair, written)
    for part in (read.encoding, read.decoding):
        if part is not None:
            _check_tokens(name, config, part)
    if config.n_segment and read.encoding.segments.max() >= config.n_segment:
        raise InputError(f"{name} was made for one text at a time; leave out the second one.")
    return read


def _read(config: ModelConfig, tokenizer: Tokenizer, text: str, pair: str | None, written: Sequence[int]) -> Read:
    limit = config.n_position
    if config.decoder is None:
        encoding = tokenizer.encode(text, pair, limit)
        text = begun = readable(text)
        if written:
            encoding, text = tokenizer.read_on(encoding, text, written, limit)
        return Read(encoding, None, text, None if pair is None else readable(pair), begun)
    encoding = tokenizer.encode(text, None, limit)
    decoding = tokenizer.encode_begun(pair or "", config.decoder_start, limit)
    pair = begun = None if pair is None else readable(pair)
    if written:
        decoding, pair = tokenizer.read_on(decoding, pair or "", written, limit)
    return Read(encoding, decoding, readable(text), pair, begun)


def _check_tokens(name: str, config: ModelConfig, part: Encoding) -> None:
    if not part.tokens:
        raise InputError(f"{name} makes no tokens of an empty text; type a sentence.")
    if part.ids.max() >= config.n_vocab:
        token = part.tokens[int(part.ids.argmax())]
        raise InputError(f'{name} has no vector for "{token.text}" (number {token.id} of {config.n_vocab}); leave it out.')
