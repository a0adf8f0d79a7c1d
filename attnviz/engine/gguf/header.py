"""What a GGUF file says of itself: its metadata and where its tensors are. Source: docs/gguf.md of the ggml project.

Read here and not by the gguf library, whose reader believes every count it meets and takes 20 seconds for a vocabulary of
150,000 tokens with its merges.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from attnviz.engine.config_keys import short
from attnviz.engine.gguf.cursor import Cursor
from attnviz.engine.gguf.kinds import kind_of
from attnviz.engine.gguf.mapped import map_file

if TYPE_CHECKING:
    import mmap
    from pathlib import Path

    from attnviz.engine.gguf.kinds import Kind

_SMALLEST_ENTRY, _SMALLEST_TENSOR = 8 + 4 + 1, 8 + 4 + 8 + 4 + 8
_MOST_DIMENSIONS = 4
_MOST_NUMBERS = 1 << 48


@dataclass(frozen=True)
class Place:
    """Where a tensor is in its file. shape: as NumPy has it, the dimensions of the file the other way round; size in bytes."""

    kind: Kind
    shape: tuple[int, ...]
    start: int
    size: int


@dataclass(frozen=True)
class Header:
    """Metadata as Python values (texts as list[str], lists of numbers as arrays) and tensors by name, over the mapped file."""

    path: Path
    data: mmap.mmap
    metadata: dict[str, Any]
    places: dict[str, Place]


def read_header(path: Path) -> Header:
    """The header of the GGUF file at `path`, which stays mapped. Raises ModelError for anything that is not as it should be."""
    data = map_file(path)
    cursor = Cursor(data, path)
    cursor.begin()
    n_tensor = cursor.count(_SMALLEST_TENSOR, "tensors")
    n_entry = cursor.count(_SMALLEST_ENTRY, "entries of metadata")
    metadata: dict[str, Any] = {}
    for _ in range(n_entry):
        name = cursor.name("the name of an entry")
        if name in metadata:
            raise cursor.refuse(f"{short(name)} is there twice")
        metadata[name] = cursor.value(short(name))
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or alignment < 1 or alignment & (alignment - 1):
        raise cursor.refuse(f'"general.alignment" is {short(alignment)}, expected a power of two')
    found = _read_places(cursor, n_tensor, alignment)
    begin = -(-cursor.at // alignment) * alignment
    return Header(path, data, metadata, _placed(cursor, found, begin, len(data)))


def _read_places(cursor: Cursor, n_tensor: int, alignment: int) -> dict[str, Place]:
    """The tensors with starts that count from the first tensor's byte."""
    found: dict[str, Place] = {}
    for _ in range(n_tensor):
        name = cursor.name("the name of a tensor")
        what = f"tensor {short(name)}"
        if name in found:
            raise cursor.refuse(f"{what} is there twice")
        n = cursor.number("I", what)
        if not 1 <= n <= _MOST_DIMENSIONS:
            raise cursor.refuse(f"{what} has {n:,} dimensions")
        dimensions = [cursor.number("Q", what) for _ in range(n)]
        if prod(dimensions) > _MOST_NUMBERS or not all(dimensions):
            raise cursor.refuse(f"{what} is {short(dimensions)}")
        kind = kind_of(cursor.number("I", what), what, cursor.refuse)
        if dimensions[0] % kind.block:
            raise cursor.refuse(f"{what} has rows of {dimensions[0]} numbers, {kind.name} comes in blocks of {kind.block}")
        start = cursor.number("Q", what)
        if start % alignment:
            raise cursor.refuse(f"{what} begins at byte {start:,}, which is no multiple of {alignment}")
        found[name] = Place(kind, tuple(reversed(dimensions)), start, prod(dimensions) // kind.block * kind.size)
    return found


def _placed(cursor: Cursor, found: dict[str, Place], begin: int, end: int) -> dict[str, Place]:
    """The tensors with starts that count from the file's first byte, if they lie inside the file and do not overlap."""
    last, before = begin, ""
    for name, place in sorted(found.items(), key=lambda item: item[1].start):
        start = begin + place.start
        if start < last:
            raise cursor.refuse(f"tensors {short(before)} and {short(name)} overlap")
        last, before = start + place.size, name
        if last > end:
            raise cursor.refuse(f"tensor {short(name)} would end at byte {last:,} and the file has {end:,}")
    return {name: Place(place.kind, place.shape, begin + place.start, place.size) for name, place in found.items()}
