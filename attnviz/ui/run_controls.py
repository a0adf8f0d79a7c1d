"""The line of controls that say what is run and which part of it is seen: model, kind of attention, layer, number of heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from attnviz.engine.heads import valid_head_counts
from attnviz.session.sight import KIND_NAMES, kind_of
from attnviz.ui.stops import StopSlider

if TYPE_CHECKING:
    from attnviz.engine.config import Kind
    from attnviz.session.run import Run
    from attnviz.session.state import State
    from attnviz.ui.appearance import Appearance

# Heads narrower than this say little about language; the engine and the command line take them all the same.
_NARROWEST_HEAD: Final = 8
_WIDEST_MODEL_BOX: Final = 240  # a longer name is cut; the tip and the foot of the window have it whole


class RunControls(QWidget):
    """Shows what a State runs; the window listens to its boxes and sliders."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model_box = QComboBox(self)
        self.model_box.setAccessibleName("Model")
        self.model_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.model_box.setMaximumWidth(_WIDEST_MODEL_BOX)
        self.model_box.setMinimumContentsLength(8)
        self.model_box.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.kinds = QComboBox(self)
        self.kinds.setAccessibleName("Attention")
        self.kinds.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.kinds.setVisible(False)
        self.layers = StopSlider("Layer", appearance, self)
        self.head_counts = StopSlider("Number of heads", appearance, self)
        self._trained = _quiet("", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.model_box)
        row.addWidget(self.kinds)
        row.addSpacing(16)
        row.addWidget(_quiet("Layer", self))
        row.addWidget(self.layers, 2)
        row.addSpacing(16)
        row.addWidget(_quiet("Heads", self))
        row.addWidget(self.head_counts, 3)
        row.addWidget(self._trained)

    def show_state(self, state: State) -> None:
        """Show a state that has a run, in silence."""
        run = state.run
        kind = kind_of(run.trace, state.view)
        self._show_kinds(run, kind)
        self.layers.set_stops(range(run.trace.n_layer_of(kind)), state.view.layer)
        if not self.head_counts.isSliderDown():
            self.show_head_count(state)
        self._trained.setText(f"trained: {run.model.config.stack_of(kind).n_head}")

    def show_head_count(self, state: State) -> None:
        """Set the slider of head counts to what is asked for, even under the pointer."""
        if state.run is None:
            return
        config = state.run.model.config
        counts = valid_head_counts(config.n_head, config.d_head, _NARROWEST_HEAD)
        asked = config.n_head if state.head_count is None else state.head_count
        self.head_counts.set_stops(sorted({*counts, asked}), asked, marked=config.n_head)

    def _show_kinds(self, run: Run, kind: Kind) -> None:
        """Offer the three attentions of an encoder-decoder; nothing for other models."""
        kinds = run.trace.kinds
        self.kinds.setVisible(len(kinds) > 1)
        if [self.kinds.itemData(i) for i in range(self.kinds.count())] != list(kinds):
            self.kinds.clear()
            for one in kinds:
                self.kinds.addItem(KIND_NAMES[one], one)
            self.kinds.setMinimumWidth(self.kinds.sizeHint().width())
        self.kinds.setCurrentIndex(kinds.index(kind))


def _quiet(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("quiet", True)
    return label
