"""The models on this machine, as a list to choose from, and the ways to others."""

from __future__ import annotations

from os.path import realpath
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QBrush, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from attnviz.library.closed import CLOSED_MODELS
from attnviz.library.sizes import file_size
from attnviz.ui.lines import line

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QKeyEvent

    from attnviz.library.found import FoundModel

_COLUMNS = ("Name", "Family", "Layers", "Heads", "Size", "Place")
_NUMBERS = (2, 3, 4)
_MODEL = Qt.ItemDataRole.UserRole
_SORT = Qt.ItemDataRole.UserRole + 1


class ModelsDialog(QDialog):
    """Lists the models that a search has found, and says that it is under way until then."""

    modelChosen = Signal(object)  # Path
    folderWanted = Signal()
    fileWanted = Signal()
    hubWanted = Signal()

    def __init__(self, current: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._current = current
        self._build()
        self.say("Looking at this machine\N{HORIZONTAL ELLIPSIS}")

    def chosen(self) -> FoundModel | None:
        """The model whose row is picked, if attnviz can run it."""
        item = self.table.currentItem()
        found: FoundModel | None = item.data(0, _MODEL) if item is not None and not item.isHidden() else None
        return found if found is not None and found.why_not is None else None

    def message(self) -> str:
        """The sentence over the list."""
        return self._message.text()

    def _build(self) -> None:
        self.filter_field = QLineEdit(self)
        self.filter_field.setPlaceholderText("Filter by name, family or place")
        self.filter_field.setClearButtonEnabled(True)
        self.filter_field.textChanged.connect(self._on_filter_changed)
        self.filter_field.installEventFilter(self)
        self._message = line("", self, quiet=True)
        self.table = _Table(self)
        self.table.currentItemChanged.connect(self._on_current_changed)
        self.table.itemActivated.connect(self._on_open)
        self.folder_button = _button("Open a folder\N{HORIZONTAL ELLIPSIS}", self, self.folderWanted)
        self.file_button = _button("Open a GGUF file\N{HORIZONTAL ELLIPSIS}", self, self.fileWanted)
        self.hub_button = _button("Get from the Hub\N{HORIZONTAL ELLIPSIS}", self, self.hubWanted)
        self.open_button = QPushButton("Open", self)
        self.open_button.setProperty("primary", True)
        self.open_button.setDefault(True)
        self.open_button.setEnabled(False)
        self.open_button.clicked.connect(self._on_open)
        closed = line(CLOSED_MODELS, self, quiet=True)

        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.folder_button, self.file_button, self.hub_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        column.addWidget(self.filter_field)
        column.addWidget(self._message)
        column.addWidget(self.table, 1)
        column.addWidget(closed)
        column.addLayout(buttons)
        self.resize(880, 500)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Lets the arrow keys move in the list while the filter is being written."""
        keys = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)
        if watched is self.filter_field and event.type() == QEvent.Type.KeyPress and event.key() in keys:
            self.table.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)

    def say(self, sentence: str) -> None:
        """Put a sentence over the list."""
        self._message.setText(sentence)

    def show_found(self, found: list[FoundModel]) -> None:
        """Fill the list."""
        runs = sum(model.why_not is None for model in found)
        others = len(found) - runs
        self.say(
            f"{runs:,} on this machine" + (f", and {others:,} that attnviz cannot run yet." if others else ".")
            if found
            else "No model was found on this machine; open one, or get one from the Hub."
        )
        self.table.clear()
        self.table.setSortingEnabled(False)
        for model in found:
            self.table.addTopLevelItem(_Item(model, self.palette()))
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        for column in range(1, len(_COLUMNS)):
            self.table.resizeColumnToContents(column)
        self._on_filter_changed()
        if self._current is not None:
            real = realpath(self._current)
            self._pick(next((item for item in self._items() if realpath(item.data(0, _MODEL).path) == real), None))

    def _on_filter_changed(self) -> None:
        words = self.filter_field.text().casefold().split()
        for item in self._items():
            text = " ".join(item.text(column) for column in range(len(_COLUMNS))).casefold()
            item.setHidden(not all(word in text for word in words))
        current = self.table.currentItem()
        if current is None or current.isHidden():
            self._pick(next((item for item in self._items() if not item.isHidden()), None))
        self._on_current_changed()

    def _on_current_changed(self) -> None:
        self.open_button.setEnabled(self.chosen() is not None)

    def _on_open(self) -> None:
        model = self.chosen()
        if model is not None:
            self.modelChosen.emit(model.path)
            self.accept()

    def _items(self) -> list[QTreeWidgetItem]:
        return [self.table.topLevelItem(row) for row in range(self.table.topLevelItemCount())]

    def _pick(self, item: QTreeWidgetItem | None) -> None:
        if item is not None:
            self.table.setCurrentItem(item)


class _Table(QTreeWidget):
    """The list: one line a model, the name as wide as there is room."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Models on this machine")
        self.setColumnCount(len(_COLUMNS))
        self.setHeaderLabels(list(_COLUMNS))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in _NUMBERS:
            self.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Public here, so that the filter can pass its arrow keys on."""
        super().keyPressEvent(event)


class _Item(QTreeWidgetItem):
    """A model's line; one that attnviz cannot run is faint and says why when pointed at."""

    def __init__(self, model: FoundModel, palette: QPalette) -> None:
        name = f"{model.path.parent.name}/{model.path.name}" if model.place == "recent" else model.name
        cells = (name, model.family, f"{model.n_layer:,}", f"{model.n_head:,}", file_size(model.n_bytes), model.place)
        super().__init__(list(cells))
        self.setData(0, _MODEL, model)
        for column, key in enumerate((name.casefold(), model.family, model.n_layer, model.n_head, model.n_bytes, model.place)):
            self.setData(column, _SORT, key)
            self.setToolTip(column, model.why_not or str(model.path))
        for column in _NUMBERS:
            self.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if model.why_not is not None:
            faint = QBrush(palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text))
            for column in range(len(_COLUMNS)):
                self.setForeground(column, faint)

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        """By number where a column holds numbers."""
        column = self.treeWidget().sortColumn()
        return self.data(column, _SORT) < other.data(column, _SORT)


def _button(text: str, parent: QWidget, wanted: Signal) -> QPushButton:
    button = QPushButton(text, parent)
    button.setAutoDefault(False)
    button.clicked.connect(wanted)
    return button
