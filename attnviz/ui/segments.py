"""A switch of several parts, one of which is on."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

if TYPE_CHECKING:
    from collections.abc import Mapping


class Segments(QWidget):
    """Buttons side by side as one; buttons: by their values."""

    picked = Signal(str)  # the value

    def __init__(self, names: Mapping[str, str], tips: Mapping[str, str], parent: QWidget, narrow: bool = False) -> None:
        """names, tips: of each value, in the order they stand in."""
        super().__init__(parent)
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        group = QButtonGroup(self)
        for place, (value, name) in enumerate(names.items()):
            button = QToolButton(self)
            button.setText(name)
            button.setCheckable(True)
            button.setToolTip(tips.get(value, ""))
            button.setProperty("segment", "first" if place == 0 else "last" if place == len(names) - 1 else "middle")
            button.setProperty("narrow", narrow)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            group.addButton(button, place)
            self.buttons[value] = button
            row.addWidget(button)
        for before, after in pairwise(self.buttons.values()):
            QWidget.setTabOrder(before, after)
        group.idClicked.connect(self._on_clicked)

    def show_value(self, value: str) -> None:
        """Switch one on, in silence."""
        self.buttons[value].setChecked(True)

    def _on_clicked(self, place: int) -> None:
        self.picked.emit(list(self.buttons)[place])
