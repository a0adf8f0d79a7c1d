"""A GGUF file's bytes, as the operating system maps them."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from attnviz.engine.files import check_regular
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


def map_file(path: Path) -> mmap.mmap:
    """The bytes of the file at `path`, unmapped with the last array over them. Raises ModelError for what cannot be read, or is no
    regular file."""
    try:
        check_regular(path)
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # ValueError: an empty file
        raise ModelError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); choose a GGUF file.") from error
