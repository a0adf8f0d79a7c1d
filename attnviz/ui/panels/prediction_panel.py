"""Beside the picture: what the model predicts, and how it is made to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from attnviz.ui.lines import line
from attnviz.ui.panels.heading import title
from attnviz.ui.panels.prediction_rows import PredictionRows
from attnviz.ui.panels.scrolling import scrolling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.session.predicting import Prediction
    from attnviz.session.run import Run
    from attnviz.session.state import State
    from attnviz.ui.appearance import Appearance

MANY: Final = 20
_HOTTEST: Final = 200  # percent


class PredictionPanel(QWidget):
    """Shows what a run predicts, and tells what was asked."""

    guessPicked = Signal(object, object)  # Prediction, Guess
    temperaturePicked = Signal(float)
    writePicked = Signal(int)
    stopPicked = Signal()
    againPicked = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Prediction")
        self._title = title("", self)
        self._hint = line("", self, quiet=True)
        self.rows = PredictionRows(appearance, self, is_open=True)
        self.rows.guessPicked.connect(self.guessPicked)
        self._writing = QWidget(self)
        self.one, self.many = self._button("Next", 1), self._button(f"{MANY} more", MANY)
        self.stop = QToolButton(self)
        self.stop.setText("Stop")
        self.stop.setProperty("narrow", True)
        self.stop.clicked.connect(self.stopPicked)
        self.again = QToolButton(self)
        self.again.setText("Again")
        self.again.setProperty("narrow", True)
        self.again.setToolTip("Write as many tokens anew, with other draws")
        self.again.clicked.connect(self.againPicked)
        self.temperature = QSlider(Qt.Orientation.Horizontal, self)
        self.temperature.setRange(0, _HOTTEST)
        self.temperature.setSingleStep(5)
        self.temperature.setAccessibleName("Temperature")
        self.temperature.setToolTip(
            "What the scores are divided by before the softmax: 0 takes the likeliest, 1 is the model's own"
        )
        self.temperature.valueChanged.connect(self._on_temperature_changed)
        self._degrees = QLabel(self)
        self._lay_out()

    def title(self) -> str:
        """What the panel is about."""
        return self._title.text()

    def hint(self) -> str:
        """What the panel says of the model."""
        return self._hint.text()

    def show_state(self, state: State) -> None:
        """Show what can be asked of the run on the screen."""
        run, view = state.run, state.view
        self._title.setText(_title(run))
        self._hint.setText(_hint(run))
        self._writing.setVisible(run.trace.writes)
        was = self.temperature.blockSignals(True)
        self.temperature.setValue(round(100 * view.temperature))
        self.temperature.blockSignals(was)
        self._say_temperature()
        is_writing = state.to_write > 0
        self.stop.setVisible(is_writing)
        self.again.setVisible(not is_writing and bool(state.written) and view.temperature > 0)
        for button in (self.one, self.many):
            button.setEnabled(not is_writing)

    def show_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Show what the model predicts."""
        self.rows.show_predictions(predictions)

    def _button(self, text: str, n: int) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setProperty("narrow", True)
        button.clicked.connect(self._on_one_clicked if n == 1 else self._on_many_clicked)
        return button

    def _lay_out(self) -> None:
        heat = QHBoxLayout()
        heat.setSpacing(8)
        heat.addWidget(line("Temperature", self, quiet=True))
        heat.addWidget(self.temperature, 1)
        heat.addWidget(self._degrees)
        self._degrees.setFixedWidth(34)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.one, self.many, self.stop, self.again):
            buttons.addWidget(button)
        buttons.addStretch(1)
        writing = QVBoxLayout(self._writing)
        writing.setContentsMargins(0, 4, 0, 0)
        writing.setSpacing(6)
        writing.addLayout(buttons)
        writing.addLayout(heat)
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 12, 12, 16)
        column.setSpacing(6)
        for widget in (self._title, self._hint, self._writing, self.rows):
            column.addWidget(widget)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inner, self))

    def _on_one_clicked(self) -> None:
        self.writePicked.emit(1)

    def _on_many_clicked(self) -> None:
        self.writePicked.emit(MANY)

    def _on_temperature_changed(self, percent: int) -> None:
        self._say_temperature()
        self.temperaturePicked.emit(percent / 100)

    def _say_temperature(self) -> None:
        self._degrees.setText(f"{self.temperature.value() / 100:.2f}")


def _title(run: Run) -> str:
    if not run.model.predicts:
        return "No prediction"
    return "What comes next" if run.trace.writes else "What is masked"


def _hint(run: Run) -> str:
    """How to have a prediction of that model, or why it has none."""
    model = run.model
    if not model.predicts:
        return (
            f"{model.name} has no prediction head: it makes vectors, one for each token. How far a change turns them stands under "
            "What if."
        )
    if run.trace.writes:
        return "Behind the last token, or behind the one in focus. A click on a row writes that token."
    return f"Double-click a token to mask it, or type {model.mask}. A click on a row puts it in the text."
