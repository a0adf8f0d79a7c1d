"""The pieces that a GGUF file lists for its tokenizer, checked once so that what is built on them can trust them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from attnviz.engine.config_keys import short
from attnviz.engine.gguf.tokenizer_keys import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from attnviz.engine.gguf.tokenizer_keys import TokenizerKeys

SEPARATOR: Final = "seperator|separator"  # the format has the slip
# Named for what they mark; a file without kinds of pieces tells by these which of them are not written by people.
_MARKS: Final = ("bos", "eos", "unknown", SEPARATOR, "padding", "cls", "mask")


class Kind(IntEnum):
    """What a piece is for. Source: TokenType of the gguf library's constants."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True)
class Vocabulary:
    """pieces: as the file spells them, by number; kinds: one of Kind for each; scores: log probabilities or ranks, all 0 where
    the file has none."""

    keys: TokenizerKeys
    pieces: list[str]
    kinds: NDArray[np.int64]
    scores: NDArray[np.float64]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each piece."""
        return {piece: number for number, piece in enumerate(self.pieces)}

    def of_kind(self, *kinds: Kind) -> NDArray[np.intp]:
        """The numbers of the pieces of these kinds, in order."""
        return np.flatnonzero(np.isin(self.kinds, kinds))

    def mark(self, *names: str, default: int | None = None) -> int | None:
        """The number of the piece that the file names as its "bos", "eos", … token; of several names the first that it has.

        default: where the file names none, if there is such a piece. Raises ModelError for a number that no piece has.
        """
        keys = ["|".join(f"{PREFIX}{spelling}_token_id" for spelling in name.split("|")) for name in names]
        key = self.keys.first(*keys)
        if not self.keys.has(key):
            return default if default is not None and default < len(self.pieces) else None
        return self.keys.integer(key, 0, len(self.pieces) - 1)


def read_vocabulary(keys: TokenizerKeys) -> Vocabulary:
    """The pieces of the file whose metadata `keys` reads. Raises ModelError unless there is one piece at least, all differ,
    and each has one score and one kind where the file has any."""
    pieces = keys.words("tokens")
    if not pieces:
        raise keys.refuse(f'"{PREFIX}tokens" has no entries; the file is no whole model, get it again')
    pieces = [piece or f"[EMPTY_{number}]" for number, piece in enumerate(pieces)]  # as llama.cpp calls them
    if len(set(pieces)) < len(pieces):
        raise keys.refuse(f'"{PREFIX}tokens" has {short(_first_double(pieces))} twice; get the file again')
    scores = _of_each(keys, "scores", len(pieces), np.float64)
    if not np.isfinite(scores).all():
        raise keys.refuse(f'"{PREFIX}scores" has entries that are no finite numbers; get the file again')
    kinds = _of_each(keys, "token_type", len(pieces), np.int64)
    kinds[kinds == 0] = Kind.NORMAL  # "undefined" in llama.cpp, which treats it so
    if not np.isin(kinds, list(Kind)).all():
        raise keys.refuse(f'"{PREFIX}token_type" has kinds of tokens that attnviz does not know; get the file again')
    vocabulary = Vocabulary(keys, pieces, kinds, scores)
    return vocabulary if keys.told("token_type") else _told_by_marks(vocabulary)


def _of_each(keys: TokenizerKeys, name: str, n: int, dtype: type[np.number[Any]]) -> NDArray[Any]:
    """The list of `n` numbers under `name`; zeros where there is none."""
    if not keys.told(name):
        return np.zeros(n, dtype)
    numbers = keys.numbers(name)
    if len(numbers) != n:
        raise keys.refuse(f'"{PREFIX}{name}" has {len(numbers):,} entries for {n:,} tokens; get the file again')
    return numbers.astype(dtype)


def _told_by_marks(vocabulary: Vocabulary) -> Vocabulary:
    """The same with kinds for the pieces that the file names as its "bos", "eos", … tokens, and for bytes."""
    n = len(vocabulary.pieces)
    kinds = np.full(n, Kind.NORMAL)
    for name in _MARKS:
        number = vocabulary.mark(name)
        if number is not None:
            kinds[number] = Kind.CONTROL
    bytes_ = [vocabulary.numbers[spelled] for spelled in byte_pieces() if spelled in vocabulary.numbers]
    kinds[bytes_] = Kind.BYTE
    return Vocabulary(vocabulary.keys, vocabulary.pieces, kinds, vocabulary.scores)


def byte_pieces() -> list[str]:
    """How SentencePiece spells the 256 bytes."""
    return [f"<0x{byte:02X}>" for byte in range(256)]


def _first_double(pieces: Iterable[str]) -> str:
    seen: set[str] = set()
    return next(piece for piece in pieces if piece in seen or seen.add(piece))
