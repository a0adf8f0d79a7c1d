"""A slider over places that stand side by side, each where it is painted: pointer, wheel and arrow keys go from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
    from PySide6.QtWidgets import QWidget

_NOTCH: Final = 120  # of a wheel, in eighths of a degree; touchpads send many small parts of one


class PlaceSlider(QAbstractSlider):
    """`value()` is the number of a place; a subclass paints them and says which is nearest. wheel_up: the step of a notch up."""

    wheel_up = 1

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._turned = 0
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setTracking(True)
        self.setRange(0, 0)
        self.setSingleStep(1)
        self.setPageStep(1)

    def nearest(self, x: float) -> int:
        """The place nearest to a point of the widget."""
        raise AssertionError("each slider knows where its places are")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setValue(self.nearest(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setValue(self.nearest(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._turned += event.angleDelta().y()
        notches = int(self._turned / _NOTCH)
        self._turned -= notches * _NOTCH
        self.setValue(self.value() + self.wheel_up * notches)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
        if event.key() in steps:
            self.setValue(self.value() + steps[event.key()])
        else:
            super().keyPressEvent(event)  # Home and End
