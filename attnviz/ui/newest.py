"""One value that is wanted for the state on the screen, made off the GUI thread where it takes longer than a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from attnviz.errors import AttnvizError, Cancelled, never
from attnviz.ui.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Newest(QObject):
    """Makes one value at a time; the newest that is wanted comes next, and calls off the one before. The last one is kept."""

    arrived = Signal(object)  # the value
    failed = Signal(str)  # the sentence to show

    def __init__(self, name: str, parent: QObject) -> None:
        super().__init__(parent)
        self._job = Job(name, self)
        self._job.done.connect(self._on_done)
        self._job.failed.connect(self._on_failed)
        self._job.cancelled.connect(self._begin)
        self._wanted: tuple[Hashable, Callable[[Callable[[], bool]], object]] | None = None
        self._known: tuple[Hashable, object] | None = None

    @property
    def is_making(self) -> bool:
        """Whether a value is still to come."""
        return self._wanted is not None

    def ask(self, key: Hashable, make: Callable[[Callable[[], bool]], object], is_quick: bool) -> None:
        """Have `make(cancelled)` come as `arrived`, at once where it is quick or was made last; values of one key are the same.

        It may raise Cancelled once `cancelled()` says so, or an AttnvizError, whose sentence comes as `failed`.
        """
        if self.has(key):
            self._wanted = None
            self.arrived.emit(self._known[1])
        elif is_quick:
            self._wanted = None
            try:
                value = make(never)
            except AttnvizError as error:
                self.failed.emit(str(error))
            else:
                self._tell(key, value)
        elif self._wanted is None or self._wanted[0] != key:
            self._wanted = (key, make)
            self._begin()

    def has(self, key: Hashable) -> bool:
        """Whether the value of a key is the one that is kept."""
        return self._known is not None and self._known[0] == key

    def forget(self) -> None:
        """Want nothing any more, and let go of the value that is kept."""
        self._wanted = self._known = None

    def stop(self) -> None:
        """Want nothing any more, and wait for the end of what is being made."""
        self._wanted = None
        self._job.wait()

    def _begin(self) -> None:
        wanted = self._wanted
        if wanted is None or self._job.is_running:
            return

        def work() -> tuple[Hashable, object]:
            def cancelled() -> bool:
                return self._wanted is not wanted

            try:
                value = wanted[1](cancelled)
            except AttnvizError as error:  # told with its key: it may be of a value that nobody wants any more
                value = error
            if cancelled():
                raise Cancelled
            return wanted[0], value

        self._job.start(work)

    def _on_done(self, outcome: tuple[Hashable, object]) -> None:
        key, value = outcome
        if self._wanted is not None and self._wanted[0] == key:
            self._wanted = None
            if isinstance(value, AttnvizError):
                self.failed.emit(str(value))
            else:
                self._tell(key, value)
        self._begin()

    def _on_failed(self, sentence: str) -> None:
        """A defect of ours, which Job has made a sentence of."""
        self._wanted = None
        self.failed.emit(sentence)

    def _tell(self, key: Hashable, value: object) -> None:
        self._known = (key, value)
        self.arrived.emit(value)
