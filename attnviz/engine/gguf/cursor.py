"""Reading a GGUF header step by step: nothing is taken, allocated or looped over before the bytes for it are known to be there."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from attnviz.errors import ModelError

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable
    from pathlib import Path

_MAGIC: Final = 0x46554747  # "GGUF"
# Kinds of values by their numbers. Source: docs/gguf.md of the ggml project, "File Structure".
_NUMBERS: Final = {0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 10: "<u8", 11: "<i8", 12: "<f8"}
_BOOL, _STRING, _ARRAY = 7, 8, 9
# The longest vocabularies and merge lists have a few hundred thousand entries.
_MOST_STRINGS = 4_000_000
_LONGEST_NAME = 65_535  # docs/gguf.md, gguf_metadata_kv_t
_LONGEST_TEXT = 64 << 20


class Cursor:
    """A place in the mapped bytes of one file. Every step checks what is left and raises ModelError."""

    def __init__(self, data: mmap.mmap, path: Path) -> None:
        self._data = data
        self._path = path
        self.at = 0

    def refuse(self, problem: str) -> ModelError:
        """The error to raise for a file that is not as it should be."""
        return ModelError(f"{self._path}: not a readable GGUF file ({problem}); it may be cut short or damaged, get it again.")

    def begin(self) -> None:
        """Go past the first word and the version. Raise for a file that is no GGUF, or one of a kind that attnviz does not read."""
        if self.number("I", "the first word") != _MAGIC:
            raise self.refuse('it does not begin with "GGUF"')
        version = self.number("I", "the version")
        if version & 0xFFFF == 0 and version:  # a small number the other way round
            raise ModelError(
                f"{self._path}: written for big-endian machines, which attnviz does not read; get the little-endian file."
            )
        if version not in (2, 3):
            raise ModelError(
                f"{self._path}: GGUF version {version}; attnviz reads versions 2 and 3, get a newer file of the model."
            )

    def need(self, n: int, what: str) -> None:
        """Raise unless `n` more bytes are there."""
        left = len(self._data) - self.at
        if n > left:
            raise self.refuse(f"{what} would take {n:,} bytes and {left:,} are left")

    def number(self, kind: str, what: str) -> int:
        """One integer; kind as struct names it."""
        size = struct.calcsize(kind)
        self.need(size, what)
        (value,) = struct.unpack_from("<" + kind, self._data, self.at)
        self.at += size
        return value

    def count(self, smallest: int, what: str) -> int:
        """How many things follow, each of which takes `smallest` bytes at least."""
        n = self.number("Q", what)
        self.need(n * smallest, f"{n:,} {what}")
        return n

    def text(self, longest: int, what: str) -> str:
        """One string of so many bytes at most."""
        n = self.number("Q", what)
        self.need(n, what)
        if n > longest:
            raise self.refuse(f"{what} is {n:,} bytes long, {longest:,} are the most")
        self.at += n
        try:
            return self._data[self.at - n : self.at].decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.refuse(f"{what} is not UTF-8") from error

    def name(self, what: str) -> str:
        """A string that names something."""
        return self.text(_LONGEST_NAME, what)

    def value(self, what: str) -> Any:
        """A value behind the number of its kind: int, float, bool, str, a list of str or bool, or an array of numbers."""
        kind = self.number("I", what)
        return self._array(what) if kind == _ARRAY else self._reader(kind, what)(what)

    def skip_texts(self, most: int) -> int | None:
        """Go past a list of texts, `most` of them at most, and say how many there were; None, and nowhere, for any other value."""
        start = self.at
        if self.number("I", "a kind") != _ARRAY or self.number("I", "a kind") != _STRING:
            self.at = start
            return None
        n = self.count(8, "texts")
        if n > most:
            raise self.refuse(f"a list of {n:,} texts")
        at, end, unpack = self.at, len(self._data), struct.Struct("<Q").unpack_from
        for _ in range(n):
            if at + 8 > end:
                raise self.refuse("a list of texts is longer than the file")
            at += 8 + unpack(self._data, at)[0]
        self.at = at
        self.need(0, "what follows a list of texts")
        return n

    def _reader(self, kind: int, what: str) -> Callable[[str], Any]:
        if kind in _NUMBERS:
            return lambda what: self._numbers(_NUMBERS[kind], 1, what)[0].item()
        if kind == _BOOL:
            return lambda what: bool(self._numbers("<u1", 1, what)[0])
        if kind == _STRING:
            return lambda what: self.text(_LONGEST_TEXT, what)
        raise self.refuse(f"{what} is of kind {kind}, which there is not")

    def _array(self, what: str) -> Any:
        kind = self.number("I", what)
        n = self.number("Q", what)
        if kind in _NUMBERS:
            return self._numbers(_NUMBERS[kind], n, what)
        if kind == _BOOL:
            return (self._numbers("<u1", n, what) != 0).tolist()
        if kind != _STRING:  # arrays of arrays: the format allows them and no model has one
            raise self.refuse(f"{what} is a list of kind {kind}, which no model has")
        self.need(8 * n, f"{what} with {n:,} texts")
        if n > _MOST_STRINGS:
            raise self.refuse(f"{what} has {n:,} texts, {_MOST_STRINGS:,} are the most")
        return self._texts(n, what)

    def _numbers(self, kind: str, n: int, what: str) -> np.ndarray:
        dtype = np.dtype(kind)
        self.need(n * dtype.itemsize, what)
        numbers = np.frombuffer(self._data, dtype, n, self.at)
        self.at += n * dtype.itemsize
        return numbers

    def _texts(self, n: int, what: str) -> list[str]:
        """The hot loop of a vocabulary: 150,000 texts take 70 ms, the library's reader 10 seconds."""
        data, at, end = self._data, self.at, len(self._data)
        unpack = struct.Struct("<Q").unpack_from
        texts = []
        for number in range(n):
            if at + 8 > end:
                raise self.refuse(f"{what} ends after {number:,} of {n:,} texts")
            (size,) = unpack(data, at)
            at += 8
            if size > end - at:
                raise self.refuse(f"text {number:,} of {what} would take {size:,} bytes and {end - at:,} are left")
            try:
                texts.append(str(data[at : at + size], "utf-8"))
            except UnicodeDecodeError as error:
                raise self.refuse(f"text {number:,} of {what} is not UTF-8") from error
            at += size
        self.at = at
        return texts
