"""All that a person has changed, line by line, each with a way to take it back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from attnviz.ui.lines import line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.changes import HeadAt, WeightAt


class ChangeList(QWidget):
    """One line for each change."""

    takenBack = Signal(object)  # HeadAt or WeightAt

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[tuple[HeadAt | WeightAt, str], ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)

    def texts(self) -> list[str]:
        """The lines as they stand there."""
        return [text for _, text in self._lines]

    def button(self, number: int) -> QToolButton:
        """What takes the change of a line back."""
        return self._column.itemAt(number).widget().findChild(QToolButton)

    def show_lines(self, lines: Sequence[tuple[HeadAt | WeightAt, str]]) -> None:
        """Show these changes."""
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        while self._column.count():
            gone = self._column.takeAt(0).widget()
            gone.hide()
            gone.deleteLater()
        for at, text in self._lines:
            self._column.addWidget(self._make_row(at, text))

    def _make_row(self, at: HeadAt | WeightAt, text: str) -> QWidget:
        row = QWidget(self)
        button = QToolButton(row)
        button.setText("\N{MULTIPLICATION SIGN}")
        button.setProperty("small", True)
        button.setToolTip("Take this back")
        button.setAccessibleName(f"Take back: {text}")
        button.clicked.connect(partial(self.takenBack.emit, at))
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(line(text, row), 1)
        layout.addWidget(button)
        return row
