"""The page of a machine without a model: one button gets one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from attnviz.library.get import get_minilm
from attnviz.paint.fonts import font
from attnviz.ui.download import Download
from attnviz.ui.lines import line

if TYPE_CHECKING:
    from attnviz.library.progress import Progress

_ABOUT = "attnviz runs a real transformer on this machine and draws which token looks at which. For that it needs a model."
_OFFER = "all-MiniLM-L6-v2: 6 layers of 12 heads, 91 MB, Apache-2.0, checked after the download."
_DROP = (
    "Or drop a model here: a folder with config.json, tokenizer.json and safetensors, or a .gguf file. GPT-2, LLaMA, Mistral, "
    "Gemma, Qwen, BERT, T5 and their kin can be read."
)


class WelcomePage(QWidget):
    """Says what is missing, fetches it with progress and cancel. Folders are dropped on the window as a whole."""

    modelArrived = Signal(object)  # Path
    folderWanted = Signal()
    fileWanted = Signal()
    hubWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._download = Download(self)
        self._download.progressed.connect(self._on_progressed)
        self._download.done.connect(self._on_arrived)
        self._download.failed.connect(self._on_failed)
        self._download.cancelled.connect(self._on_cancelled)
        title = line("See what a transformer looks at", self)
        title.setFont(font(26))
        title.setProperty("title", True)
        self.get_button = QPushButton("Get all-MiniLM-L6-v2", self)
        self.get_button.setProperty("primary", True)
        self.get_button.clicked.connect(self._on_get_clicked)
        self.open_button = QPushButton("Open a model folder\N{HORIZONTAL ELLIPSIS}", self)
        self.open_button.clicked.connect(self.folderWanted)
        self.file_button = QPushButton("Open a GGUF file\N{HORIZONTAL ELLIPSIS}", self)
        self.file_button.clicked.connect(self.fileWanted)
        self.hub_button = QPushButton("Another from the Hub\N{HORIZONTAL ELLIPSIS}", self)
        self.hub_button.clicked.connect(self.hubWanted)
        self.cancel_button = QPushButton("Cancel", self)
        self.cancel_button.clicked.connect(self._on_cancel_clicked)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self._status = line("", self, quiet=True)
        drop = line(_DROP, self, quiet=True)
        offer = line(_OFFER, self, quiet=True)

        buttons = QHBoxLayout()
        for button in (self.get_button, self.open_button, self.file_button, self.hub_button, self.cancel_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(14)
        for item in (title, line(_ABOUT, self), offer, buttons, self.bar, self._status, drop):
            column.addLayout(item) if isinstance(item, QHBoxLayout) else column.addWidget(item)
        # Stretches, not an alignment, which would cut wrapped lines: it ignores height for width.
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addLayout(column, 3)
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addLayout(middle)
        outer.addStretch(3)
        self._set_busy(False)

    def status(self) -> str:
        """The sentence under the buttons."""
        return self._status.text()

    def stop(self) -> None:
        """Call off a fetch and wait for its end."""
        self._download.stop()

    def show_failure(self, sentence: str) -> None:
        """Say what went wrong, and offer to try again."""
        self._status.setText(sentence)

    def _set_busy(self, busy: bool) -> None:
        self.get_button.setEnabled(not busy)
        for button in (self.open_button, self.file_button, self.hub_button):
            button.setEnabled(not busy)
        self.cancel_button.setVisible(busy)
        self.bar.setVisible(busy)

    def _on_get_clicked(self) -> None:
        self._set_busy(True)
        self.bar.setRange(0, 0)
        self._status.setText("Looking for the model on this machine first\N{HORIZONTAL ELLIPSIS}")
        self._download.begin(get_minilm)

    def _on_cancel_clicked(self) -> None:
        self.cancel_button.setEnabled(False)
        self._status.setText("Stopping\N{HORIZONTAL ELLIPSIS}")
        self._download.cancel()

    def _on_progressed(self, progress: Progress) -> None:
        total = progress.total or 0
        self.bar.setRange(0, total // 1024)
        self.bar.setValue(progress.done // 1024)
        amount = f": {progress.done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else ""
        self._status.setText(progress.what + amount)

    def _on_arrived(self, path: object) -> None:
        self._end("The model is here.")
        self.modelArrived.emit(path)

    def _on_failed(self, sentence: str) -> None:
        self._end(sentence)

    def _on_cancelled(self) -> None:
        self._end("Stopped; nothing was kept.")

    def _end(self, sentence: str) -> None:
        self._set_busy(False)
        self.cancel_button.setEnabled(True)
        self._status.setText(sentence)
