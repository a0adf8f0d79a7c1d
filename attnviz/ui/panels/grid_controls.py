"""What the grid says of each head: a number, an order by it, and which heads stand back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QSlider, QVBoxLayout, QWidget

from attnviz.scene.grid.summaries import summary_number
from attnviz.session.grid_choice import SUMMARY_NAMES, GridChoice
from attnviz.session.survey import chosen_values
from attnviz.ui.lines import line

if TYPE_CHECKING:
    from attnviz.session.survey import Survey

_STEPS: Final = 100
_NOTHING: Final = "Nothing"


class GridControls(QWidget):
    """A choice of number, a switch to sort by it, and two sliders for the heads that stand forward."""

    choiceChanged = Signal(object)  # GridChoice

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = GridChoice()
        self._survey: Survey | None = None
        self._names = (None, *SUMMARY_NAMES)
        self.summary_box = QComboBox(self)
        self.summary_box.addItems([_NOTHING, *SUMMARY_NAMES.values()])
        self.summary_box.setAccessibleName("Show on each head")
        self.sort_box = QCheckBox("Sort heads by it", self)
        self.sort_box.setToolTip("Each layer's heads stand in the order of their numbers, the lowest first.")
        self._limits = QWidget(self)
        self.least, self._least_text = self._new_slider("Only heads from")
        self.most, self._most_text = self._new_slider("Only heads up to")
        label = line("Show on each head", self, quiet=True)
        label.setBuddy(self.summary_box)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (label, self.summary_box, self.sort_box):
            column.addWidget(widget)
        column.addWidget(self._filter_rows())
        self.summary_box.currentIndexChanged.connect(self._on_summary_changed)
        self.sort_box.toggled.connect(self._on_sort_toggled)
        self.least.valueChanged.connect(self._on_least_moved)
        self.most.valueChanged.connect(self._on_most_moved)
        self._apply()

    @property
    def choice(self) -> GridChoice:
        """What is chosen."""
        return self._choice

    def set_choice(self, choice: GridChoice, survey: Survey | None) -> None:
        """Show `choice`, in silence; survey: the heads whose numbers the sliders run over, None while there are none."""
        self._choice, self._survey = choice, survey
        self._apply()

    def _new_slider(self, name: str) -> tuple[QSlider, QLabel]:
        slider = QSlider(Qt.Orientation.Horizontal, self._limits)
        slider.setRange(0, _STEPS)
        slider.setAccessibleName(name)
        text = QLabel(self._limits)
        text.setFixedWidth(44)
        text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return slider, text

    def _filter_rows(self) -> QWidget:
        rows = QGridLayout(self._limits)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setHorizontalSpacing(8)
        rows.setVerticalSpacing(6)
        for row, (name, slider, text) in enumerate(
            (("Only from", self.least, self._least_text), ("up to", self.most, self._most_text))
        ):
            label = line(name, self._limits, quiet=True)
            label.setWordWrap(False)
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for place, widget in enumerate((label, slider, text)):
                rows.addWidget(widget, row, place)
        rows.setColumnStretch(1, 1)
        return self._limits

    def _apply(self) -> None:
        """Have the widgets show the choice."""
        choice = self._choice
        blockers = [QSignalBlocker(widget) for widget in (self.summary_box, self.sort_box, self.least, self.most)]
        self.summary_box.setCurrentIndex(self._names.index(choice.summary))
        self.sort_box.setChecked(choice.is_sorted)
        self.least.setValue(0 if choice.least is None else self._step(choice.least))
        self.most.setValue(_STEPS if choice.most is None else self._step(choice.most))
        del blockers
        low, high = self._range()
        can_filter = low < high
        self.sort_box.setVisible(choice.summary is not None)
        self._limits.setVisible(can_filter)
        # A limit that was set for another text may lie beyond this one's numbers: what is told is the limit, not the slider.
        for text, limit, end in ((self._least_text, choice.least, low), (self._most_text, choice.most, high)):
            text.setText(summary_number(choice.summary, end if limit is None else limit) if can_filter else "")

    def _range(self) -> tuple[float, float]:
        """The lowest and the highest of the chosen numbers; 0 and 0 where there is none."""
        values = None if self._survey is None else chosen_values(self._survey, self._choice)
        return (float(np.nanmin(values)), float(np.nanmax(values))) if values is not None and values.size else (0.0, 0.0)

    def _value(self, step: int) -> float:
        low, high = self._range()
        return low + (high - low) * step / _STEPS

    def _step(self, value: float) -> int:
        low, high = self._range()
        return round(_STEPS * (value - low) / (high - low)) if low < high else 0

    def _on_summary_changed(self, index: int) -> None:
        # A limit is one of the number before, and says nothing of this one.
        self._tell(GridChoice(self._names[index], self._choice.is_sorted))

    def _on_sort_toggled(self, on: bool) -> None:
        self._tell(replace(self._choice, is_sorted=on))

    def _on_least_moved(self, step: int) -> None:
        least = self._value(step) if step > 0 else None  # at its end it is no limit
        meets = least is not None and step > self.most.value()
        self._tell(replace(self._choice, least=least, most=least if meets else self._choice.most))

    def _on_most_moved(self, step: int) -> None:
        most = self._value(step) if step < _STEPS else None
        meets = most is not None and step < self.least.value()
        self._tell(replace(self._choice, most=most, least=most if meets else self._choice.least))

    def _tell(self, choice: GridChoice) -> None:
        self._choice = choice
        self._apply()
        self.choiceChanged.emit(choice)
