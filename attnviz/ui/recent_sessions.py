"""The sessions opened or saved last, as a menu."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST: Final = 8


class RecentSessions(QMenu):
    """The newest first, by their names, those of one name with their folders."""

    chosen = Signal(object)  # Path
    changed = Signal(list)  # list[str]

    def __init__(self, paths: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__("Open recent", parent)
        self.setToolTipsVisible(True)
        self._paths = [Path(path) for path in paths][:_MOST]
        self.triggered.connect(self._on_triggered)
        self._fill()

    @property
    def folder(self) -> Path:
        """Where a dialog should begin: beside the newest."""
        beside = self._paths[0].parent if self._paths else Path.home()
        return beside if beside.is_dir() else Path.home()

    def add(self, path: Path) -> None:
        """Put a session first."""
        self._take([path, *(one for one in self._paths if one != path)])

    def remove(self, path: Path) -> None:
        """Leave out a session that has gone."""
        self._take([one for one in self._paths if one != path])

    def clear_all(self) -> None:
        """Forget all of them; the files stay."""
        self._take([])

    def _take(self, paths: list[Path]) -> None:
        if paths[:_MOST] != self._paths:
            self._paths = paths[:_MOST]
            self._fill()
            self.changed.emit([str(path) for path in self._paths])

    def _fill(self) -> None:
        for action in self.actions():  # not `clear`, which would take away the one that is being chosen
            self.removeAction(action)
            action.deleteLater()
        names = [path.stem for path in self._paths]
        for path, name in zip(self._paths, names, strict=True):
            shown = name if names.count(name) == 1 else f"{name}, {path.parent.name}"
            action = QAction(shown.replace("&", "&&"), self)  # a single one would be a mnemonic
            action.setData(path)
            action.setToolTip(str(path))
            self.addAction(action)
        self.addSeparator()
        self.addAction(QAction("Clear", self))
        self.menuAction().setEnabled(bool(self._paths))

    def _on_triggered(self, action: QAction) -> None:
        path = action.data()
        if path is None:
            self.clear_all()
        else:
            self.chosen.emit(path)
