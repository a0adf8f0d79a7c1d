"""Get a model from the Hugging Face Hub: first what it is and how large, then the download."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from attnviz.library.closed import CLOSED_MODELS
from attnviz.library.repository import Offer, fetch, look_up
from attnviz.library.sizes import file_size
from attnviz.scene.words import count_of
from attnviz.ui.download import Download
from attnviz.ui.lines import line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.library.progress import Progress, ProgressCallback

_ABOUT = (
    "The name of a repository on huggingface.co, such as openai-community/gpt2, or its address. attnviz fetches only the "
    "weights (safetensors or GGUF), configuration and tokenizer, checks them, and never opens a pickle."
)


class HubDialog(QDialog):
    """Looks a repository up, says what it would fetch, and fetches it once that is wanted."""

    modelArrived = Signal(object)  # Path

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Get a model from the Hub")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._offer: Offer | None = None
        self._asking, self._fetching = Download(self), Download(self)
        self._fetching.progressed.connect(self._on_progressed)
        self._asking.done.connect(self._on_offered)
        self._fetching.done.connect(self._on_arrived)
        for job in (self._asking, self._fetching):
            job.failed.connect(self._on_failed)
            job.cancelled.connect(self._on_cancelled)
        self._build()
        self._settle()

    def message(self) -> str:
        """The sentence under the facts."""
        return self._message.text()

    def facts(self) -> str:
        """What is known of the repository that was looked up, one fact a line."""
        return "\n".join(label.text() for label in self._facts.values() if label.text())

    def done(self, result: int) -> None:
        """Calls off what is under way before the dialog goes."""
        for job in (self._asking, self._fetching):
            job.stop()
        super().done(result)

    def _build(self) -> None:
        about = line(_ABOUT, self, quiet=True)
        self.name_field = QLineEdit(self)
        self.name_field.setPlaceholderText("owner/name")
        self.name_field.setAccessibleName("Repository")
        self.name_field.textEdited.connect(self._on_name_edited)
        self.look_up_button = QPushButton("Look up", self)
        self.look_up_button.clicked.connect(self._on_look_up)
        self.variant_box = QComboBox(self)
        self.variant_box.setAccessibleName("File")
        self.variant_box.currentIndexChanged.connect(self._settle)
        self._facts = {name: line("", self) for name in _FACTS}
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(16)
        for name, label in self._facts.items():
            self._form.addRow(name, label)
        self._form.addRow("File", self.variant_box)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self._message = line("", self)
        for label in (about, self._message, *self._facts.values()):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.get_button = QPushButton("Get and open", self)
        self.get_button.setProperty("primary", True)
        self.get_button.clicked.connect(self._on_get)
        self.cancel_button = QPushButton("Cancel", self)
        self.cancel_button.clicked.connect(self._on_cancel)
        self.close_button = QPushButton("Close", self)
        self.close_button.clicked.connect(self.reject)
        for button in (self.cancel_button, self.close_button):
            button.setAutoDefault(False)

        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.name_field, 1)
        top.addWidget(self.look_up_button)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addStretch(1)
        for button in (self.cancel_button, self.close_button, self.get_button):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(about)
        column.addLayout(top)
        column.addLayout(self._form)
        column.addWidget(self._message)
        column.addWidget(self.bar)
        column.addStretch(1)
        column.addWidget(line(CLOSED_MODELS, self, quiet=True))
        column.addLayout(foot)
        self.resize(600, 440)

    def _settle(self) -> None:
        """Show and enable what there is to do now."""
        offer, busy = self._offer, self._asking.is_running or self._fetching.is_running
        for name, label in self._facts.items():
            self._form.setRowVisible(label, offer is not None)
            if offer is not None:
                label.setText(_FACTS[name](offer, self._variant()))
        self._form.setRowVisible(self.variant_box, offer is not None and bool(offer.variants))
        self.name_field.setEnabled(not busy)
        self.variant_box.setEnabled(not busy)
        self.look_up_button.setEnabled(not busy and bool(self.name_field.text().strip()))
        self.get_button.setEnabled(offer is not None and not busy)
        default = self.look_up_button if offer is None else self.get_button
        default.setDefault(True)
        self.cancel_button.setVisible(busy)
        self.close_button.setVisible(not busy)
        self.bar.setVisible(busy)

    def _variant(self) -> str | None:
        return self.variant_box.currentData() if self._offer is not None and self._offer.variants else None

    def _begin(self, sentence: str) -> None:
        self.bar.setRange(0, 0)
        self.cancel_button.setEnabled(True)
        self._message.setText(sentence)
        self._settle()

    def _end(self, sentence: str) -> None:
        self._message.setText(sentence)
        self._settle()

    def _on_name_edited(self) -> None:
        self._offer = None
        self._message.setText("")
        self._settle()

    def _on_look_up(self) -> None:
        self._offer = None
        self._asking.begin(partial(_ask, self.name_field.text().strip()))
        self._begin("Asking the Hub\N{HORIZONTAL ELLIPSIS}")

    def _on_offered(self, offer: Offer) -> None:
        self._offer = offer
        self.variant_box.blockSignals(True)
        self.variant_box.clear()
        for variant in offer.variants:
            self.variant_box.addItem(f"{variant.name}, {file_size(variant.n_bytes)}", variant.name)
        self.variant_box.setCurrentIndex(max(0, self.variant_box.findData(offer.usual_variant)))
        self.variant_box.blockSignals(False)
        self._end("")
        self.get_button.setFocus()

    def _on_get(self) -> None:
        if self._offer is not None:
            self._fetching.begin(partial(_fetch, self._offer, self._variant()))
            self._begin("Beginning\N{HORIZONTAL ELLIPSIS}")

    def _on_cancel(self) -> None:
        self.cancel_button.setEnabled(False)
        self._message.setText("Stopping\N{HORIZONTAL ELLIPSIS}")
        for job in (self._asking, self._fetching):
            job.cancel()

    def _on_progressed(self, progress: Progress) -> None:
        total = progress.total or 0
        self.bar.setRange(0, total // 1024)
        self.bar.setValue(progress.done // 1024)
        self._message.setText(progress.what + (f": {file_size(progress.done)} of {file_size(total)}" if total else ""))

    def _on_arrived(self, path: object) -> None:
        self._end("The model is here.")
        self.modelArrived.emit(path)
        self.accept()

    def _on_failed(self, sentence: str) -> None:
        self._end(sentence)

    def _on_cancelled(self) -> None:
        self._end("Stopped. What has arrived is kept, and the next try goes on from there." if self._offer else "Stopped.")


def _ask(repository: str, progress: ProgressCallback, cancelled: Callable[[], bool]) -> Offer:
    del progress  # there is none of a question
    return look_up(repository, cancelled)


def _fetch(offer: Offer, variant: str | None, progress: ProgressCallback, cancelled: Callable[[], bool]) -> Path:
    return fetch(offer, progress, cancelled, variant)


def _model(offer: Offer, variant: str | None) -> str:
    del variant
    size = f", {count_of(offer.n_layer, 'layer')} of {count_of(offer.n_head, 'head')}" if offer.n_layer and offer.n_head else ""
    return f"{offer.repository}: {offer.family}{size}"


def _licence(offer: Offer, variant: str | None) -> str:
    del variant
    return offer.licence or "The repository names none; ask its owner before you use it for more than a look."


def _download(offer: Offer, variant: str | None) -> str:
    chosen = next((one for one in offer.variants if one.name == variant), None)
    n_bytes, n_files = (chosen.n_bytes, len(chosen.files)) if chosen is not None else (offer.n_bytes, len(offer.files))
    return f"{file_size(n_bytes)} in {count_of(n_files, 'file')}"


_FACTS = {"Model": _model, "Licence": _licence, "Download": _download}
