"""Measured numbers on disk, so that a run that was called off goes on, and one that was finished is there at once."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.errors import ExportError
from attnviz.library.places import data_folder
from attnviz.library.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from attnviz.engine.ops import Float32

# Corpora and models whose numbers are kept; MiniLM's over the bundled corpus take some 4 MB.
MOST_KEPT: Final = 24
# The SHA-256 that stands behind the arrays: an .npz itself does not tell that a bit of its arrays' sizes has turned.
_SUM_BYTES: Final = 32


def shelves_folder() -> Path:
    """The folder of all kept numbers; it may not exist yet."""
    return data_folder() / "roles"


class Shelf:
    """The numbers of one model over one plan, one file for each part. What cannot be read is made again, what cannot be written
    stays in memory.

    Safe to use from several threads and processes: a file is there whole, or not at all.
    """

    def __init__(self, folder: Path | None) -> None:
        """folder: None keeps nothing."""
        self._folder = folder

    @classmethod
    def of(cls, model_sha256: str, plan_digest: str, head_count: int) -> Shelf:
        """The shelf of a model and a plan."""
        return cls(shelves_folder() / f"{model_sha256[:24]}-{plan_digest[:24]}-{head_count}")

    def has(self, name: str) -> bool:
        """Whether a part is there."""
        return self._folder is not None and self._file(name).is_file()

    def count(self, names: Iterable[str]) -> int:
        """How many of some parts are there."""
        return sum(self.has(name) for name in names)

    def get_or_make(self, name: str, make: Callable[[], Mapping[str, Float32]]) -> Mapping[str, Float32]:
        """The arrays of a part, from the disk or else made and put there."""
        found = self._get(name)
        if found is None:
            found = make()
            self._put(name, found)
        return found

    def touch(self) -> None:
        """Count as used now, and let go of the shelves that were used longest ago, beyond MOST_KEPT."""
        if self._folder is None or not self._folder.is_dir():
            return
        with suppress(OSError):
            os.utime(self._folder)
            shelves = sorted(self._folder.parent.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
            for old in shelves[MOST_KEPT:]:
                shutil.rmtree(old, ignore_errors=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.npz"

    def _get(self, name: str) -> Mapping[str, Float32] | None:
        if not self.has(name):
            return None
        try:
            content = self._file(name).read_bytes()
        except OSError:
            return None
        arrays, told = content[:-_SUM_BYTES], content[-_SUM_BYTES:]
        if sha256(arrays).digest() != told:
            return None  # cut short or damaged: it is made anew
        with np.load(BytesIO(arrays), allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    def _put(self, name: str, arrays: Mapping[str, Float32]) -> None:
        if self._folder is None:
            return
        content = BytesIO()
        np.savez(content, **arrays)
        with suppress(OSError, ExportError):  # a full disk: the numbers are in memory, and are made again another time
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._file(name), content.getvalue() + sha256(content.getvalue()).digest())
