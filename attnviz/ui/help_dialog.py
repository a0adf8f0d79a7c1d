"""The page of keys and the page about the program."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QVBoxLayout, QWidget

from attnviz import __version__
from attnviz.ui.actions import ACTIONS, OTHER_KEYS

_ABOUT = f"""
<p><b>attnviz {__version__}</b></p>
<p>Draws which token of a sentence looks at which, head by head, in a real transformer that runs on this machine, in
NumPy alone: no server, no network.</p>
<p>Attention shows where a head reads from, not why the model answers as it does. Most of it falls on special tokens;
the line under the picture says how much.</p>
<p>Default model: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0. Type: Open Sans, Apache-2.0.<br>
attnviz is free software under the Apache License 2.0.</p>
"""


def keys_dialog(parent: QWidget) -> QDialog:
    """A window with all keys."""
    dialog = _dialog("Keys", parent)
    grid = QGridLayout()
    grid.setHorizontalSpacing(28)
    grid.setVerticalSpacing(7)
    native = QKeySequence.SequenceFormat.NativeText
    rows = [(QKeySequence(row.keys[0]).toString(native), row.text) for row in ACTIONS if row.keys]
    for place, (keys, text) in enumerate([*rows, *OTHER_KEYS]):
        column, line = divmod(place, (len(rows) + len(OTHER_KEYS) + 1) // 2)
        name = QLabel(f"<b>{escape(keys)}</b>", dialog)
        grid.addWidget(name, line, 2 * column, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(QLabel(text.rstrip("\N{HORIZONTAL ELLIPSIS}"), dialog), line, 2 * column + 1)
    dialog.layout().addLayout(grid)
    return dialog


def about_dialog(parent: QWidget) -> QDialog:
    """A window about the program."""
    dialog = _dialog("About attnviz", parent)
    label = QLabel(_ABOUT, dialog)
    label.setWordWrap(True)
    label.setFixedWidth(420)
    dialog.layout().addWidget(label)
    return dialog


def _dialog(title: str, parent: QWidget) -> QDialog:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    QVBoxLayout(dialog).setContentsMargins(28, 22, 28, 22)
    return dialog
