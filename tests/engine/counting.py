"""What is counted of a run in place of its time: what it reads of its files, and the rows of its products."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

from attnviz.engine import forward, model, products
from attnviz.engine.folder import open_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    from numpy.typing import NDArray

    from attnviz.engine.folder import Opened
    from attnviz.engine.ops import Float32
    from attnviz.engine.tensors import TensorSource


@contextmanager
def rows_multiplied() -> Iterator[list[int]]:
    """How many rows each product with a weight matrix had. Of a product that is shared out, each part counts by itself: the models
    of the tests are too small for that."""
    rows: list[int] = []
    whole = products.multiply

    def counted(x: Float32, *rest: Any) -> None:
        rows.append(len(x))
        whole(x, *rest)

    with mock.patch.object(products, "multiply", counted), mock.patch.object(forward, "multiply", counted):
        yield rows


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
