"""The first line of the window of head roles: which model, over which corpus, and what can be written of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from attnviz.paint.fonts import font
from attnviz.scene.words import count_of
from attnviz.ui.roles.corpus_box import CorpusBox
from attnviz.ui.roles.elided import ElidedLabel

if TYPE_CHECKING:
    from attnviz.engine.model import Model


class TopRow(QWidget):
    """Model, corpus and two buttons."""

    exportWanted = Signal()
    reportWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._size = ElidedLabel(self), ElidedLabel(self)
        self._name.setFont(font(15, True))
        self._name.setStyleSheet("font-size: 15px;")
        self._size.setProperty("quiet", True)
        self.corpus_box = CorpusBox(self)
        self.export_button = QPushButton("Export\N{HORIZONTAL ELLIPSIS}", self)
        self.export_button.setToolTip("Write the atlas as a figure, or all scores as a table")
        self.export_button.clicked.connect(self.exportWanted)
        self.report_button = QPushButton("Report\N{HORIZONTAL ELLIPSIS}", self)
        self.report_button.setToolTip("Write a report of what was measured, with pictures and tables")
        self.report_button.clicked.connect(self.reportWanted)
        over = QLabel("over", self)
        over.setProperty("quiet", True)
        over.setBuddy(self.corpus_box)
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 12, 24, 12)
        row.setSpacing(8)
        row.addWidget(self._name)
        row.addWidget(self._size)
        row.addStretch()
        row.addWidget(over)
        row.addWidget(self.corpus_box, 1)
        row.addWidget(self.export_button)
        row.addWidget(self.report_button)
        self.show_can_export(False)
        self.show_model(None)

    def model(self) -> str:
        """What is said of the model."""
        return f"{self._name.text()} {self._size.text()}".strip()

    def show_model(self, model: Model | None) -> None:
        """Name the model whose heads are measured."""
        self._name.setText("" if model is None else model.name)
        self._size.setText("" if model is None else _size(model))
        self.setToolTip(self.model())
        self.corpus_box.setEnabled(model is not None)

    def show_can_export(self, can: bool) -> None:
        """Whether there is something to write."""
        self.export_button.setEnabled(can)
        self.report_button.setEnabled(can)


def _size(model: Model) -> str:
    """ "6 layers of 12 heads, as trained"; of an encoder-decoder that it is the encoder."""
    stack = model.config.stack
    size = f"{count_of(stack.n_layer, 'layer')} of {count_of(stack.n_head, 'head')}, as trained"
    return size if len(model.config.kinds) == 1 else f"its encoder: {size}"
