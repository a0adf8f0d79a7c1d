"""The sentences that a head's score is read from, on the screen: each can be read in the main window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QWidget

from attnviz.paint.fonts import font, text_width
from attnviz.paint.painter import paint_scene
from attnviz.scene.atlas.evidence import build_evidence
from attnviz.scene.page import Layout
from attnviz.scene.words import shortened

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

    from attnviz.probing.evidence import Evidence
    from attnviz.scene.atlas.evidence_scene import EvidenceScene, EvidenceSentence
    from attnviz.ui.appearance import Appearance

_READ: Final = "Read in the window"
_NARROWEST: Final = 240
_RESIZE_PAUSE_MS: Final = 20
_STALE_AFTER_MS: Final = 150  # sentences that are replaced sooner need not dim
_AROUND: Final = 16  # pixels that stay in sight round a sentence that was reached by keys


class EvidencePicture(QWidget):
    """As wide as its place and as tall as its sentences. The one under the pointer, or reached by the arrow keys, offers to be
    read: by a click on that offer, a double-click or Enter."""

    sentenceOpened = Signal(object, object)  # Evidence, Shown

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Evidence")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._appearance = appearance
        self._evidence: Evidence | None = None
        self._scene: EvidenceScene | None = None
        self._with_score = True
        self._at: int | None = None  # the number of the sentence that offers to be read
        self._is_stale = self._is_second_click = False
        self._resized = _timer(self, _RESIZE_PAUSE_MS)  # a window drawn larger sends more sizes than pictures can be made
        self._resized.timeout.connect(self._build)
        self._stale = _timer(self, _STALE_AFTER_MS)
        self._stale.timeout.connect(self._on_stale)
        appearance.changed.connect(self._build)

    @property
    def evidence(self) -> Evidence | None:
        """What is shown; None while a newer one is being read."""
        return None if self._is_stale or self._stale.isActive() else self._evidence

    @property
    def scene(self) -> EvidenceScene | None:
        """The picture on the screen."""
        return self._scene

    def show_evidence(self, evidence: Evidence | None, with_score: bool = True) -> None:
        """Show other sentences, or none. with_score: with what was measured of the head above them."""
        self.set_busy(False)
        self._with_score = with_score
        self._evidence, self._at = evidence, None
        self._build()

    def set_busy(self, busy: bool) -> None:
        """Dim the sentences if newer ones are not there within a moment."""
        if not busy:
            self._stale.stop()
            self._is_stale = False
        elif not self._is_stale:
            self._stale.start()
        self.update()

    def offer_rect(self, number: int) -> QRectF:
        """Where a sentence offers to be read."""
        box = self._scene.sentences[number].box
        width = text_width(_READ, 12, False) + 16
        return QRectF(self.width() - width - 16, box.top - 2, width, 20)

    def sizeHint(self) -> QSize:
        return QSize(_NARROWEST, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, scene = self._appearance.theme, self._scene
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(theme.paper))
        if scene is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._at is not None:
            box = scene.sentences[self._at].box
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.panel))
            painter.drawRoundedRect(QRectF(12, box.top - 6, self.width() - 24, box.bottom - box.top + 12), 6, 6)
        painter.save()
        paint_scene(scene, painter, hairline=0.0)
        painter.restore()
        if self._is_stale:
            veil = QColor(theme.paper)
            veil.setAlphaF(0.55)
            painter.fillRect(event.rect(), veil)
        elif self._at is not None:
            self._paint_offer(painter, self.offer_rect(self._at))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_at(self._number_at(event.position()))
        self.setCursor(Qt.CursorShape.PointingHandCursor if self._is_offer(event.position()) else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        is_second, self._is_second_click = self._is_second_click, False
        if event.button() == Qt.MouseButton.LeftButton and self._is_offer(event.position()) and not is_second:
            self._open(self._number_at(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        number = self._number_at(event.position())
        self._is_second_click = True
        is_taken = self._is_offer(event.position())  # by the first click
        if event.button() == Qt.MouseButton.LeftButton and number is not None and not is_taken:
            self._open(number)

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._set_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        n = 0 if self._scene is None else len(self._scene.sentences)
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if n and event.key() in steps:
            before = -1 if self._at is None and steps[event.key()] > 0 else self._at or 0
            self._set_at(min(max(before + steps[event.key()], 0), n - 1))
            self._bring_into_sight()
        elif self._at is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self._at)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_keys and self._scene is not None and self._scene.sentences and self._at is None:
            self._set_at(0)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if not self.underMouse():
            self._set_at(None)
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._scene is not None and event.size().width() != event.oldSize().width():
            self._resized.start()
        super().resizeEvent(event)

    def _build(self) -> None:
        evidence = self._evidence
        if evidence is None:
            self._scene = None
        else:
            layout = Layout(max(self.width(), _NARROWEST))
            self._scene = build_evidence(evidence, self._appearance.theme, layout, text_width, self._with_score)
        self.setFixedHeight(0 if self._scene is None else round(self._scene.height))
        self.setAccessibleDescription("" if self._scene is None else self._scene.description)
        self.update()

    def _number_at(self, at: QPointF) -> int | None:
        sentences: tuple[EvidenceSentence, ...] = () if self._scene is None else self._scene.sentences
        return next((n for n, one in enumerate(sentences) if one.box.top - 6 <= at.y() < one.box.bottom + 6), None)

    def _is_offer(self, at: QPointF) -> bool:
        number = self._number_at(at)
        return number is not None and self.offer_rect(number).contains(at)

    def _set_at(self, number: int | None) -> None:
        if number != self._at:
            self._at = number
            if number is not None:
                shown = self._scene.sentences[number].shown
                self.setAccessibleDescription(f"{shortened(' '.join(shown.units), 120)}. Enter reads it in the main window.")
            self.update()

    def _open(self, number: int) -> None:
        if not self._is_stale:
            self.sentenceOpened.emit(self._evidence, self._scene.sentences[number].shown)

    def _paint_offer(self, painter: QPainter, room: QRectF) -> None:
        theme = self._appearance.theme
        painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.hairline), 1.0))
        painter.setBrush(QColor(theme.field))
        painter.drawRoundedRect(room, 10, 10)
        painter.setPen(QColor(theme.accent))
        painter.setFont(font(12))
        painter.drawText(QPointF(room.left() + 8, room.top() + 14.3), _READ)

    def _bring_into_sight(self) -> None:
        """Have the panel that scrolls show the sentence that was reached."""
        area = self.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if area is not None and self._at is not None:
            box = self._scene.sentences[self._at].box
            for y in (box.bottom + _AROUND, box.top - _AROUND):
                at = self.mapTo(area.widget(), QPoint(0, round(y)))
                area.ensureVisible(0, at.y(), 0, 0)

    def _on_stale(self) -> None:
        self._is_stale = True
        self.update()


def _timer(parent: QWidget, milliseconds: int) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    return timer
