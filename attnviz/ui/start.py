"""The first moments of a window: it shows once there is a picture to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from attnviz.session.examples import load_examples
from attnviz.ui.window import MainWindow

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from attnviz.session.opening import Opening
    from attnviz.session.state import State

# How long the window may wait for its first picture before it shows without one.
_FIRST_PICTURE_MS = 1_500


def open_window(app: QApplication, model: Path | None, text: str | None, session: Opening | None = None) -> MainWindow:
    """A window that reads `text` (None: the first example) with `model` (None: none is there yet), or that shows a session; `model`
    reads the first example then if the session cannot be had."""
    window = MainWindow(app)
    if session is not None:
        FirstPicture(window, model)
        window.files.show(session)
        return window
    if text is None:
        ask_for_example(window)
    else:
        window.session.ask(text=text)
    if model is None:
        window.show()
    else:
        FirstPicture(window)
        window.open_model(model)
    return window


def ask_for_example(window: MainWindow) -> None:
    """Have a window read the first example."""
    example = load_examples()[0]
    window.session.ask(text=example.text, arrival=example.arrival)


class FirstPicture(QObject):
    """Shows a window with its first picture, or after a moment without one. instead: the model to begin with if a session was to be
    shown and cannot be had."""

    def __init__(self, window: MainWindow, instead: Path | None = None) -> None:
        super().__init__(window)
        self._window = window
        self._instead = instead
        window.files.refused.connect(self._on_refused)
        self._waiting = True
        window.session.subscribe(self._on_session_changed)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._show)
        self._timer.start(_FIRST_PICTURE_MS)

    def _on_session_changed(self, _old: State, new: State) -> None:
        if new.run is not None or new.failure:
            self._show()

    def _on_refused(self, sentence: str) -> None:
        """Begin as if no session had been asked for, and say why it is not there."""
        if self._window.session.state.model is None and self._instead is not None:
            ask_for_example(self._window)
            self._window.open_model(self._instead)
            self._window.files.warn(sentence)

    def _show(self) -> None:
        if self._waiting:
            self._waiting = False
            self._timer.stop()
            self._window.show()
            self._window.reader.sentence.setFocus()
