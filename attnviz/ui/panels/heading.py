"""The lines of text that a panel is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from attnviz.paint.fonts import font

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def title(text: str, parent: QWidget) -> QLabel:
    """What a panel is about."""
    label = QLabel(text, parent)
    label.setFont(font(17, True))
    label.setStyleSheet("font-size: 17px;")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def heading(text: str, parent: QWidget) -> QLabel:
    """What follows in a panel, in the muted colour."""
    label = QLabel(text, parent)
    label.setProperty("quiet", True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setContentsMargins(0, 10, 0, 0)
    return label
