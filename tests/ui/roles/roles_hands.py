"""A person's hands on the window of head roles, or on the atlas in it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QLineEdit

from tests.ui.hands import LEFT, NO_KEY, Hands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from attnviz.scene.atlas.scene import AtlasScene
    from attnviz.ui.appearance import Appearance
    from attnviz.ui.roles.atlas_page import AtlasPage
    from attnviz.ui.roles.measure_box import MeasureBox
    from attnviz.ui.roles.roles_window import RolesWindow
    from attnviz.ui.window import MainWindow


class PageHands(Hands):
    """Acts on an atlas with its evidence, which stands alone."""

    def __init__(self, qtbot: QtBot, page: AtlasPage, appearance: Appearance) -> None:
        self.qtbot, self._page, self.appearance = qtbot, page, appearance

    @property
    def page(self) -> AtlasPage:
        return self._page

    @property
    def atlas(self) -> AtlasScene:
        scene = self.page.atlas.scene
        assert scene is not None
        return scene

    def is_idle(self) -> bool:
        return self.page.is_settled()

    def at_head(self, layer: int, head: int) -> QPoint:
        """Where a head's cell is in the atlas' widget."""
        cell = self.atlas.cell(layer, head)
        return self.page.atlas.on_screen((cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2).toPoint()

    def click_head(self, layer: int, head: int) -> None:
        self.point(self.at_head(layer, head), self.page.atlas)
        self.qtbot.mouseClick(self.page.atlas, LEFT, NO_KEY, self.at_head(layer, head))
        self.settle()

    def pick(self, box: MeasureBox, key: str) -> None:
        """Choose a measure in one of the boxes."""
        row = box.findData(key)
        assert row >= 0, key
        box.setCurrentIndex(row)
        box.activated.emit(row)
        self.settle()

    def rows(self) -> list[str]:
        """The titles of the scores beside the atlas."""
        return [row.line.title for row in self.page.panel.scores.rows()]

    def at_sentence(self, number: int) -> QPoint:
        """Where a sentence of the evidence is in its widget, beside what it offers."""
        return QPoint(30, round(self.page.panel.picture.scene.sentences[number].box.middle))


class RolesHands(PageHands):
    """Acts on the window of head roles, and on the main window where that is there too."""

    def __init__(self, qtbot: QtBot, window: MainWindow | None, alone: RolesWindow | None = None) -> None:
        self.qtbot, self._alone = qtbot, alone
        if window is not None:
            Hands.__init__(self, qtbot, window)

    @property
    def roles_window(self) -> RolesWindow:
        window = self._alone or self.window.roles_actions.window
        assert window is not None
        return window

    @property
    def page(self) -> AtlasPage:
        return self.roles_window.page

    def is_idle(self) -> bool:
        return self.roles_window.is_settled()

    def settle_main(self) -> None:
        """Wait until the main window has its picture."""
        self.until(lambda: Hands.is_idle(self))

    def is_at_start(self) -> bool:
        """Whether there is something to measure, rather than to see."""
        return self.roles_window.start.isVisible()

    def measure(self) -> None:
        self.qtbot.mouseClick(self.roles_window.start.measure_button, LEFT)

    def answer(self, path: Path) -> None:
        """Write a path into the dialog that asks for a file, and press its first button."""
        dialog = self.dialog()
        assert dialog is not None
        dialog.selectFile(str(path))
        dialog.findChild(QLineEdit).setText(str(path))
        dialog.findChild(QDialogButtonBox).buttons()[0].click()
        self.until(lambda: not dialog.isVisible())

    def save_as(self, path: Path, begin: Callable[[], None]) -> None:
        """Begin what asks for a file, answer it and wait for the file."""
        begin()
        self.answer(path)
        foot = self.roles_window.foot
        self.until(lambda: foot.text() == f"Written: {path}")

    def open_file(self, path: Path) -> None:
        """Choose a corpus' file in the dialog."""
        self.roles_window.top.corpus_box.ask_for_file()
        self.answer(path)
        self.settle()

    def dialog(self) -> QFileDialog | None:
        """The dialog that asks for a file, if there is one."""
        return next((one for one in self.roles_window.findChildren(QFileDialog) if one.isVisible()), None)
