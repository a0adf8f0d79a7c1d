"""The choice of the corpus that heads are measured over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from attnviz.corpus.opening import bundled_corpus
from attnviz.ui.roles.elided import ElidedBox

if TYPE_CHECKING:
    from PySide6.QtGui import QDropEvent

ENDINGS: Final = (".jsonl", ".conllu", ".json", ".conll")
_FILTER: Final = f"Corpora ({' '.join(f'*{ending}' for ending in ENDINGS)})"
_WIDEST: Final = 240
_OPEN: Final = "Open a corpus\N{HORIZONTAL ELLIPSIS}"
_ABOUT: Final = "Sentences whose grammar and references are known: a .conllu treebank, or .jsonl in the program's own form"


class CorpusBox(ElidedBox):
    """The bundled corpus, those that were opened since the window was, and a way to another. What is chosen comes as `sourcePicked`
    and stands there only once it is shown (`show_source`)."""

    sourcePicked = Signal(object)  # Path, or None for the bundled one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Corpus", parent, _WIDEST)
        self.setToolTip(_ABOUT)
        self._sources: list[Path | None] = [None]
        self._source: Path | None = None
        self.activated.connect(self._on_activated)
        self._fill()

    @property
    def source(self) -> Path | None:
        """The corpus that stands there: its file, None for the bundled one."""
        return self._source

    def show_source(self, source: Path | None) -> None:
        """Have the box show a corpus that was opened, and offer it from now on."""
        self._source = source
        if source not in self._sources:
            self._sources.append(source)
        self._fill()

    def ask_for_file(self) -> None:
        """Ask for a corpus' file."""
        beside = Path.home() if self._source is None else self._source.parent
        dialog = QFileDialog(self.window(), "Open a corpus", str(beside), _FILTER)
        dialog.setObjectName("open-corpus")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._on_selected)
        dialog.open()

    def _fill(self) -> None:
        blocker = QSignalBlocker(self)
        self.clear()
        names = [bundled_corpus().name if source is None else source.name for source in self._sources]
        for source, name in zip(self._sources, names, strict=True):
            is_alone = source is None or names.count(name) == 1
            self.addItem(name if is_alone else f"{source.parent.name}/{name}")
            self.setItemData(self.count() - 1, _ABOUT if source is None else str(source), Qt.ItemDataRole.ToolTipRole)
        self.insertSeparator(self.count())
        self.addItem(_OPEN)
        self.setCurrentIndex(self._sources.index(self._source))
        del blocker

    def _on_activated(self, row: int) -> None:
        self._fill()  # back to what is shown, until the other one is
        if row < len(self._sources):
            self.sourcePicked.emit(self._sources[row])
        else:
            self.ask_for_file()

    def _on_selected(self, name: str) -> None:
        self.sourcePicked.emit(Path(name))


def dropped_corpus(event: QDropEvent) -> Path | None:
    """The one corpus' file that is being dropped; None for anything else."""
    urls = event.mimeData().urls()
    path = Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
    return path if path is not None and path.suffix.lower() in ENDINGS else None
