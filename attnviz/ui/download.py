"""Fetching the default model off the GUI thread."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal

from attnviz.library.get import get_minilm
from attnviz.ui.job import Job


class Download(Job):
    """A fetch that tells how far it is; `done` brings the model's path."""

    progressed = Signal(object)  # Progress

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("attnviz-download", parent)
        self._stop = threading.Event()

    def begin(self) -> None:
        """Begin to fetch, unless a fetch is under way."""
        if not self.is_running:
            self._stop.clear()
            self.start(self._fetch)

    def cancel(self) -> None:
        """Call the fetch off; `cancelled` follows once all is tidied away."""
        self._stop.set()

    def stop(self) -> None:
        """Call the fetch off and wait for its end."""
        self.cancel()
        self.wait()

    def _fetch(self) -> object:
        return get_minilm(self.progressed.emit, self._stop.is_set)
