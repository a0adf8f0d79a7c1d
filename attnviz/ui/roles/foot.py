"""The last line of the window of head roles: what could not be measured, and what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from attnviz.scene.words import count_of
from attnviz.ui.lines import line

if TYPE_CHECKING:
    from attnviz.probing.roles import HeadRoles


class FootLine(QWidget):
    """A quiet line; what is said goes before what stands there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._left_out = ""
        self._line = line("", self, quiet=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 6, 24, 8)
        column.addWidget(self._line)
        self.setVisible(False)

    def text(self) -> str:
        """The line as it stands there."""
        return self._line.text()

    def show_left_out(self, roles: HeadRoles | None) -> None:
        """Say what of a corpus was not measured; nothing where all was."""
        self._left_out = "" if roles is None else left_out_line(roles)
        self.say("")

    def say(self, sentence: str) -> None:
        """Say something in passing; "" for what stood there."""
        self._line.setText(sentence or self._left_out)
        self.setVisible(bool(self._line.text()))


def left_out_line(roles: HeadRoles) -> str:
    """ "Left out: 3 sentences too long for the model, …"; "" where nothing was."""
    plan = roles.plan
    out, n_long = plan.left_out, len(plan.too_long)
    example = "" if out.example is None else f" ({out.example})"
    said = [
        (n_long, f"{count_of(n_long, 'sentence')} that the model cannot read whole"),
        (out.words, f"{count_of(out.words, 'pair')} of words that its tokenizer does not tell apart{example}"),
        (out.ahead, f"{count_of(out.ahead, 'pair')} whose key comes later, as the model looks back alone"),
        (out.rest, f"{count_of(out.rest, 'pair')} whose key is a resting place"),
    ]
    told = [words for number, words in said if number]
    return f"Left out: {'; '.join(told)}." if told else ""
