"""Fetching the default model off the GUI thread."""

from __future__ import annotations

import sys
import threading
import traceback

from PySide6.QtCore import QObject, Signal

from attnviz.errors import AttnvizError, Cancelled
from attnviz.library.get import get_minilm


class Download(QObject):
    """One fetch at a time. Signals arrive on the thread that made the object."""

    progressed = Signal(object)  # Progress
    arrived = Signal(object)  # Path of the model
    failed = Signal(str)  # the sentence to show
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to fetch, unless a fetch is under way."""
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = threading.Thread(target=self._fetch, name="attnviz-download", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """Call the fetch off; `cancelled` follows once all is tidied away."""
        self._stop.set()

    def stop(self) -> None:
        """Call the fetch off and wait for its end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _fetch(self) -> None:
        try:
            path = get_minilm(self.progressed.emit, self._stop.is_set)
        except Cancelled:
            self.cancelled.emit()
        except AttnvizError as error:
            self.failed.emit(str(error))
        except Exception as error:  # a defect of ours, or a disk that is full: the page must not wait for ever
            traceback.print_exc(file=sys.stderr)
            self.failed.emit(f"The model could not be fetched ({type(error).__name__}: {error}); please try again.")
        else:
            self.arrived.emit(path)
