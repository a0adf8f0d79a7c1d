"""Sinks: which tokens count, what is done with the attention to them, and why there is so much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QFrame, QLabel, QRadioButton, QToolButton, QVBoxLayout, QWidget

from attnviz.session.view import SINK_NAMES, TREATMENT_NAMES, Sinks

if TYPE_CHECKING:
    from attnviz.session.view import SinkKind, Treatment

_WIDTH: Final = 320
_BUTTON: Final[dict[Treatment, str]] = {
    "show": "Sinks shown",
    "dim": "Sinks dimmed",
    "hide": "Sinks hidden",
    "renormalise": "Sinks taken out",
}
# Clark et al. 2019, section 3.2; Kobayashi et al. 2020, section 4; Xiao et al. 2023, section 3; Gu et al. 2025.
WHY: Final = (
    "Why does everything look there? Each row of attention must sum to 1. A head that finds nothing for its task in a sentence "
    "still has to put its weight somewhere, and learns to put it where it changes least: on a token that every other can see, the "
    "first one or a separator, whose value vector is short. The weight is large, what it carries is small: with "
    "\N{LEFT DOUBLE QUOTATION MARK}Value-weighted\N{RIGHT DOUBLE QUOTATION MARK} much of it is gone."
)


class SinksControl(QToolButton):
    """A button that says what is done with sinks and opens the choice."""

    sinksPicked = Signal(object)  # Sinks

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Sinks")
        self.setToolTip("Tokens that gather attention without a meaning of their own, and what is done with it")
        self._sinks = Sinks()
        self.popup = QFrame(self, Qt.WindowType.Popup)
        self.popup.setObjectName("popup")
        self.boxes: dict[SinkKind, QCheckBox] = {}
        self.treatments: dict[Treatment, QRadioButton] = {}
        self._share = QLabel(self.popup)
        self._compose()
        self.clicked.connect(self._on_clicked)
        self.show_sinks(self._sinks)

    def show_sinks(self, sinks: Sinks) -> None:
        """Show a choice, in silence."""
        self._sinks = sinks
        self.setText((_BUTTON[sinks.treatment] if sinks.kinds else _BUTTON["show"]) + " \N{BLACK DOWN-POINTING SMALL TRIANGLE}")
        for kind, box in self.boxes.items():
            was = box.blockSignals(True)
            box.setChecked(kind in sinks.kinds)
            box.blockSignals(was)
        self.treatments[sinks.treatment].setChecked(True)

    def show_share(self, share: float | None) -> None:
        """Say what mean share of the rows of the picture the sinks have, 0 to 1; None for a picture that no choice changes."""
        here = "The steps are those of the model, which takes nothing out."
        self._share.setText(here if share is None else f"In this picture they have {round(100 * share)} % of each row, on average.")

    def share(self) -> str:
        """The line that says how much it is."""
        return self._share.text()

    def _compose(self) -> None:
        column = QVBoxLayout(self.popup)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(6)
        column.addWidget(_quiet("These tokens are sinks", self.popup))
        for kind, name in SINK_NAMES.items():
            box = QCheckBox(name, self.popup)
            box.toggled.connect(self._on_changed)
            self.boxes[kind] = box
            column.addWidget(box)
        column.addSpacing(6)
        column.addWidget(_quiet("What goes to them", self.popup))
        group = QButtonGroup(self.popup)
        for treatment, name in TREATMENT_NAMES.items():
            button = QRadioButton(name, self.popup)
            group.addButton(button)
            self.treatments[treatment] = button
            column.addWidget(button)
        group.buttonClicked.connect(self._on_changed)
        column.addSpacing(6)
        column.addWidget(self._share)
        why = _quiet(WHY, self.popup)
        why.setWordWrap(True)
        why.setFixedWidth(_WIDTH)
        column.addWidget(why)

    def _on_clicked(self) -> None:
        self.popup.resize(self.popup.sizeHint())  # adjustSize() would stop at two thirds of the screen and cut the text
        at = self.mapToGlobal(QPoint(self.width() - self.popup.sizeHint().width(), self.height() + 4))
        screen = self.screen().availableGeometry()
        self.popup.move(max(screen.left(), at.x()), min(at.y(), screen.bottom() - self.popup.sizeHint().height()))
        self.popup.show()
        self.boxes["special"].setFocus(Qt.FocusReason.PopupFocusReason)

    def _on_changed(self) -> None:
        kinds = frozenset(kind for kind, box in self.boxes.items() if box.isChecked())
        treatment = next(treatment for treatment, button in self.treatments.items() if button.isChecked())
        self.sinksPicked.emit(Sinks(kinds, treatment))


def _quiet(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("quiet", True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
