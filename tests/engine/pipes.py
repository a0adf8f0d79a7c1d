"""A pipe in the place of a file: whoever opens it waits for the other end."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def pipe(path: Path, content: bytes = b"") -> Iterator[None]:
    """A pipe at `path` that gives `content` to the first who opens it, so that a program which does goes on and is found out."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes among the files of this system")
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    opened = threading.Event()

    def give() -> None:
        with path.open("wb") as end:
            opened.set()
            end.write(content)

    giver = threading.Thread(target=give)
    giver.start()
    try:
        yield
        assert not opened.is_set(), f"{path} was opened"
    finally:
        end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # lets the giver go on where nobody has
        giver.join()
        os.close(end)
