"""Every way to another model: the box in the window, the list of all, a folder, a file, the Hub."""

from __future__ import annotations

import threading
from functools import partial
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QMainWindow

from attnviz.engine.folder import model_name
from attnviz.library.discovery import FoundModel, find_models
from attnviz.ui.job import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_RECENT = 8
_ALL = "All models\N{HORIZONTAL ELLIPSIS}"
_HUB = "Get from the Hub\N{HORIZONTAL ELLIPSIS}"


class ModelChoice(QObject):
    """Fills the box with what this machine has, and opens the dialogs. Whatever is chosen comes as `modelChosen`."""

    modelChosen = Signal(object)  # Path
    found = Signal(object)  # list[FoundModel]: what a search has come to
    searchFailed = Signal(str)  # why
    ended = Signal()  # no dialog is wanted any more

    def __init__(self, window: QMainWindow, box: QComboBox, recent: Sequence[str]) -> None:
        super().__init__(window)
        self._window, self._box = window, box
        self._recent = [Path(path) for path in recent]
        self._current: Path | None = None
        self._found: list[FoundModel] = []
        self._ways = {_ALL: self.show_models, _HUB: self.get_from_hub}
        box.setMaxVisibleItems(24)
        box.activated.connect(self._on_activated)
        self._job = Job("attnviz-models", self)
        self._job.done.connect(self._on_found)
        self._job.failed.connect(self._on_search_failed)
        self._closing = threading.Event()
        self._again = False
        self.is_searching = False  # whether the machine is still being looked through
        self.search()

    def search(self) -> None:
        """Look for models, off the GUI thread: a listing of a slow disk must not hold the window up."""
        self._again = self.is_searching  # what has come meanwhile may lie where the search under way has been
        if not self.is_searching:
            self.is_searching = True
            self._job.start(partial(find_models, list(self._recent), self._closing.is_set))

    def show_current(self, path: Path | None) -> None:
        """Have the box show the model that is open."""
        self._current = path
        self._fill()

    def remember(self, path: Path) -> list[str]:
        """Put a model that has opened first among the recent ones; all of them, newest first."""
        self._recent = [path, *(one for one in self._recent if one != path)][:_MOST_RECENT]
        return [str(one) for one in self._recent]

    def take(self, path: Path) -> None:
        """Choose a model that has just arrived, and find it among the others from now on."""
        self.search()
        self.modelChosen.emit(path)

    def show_models(self) -> None:
        """The list of all models."""
        from attnviz.ui.models_dialog import ModelsDialog  # 6 ms of a start, which shows no dialog

        dialog = ModelsDialog(self._current, self._window)
        self.found.connect(dialog.show_found)
        self.searchFailed.connect(dialog.say)
        self.ended.connect(dialog.reject)
        dialog.modelChosen.connect(self.modelChosen)
        dialog.folderWanted.connect(self.open_folder)
        dialog.fileWanted.connect(self.open_file)
        dialog.hubWanted.connect(self.get_from_hub)
        for wanted in (dialog.folderWanted, dialog.fileWanted, dialog.hubWanted):
            wanted.connect(dialog.reject)
        dialog.open()
        self.search()

    def get_from_hub(self) -> None:
        """The dialog that fetches a model."""
        from attnviz.ui.hub_dialog import HubDialog  # 15 ms of a start

        dialog = HubDialog(self._window)
        self.ended.connect(dialog.reject)
        dialog.modelArrived.connect(self.take)
        dialog.open()

    def open_folder(self) -> None:
        """Ask for a Hugging Face folder."""
        dialog = self._file_dialog("Open a model folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.open()

    def open_file(self) -> None:
        """Ask for a GGUF file."""
        dialog = self._file_dialog("Open a GGUF file")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter("GGUF files (*.gguf)")
        dialog.open()

    def stop(self) -> None:
        """Close the dialogs and end the search."""
        self._closing.set()
        self.ended.emit()
        self._job.wait()

    def _file_dialog(self, title: str) -> QFileDialog:
        """A dialog that begins where the last model came from."""
        beside = self._recent[0].parent if self._recent else Path.home()
        dialog = QFileDialog(self._window, title, str(beside if beside.is_dir() else Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_selected)
        self.ended.connect(dialog.reject)
        return dialog

    def _fill(self) -> None:
        was = self._box.blockSignals(True)
        self._box.clear()
        names = self._names()
        for path, name in names.items():
            self._box.addItem(name, path)
            self._box.setItemData(self._box.count() - 1, str(path), Qt.ItemDataRole.ToolTipRole)
        if names:
            self._box.insertSeparator(self._box.count())
        for text in self._ways:
            self._box.addItem(text, None)
        if self._current is not None:
            self._box.setCurrentIndex([realpath(path) for path in names].index(realpath(self._current)))
        self._box.blockSignals(was)

    def _names(self) -> dict[Path, str]:
        """What the box offers: models that can run, by short names; like ones are told apart by the place, else by the folder."""
        found = [model for model in self._found if model.why_not is None]
        short = [model.name if model.place == "Ollama" else model_name(model.path) for model in found]
        placed = [name if short.count(name) == 1 else f"{name}, {model.place}" for model, name in zip(found, short, strict=True)]
        names = {
            model.path: name if placed.count(name) == 1 else f"{model.path.parent.name}/{short_name}"
            for model, name, short_name in zip(found, placed, short, strict=True)
        }
        if self._current is not None and realpath(self._current) not in map(realpath, names):
            names[self._current] = model_name(self._current)
        return names

    def _on_found(self, found: list[FoundModel]) -> None:
        self.is_searching = False
        self._found = found
        self._fill()
        self.found.emit(found)
        if self._again:
            self.search()

    def _on_search_failed(self, sentence: str) -> None:
        self.is_searching = False
        self.searchFailed.emit(sentence)

    def _on_activated(self, index: int) -> None:
        path = self._box.itemData(index)
        if path is not None:
            self.modelChosen.emit(path)
            return
        way = self._ways.get(self._box.itemText(index))
        self._fill()  # back to the model that is open
        if way is not None:
            way()

    def _on_selected(self, name: str) -> None:
        self.modelChosen.emit(Path(name))
