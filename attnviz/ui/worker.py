"""The engine's own thread. Requests go in by a mailbox of one, outcomes come back by one signal.

The newest request replaces the one that waits; the one that runs is finished, so that a slider in motion shows pictures on the
way (200 events 4 ms apart: 1 picture if each cancels the last, 29 if not). Only another model or the end calls a run off.
A plain thread with one bridge object: QThread wrappers have aborted PySide6 programs (erlabpy #581).
"""

from __future__ import annotations

import sys
import threading
import traceback
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from attnviz.errors import AttnvizError, Cancelled
from attnviz.session.run import Runner, Stage

if TYPE_CHECKING:
    from attnviz.session.request import Request


_A_WHILE = 0.3  # seconds; a run of a small model is over before anybody could read how far it is


class Worker(QObject):
    """Runs requests off the GUI thread. Signals arrive on the thread that made the worker."""

    done = Signal(object)  # Run
    failed = Signal(object, object)  # Request, AttnvizError
    loading = Signal(object)  # Request whose model is being opened
    progressed = Signal(str, int, int)  # "opening" or "reading", layers done, of how many; only of what takes a while
    cancelled = Signal(object)  # Request that a person called off

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wake = threading.Condition()
        self._waiting: Request | None = None
        self._stopping = False
        self._running: Request | None = None
        self._called_off: Request | None = None
        self._budget: int | None = None
        self._thread = threading.Thread(target=self._serve, name="attnviz-engine", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Have `request` run next, in place of one that still waits."""
        with self._wake:
            self._waiting = request
            self._wake.notify()

    def call_off(self) -> None:
        """End what runs as soon as its layer is done; `cancelled` follows."""
        self._called_off = self._running

    def set_budget(self, gibibytes: float) -> None:
        """Keep so much of a model's weights ready from the next run on; 0 for half of what is free."""
        self._budget = int(gibibytes * (1 << 30)) or None

    def stop(self) -> None:
        """Call off what runs and end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _serve(self) -> None:
        runner = Runner()
        while (request := self._next()) is not None:
            self._run(runner, request)

    def _next(self) -> Request | None:
        with self._wake:
            while self._waiting is None and not self._stopping:
                self._wake.wait()
            self._running, self._waiting = self._waiting, None
            return None if self._stopping else self._running

    def _run(self, runner: Runner, request: Request) -> None:
        def cancelled() -> bool:
            waiting = self._waiting
            return self._stopping or self._called_off is request or (waiting is not None and waiting.model != request.model)

        started = monotonic()

        def progress(stage: Stage, done: int, total: int) -> None:
            if monotonic() - started > _A_WHILE:
                self.progressed.emit(stage, done, total)

        try:
            runner.budget = self._budget
            run = runner.run(request, cancelled, lambda: self.loading.emit(request), progress)
        except Cancelled:
            if self._called_off is request and not self._stopping:
                self.cancelled.emit(request)
        except AttnvizError as error:
            self.failed.emit(request, error)
        except Exception as error:  # a defect of ours: the thread must live on, and the person must know
            traceback.print_exc(file=sys.stderr)
            sentence = f"attnviz made a mistake ({type(error).__name__}: {error}); please report this text."
            self.failed.emit(request, AttnvizError(sentence))
        else:
            self.done.emit(run)
