"""The SHA-256 of a file, read once as long as the file does not change."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path


def sha256_of(path: str | Path, *more: str | Path) -> str:
    """The SHA-256 of a file, in 64 lower-case hexadecimal digits; of several files that of their SHA-256s, one per line.

    Files are streamed. A second call answers from memory while path, size and time of change stay the same.
    Raises OSError if a file cannot be read.
    """
    if more:
        lines = "".join(f"{sha256_of(one)}\n" for one in (path, *more))
        return hashlib.sha256(lines.encode()).hexdigest()
    real = Path(path).resolve()
    state = real.stat()
    return _digest(real, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, mtime_ns: int) -> str:  # size and time are the cache's key
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
