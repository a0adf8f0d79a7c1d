"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from threading import Lock
from typing import Final

from attnviz.errors import ExportError

# Two threads that ask for the mask at once would leave the process without one.
_ASKING: Final = Lock()


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` into the file at `path`, replacing what was there only once all of it is on the disk.

    Raises ExportError if the place cannot be written or is full; then nothing has changed.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        raise ExportError(f"{path}: cannot be written ({reason}); choose another place.") from error


def _umask() -> int:
    """The process's mask for new files, which mkstemp does not apply."""
    with _ASKING:
        mask = os.umask(0)
        os.umask(mask)
    return mask
