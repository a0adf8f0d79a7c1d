"""Garbage collection on the GUI thread only.

Python's cyclic collector runs on whichever thread allocates. With an engine thread that thread would destroy QObjects caught in
reference cycles, a known crash (novelWriter #2927, napari #1029). So it is switched off and a timer here collects.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 2_000


class Collector(QObject):
    """Collects cycles from the thread that made it, until `stop`."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(_EVERY_MS)

    def stop(self) -> None:
        """Give the work back to Python, as it was before."""
        self._timer.stop()
        if self._was_on:
            gc.enable()

    def _collect(self) -> None:
        # The young generations as Python itself would by their thresholds, the old one only when it is due.
        counts, limits = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if counts[generation] > limits[generation]:
                gc.collect(generation)
                return
