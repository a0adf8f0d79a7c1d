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
            outcome = partial(self.done.emit, work())
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
