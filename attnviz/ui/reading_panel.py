"""Beside the picture: what the token in focus looks at, and what looks at it, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from attnviz.analysis.reading import Reading, looked_at_by, looks_at
from attnviz.paint.fonts import font, text_width
from attnviz.scene.palette import head_colour
from attnviz.session.sight import sight_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

    from attnviz.session.run import Run
    from attnviz.session.view import View
    from attnviz.ui.appearance import Appearance

_ROW = 22
_MOST_ROWS = 60


class ReadingList(QWidget):
    """Rows of token, weight, bar and head."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._rows: list[tuple[Reading, str, bool]] = []

    def rows(self) -> list[tuple[Reading, str, bool]]:
        """Each reading with its token's text and whether the token is a special one."""
        return list(self._rows)

    def show_rows(self, rows: Sequence[tuple[Reading, str, bool]]) -> None:
        """Show these rows, the strongest first."""
        self._rows = list(rows[:_MOST_ROWS])
        self.setFixedHeight(_ROW * len(self._rows))
        self.setAccessibleDescription(", ".join(f"{text} {reading.weight:.2f}" for reading, text, _ in self._rows))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, _ROW * len(self._rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._appearance.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = max(24.0, self.width() - 126.0 - 34.0)
        first = max(0, event.rect().top() // _ROW)
        last = min(len(self._rows), event.rect().bottom() // _ROW + 1)
        for number in range(first, last):
            reading, text, special = self._rows[number]
            y = number * _ROW
            baseline = y + 15.5
            painter.setFont(font(13))
            painter.setPen(QColor(theme.muted if special else theme.ink))
            painter.drawText(QPointF(0, baseline), _shortened(text, 86.0))
            painter.setPen(QColor(theme.ink))
            painter.drawText(QPointF(92, baseline), f"{reading.weight:.2f}")
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(head_colour(reading.head, theme)))
            painter.drawRoundedRect(QRectF(126, y + 7, max(1.5, bar * reading.weight), 8), 2, 2)
            painter.setFont(font(11))
            painter.setPen(QColor(theme.muted))
            head = f"H{reading.head}"
            painter.drawText(QPointF(self.width() - text_width(head, 11, False) - 2, baseline), head)


class ReadingPanel(QWidget):
    """The panel of the token in focus; without one it says how to get there."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(210)
        self._title = QLabel(self)
        self._title.setFont(font(17, True))
        self._title.setStyleSheet("font-size: 17px;")
        self._title.setWordWrap(True)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._hint = QLabel(self)
        self._hint.setWordWrap(True)
        self._hint.setProperty("quiet", True)
        self._at_label = _heading("looks at", self)
        self._by_label = _heading("is looked at by", self)
        self.looks_at = ReadingList(appearance, self)
        self.looked_at_by = ReadingList(appearance, self)

        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 16, 12, 16)
        column.setSpacing(6)
        for widget in (self._title, self._hint, self._at_label, self.looks_at, self._by_label, self.looked_at_by):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        appearance.changed.connect(self.update)

    def title(self) -> str:
        """The token in focus, or what the panel says without one."""
        return self._title.text()

    def show_token(self, run: Run | None, view: View, token: int | None) -> None:
        """Show the numbers of a token of a run in the layer and heads of a view."""
        sight = None if run is None or token is None else sight_of(run.trace, view)
        reading = sight is not None and token < len(sight.tokens)
        for widget in (self._at_label, self.looks_at):
            widget.setVisible(reading and sight.is_query(token))
        for widget in (self._by_label, self.looked_at_by):
            widget.setVisible(reading and sight.is_key(token))
        if not reading:
            self._title.setText("Point at a token")
            self._hint.setText("to see what it looks at. A click pins it; the arrow keys move along the sentence.")
            return
        heads = view.shown_heads(sight.attention.shape[0])
        piece = sight.tokens[token]
        self._title.setText(piece.shown)
        spelled = f", the model reads \N{LEFT DOUBLE QUOTATION MARK}{piece.text}\N{RIGHT DOUBLE QUOTATION MARK}"
        largest = "" if len(heads) == 1 else ". Each number is the largest among the heads shown"
        self._hint.setText(f"token {token}{spelled if piece.text != piece.shown else ''}, layer {view.layer}{largest}")

        def named(readings: list[Reading], first: int) -> list[tuple[Reading, str, bool]]:
            pieces = sight.tokens[first:]
            # A weight of 0 is that of a token which cannot be seen.
            return [
                (reading, pieces[reading.token].shown, pieces[reading.token].is_special)
                for reading in readings
                if reading.weight > 0
            ]

        if sight.is_query(token):
            self.looks_at.show_rows(named(looks_at(sight.attention, heads, token - sight.first_query), 0))
        if sight.is_key(token):
            self.looked_at_by.show_rows(named(looked_at_by(sight.attention, heads, token), sight.first_query))


def _heading(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("quiet", True)
    label.setContentsMargins(0, 10, 0, 0)
    return label


def _shortened(text: str, width: float) -> str:
    if text_width(text, 13, False) <= width:
        return text
    while text and text_width(text + "\N{HORIZONTAL ELLIPSIS}", 13, False) > width:
        text = text[:-1]
    return text + "\N{HORIZONTAL ELLIPSIS}"
