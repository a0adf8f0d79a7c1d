"""A piece of work off the GUI thread: writing a figure, fetching a model."""

from __future__ import annotations

import sys
import threading
import traceback
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from attnviz.errors import AttnvizError, Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable


class Job(QObject):
    """One piece of work at a time. Signals arrive on the thread that made the job."""

    done = Signal(object)  # what the work returned
    failed = Signal(str)  # the sentence to show
    cancelled = Signal()

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._thread: threading.Thread | None = None
        self._working = False
        self.outcome: object = None  # what the work returned that was done last

    @property
    def is_running(self) -> bool:
        """Whether the work is still under way."""
        return self._working

    def start(self, work: Callable[[], object]) -> bool:
        """Begin; False, and nothing begun, if the work before is still under way."""
        if self.is_running:
            return False
        self.wait()  # the work before has told its outcome, its thread may not be quite over
        self._working = True
        self._thread = threading.Thread(target=self._run, args=(work,), name=self._name, daemon=True)
        self._thread.start()
        return True

    def wait(self) -> None:
        """Wait for the end of the work."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            self.outcome = work()
            outcome = partial(self.done.emit, self.outcome)
        except Cancelled:
            outcome = self.cancelled.emit
        except AttnvizError as error:
            outcome = partial(self.failed.emit, str(error))
        except Exception as error:  # a disk that fills up, a defect of ours: the page must not stay busy for ever
            traceback.print_exc(file=sys.stderr)
            sentence = f"It did not work ({type(error).__name__}: {error}); try again, or report this."
            outcome = partial(self.failed.emit, sentence)
        self._working = False  # before the outcome is told, so that whoever hears of it can begin anew
        outcome()


class QueuedJob(Job):
    """The same for work that may come faster than it is done: the newest waits, in place of what waited before."""

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(name, parent)
        self._waiting: Callable[[], object] | None = None
        for ended in (self.done, self.failed, self.cancelled):
            ended.connect(self._go_on)

    def begin(self, work: Callable[[], object]) -> None:
        """Do some work, as soon as what is under way is done."""
        self._waiting = work
        self._go_on()

    def finish(self) -> None:
        """Wait for the end of what is under way and of what waits."""
        self.wait()
        self._go_on()
        self.wait()

    def _go_on(self) -> None:
        if self._waiting is not None and self.start(self._waiting):
            self._waiting = None
