"""Model files that count what is read of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.engine import model
from attnviz.engine.folder import open_folder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from numpy.typing import NDArray

    from attnviz.engine.folder import Opened
    from attnviz.engine.ops import Float32
    from attnviz.engine.tensors import TensorSource


class Reads(Counter[str]):
    """How often each tensor was read, by name, but for the vectors of single tokens."""

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> Reads:
        """Itself, counting from now on what load_model and its models read."""

        def opened(path: Path) -> Opened:
            found = open_folder(path)
            return replace(found, tensors=_Counted(found.tensors, self))

        monkeypatch.setattr(model, "open_folder", opened)
        return self

    def take(self) -> Counter[str]:
        """What was counted since the last time."""
        taken = Counter(self)
        self.clear()
        return taken


class _Counted:
    def __init__(self, source: TensorSource, reads: Reads) -> None:
        self._source, self._reads = source, reads
        self.where, self.names, self.shape = source.where, source.names, source.shape

    def read(self, name: str) -> Float32:
        self._reads[name] += 1
        return self._source.read(name)

    def rows(self, name: str, rows: NDArray[Any] | slice) -> Float32:
        if not isinstance(rows, np.ndarray):
            self._reads[name] += 1
        return self._source.rows(name, rows)

    def stored(self, name: str) -> NDArray[Any]:
        self._reads[name] += 1
        return self._source.stored(name)
