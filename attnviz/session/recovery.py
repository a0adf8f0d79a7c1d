"""What a window shows, kept in a file while it runs, so that it is not lost with a process that ends badly.

A folder of the program's data holds a session file for each window that runs, and a lock that its process holds: one whose lock
can be had is of a process that is no more. A window that is closed takes both away, unless it leaves changes of a session file
that nobody saved: these stay until a window offers them.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attnviz.errors import AttnvizError
from attnviz.library.places import data_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from attnviz.session.saved import Saved, SavedModel
    from attnviz.session.state import Wish

ENDING: Final = ".attnviz"  # of every session file
_CLOSED: Final = "unsaved-"  # begins the name of what a closed window left
_OLDEST: Final = 30 * 24 * 3600  # seconds


def recovery_folder() -> Path:
    """Where windows that run keep what they show; it may not exist yet."""
    return data_folder() / "recovery"


class Keeper:
    """Keeps what one window shows. A folder that cannot be written is no reason to disturb anyone: nothing is kept then."""

    def __init__(self) -> None:
        self._path = recovery_folder() / f"{os.getpid()}-{time.time_ns():x}{ENDING}"
        self._lock: BaseFileLock | None = None

    @property
    def has_kept(self) -> bool:
        """Whether anything was kept."""
        return self._lock is not None

    def keep(self, wish: Wish, model: SavedModel | None, file: Path | None) -> None:
        """Keep a wish in place of the one before; file: the session file that it belongs to."""
        from attnviz.session.saved import save_session

        with suppress(OSError, AttnvizError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._lock is None:
                self._lock = _locked(self._path)
            if self._lock is not None:
                save_session(self._path, wish, model, file)

    def close(self, leaves_changes: bool = False) -> None:
        """Take away what was kept, or with `leaves_changes` leave it to be offered by the next window."""
        if self._lock is None:
            return
        with suppress(OSError):
            if leaves_changes:
                self._path.replace(self._path.with_name(_CLOSED + self._path.name))
            else:
                self._path.unlink(missing_ok=True)
        _unlock(self._lock)
        self._lock = None


@dataclass(frozen=True)
class Lost:
    """What a window left behind. saved: what it showed; was_closed: it was closed properly, with changes that nobody saved."""

    saved: Saved
    was_closed: bool
    _path: Path
    _lock: BaseFileLock

    def forget(self) -> None:
        """Take it away."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        _unlock(self._lock)

    def leave(self) -> None:
        """Leave it for the next window to offer."""
        _unlock(self._lock)


def find_lost() -> Lost | None:
    """The newest of what windows left behind that run no more, None if there is nothing; no other window is offered it meanwhile.

    What is older than 30 days is taken away; so is what a process left that ended in the middle of writing.
    """
    newest: Lost | None = None
    try:
        paths = sorted(recovery_folder().glob(f"*{ENDING}"), key=_time_of, reverse=True)
    except OSError:
        return None
    for path in paths:
        is_old = time.time() - _time_of(path) > _OLDEST
        if newest is not None and not is_old:
            continue
        lock = _locked(path)
        if lock is None:
            continue
        if is_old:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        else:
            newest = _lost(path, lock)
        if newest is None:
            _unlock(lock)
    _sweep()
    return newest


def _lost(path: Path, lock: BaseFileLock) -> Lost | None:
    from attnviz.session.saved import read_session

    try:
        return Lost(read_session(path), path.name.startswith(_CLOSED), path, lock)
    except AttnvizError:  # such as one of a newer attnviz, which may still read it
        return None


def _sweep() -> None:
    """Take away old locks and files that were never finished."""
    with suppress(OSError):
        for path in recovery_folder().iterdir():
            if path.suffix != ENDING and time.time() - _time_of(path) > _OLDEST and not path.with_suffix(ENDING).exists():
                path.unlink(missing_ok=True)


def _time_of(path: Path) -> float:
    """When a file was written; 0 if it has gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _locked(path: Path) -> BaseFileLock | None:
    """The lock of a kept file; None if another process has it, or if there can be none."""
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_suffix(".lock"), timeout=0, thread_local=False)  # taken on one thread, given back on another
    try:
        lock.acquire()
    except (Timeout, OSError, NotImplementedError):  # filelock raises the last where a file system has no locks
        return None
    return lock


def _unlock(lock: BaseFileLock) -> None:
    with suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)  # before it is given back: then it may be another process's
    with suppress(OSError):
        lock.release()
