"""Before anything is measured: what measuring does, a button for it, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from attnviz.paint.fonts import font
from attnviz.scene.words import count_of
from attnviz.ui.lines import line

if TYPE_CHECKING:
    from attnviz.corpus.corpus import Corpus
    from attnviz.engine.model import Model
    from attnviz.probing.roles import Begun
    from attnviz.ui.roles.roles_work import Stage

_RULE: Final = (
    "A head has a role only where it does so clearly more often than the best guess made without the model; many heads have none. "
    "What is measured stays on this machine, and is there at once the next time."
)


class StartPage(QWidget):
    """Says what there is to do, or what is being done."""

    measureWanted = Signal()
    cancelWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._n_layer = 1
        title = line("What does each head do?", self)
        title.setFont(font(26))
        title.setProperty("title", True)
        self._about = line("", self)
        self._rule = line(_RULE, self, quiet=True)
        self.measure_button = QPushButton("Measure", self)
        self.measure_button.setProperty("primary", True)
        self.measure_button.clicked.connect(self.measureWanted)
        self.cancel_button = QPushButton("Cancel", self)
        self.cancel_button.clicked.connect(self.cancelWanted)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far the measuring is")
        kept = self.bar.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # what is above stays where it is when the measuring begins
        self.bar.setSizePolicy(kept)
        self._status = line("", self, quiet=True)
        buttons = QHBoxLayout()
        buttons.addWidget(self.measure_button)
        buttons.addWidget(self.cancel_button)
        buttons.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(16)
        for widget in (title, self._about, self._rule):
            column.addWidget(widget)
        column.addLayout(buttons)
        column.addWidget(self._status)
        column.addWidget(self.bar)
        # Stretches, not an alignment, which would cut wrapped lines: it ignores height for width.
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addLayout(column, 3)
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addLayout(middle)
        outer.addStretch(3)
        self.show_nothing("")

    def about(self) -> str:
        """What measuring would do, as it stands there."""
        return self._about.text()

    def status(self) -> str:
        """The line below the button or the bar."""
        return self._status.text()

    def show_nothing(self, sentence: str) -> None:
        """There is nothing to measure yet; sentence: why."""
        self._about.setText("")
        self._show(sentence, is_busy=False, can_measure=False)

    def show_looking(self) -> None:
        """What is kept on the disk is being looked for; what there is to measure stays as it stands there, for after that."""
        self._show("Looking for what was measured before\N{HORIZONTAL ELLIPSIS}", is_busy=False, can_measure=False)
        self.measure_button.setVisible(bool(self._about.text()))

    def show_stopping(self) -> None:
        """The measuring is called off, and comes to its end."""
        self.show_looking()
        self._status.setText("Stopping\N{HORIZONTAL ELLIPSIS}")

    def show_missing(self, model: Model, corpus: Corpus, begun: Begun) -> None:
        """Not all of it is measured: offer to."""
        self._n_layer = model.config.stack.n_layer
        self._about.setText(_about(model, corpus, begun))
        self._show("" if not begun.done else _begun(begun), is_busy=False, can_measure=True)
        self.measure_button.setFocus()

    def show_measuring(self) -> None:
        """The measuring begins."""
        self.bar.setRange(0, 0)
        self._show("Reading sentences\N{HORIZONTAL ELLIPSIS}", is_busy=True, can_measure=False)
        self.cancel_button.setFocus()

    def show_progress(self, stage: Stage, done: int, total: int) -> None:
        """How far it is."""
        is_last = stage == "muting" and done == total
        self.bar.setRange(0, 0 if is_last else total)
        self.bar.setValue(done)
        self._status.setText("Adding up\N{HORIZONTAL ELLIPSIS}" if is_last else _progress(stage, done, total, self._n_layer))

    def _show(self, status: str, is_busy: bool, can_measure: bool) -> None:
        self._status.setText(status)
        self._rule.setVisible(bool(self._about.text()))
        self.measure_button.setEnabled(can_measure)
        self.measure_button.setVisible(can_measure)
        self.cancel_button.setVisible(is_busy)
        self.bar.setVisible(is_busy)


def _about(model: Model, corpus: Corpus, begun: Begun) -> str:
    stack = model.config.stack
    heads = count_of(stack.n_layer * stack.n_head, "head")
    whose = f"of {model.name}" if len(model.config.kinds) == 1 else f"of the encoder of {model.name}, which alone is measured,"
    return (
        f"Reads the {count_of(begun.n_sentence, 'sentence')} of {corpus.name}, in which grammar and references are marked, and "
        f"counts how often each of the {heads} {whose} looks where they say. Then mutes one head after the other, to see how far "
        "the output turns without it."
    )


def _begun(begun: Begun) -> str:
    return f"Goes on where it stopped: {begun.done:,} of {count_of(begun.total, 'part')} are done."


def _progress(stage: Stage, done: int, total: int, n_layer: int) -> str:
    """ "Reading sentences… 320 of 610", "Muting heads… layer 4 of 6"; the layers once for each part of the sentences."""
    if stage == "reading":
        return f"Reading sentences\N{HORIZONTAL ELLIPSIS} {done:,} of {total:,}"
    part, layer = divmod(max(done - 1, 0), n_layer)
    parts = "" if total == n_layer else f", part {part + 1:,} of {total // n_layer:,} of the sentences"
    return f"Muting heads\N{HORIZONTAL ELLIPSIS} layer {layer + 1:,} of {n_layer:,}{parts}"
