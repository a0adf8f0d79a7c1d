"""Lines of plain text."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget


def line(text: str, parent: QWidget, quiet: bool = False) -> QLabel:
    """A label that wraps and takes nothing for markup; quiet: in the muted colour."""
    label = QLabel(text, parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("quiet", quiet)
    return label
