"""The few words of a GGUF header that a list of models shows, read without its vocabulary and without a look at its tensors."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from attnviz.engine.gguf.cursor import Cursor
from attnviz.engine.gguf.mapped import map_file

if TYPE_CHECKING:
    import mmap
    from pathlib import Path

# Source of magic, versions and numbers of kinds: docs/gguf.md of the ggml project.
_MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
_STRING, _ARRAY = 8, 9
_SMALLEST_ENTRY: Final = 8 + 4 + 1
# Real files have 20 to 80 entries and a few hundred thousand texts; past these a listing has no time for more.
_MOST_ENTRIES: Final = 2_000
_MOST_TEXTS: Final = 1_000_000
_WANTED: Final = ("block_count", "attention.head_count")


@dataclass(frozen=True)
class Summary:
    """architecture: as llama.cpp names it; kind: "model", or what else the file is; n_layer, n_head: 0 where it does not say."""

    architecture: str
    kind: str
    n_layer: int
    n_head: int


def read_summary(path: Path) -> Summary:
    """What the GGUF file at `path` says it is. Raises ModelError for a file that is not readable as one, or has too much to say.

    Reading stops as soon as all is known, in most files before the tokenizer.
    """
    data = map_file(path)
    return _read(Cursor(data, path), data)


def _read(cursor: Cursor, data: mmap.mmap) -> Summary:
    if data[:4] != _MAGIC:
        raise cursor.refuse('it does not begin with "GGUF"')
    cursor.at = 4
    if cursor.number("I", "the version") not in _VERSIONS:
        raise cursor.refuse("its version is none that attnviz reads")
    cursor.number("Q", "the number of tensors")
    n_entry = cursor.count(_SMALLEST_ENTRY, "entries of metadata")
    if n_entry > _MOST_ENTRIES:
        raise cursor.refuse(f"{n_entry:,} entries of metadata")
    told: dict[str, Any] = {}
    texts_left = _MOST_TEXTS
    for _ in range(n_entry):
        name = cursor.name("the name of an entry")
        n_text = _skip_texts(cursor, data, texts_left)
        if n_text is None:
            told[name] = cursor.value("an entry")
        else:
            texts_left -= n_text
        if _is_complete(told):
            break
    return _summary(told)


def _skip_texts(cursor: Cursor, data: mmap.mmap, most: int) -> int | None:
    """Goes past a list of texts and says how many there were; None, and nothing passed, for any other value."""
    start = cursor.at
    if cursor.number("I", "a kind") != _ARRAY or cursor.number("I", "a kind") != _STRING:
        cursor.at = start
        return None
    n = cursor.count(8, "texts")
    if n > most:
        raise cursor.refuse(f"a list of {n:,} texts")
    at, end, unpack = cursor.at, len(data), struct.Struct("<Q").unpack_from
    for _ in range(n):
        if at + 8 > end:
            raise cursor.refuse("a list of texts is longer than the file")
        at += 8 + unpack(data, at)[0]
    cursor.at = at
    cursor.need(0, "what follows a list of texts")
    return n


def _is_complete(told: dict[str, Any]) -> bool:
    """Whether the rest of the metadata can be left unread; "general.type" stands among the first of a file that has it."""
    name = told.get("general.architecture")
    return isinstance(name, str) and all(f"{name}.{key}" in told for key in _WANTED)


def _summary(told: dict[str, Any]) -> Summary:
    name, kind = told.get("general.architecture"), told.get("general.type", "model")
    n_layer, n_head = (_largest(told.get(f"{name}.{key}")) for key in _WANTED)
    return Summary(name if isinstance(name, str) else "", kind if isinstance(kind, str) else "", n_layer, n_head)


def _largest(value: Any) -> int:
    """A count, or the largest where each layer has its own."""
    if isinstance(value, np.ndarray) and value.size and value.dtype.kind in "ui":
        value = int(value.max())
    return value if type(value) is int and value > 0 else 0
