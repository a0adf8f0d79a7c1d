"""What a model predicts at some places, as rows of tokens with their probabilities."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from attnviz.ui.lines import line
from attnviz.ui.panels.bars import Bar, BarList
from attnviz.ui.panels.heading import heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.session.predicting import Guess, Prediction
    from attnviz.ui.appearance import Appearance


class PredictionRows(QWidget):
    """A heading and a list for each place. On each bar of a what-if a stroke stands at the probability of the trained model."""

    guessPicked = Signal(object, object)  # Prediction, Guess

    def __init__(self, appearance: Appearance, parent: QWidget | None = None, is_open: bool = False) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._is_open = is_open
        self._shown: tuple[Prediction, ...] = ()
        self._parts: list[tuple[QLabel, BarList, QLabel]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def shown(self) -> tuple[Prediction, ...]:
        """What stands there."""
        return self._shown

    def lists(self) -> list[BarList]:
        """The list of each place."""
        return [rows for _, rows, _ in self._parts[: len(self._shown)]]

    def headings(self) -> list[str]:
        """The heading of each place."""
        return [label.text() for label, _, _ in self._parts[: len(self._shown)]]

    def show_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Show these places."""
        self._shown = tuple(predictions)
        while len(self._parts) < len(self._shown):
            self._parts.append(self._make_part())
        for number, (label, rows, note) in enumerate(self._parts):
            is_there = number < len(self._shown)
            for widget in (label, rows):
                widget.setVisible(is_there)
            note.setVisible(False)
            if is_there:
                one = self._shown[number]
                label.setText(_heading(one))
                rows.show_bars([_bar(guess) for guess in one.guesses])
                note.setText(_note(one))
                note.setVisible(one.actual is not None)

    def _make_part(self) -> tuple[QLabel, BarList, QLabel]:
        label, rows = heading("", self), BarList(self._appearance, self, self._is_open, "Likeliest tokens")
        label.setWordWrap(True)
        note = line("", self, quiet=True)
        rows.rowClicked.connect(partial(self._on_row_clicked, len(self._parts)))
        for widget in (label, rows, note):
            self._column.addWidget(widget)
        return label, rows, note

    def _on_row_clicked(self, place: int, row: int) -> None:
        self.guessPicked.emit(self._shown[place], self._shown[place].guesses[row])


def _heading(one: Prediction) -> str:
    if one.is_next:
        return f"next, behind \N{LEFT DOUBLE QUOTATION MARK}{one.token}\N{RIGHT DOUBLE QUOTATION MARK}"
    return f"at {one.token}" if one.actual is None else f"in place of {one.token}"


def _bar(guess: Guess) -> Bar:
    note = "" if guess.before is None else f"{100 * (guess.probability - guess.before):+.0f} %"
    return Bar(guess.text, percent(guess.probability), guess.probability, guess.before, note=note)


def _note(one: Prediction) -> str:
    if one.actual is None:
        return ""
    return f"the text has {one.actual.text}: {percent(one.actual.probability)}, rank {one.rank:,}"


def percent(probability: float) -> str:
    """ "42 %", "0.3 %", "<0.1 %"."""
    share = 100 * probability
    if share >= 9.95:
        return f"{share:.0f} %"
    return f"{share:.1f} %" if share >= 0.05 else "<0.1 %"
