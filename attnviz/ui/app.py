"""Starting the program with its window."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from attnviz.errors import InputError
from attnviz.library.discovery import default_model, find_models, resolve_model
from attnviz.session.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path


def run_window(model: str | None, text: str | None, session: Path | None = None) -> int:
    """Open the window and stay until it is closed; the exit status. session: a session file to show, with `model` and `text` in
    place of its own.

    Raises InputError without a display and for a file that is no session, ModelError for a model that is not there.
    """
    check_display()
    chosen = None if model is None else resolve_model(model, load_settings().recent).absolute()
    path = default_model() if chosen is None else chosen
    opening = None
    if session is not None:
        from attnviz.session.opening import read_opening

        opening = read_opening(session.absolute(), chosen, text)
    elif path is None:
        path = smallest_model()

    from PySide6.QtWidgets import QApplication

    from attnviz.ui.start import open_window

    # Python would hear of Ctrl+C only when the window next runs Python code; Qt's loop may not for minutes.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    app = QApplication([sys.argv[0]])
    app.setApplicationName("attnviz")
    app.setStyle("Fusion")
    window = open_window(app, path, text, opening)
    status = app.exec()
    del window
    return status


def smallest_model() -> Path | None:
    """The model on this machine that opens soonest, of those that attnviz runs; None if there is none."""
    runs = [model for model in find_models() if model.why_not is None]
    return min(runs, key=lambda model: model.n_bytes).path if runs else None


def check_display() -> None:
    """Raises InputError on a Linux machine without a display, which Qt would answer with an abort."""
    wanted = os.environ.get("QT_QPA_PLATFORM", "")
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not shown and not wanted:
        raise InputError(
            "There is no display to open the window on; start attnviz from a desktop session, "
            "or draw without a window: attnviz render --help"
        )
