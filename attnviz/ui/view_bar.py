"""The bar above the picture: which picture, which quantity, tokens or words, sinks, and which of two texts."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget

from attnviz.session.sight import kind_of
from attnviz.session.view import BETWEEN_NAMES, PICTURE_NAMES, QUANTITY_NAMES
from attnviz.ui.segments import Segments
from attnviz.ui.sinks_control import SinksControl

if TYPE_CHECKING:
    from attnviz.session.run import Run
    from attnviz.session.view import PictureKind, Quantity, View

_PICTURE_TIPS: Final[dict[PictureKind, str]] = {
    "arcs": "Arcs from each token to those it looks at",
    "grid": "All layers and heads at once",
    "matrix": "A head as a heat map: rows look, columns are looked at",
    "steps": "How one head computes the attention of one token, number by number",
}
_QUANTITY_TIPS: Final[dict[Quantity, str]] = {
    "attention": "The weights after softmax",
    "norms": "The length of what each weight carries, its value vector behind the output projection (Kobayashi et al. 2020)",
    "rollout": "How much of each input token has come through all layers so far (Abnar & Zuidema 2020)",
}

_WORDS_TIP: Final = (
    "Merge the pieces of a word, also across an apostrophe: what goes to them is summed, what comes from them averaged (W)"
)


class ViewBar(QWidget):
    """Shows a View and tells what was asked."""

    picturePicked = Signal(str)  # PictureKind
    quantityPicked = Signal(str)  # Quantity
    wordsPicked = Signal(bool)
    betweenPicked = Signal(str)  # Between

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        tips = {picture: f"{tip} (Ctrl+{place})" for place, (picture, tip) in enumerate(_PICTURE_TIPS.items(), 1)}
        self._switch = Segments(PICTURE_NAMES, tips, self)
        self._switch.picked.connect(self.picturePicked)
        self.pictures = self._switch.buttons
        self.quantities = QComboBox(self)
        self.quantities.setAccessibleName("What the weights are")
        self.words = QCheckBox("Whole words", self)
        self.words.setToolTip(_WORDS_TIP)
        self.texts = QComboBox(self)
        self.texts.setAccessibleName("Which texts")
        self.texts.setToolTip("Of two texts: attention within each, from one to the other, or all")
        self.sinks = SinksControl(self)
        self._compose()

    def show_view(self, run: Run, view: View) -> None:
        """Show a view of a run, in silence."""
        kind = kind_of(run.trace, view)
        self._switch.show_value(view.picture)
        self._set(self.quantities, list(QUANTITY_NAMES), view.quantity)
        self.quantities.setToolTip(_QUANTITY_TIPS[view.quantity])
        rollout = self.quantities.model().item(list(QUANTITY_NAMES).index("rollout"))
        rollout.setEnabled(kind != "cross")
        was = self.words.blockSignals(True)
        self.words.setChecked(view.words)
        self.words.blockSignals(was)
        self.texts.setVisible(run.trace.pair is not None and len(run.trace.kinds) == 1)
        self._set(self.texts, list(BETWEEN_NAMES), view.between)
        self.sinks.show_sinks(view.sinks)

    def _compose(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 8)
        row.setSpacing(8)
        row.addWidget(self._switch)
        row.addStretch(1)
        for value, name in QUANTITY_NAMES.items():
            self.quantities.addItem(name, value)
            self.quantities.setItemData(self.quantities.count() - 1, _QUANTITY_TIPS[value], Qt.ItemDataRole.ToolTipRole)
        for value, name in BETWEEN_NAMES.items():
            self.texts.addItem(name, value)
        self.quantities.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.texts.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for widget in (self.texts, self.quantities, self.words, self.sinks):
            row.addWidget(widget)
        self.texts.setVisible(False)
        chain = [*self.pictures.values(), self.texts, self.quantities, self.words, self.sinks]
        for before, after in pairwise(chain):  # made in another order than they stand
            QWidget.setTabOrder(before, after)
        self.quantities.activated.connect(self._on_quantity_activated)
        self.texts.activated.connect(self._on_texts_activated)
        self.words.toggled.connect(self.wordsPicked)

    def _set(self, box: QComboBox, values: list[str], value: str) -> None:
        box.setCurrentIndex(values.index(value))

    def _on_quantity_activated(self, index: int) -> None:
        self.quantityPicked.emit(self.quantities.itemData(index))

    def _on_texts_activated(self, index: int) -> None:
        self.betweenPicked.emit(self.texts.itemData(index))
