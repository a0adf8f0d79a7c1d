"""Tensors from safetensors files, checked by name and shape before anything is computed with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError, safe_open

from attnviz.errors import ModelError

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32

# Endings of files that hold Python pickles. Opening one can run any code, so they are never opened.
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_READABLE = {"F32", "F16", "F64"}


def find_weights(folder: Path) -> Path:
    """The one safetensors file of a model folder. Raises ModelError, which names a pickle if only that is there."""
    files = sorted(folder.glob("*.safetensors"))
    if len(files) == 1:
        return files[0]
    if (folder / "model.safetensors") in files:
        return folder / "model.safetensors"
    if files:
        raise ModelError(f"{folder}: {len(files)} safetensors files and none is called model.safetensors; keep one of them.")
    pickles = [path.name for path in sorted(folder.iterdir()) if path.suffix in PICKLES]
    if pickles:
        raise ModelError(
            f"{folder}: the weights are only there as a pickle ({pickles[0]}), which can run code and is never opened; "
            "get the model's safetensors file."
        )
    raise ModelError(f"{folder}: no *.safetensors file; choose the folder that holds config.json and model.safetensors.")


class TensorFile:
    """An open safetensors file; a context manager. Tensors come out as float32 copies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = safe_open(str(path), framework="numpy")
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{path}: not a readable safetensors file ({error}); it may be cut short, get it again.") from error
        self.names = frozenset(self._file.keys())

    def __enter__(self) -> TensorFile:
        self._file.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.__exit__(None, None, None)

    def read(self, name: str, shape: tuple[int, ...]) -> Float32:
        """The tensor called `name`, float32. Raises ModelError if it is missing or not of that `shape`."""
        if name not in self.names:
            raise ModelError(f'{self._path}: tensor "{name}" is missing; the file is not the whole model.')
        view = self._file.get_slice(name)
        if tuple(view.get_shape()) != shape:
            found = list(view.get_shape())
            raise ModelError(f'{self._path}: tensor "{name}" is {found}, config.json says {list(shape)}; one of the two is wrong.')
        if view.get_dtype() not in _READABLE:
            kinds = ", ".join(sorted(_READABLE))
            raise ModelError(f'{self._path}: tensor "{name}" is stored as {view.get_dtype()}; attnviz reads {kinds}.')
        return self._file.get_tensor(name).astype(np.float32, copy=False)
