"""The line above the picture while two runs are compared: with what, in which way, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from attnviz.session.view import SETTING_NAMES
from attnviz.ui.segments import Segments
from attnviz.ui.sentence import SentenceField

if TYPE_CHECKING:
    from attnviz.session.comparing import AgainstKind
    from attnviz.session.state import State

_WITH: Final[dict[AgainstKind, str]] = {
    "trained": "Compared with the model as trained",
    "kept": "Compared with the run that was kept",
    "text": "Compared with",
}


class CompareBar(QWidget):
    """Shows what a State compares with, or nothing."""

    settingPicked = Signal(str)  # Setting
    textEdited = Signal(str)
    stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._with = QLabel(self)
        self._with.setProperty("quiet", True)
        self.text = SentenceField(self)
        self.text.setAccessibleName("The other text")
        self.text.setPlaceholderText("The other text")
        self.text.textEdited.connect(self.textEdited)
        self._switch = Segments(SETTING_NAMES, {}, self, narrow=True)
        self._switch.picked.connect(self.settingPicked)
        self.settings = self._switch.buttons
        self.stop = QToolButton(self)
        self.stop.setText("Stop comparing")
        self.stop.setProperty("narrow", True)
        self.stop.clicked.connect(self.stopped)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 8)
        row.setSpacing(8)
        row.addWidget(self._with)
        row.addWidget(self.text, 1)
        self._space = QWidget(self)
        row.addWidget(self._space, 1)
        row.addWidget(self._switch)
        row.addWidget(self.stop)
        self.hide()

    def show_state(self, old: State | None, state: State) -> None:
        """Show what is compared with, in silence."""
        against = state.against
        self.setVisible(against is not None)
        if against is None:
            return
        is_text = against.kind == "text"
        self._with.setText(_WITH[against.kind])
        self.text.setVisible(is_text)
        self._space.setVisible(not is_text)
        # Only a new text: the field is ahead of the state while a person types.
        is_new = old is None or old.against != against
        if is_text and is_new and self.text.toPlainText() != against.text:
            self.text.show_text(against.text)
        self._switch.show_value(state.view.setting)
