"""One sentence about what went wrong, above the picture, until it is put right or sent away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

if TYPE_CHECKING:
    from attnviz.ui.appearance import Appearance


class Notice(QWidget):
    """A tinted line with a sentence and a button that sends it away."""

    dismissed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._close = QToolButton(self)
        self._close.setText("Close")
        self._close.clicked.connect(self._on_close_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.addWidget(self._label)
        row.addWidget(self._close)
        appearance.changed.connect(self._on_appearance_changed)
        self._on_appearance_changed()
        self.hide()

    def text(self) -> str:
        """The sentence shown, or an empty one."""
        return self._label.text() if not self.isHidden() else ""

    def show_sentence(self, sentence: str | None) -> None:
        """Show a sentence, or nothing."""
        self._label.setText(sentence or "")
        self.setVisible(bool(sentence))

    def _on_close_clicked(self) -> None:
        self.hide()
        self.dismissed.emit()

    def _on_appearance_changed(self) -> None:
        theme = self._appearance.theme
        self.setStyleSheet(
            f"Notice {{ background: {theme.warning_ground}; }}"
            f"Notice QLabel {{ color: {theme.warning_ink}; }}"
            f"Notice QToolButton {{ background: transparent; border: none; color: {theme.warning_ink}; }}"
            f"Notice QToolButton:hover {{ text-decoration: underline; }}"
        )
