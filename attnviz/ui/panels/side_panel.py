"""The panel beside the picture: what is read there, what is changed there, what is predicted there, one at a time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from attnviz.scene.pictures import COMPARED
from attnviz.session.predicting import is_quick, places_of, predict
from attnviz.session.view import PANEL_NAMES
from attnviz.ui.newest import Newest
from attnviz.ui.panels.compare_panel import ComparePanel
from attnviz.ui.panels.head_panel import HeadPanel
from attnviz.ui.panels.pair_panel import PairPanel
from attnviz.ui.panels.prediction_panel import PredictionPanel
from attnviz.ui.panels.reading_panel import ReadingPanel
from attnviz.ui.panels.what_if_panel import WhatIfPanel
from attnviz.ui.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.session.predicting import Prediction
    from attnviz.session.run import Run
    from attnviz.session.state import State
    from attnviz.session.view import Panel, View
    from attnviz.ui.appearance import Appearance

_TIPS: Final[dict[Panel, str]] = {
    "reading": "What the token in focus looks at, or the chosen head or pair closely (R)",
    "what_if": "Mute, weaken and strengthen heads, and see what follows (I)",
    "prediction": "What the model predicts, and how it goes on (P)",
}


class SidePanel(QWidget):
    """Shows the panel that a view asks for."""

    panelPicked = Signal(str)  # Panel
    failed = Signal(str)  # the sentence to show

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reading = ReadingPanel(appearance, self)
        self.head = HeadPanel(appearance, self)
        self.pair = PairPanel(appearance, self)
        self.what_if = WhatIfPanel(appearance, self)
        self.prediction = PredictionPanel(appearance, self)
        self.compare = ComparePanel(appearance, self)
        self.compare.failed.connect(self.failed)
        self.forecast = Newest("attnviz-predict", self)
        self.forecast.arrived.connect(self._on_forecast)
        self.forecast.failed.connect(self.failed)
        self.predicted: Run | None = None  # whose predictions stand there
        self._switch = Segments(PANEL_NAMES, _TIPS, self, narrow=True)
        self._switch.picked.connect(self.panelPicked)
        self.tabs = self._switch.buttons
        self._pages = QStackedWidget(self)
        for page in (self.reading, self.head, self.pair, self.compare, self.what_if, self.prediction):
            self._pages.addWidget(page)
        self.setMinimumWidth(264)
        self._compose()

    def page(self) -> QWidget:
        """The panel on the screen."""
        return self._pages.currentWidget()

    def show_state(self, state: State) -> None:
        """Show the panel that a state's view asks for; the state has a run."""
        view = state.view
        self._switch.show_value(view.panel)
        if state.run.against is None:
            self.compare.forget()
        match view.panel:
            case "reading":
                self._pages.setCurrentWidget(self._reading(state))
                self.forecast.forget()  # it holds its run
                self.predicted = None
            case "what_if":
                self.what_if.show_state(state)
                self._pages.setCurrentWidget(self.what_if)
                if state.run.trace.is_what_if or not state.changes:
                    self._forecast(state)
            case "prediction":
                self.prediction.show_state(state)
                self._pages.setCurrentWidget(self.prediction)
                self._forecast(state)

    def stop(self) -> None:
        """End what is computed on another thread."""
        self.forecast.stop()
        self.compare.stop()

    def _reading(self, state: State) -> QWidget:
        """What is read of the picture: a head of the grid, a chosen pair, two runs, or the token in focus."""
        if state.view.picture == "grid":
            return self.head
        if self.pair.show_state(state):
            return self.pair
        if state.run.against is not None and state.view.picture in COMPARED:
            self.compare.show_state(state)
            return self.compare
        return self.reading

    def _forecast(self, state: State) -> None:
        run, view = state.run, state.view
        if run.model.predicts and self.isVisible():
            key, quick = (run, places_of(run, view), view.temperature), is_quick(run, view)
            if not quick and not self.forecast.has(key):
                self._on_forecast((None, ()))  # what stands there is of another run or place
            self.forecast.ask(key, partial(_predicted, run, view), quick)
        else:
            self.forecast.forget()
            self._on_forecast((None, ()))

    def _on_forecast(self, found: tuple[Run | None, tuple[Prediction, ...]]) -> None:
        self.predicted, predictions = found
        self.what_if.show_predictions(predictions)
        self.prediction.show_predictions(predictions)

    def _compose(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(16, 10, 12, 0)
        row.addWidget(self._switch)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._pages, 1)


def _predicted(run: Run, view: View, cancelled: Callable[[], bool]) -> tuple[Run, tuple[Prediction, ...]]:
    """What a run predicts, with the run."""
    del cancelled  # one product of matrices, which nothing interrupts
    return run, predict(run, view)
