"""The tensors of a GGUF model as they are stored, in one file or several, with their numbers as float32 on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.engine.config_keys import short
from attnviz.engine.files import GGUF_PART
from attnviz.engine.gguf.header import read_header
from attnviz.errors import ModelError

if TYPE_CHECKING:
    import mmap
    from pathlib import Path

    from numpy.typing import NDArray

    from attnviz.engine.gguf.header import Header, Place
    from attnviz.engine.ops import Float32

_MOST_PARTS = 9_999


@dataclass(frozen=True)
class Stored:
    """One tensor in the mapped file; nothing is read before it is asked for."""

    data: mmap.mmap
    place: Place

    @property
    def shape(self) -> tuple[int, ...]:
        """As NumPy has it: the dimensions of the file the other way round."""
        return self.place.shape

    def rows(self, rows: NDArray[Any] | slice = slice(None)) -> Float32:
        """Some of what lies along the first axis, as float32; the rest is not converted. A read-only view of the file where
        it stores just that."""
        place = self.place
        numbers = np.frombuffer(self.data, np.uint8, place.size, place.start)
        if len(self.shape) == 1:  # a block holds many rows of one number
            return place.kind.as_float32(numbers)[rows]
        width = self.shape[-1] // place.kind.block * place.kind.size
        return place.kind.as_float32(np.ascontiguousarray(numbers.reshape(*self.shape[:-1], width)[rows]))


@dataclass(frozen=True)
class StoredModel:
    """A model's metadata, tensors and files, the first file first."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Stored]
    files: tuple[Path, ...]


def open_stored(path: Path) -> StoredModel:
    """The model in the file at `path`, or in the files of which it is one. Raises ModelError for a file that is damaged,
    missing, or of another model."""
    header = read_header(path)
    count = _whole(header, "split.count", 1)
    if count <= 1:
        return StoredModel(path, header.metadata, _tensors(header), (path,))
    headers = [read_header(part) for part in _parts(path, count)]
    tensors: dict[str, Stored] = {}
    for number, part in enumerate(headers):
        if (_whole(part, "split.no", -1), _whole(part, "split.count", 1)) != (number, count):
            raise ModelError(f"{part.path}: not part {number + 1} of {count} of {path.name}; get the model's files again.")
        found = _tensors(part)
        for name in found.keys() & tensors.keys():
            raise ModelError(f'{part.path}: tensor "{name}" is in an earlier part too; one of the two is of another model.')
        tensors |= found
    if _whole(headers[0], "split.tensors.count", len(tensors)) != len(tensors):
        raise ModelError(f"{headers[0].path}: the {count} parts do not hold the tensors they should; get the model's files again.")
    return StoredModel(headers[0].path, headers[0].metadata, tensors, tuple(part.path for part in headers))


def _tensors(header: Header) -> dict[str, Stored]:
    return {name: Stored(header.data, place) for name, place in header.places.items()}


def _whole(header: Header, key: str, default: int) -> int:
    value = header.metadata.get(key, default)
    if type(value) is not int:
        raise ModelError(f'{header.path}: "{key}" is {short(value)}, expected a whole number; get the file again.')
    return value


def _parts(path: Path, count: int) -> list[Path]:
    """The files of a model that was split, by the name of one of them."""
    match = GGUF_PART.fullmatch(path.name)
    if match is None or int(match["count"]) != count or count > _MOST_PARTS:
        raise ModelError(
            f"{path}: one of {count} parts of a model; keep them in one folder under names that end in -00001-of-{count:05}.gguf."
        )
    parts = [path.with_name(f"{match['name']}-{number + 1:05}-of-{count:05}.gguf") for number in range(count)]
    missing = next((part.name for part in parts if not part.is_file()), None)
    if missing is not None:
        raise ModelError(f"{path}: {missing} is missing, one of the model's {count} parts; get that file too.")
    return parts
