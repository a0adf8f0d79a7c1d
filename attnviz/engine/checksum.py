"""The SHA-256 of a file, read once as long as the file does not change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.errors import Cancelled, never

if TYPE_CHECKING:
    from collections.abc import Callable


def sha256_of(path: str | Path, *more: str | Path, cancelled: Callable[[], bool] = never) -> str:
    """The SHA-256 of a file, in 64 lower-case hexadecimal digits; of several files that of their SHA-256s, one per line.

    Files are streamed. A second call answers from memory while path, size and time of change stay the same.
    Raises OSError if a file cannot be read, Cancelled once `cancelled()` says so.
    """
    if more:
        lines = "".join(f"{sha256_of(one, cancelled=cancelled)}\n" for one in (path, *more))
        return hashlib.sha256(lines.encode()).hexdigest()
    real = Path(path).resolve()
    state = real.stat()
    return _digest(_File(real, state.st_size, state.st_mtime_ns, cancelled))


@dataclass(frozen=True)
class _File:
    """A file as long as it does not change; who may call its reading off makes no difference to it."""

    path: Path
    size: int
    mtime_ns: int
    cancelled: Callable[[], bool] = field(compare=False)


@lru_cache(maxsize=64)
def _digest(state: _File) -> str:
    with _Watched(state) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Watched(FileIO):
    """A file that is read until somebody calls it off."""

    def __init__(self, state: _File) -> None:
        super().__init__(state.path)
        self._cancelled = state.cancelled

    def readinto(self, buffer: bytearray | memoryview) -> int | None:
        if self._cancelled():
            raise Cancelled
        return super().readinto(buffer)
