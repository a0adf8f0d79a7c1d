"""Fetching over the network off the GUI thread."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from attnviz.ui.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.library.progress import ProgressCallback


class Download(Job):
    """A job that tells how far it is and can be called off; `done` brings what it has fetched."""

    progressed = Signal(object)  # Progress

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("attnviz-download", parent)
        self._stop = threading.Event()

    def begin(self, fetch: Callable[[ProgressCallback, Callable[[], bool]], object]) -> None:
        """Begin `fetch(progress, cancelled)`, unless one is under way."""
        if not self.is_running:
            self._stop.clear()
            self.start(partial(fetch, self.progressed.emit, self._stop.is_set))

    def cancel(self) -> None:
        """Call the fetch off; `cancelled` follows once all is tidied away."""
        self._stop.set()

    def stop(self) -> None:
        """Call the fetch off and wait for its end."""
        self.cancel()
        self.wait()
