"""The SHA-256 of a file, read once as long as the file does not change."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of a file, in 64 lower-case hexadecimal digits.

    The file is streamed. A second call answers from memory while path, size and time of change stay the same.
    Raises OSError if the file cannot be read.
    """
    real = Path(path).resolve()
    state = real.stat()
    return _digest(real, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, mtime_ns: int) -> str:  # size and time are the cache's key
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
