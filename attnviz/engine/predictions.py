"""The scores over the vocabulary that a run's final vectors give, made when they are asked for."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.ops import Float32


_MOST_ROWS: Final = 32  # that are kept; a large vocabulary has 1 MB in each


class Predictions:
    """Logits of all tokens, or of some of them alone; the newest are kept. Safe to use from several threads."""

    def __init__(self, vectors: Float32, predict: Callable[[Float32], Float32]) -> None:
        """vectors: the final ones, [token, d_model]; predict: makes logits, [token, n_vocab], of some of them."""
        self._vectors, self._predict = vectors, predict
        self._all: Float32 | None = None
        self._rows: dict[int, Float32] = {}
        self._lock = Lock()

    def all(self) -> Float32:
        """Those of all tokens, [token, n_vocab], read-only."""
        with self._lock:
            if self._all is None:
                self._all = self._predict(self._vectors)
                self._all.flags.writeable = False
            return self._all

    def at(self, positions: Sequence[int]) -> Float32:
        """Those of some tokens, [position, n_vocab]; at least one. Raises IndexError for a token that is not there."""
        with self._lock:
            if self._all is not None:
                return self._all[list(positions)]
            missing = sorted({int(position) for position in positions} - self._rows.keys())
            if missing:
                self._rows.update(zip(missing, self._predict(self._vectors[missing]), strict=True))
            rows = np.stack([self._rows[int(position)] for position in positions])
            while len(self._rows) > _MOST_ROWS:
                del self._rows[next(iter(self._rows))]
            return rows
