"""A choice of one measure among many, under headings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QWidget

from attnviz.ui.roles.elided import ElidedBox

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_VISIBLE: Final = 20
_WIDEST: Final = 480
_KEY: Final = Qt.ItemDataRole.UserRole


class Entry(NamedTuple):
    """One line of the choice. tip: what it counts."""

    key: str
    text: str
    tip: str = ""


class MeasureBox(ElidedBox):
    """Offers entries under headings, which cannot be chosen."""

    keyPicked = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None, most: int = _WIDEST) -> None:
        super().__init__(name, parent, most)
        self.setMaxVisibleItems(_MOST_VISIBLE)
        self.activated.connect(self._on_activated)

    def keys(self) -> list[str]:
        """The keys that can be chosen, in their order."""
        return [key for row in range(self.count()) if (key := self.itemData(row, _KEY)) is not None]

    def key(self) -> str | None:
        """The key of what is chosen; None where nothing is offered."""
        return self.currentData(_KEY)

    def offer(self, groups: Iterable[tuple[str, Iterable[Entry]]], key: str) -> None:
        """Offer groups of entries, each under its heading ("" for none), and choose one, in silence."""
        blocker = QSignalBlocker(self)
        self.clear()
        for heading, entries in groups:
            if heading:
                self.addItem(heading)
                self.model().item(self.count() - 1).setEnabled(False)
            for entry in entries:
                self.addItem(entry.text)
                row = self.count() - 1
                self.setItemData(row, entry.key, _KEY)
                self.setItemData(row, entry.tip, Qt.ItemDataRole.ToolTipRole)
        del blocker
        self.show_key(key)

    def show_key(self, key: str) -> None:
        """Show another one as chosen, in silence; nothing where it is not offered."""
        row = self.findData(key, _KEY)
        if row >= 0:
            blocker = QSignalBlocker(self)
            self.setCurrentIndex(row)
            del blocker
            self.setToolTip(self.itemData(row, Qt.ItemDataRole.ToolTipRole) or "")

    def _on_activated(self, row: int) -> None:
        key = self.itemData(row, _KEY)
        if key is not None:
            self.show_key(key)
            self.keyPicked.emit(key)
