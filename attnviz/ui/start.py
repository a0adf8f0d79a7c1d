"""The first moments of a window: it shows once there is a picture to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from attnviz.session.examples import load_examples
from attnviz.ui.window import MainWindow

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from attnviz.session.session import State

# How long the window may wait for its first picture before it shows without one.
_FIRST_PICTURE_MS = 1_500


def open_window(app: QApplication, model: Path | None, text: str | None) -> MainWindow:
    """A window that reads `text` (None: the first example) with `model` (None: none is there yet)."""
    window = MainWindow(app)
    example = load_examples()[0]
    if text is None:
        window.session.ask(text=example.text, arrival=example.arrival)
    else:
        window.session.ask(text=text)
    if model is None:
        window.show()
    else:
        FirstPicture(window)
        window.open_model(model)
    return window


class FirstPicture(QObject):
    """Shows a window with its first picture, or after a moment without one."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._waiting = True
        window.session.subscribe(self._on_session_changed)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._show)
        self._timer.start(_FIRST_PICTURE_MS)

    def _on_session_changed(self, _old: State, new: State) -> None:
        if new.run is not None or new.failure:
            self._show()

    def _show(self) -> None:
        if self._waiting:
            self._waiting = False
            self._timer.stop()
            self._window.show()
            self._window.reader.sentence.setFocus()
