"""The program's type: Open Sans, shipped with it, so that a figure looks the same on every machine.

Its figures all have the same width (13.72 px at 24 px), so numbers stand in columns. Other scripts fall back to the
system's fonts.
"""

from __future__ import annotations

from functools import cache, lru_cache
from threading import get_ident

from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF

from attnviz.resources import resource_path

FAMILY = "Open Sans"
_FILES = ("OpenSans-Regular.ttf", "OpenSans-Semibold.ttf")


@cache
def load_fonts() -> None:
    """Make the shipped fonts known to Qt; needs a QGuiApplication."""
    for name in _FILES:
        if QFontDatabase.addApplicationFont(str(resource_path(f"fonts/{name}"))) < 0:
            raise FileNotFoundError(f"{name} cannot be read; install attnviz again")


def font(size: int, bold: bool = False) -> QFont:
    """The type in a pixel size; unhinted, so that a line has one length at every scale."""
    return _of_thread(get_ident(), size, bold)[0]


@lru_cache(maxsize=20_000)
def text_width(text: str, size: int, bold: bool) -> float:
    """The advance of a line of text, logical pixels."""
    return _of_thread(get_ident(), size, bold)[1].horizontalAdvance(text)


@lru_cache(maxsize=200)
def _of_thread(thread: int, size: int, bold: bool) -> tuple[QFont, QFontMetricsF]:
    """A font and its metrics for one thread alone: figures are painted off the GUI thread, and a QFont is not for sharing."""
    load_fonts()
    made = QFont(FAMILY)
    made.setPixelSize(size)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return made, QFontMetricsF(made)
