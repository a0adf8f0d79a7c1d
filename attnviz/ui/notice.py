"""One sentence above the picture: about what went wrong, until it is put right or sent away, or with a way to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

if TYPE_CHECKING:
    from attnviz.ui.appearance import Appearance

Tone = Literal["warning", "what_if"]


class Notice(QWidget):
    """A tinted line with a sentence and a button that sends it away. tone: which tint; action: what one more button says."""

    dismissed = Signal()
    taken = Signal()  # the other button was clicked

    def __init__(self, appearance: Appearance, parent: QWidget | None = None, tone: Tone = "warning", action: str = "") -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._tone: Tone = tone
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._action = QToolButton(self)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self._action.clicked.connect(self._on_action_clicked)
        self._close = QToolButton(self)
        self._close.setText("Close")
        self._close.clicked.connect(self._on_close_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        for part in (self._label, self._action, self._close):
            row.addWidget(part)
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

    def _on_action_clicked(self) -> None:
        self.hide()
        self.taken.emit()

    def _on_close_clicked(self) -> None:
        self.hide()
        self.dismissed.emit()

    def _on_appearance_changed(self) -> None:
        theme = self._appearance.theme
        ground, ink = getattr(theme, f"{self._tone}_ground"), getattr(theme, f"{self._tone}_ink")
        self.setStyleSheet(
            f"Notice {{ background: {ground}; }}"
            f"Notice QLabel {{ color: {ink}; }}"
            f"Notice QToolButton {{ background: transparent; border: none; color: {ink}; }}"
            f"Notice QToolButton:hover {{ text-decoration: underline; }}"
        )
