"""How little is still drawn: by cumulative share, or by weight."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QWidget

from attnviz.analysis.edges import Threshold

_KINDS = ("mass", "weight")
_START = {"mass": 70, "weight": 10}


class ThresholdControl(QWidget):
    """A choice of rule and a slider in percent; each rule keeps its own value."""

    thresholdPicked = Signal(object)  # Threshold

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._percent = dict(_START)
        self._kind = QComboBox(self)
        self._kind.addItems(["Strongest share", "Weight from"])
        self._kind.setAccessibleName("Which arcs are drawn")
        self._kind.setToolTip(
            "Strongest share: of each token's attention the fewest arcs that hold this much, as useful for 8 tokens as for 80.\n"
            "Weight from: every arc of at least this weight."
        )
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(1, 100)
        self._slider.setFixedWidth(130)
        self._slider.setAccessibleName("Threshold")
        self._value = QLabel(self)
        self._value.setFixedWidth(44)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._kind)
        row.addWidget(self._slider)
        row.addWidget(self._value)
        self._kind.currentIndexChanged.connect(self._on_kind_changed)
        self._slider.valueChanged.connect(self._on_slider_changed)
        self.set_threshold(Threshold())

    @property
    def kind_box(self) -> QComboBox:
        """The choice of rule."""
        return self._kind

    @property
    def slider(self) -> QSlider:
        """The value, percent."""
        return self._slider

    def set_threshold(self, threshold: Threshold) -> None:
        """Show `threshold`, in silence."""
        self._percent[threshold.kind] = round(100 * threshold.value)
        for widget in (self._kind, self._slider):
            widget.blockSignals(True)
        self._kind.setCurrentIndex(_KINDS.index(threshold.kind))
        self._slider.setValue(self._percent[threshold.kind])
        for widget in (self._kind, self._slider):
            widget.blockSignals(False)
        self._say()

    def _on_kind_changed(self, index: int) -> None:
        self.set_threshold(Threshold(_KINDS[index], self._percent[_KINDS[index]] / 100))
        self._tell()

    def _on_slider_changed(self, percent: int) -> None:
        self._percent[_KINDS[self._kind.currentIndex()]] = percent
        self._say()
        self._tell()

    def _tell(self) -> None:
        self.thresholdPicked.emit(Threshold(_KINDS[self._kind.currentIndex()], self._slider.value() / 100))

    def _say(self) -> None:
        percent = self._slider.value()
        self._value.setText(f"{percent} %" if self._kind.currentIndex() == 0 else f"{percent / 100:.2f}")
