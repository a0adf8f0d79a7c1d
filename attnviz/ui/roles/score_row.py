"""One score of a head: what it does, how often, and against what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from attnviz.paint.fonts import font, text_width
from attnviz.ui.panels.bars import fitted

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from attnviz.ui.appearance import Appearance

_HEIGHT: Final = 46
_WITHOUT_BAR: Final = 12  # that a row without a score is lower
_NOTE: Final = 11  # pixel size
SIDE: Final = 8  # from a row's ends to its text
_BAR: Final = 6.0


@dataclass(frozen=True)
class ScoreLine:
    """key: of the measure; number: the score in words; score, low, high, baseline, needs: shares of a full bar, None for a bar that
    there is not; needs: what a role would take, None where it is one; colour: of the bar; notes: small, below it,
    in full first and each next one shorter; sentence: all of it, for those who do not see it."""

    key: str
    title: str
    number: str
    score: float | None
    low: float
    high: float
    baseline: float | None
    needs: float | None
    colour: str
    notes: tuple[str, ...]
    sentence: str


class ScoreRow(QAbstractButton):
    """A title with its number, a bar with the baseline's stroke and the interval's whisker, and a note. Checked: what is shown
    below is about it."""

    def __init__(self, line: ScoreLine, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = line
        self._appearance = appearance
        self.setCheckable(True)
        self.setText(line.title)
        self.setAccessibleName(line.sentence)
        self.setToolTip(line.sentence)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT if line.score is not None else _HEIGHT - _WITHOUT_BAR)

    def note(self) -> str:
        """What stands below the bar: the fullest that there is room for, or else the shortest."""
        room = self.width() - 2 * SIDE
        return next((note for note in self.line.notes if text_width(note, _NOTE, False) <= room), self.line.notes[-1])

    def sizeHint(self) -> QSize:
        return QSize(240, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, line = self._appearance.theme, self.line
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.underMouse() or self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1.0) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.focus_ground if self.isChecked() else theme.panel))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        right = self.width() - SIDE
        number = text_width(line.number, 13, True)
        painter.setPen(QColor(theme.ink))
        painter.setFont(font(13, True))
        painter.drawText(QPointF(right - number, 15), line.number)
        painter.setFont(font(13))
        painter.drawText(QPointF(SIDE, 15), fitted(line.title, right - number - SIDE - 8))
        if line.score is not None:
            self._paint_bar(painter, QRectF(SIDE, 23, right - SIDE, _BAR))
        painter.setFont(font(_NOTE))
        painter.setPen(QColor(theme.muted))
        painter.drawText(QPointF(SIDE, self.height() - 4.5), self.note())

    def _paint_bar(self, painter: QPainter, room: QRectF) -> None:
        theme, line = self._appearance.theme, self.line

        def at(share: float) -> float:
            return room.left() + room.width() * min(max(share, 0.0), 1.0)

        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.hairline))
        painter.drawRoundedRect(room, _BAR / 2, _BAR / 2)
        painter.setBrush(QColor(line.colour))
        painter.drawRoundedRect(QRectF(room.left(), room.top(), max(2.0, at(line.score) - room.left()), _BAR), _BAR / 2, _BAR / 2)
        middle = room.center().y()
        # Light inside the bar, dark beyond it, so that it is seen on a bar of any colour.
        for ink, start, end, stroke in (
            (theme.field, line.low, line.score, line.low),
            (theme.ink, line.score, line.high, line.high),
        ):
            painter.setPen(QPen(QColor(ink), 1.0))
            painter.drawLine(QPointF(at(start), middle), QPointF(at(end), middle))
            painter.drawLine(QPointF(at(stroke), middle - 2), QPointF(at(stroke), middle + 2))
        if line.baseline is not None:
            painter.setPen(QPen(QColor(theme.ink), 1.5))
            painter.drawLine(QPointF(at(line.baseline), room.top() - 2.5), QPointF(at(line.baseline), room.bottom() + 2.5))
        if line.needs is not None and line.needs <= 1.0:
            painter.setPen(QPen(QColor(theme.ink), 1.5, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(at(line.needs), room.top() - 2.5), QPointF(at(line.needs), room.bottom() + 2.5))
