"""Painting without a window or a display."""

from __future__ import annotations

import os

from PySide6.QtGui import QGuiApplication

_kept: list[QGuiApplication] = []  # Qt's application must outlive every font and image


def start_painting() -> None:
    """Make Qt ready to measure text and paint images; needs no display."""
    if QGuiApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        _kept.append(QGuiApplication([]))
