"""A desk for the heads of one layer: each has a fader for its strength and a button that mutes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from attnviz.engine.changes import STRONGEST, HeadAt
from attnviz.paint.fonts import font
from attnviz.scene.palette import head_colour
from attnviz.ui.panels.fader import Fader

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from attnviz.engine.changes import Changes
    from attnviz.engine.config import Kind
    from attnviz.ui.appearance import Appearance

_STEP: Final = 0.05


class Mixer(QWidget):
    """One row for each head of a layer; makes rows only for heads that it has not had before."""

    mutePicked = Signal(object, bool)  # HeadAt
    strengthPicked = Signal(object, float)  # HeadAt
    headPicked = Signal(int)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._at: tuple[Kind, int] = ("encoder", 0)
        self._rows: list[MixerRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def row(self, head: int) -> MixerRow:
        """The row of a head."""
        return self._rows[head]

    def show_layer(self, kind: Kind, layer: int, n_head: int, shown: frozenset[int], changes: Changes) -> None:
        """Show the heads of a layer as they are changed; shown: those on the picture."""
        self._at = (kind, layer)
        while len(self._rows) > n_head:
            gone = self._rows.pop()
            self._column.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self._rows) < n_head:
            row = MixerRow(len(self._rows), self._appearance, self)
            row.strengthPicked.connect(self._on_strength_picked)
            row.mutePicked.connect(self._on_mute_picked)
            row.headPicked.connect(self.headPicked)
            self._rows.append(row)
            self._column.addWidget(row)
        for row in self._rows:
            at = HeadAt(kind, layer, row.head)
            row.show_head(changes.strength(at), at in changes.muted, row.head in shown)

    def _on_strength_picked(self, head: int, strength: float) -> None:
        self.strengthPicked.emit(HeadAt(*self._at, head), strength)

    def _on_mute_picked(self, head: int, is_muted: bool) -> None:
        self.mutePicked.emit(HeadAt(*self._at, head), is_muted)


class MixerRow(QWidget):
    """One head: its name, its fader, its value, its mute button."""

    mutePicked = Signal(int, bool)
    strengthPicked = Signal(int, float)
    headPicked = Signal(int)

    def __init__(self, head: int, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self.head = head
        self._state: tuple[float, bool, bool] | None = None
        name = _Name(head, appearance, self)
        name.clicked.connect(self._on_name_clicked)
        self._name = name
        self.fader = Fader(f"Strength of head {head}", STRONGEST, _STEP, appearance, self, from_mark=True)
        self.fader.moved.connect(self._on_moved)
        self.value = QLabel(self)
        self.value.setFixedWidth(32)
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.mute = QToolButton(self)
        self.mute.setText("Mute")
        self.mute.setCheckable(True)
        self.mute.setProperty("small", True)
        self.mute.setAccessibleName(f"Mute head {head}")
        self.mute.clicked.connect(self._on_mute_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(name)
        row.addWidget(self.fader, 1)
        row.addWidget(self.value)
        row.addWidget(self.mute)

    def show_head(self, strength: float, is_muted: bool, is_shown: bool) -> None:
        """Show a head's strength, whether it is muted, and whether it is on the picture."""
        state = (strength, is_muted, is_shown)
        if state == self._state and self.fader.value() == strength:
            return
        self._state = state
        self._name.show_on(is_shown)
        self.mute.setChecked(is_muted)
        self.fader.setEnabled(not is_muted)
        self.fader.show_value(strength, 1.0)
        self.value.setText("" if is_muted else f"{strength:.2f}")
        is_quiet = strength == 1.0
        if self.value.property("quiet") != is_quiet:
            self.value.setProperty("quiet", is_quiet)
            self.value.style().polish(self.value)  # 0.2 ms each

    def _on_moved(self, strength: float) -> None:
        self.strengthPicked.emit(self.head, strength)

    def _on_mute_clicked(self, is_muted: bool) -> None:
        self.mutePicked.emit(self.head, is_muted)

    def _on_name_clicked(self) -> None:
        self.headPicked.emit(self.head)


class _Name(QAbstractButton):
    """A head's dot and name, as on its chip; a click shows it alone."""

    def __init__(self, head: int, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"Show head {head} alone")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._head, self._appearance, self._is_on = head, appearance, True
        self.setFixedSize(42, 20)
        self.setToolTip("Show this head alone")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_on(self, is_on: bool) -> None:
        """Show whether the head is on the picture."""
        self._is_on = is_on
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(head_colour(self._head, theme))
        painter.setPen(colour)
        painter.setBrush(colour if self._is_on else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(1, 6, 8, 8))
        painter.setPen(QColor(theme.accent if self.hasFocus() else theme.ink if self._is_on else theme.muted))
        painter.setFont(font(12, self.hasFocus()))
        painter.drawText(QPointF(14, 14.5), f"H{self._head}")
