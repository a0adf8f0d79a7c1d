"""How much memory a model's weights may take, as a menu."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

_CHOICES = (
    (0.0, "Half of what is free"),
    (1.0, "1 GiB"),
    (2.0, "2 GiB"),
    (4.0, "4 GiB"),
    (8.0, "8 GiB"),
    (16.0, "16 GiB"),
    (32.0, "32 GiB"),
)


class MemoryMenu(QMenu):
    """One choice of several. Weights beyond it are read from the file again in each run, which takes longer."""

    budgetPicked = Signal(float)  # GiB, 0 for half of what is free

    def __init__(self, chosen: float, parent: QWidget | None = None) -> None:
        super().__init__("Memory for weights", parent)
        self.setToolTipsVisible(True)
        self._group = QActionGroup(self)
        choices = _CHOICES if chosen in dict(_CHOICES) else (*_CHOICES, (chosen, f"{chosen:g} GiB"))
        for gibibytes, text in choices:
            action = QAction(text, self)
            action.setCheckable(True)
            action.setChecked(gibibytes == chosen)
            action.setData(gibibytes)
            action.setToolTip("Layers that do not fit are read from the file in each run: slower, and any size runs")
            self._group.addAction(action)
            self.addAction(action)
        self._group.triggered.connect(self._on_triggered)

    def _on_triggered(self, action: QAction) -> None:
        self.budgetPicked.emit(action.data())
