"""Tensors from safetensors files, one or several: checked by the safetensors library, read from the mapped file.

The library checks each header (sizes, overlaps, unknown kinds), but copies every tensor that it hands out, has no float8 without
PyTorch and no rows; so the numbers are taken from the mapped bytes at the offsets that it has found sound.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, safe_open

from attnviz.engine.config_keys import short
from attnviz.engine.files import INDEX, PICKLES, check_regular
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from attnviz.engine.ops import Float32

_INDEX_LIMIT = 100 << 20  # bytes; the index of the largest models takes a few megabytes
_FLOATS: dict[str, DTypeLike] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
}
_OTHERS: dict[str, DTypeLike] = {"U8": np.uint8, "I8": np.int8, "BOOL": np.bool_, "I32": np.int32, "I64": np.int64}


def find_weights(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model folder, those of an index where there is one.

    Raises ModelError, which names a pickle if only that is there, what is no regular file, and the file that an index lists and
    the folder lacks.
    """
    single, files = folder / "model.safetensors", sorted(folder.glob("*.safetensors"))
    if single in files:
        check_regular(single)
        return (single,)
    if (folder / INDEX).is_file():
        return _indexed(folder)
    if len(files) == 1:
        check_regular(files[0])
        return (files[0],)
    if files:
        raise ModelError(
            f"{folder}: {len(files)} safetensors files and none is called model.safetensors; keep one of them, or get {INDEX}."
        )
    pickles = [path.name for path in sorted(folder.iterdir()) if path.suffix in PICKLES]
    if pickles:
        raise ModelError(
            f"{folder}: the weights are only there as a pickle ({pickles[0]}), which can run code and is never opened; "
            "get the model's safetensors file."
        )
    raise ModelError(f"{folder}: no *.safetensors file; choose the folder that holds config.json and model.safetensors.")


def _indexed(folder: Path) -> tuple[Path, ...]:
    path = folder / INDEX
    try:
        if path.stat().st_size > _INDEX_LIMIT:
            raise ModelError(f"{path}: {path.stat().st_size:,} bytes is no index of weights; get the file again.")
        values = json.loads(path.read_text(encoding="utf-8"))
        names = sorted(set(values["weight_map"].values()))
        plain = all(Path(name).name == name and name.endswith(".safetensors") for name in names)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a readable index of weights ({error}); get the file again.") from error
    if not names or not plain:
        raise ModelError(f"{path}: lists something else than safetensors files of this folder; get the file again.")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder}: {missing[0]} is missing, one of the {len(names)} parts of the weights; get that file too.")
    return tuple(folder / name for name in names)


@dataclass(frozen=True)
class _Place:
    """Where a tensor's bytes are: an array of the whole file's bytes, and what of it."""

    bytes: NDArray[np.uint8]
    start: int
    kind: str
    shape: tuple[int, ...]


class SafetensorsSource:
    """The TensorSource of safetensors files."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self.where = str(paths[0] if len(paths) == 1 else paths[0].parent)
        self._places: dict[str, _Place] = {}
        for path in paths:
            for name, place in _places(path).items():
                if name in self._places:
                    raise ModelError(f'{self.where}: tensor "{name}" is in two of the files; one of them is of another model.')
                self._places[name] = place
        self.names = frozenset(self._places)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return self._places[name].shape

    def read(self, name: str) -> Float32:
        """A whole tensor as float32; a read-only view of the mapped file where that is what it stores."""
        self._check_float(name)
        return _as_float32(self.stored(name))

    def rows(self, name: str, rows: NDArray[Any] | slice) -> Float32:
        """Some rows of a matrix as float32; the others are not read."""
        self._check_float(name)
        return _as_float32(_aligned(self._mapped(name)[rows]))

    def stored(self, name: str) -> NDArray[Any]:
        """A whole tensor as it is stored, a read-only view of the mapped file."""
        return _aligned(self._mapped(name))

    def _mapped(self, name: str) -> NDArray[Any]:
        """The tensor where it lies in the file, which need not be on its numbers' own boundaries."""
        place = self._places[name]
        dtype = np.dtype(_FLOATS.get(place.kind) or _OTHERS.get(place.kind) or self._refuse(name))
        data = place.bytes[place.start : place.start + prod(place.shape) * dtype.itemsize].view(np.ndarray)
        return data.view(dtype).reshape(place.shape)

    def _check_float(self, name: str) -> None:
        if self._places[name].kind not in _FLOATS:
            self._refuse(name)

    def _refuse(self, name: str) -> DTypeLike:
        raise ModelError(
            f'{self.where}: tensor "{name}" is stored as {self._places[name].kind}; attnviz reads {", ".join(sorted(_FLOATS))}.'
        )


def _aligned(numbers: NDArray[Any]) -> NDArray[Any]:
    """The same on boundaries that products can use; a header of odd length puts them beside those."""
    return numbers if numbers.flags.aligned else numbers.copy()


def _as_float32(stored: NDArray[Any]) -> Float32:
    if stored.dtype != ml_dtypes.bfloat16:
        return stored.astype(np.float32, copy=False)
    # A bfloat16 is the upper half of a float32; shifting is nine times as fast as ml_dtypes' conversion (8 ms for 11 million).
    wide = np.empty(stored.shape, np.uint32)
    np.left_shift(stored.view(np.uint16), 16, out=wide, dtype=np.uint32, casting="unsafe")
    return wide.view(np.float32)


def _places(path: Path) -> dict[str, _Place]:
    """Every tensor of one file. Raises ModelError if the safetensors library finds the file unsound."""
    try:
        with safe_open(str(path), framework="numpy"):
            pass
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        mapped = np.memmap(path, np.uint8, "r")
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path}: not a readable safetensors file ({short(str(error))[1:-1]}); it may be cut short, get it again."
        ) from error
    header.pop("__metadata__", None)
    return {
        name: _Place(mapped, 8 + length + entry["data_offsets"][0], entry["dtype"], tuple(entry["shape"]))
        for name, entry in header.items()
    }
