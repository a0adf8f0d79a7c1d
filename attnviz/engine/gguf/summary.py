"""The few words of a GGUF header that a list of models shows, read without its vocabulary and without a look at its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from attnviz.engine.gguf.cursor import Cursor
from attnviz.engine.gguf.mapped import map_file

if TYPE_CHECKING:
    from pathlib import Path

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
    cursor = Cursor(map_file(path), path)
    cursor.begin()
    cursor.number("Q", "the number of tensors")
    n_entry = cursor.count(_SMALLEST_ENTRY, "entries of metadata")
    if n_entry > _MOST_ENTRIES:
        raise cursor.refuse(f"{n_entry:,} entries of metadata")
    told: dict[str, Any] = {}
    texts_left = _MOST_TEXTS
    for _ in range(n_entry):
        name = cursor.name("the name of an entry")
        n_text = cursor.skip_texts(texts_left)
        if n_text is None:
            told[name] = cursor.value("an entry")
        else:
            texts_left -= n_text
        if _is_complete(told):
            break
    return _summary(told)


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
