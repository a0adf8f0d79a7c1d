"""How quickly each picture follows a change of the view and the pointer, in the real window, offscreen.

Each figure is the wall time from the change to the end of the paint event that shows it, 64 tokens of all-MiniLM-L6-v2 with all
heads.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest

from attnviz.analysis.edges import Threshold
from attnviz.session.view import PICTURE_NAMES, HeadChoice, Sinks, View
from attnviz.ui.start import open_window
from tests.benchmarks.sections.window import SENTENCES, until

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from attnviz.ui.pictures.picture_view import PictureView
    from attnviz.ui.window import MainWindow

_PLACES: Final = 24  # of the pointer, down the diagonal of a picture
# What is switched to; the way back is what it was.
SWITCHES: Final[dict[str, dict[str, Any]]] = {
    "layer": {"layer": 4},
    "one head": {"heads": HeadChoice(frozenset({1}), 12)},
    "mean of heads": {"is_mean": True},
    "whole words": {"words": True},
    "sinks dimmed": {"sinks": Sinks(treatment="dim")},
    "sinks renormalised": {"sinks": Sinks(treatment="renormalise")},
    "punctuation, first token": {"sinks": Sinks(frozenset({"special", "first", "punctuation"}))},
    "value-weighted": {"quantity": "norms"},
    "rollout": {"quantity": "rollout"},
    "threshold": {"threshold": Threshold("mass", 0.5)},
    "pinned token": {"focus": 20},
    "linear colours": {"is_log": False},
}


def measure_views(app: QApplication, model: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Median and worst milliseconds of each switch and of hovering, picture by picture."""
    window = open_window(app, model, SENTENCES[64])
    window.resize(1180, 760)
    window.set_reduced_motion(True)
    until(app, lambda: window.isVisible() and not window.session.state.busy)
    figures: dict[str, dict[str, float]] = {}
    for picture in PICTURE_NAMES:
        _show(app, window, replace(View(), picture=picture, layer=1))
        for name, changes in SWITCHES.items():
            back = {field: getattr(window.session.state.view, field) for field in changes}
            times = []
            for _ in range(max(rounds // 2, 1) + 1):  # the first way there and back warms the caches
                times += [switch(app, window, changes), switch(app, window, back)]
            figures[f"{picture}: {name}"] = _figure(times[2:])
        figures[f"{picture}: hover"] = _figure(_hover(app, window))
    window.close()
    window.deleteLater()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return figures


def _figure(times: list[float]) -> dict[str, float]:
    return {"median": statistics.median(times), "worst": max(times)}


def _show(app: QApplication, window: MainWindow, view: View) -> None:
    window.session.show(**vars(view))
    until(app, lambda: not window.session.state.busy)
    window.reader.pictures.currentWidget().repaint()
    QTest.qWait(100)


def switch(app: QApplication, window: MainWindow, changes: dict[str, Any]) -> float:
    """From the change to the first repaint after it; a picture that it does not change is painted all the same."""
    widget = window.reader.pictures.currentWidget()
    painted: list[float] = []

    def note() -> None:
        painted.append(time.perf_counter())

    widget.painted.connect(note)
    started = time.perf_counter()
    window.session.show(**changes)
    widget.update()
    until(app, lambda: bool(painted))
    widget.painted.disconnect(note)
    QTest.qWait(5)
    return 1000 * (painted[0] - started)


def _hover(app: QApplication, window: MainWindow) -> list[float]:
    """From each move of the pointer that changes something to the repaint that shows it."""
    widget = window.reader.pictures.currentWidget()
    places = (
        QPointF(widget.width() * number / _PLACES, widget.height() * (0.2 + 0.6 * ((7 * number) % _PLACES) / _PLACES))
        for number in range(1, _PLACES)
    )
    return [taken for at in places if (taken := hover_once(app, widget, at))] or [0.0]


def hover_once(app: QApplication, widget: PictureView, at: QPointF) -> float:
    """Milliseconds from the pointer's move to a place to the repaint that shows it; 0 where nothing changes."""
    painted: list[float] = []

    def note() -> None:
        painted.append(time.perf_counter())

    widget.painted.connect(note)
    started = time.perf_counter()
    keys, none = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    app.sendEvent(widget, QMouseEvent(QEvent.Type.MouseMove, QPointF(at), widget.mapToGlobal(QPointF(at)), none, none, keys))
    app.processEvents()
    widget.painted.disconnect(note)
    return 1000 * (painted[0] - started) if painted else 0.0
