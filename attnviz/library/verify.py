"""Is this folder a whole copy of a download? By size at start-up, by SHA-256 before a copy is taken in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from attnviz.engine.checksum import sha256_of
from attnviz.library.minilm import WEIGHTS

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.library.minilm import Download


def looks_whole(folder: Path, download: Download) -> bool:
    """Whether the needed files are there and the weights have the right size. Reads no file: microseconds."""
    try:
        size = (folder / WEIGHTS).stat().st_size
    except OSError:
        return False
    return size == download.weights_size and all((folder / name).is_file() for name in download.needed)


def find_damage(folder: Path, download: Download) -> str | None:
    """What is wrong with a copy, in a few words, or None if it is a true one. The SHA-256 decides."""
    try:
        return _missing(folder, download) or _wrong_weights(folder, download) or _broken_json(folder, download)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"


def _missing(folder: Path, download: Download) -> str | None:
    missing = [name for name in download.needed if not (folder / name).is_file()]
    return f"{', '.join(missing)} missing" if missing else None


def _wrong_weights(folder: Path, download: Download) -> str | None:
    size = (folder / WEIGHTS).stat().st_size
    if size != download.weights_size:
        return f"{WEIGHTS} is {size:,} bytes, expected {download.weights_size:,}"
    found = sha256_of(folder / WEIGHTS)
    if found != download.weights_sha256:
        return f"{WEIGHTS} has SHA-256 {found[:12]}…, expected {download.weights_sha256[:12]}…"
    return None


def _broken_json(folder: Path, download: Download) -> str | None:
    for name in download.needed:
        if name.endswith(".json"):
            try:
                json.loads((folder / name).read_bytes())
            except ValueError:  # also UnicodeDecodeError
                return f"{name} is cut or not JSON"
    return None
