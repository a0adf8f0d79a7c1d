"""Beside the picture: the heads of the layer to mute, weaken and strengthen, and what that does to the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from attnviz.scene.what_if import MUTING_NAMES, MUTING_TIPS, change_lines, cosine_text
from attnviz.session.effect import turned_tokens
from attnviz.session.sight import kind_of
from attnviz.ui.lines import line
from attnviz.ui.panels.bars import Bar, BarList
from attnviz.ui.panels.change_list import ChangeList
from attnviz.ui.panels.heading import heading, title
from attnviz.ui.panels.mixer import Mixer
from attnviz.ui.panels.prediction_rows import PredictionRows
from attnviz.ui.panels.scrolling import scrolling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from attnviz.session.predicting import Prediction
    from attnviz.session.run import Run
    from attnviz.session.state import State
    from attnviz.ui.appearance import Appearance

_N_TOKEN: Final = 5
_ROWS: Final = ((400, _N_TOKEN), (320, 3), (270, 1))  # pixels of the panel, and the tokens that it then has room for
_HINT: Final = (
    "Move a fader to have a head write more or less, or mute it. A weight is set by hand where an arc is chosen: click an arc, or "
    "draw one from a token to another."
)


class WhatIfPanel(QWidget):
    """Shows the changes of a State, and tells what was asked."""

    mutePicked = Signal(object, bool)  # HeadAt
    strengthPicked = Signal(object, float)  # HeadAt
    mutingPicked = Signal(str)  # Muting
    takenBack = Signal(object)  # HeadAt or WeightAt
    resetPicked = Signal()
    headPicked = Signal(int)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("What if")
        self._run: Run | None = None  # whose effect is shown
        self._has_effect, self._effect_text = False, ""
        self._bars: list[Bar] = []
        self._title = title("What if", self)
        self._hint = line(_HINT, self, quiet=True)
        self.mixer = Mixer(appearance, self)
        self.muting = QComboBox(self)
        self.muting.setAccessibleName("What muting means")
        for muting, name in MUTING_NAMES.items():
            self.muting.addItem(f"Muted: {name.lower()}", muting)
            self.muting.setItemData(self.muting.count() - 1, MUTING_TIPS[muting], Qt.ItemDataRole.ToolTipRole)
        self.changes = ChangeList(self)
        self._changes_label = heading("changed", self)
        self.reset = QToolButton(self)
        self.reset.setText("Take all back")
        self._effect_label = heading("", self)
        self.effect = BarList(appearance, self, name="Tokens whose output turned most")
        self.predictions = PredictionRows(appearance, self)
        self._lay_out()
        self.mixer.mutePicked.connect(self.mutePicked)
        self.mixer.strengthPicked.connect(self.strengthPicked)
        self.mixer.headPicked.connect(self.headPicked)
        self.muting.activated.connect(self._on_muting_activated)
        self.changes.takenBack.connect(self.takenBack)
        self.reset.clicked.connect(self.resetPicked)

    def effect_line(self) -> str:
        """What the panel says of the output."""
        return self._effect_label.text()

    def show_state(self, state: State) -> None:
        """Show what is changed, and what the run on the screen says of it."""
        run, view = state.run, state.view
        kind = kind_of(run.trace, view)
        n_head = run.trace.head_count_of(kind)
        self._title.setText(f"Layer {view.layer}, {'the only head' if n_head == 1 else f'{n_head} heads'}")
        self.mixer.show_layer(kind, view.layer, n_head, view.shown_heads(n_head), state.changes)
        self.muting.setCurrentIndex(list(MUTING_NAMES).index(state.changes.muting))
        self.muting.setToolTip(MUTING_TIPS[state.changes.muting])
        self.changes.show_lines(change_lines(run.trace, state.changes))
        is_changed = bool(state.changes)
        for widget in (self._changes_label, self.changes, self.reset):
            widget.setVisible(is_changed)
        self._hint.setVisible(not is_changed)
        if run is not self._run:
            self._run = run
            self._show_effect(run)

    def show_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Show what the model predicts now and what it did as trained; nothing where nothing is changed."""
        self.predictions.show_predictions(predictions[:1] if predictions and predictions[0].guesses[0].before is not None else ())

    def _show_effect(self, run: Run) -> None:
        self._has_effect = run.trace.is_what_if
        self._effect_label.setVisible(self._has_effect)
        if not self._has_effect:
            self._make_room()
            return
        self._effect_text = f"output vectors: mean cosine {cosine_text(run)} to the trained ones"
        self._effect_label.setWordWrap(True)
        turned = turned_tokens(run)
        farthest = max(1.0 - turned[0].cosine, 1e-9)
        self._bars = [
            Bar(one.token.shown, f"{one.cosine:.3f}", (1.0 - one.cosine) / farthest, is_quiet=one.token.is_special)
            for one in turned[:_N_TOKEN]
        ]
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Leave lines out where the faders would have no room beside them."""
        most = next((n for height, n in _ROWS if self.height() >= height), 0)
        self.effect.show_bars(self._bars[:most] if self._has_effect else ())
        self.effect.setVisible(self._has_effect and most > 0)
        self.predictions.setVisible(self.height() >= _ROWS[0][0])
        if self._has_effect:
            self._effect_label.setText(self._effect_text + ("; most turned:" if most else ""))

    def _lay_out(self) -> None:
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 12, 12, 8)
        column.setSpacing(6)
        last = QHBoxLayout()
        last.addWidget(self.reset)
        last.addStretch(1)
        for widget in (self._title, self.mixer, self.muting, self._hint, self._changes_label, self.changes):
            column.addWidget(widget)
        column.addLayout(last)
        column.addStretch(1)
        below = QWidget(self)
        effect = QVBoxLayout(below)
        effect.setContentsMargins(16, 0, 12, 12)
        effect.setSpacing(4)
        for widget in (self._effect_label, self.effect, self.predictions):
            effect.addWidget(widget)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scrolling(inner, self), 1)
        outer.addWidget(below)  # in sight whatever the number of heads

    def _on_muting_activated(self, index: int) -> None:
        self.mutingPicked.emit(self.muting.itemData(index))
