"""The page of keys and the page about the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QTextDocument
from PySide6.QtWidgets import QDialog, QLabel

from attnviz import __version__
from attnviz.ui.actions import ACTIONS, OTHER_KEYS

if TYPE_CHECKING:
    from tests.ui.hands import Hands


def open_dialog(hands: Hands) -> QDialog:
    dialogs = [child for child in hands.window.children() if isinstance(child, QDialog)]
    assert len(dialogs) == 1
    hands.until(dialogs[0].isVisible)
    return dialogs[0]


def texts(dialog: QDialog) -> list[str]:
    found = []
    for label in dialog.findChildren(QLabel):
        document = QTextDocument()
        document.setHtml(label.text())
        found.append(document.toPlainText())
    return found


def test_f1_lists_every_key(hands: Hands) -> None:
    hands.key(Qt.Key.Key_F1)
    dialog = open_dialog(hands)
    shown = texts(dialog)
    for row in ACTIONS:
        if row.keys:
            assert QKeySequence(row.keys[0]).toString(QKeySequence.SequenceFormat.NativeText) in shown
            assert row.text.rstrip("\N{HORIZONTAL ELLIPSIS}") in shown
    for keys, text in OTHER_KEYS:
        assert keys in shown
        assert text in shown
    dialog.close()


def test_about_tells_version_and_licence(hands: Hands) -> None:
    hands.choose_menu("show_about")
    dialog = open_dialog(hands)
    text = " ".join(texts(dialog))
    assert f"attnviz {__version__}" in text
    assert "Apache License 2.0" in text
    dialog.close()


@pytest.mark.parametrize("slot", ["show_keys", "show_about", "export"])
def test_escape_closes_a_dialog_and_nothing_else(hands: Hands, slot: str) -> None:
    hands.click_token(3)
    hands.choose_menu(slot)
    dialog = open_dialog(hands)
    hands.qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert hands.scene.focus == 3


def test_no_key_means_two_things() -> None:
    keys = [QKeySequence(key).toString() for row in ACTIONS for key in row.keys] + [str(digit) for digit in range(10)]
    assert len(keys) == len(set(keys))


def test_every_action_has_a_slot_of_the_window(hands: Hands) -> None:
    assert set(hands.window.actions_by_slot) == {row.slot for row in ACTIONS}
