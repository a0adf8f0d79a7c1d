"""The sentence field: live, as tall as its text up to four lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QKeySequence, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from attnviz.engine.tokenizer import TEXT_LIMIT
from attnviz.paint.fonts import font

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData
    from PySide6.QtGui import QResizeEvent, QShowEvent

_SIZE = 19
_MOST_LINES = 4
# Joins what arrives at once (a paste, a key held down), far shorter than anyone notices.
_PAUSE_MS = 12


class SentenceField(QPlainTextEdit):
    """A text editor that tells of each pause in typing. It has no undoing of its own: the window's takes back typing too."""

    textEdited = Signal(str)
    pasteRefused = Signal(str)  # the sentence to show

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(font(_SIZE))
        self.setStyleSheet(f"font-size: {_SIZE}px;")
        self.setAccessibleName("Sentence")
        self.setPlaceholderText("Type a sentence")
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        # Lines are as wide as the field was before its vertical bar came, and a bar for that would cover the last one.
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._on_pause)
        self.textChanged.connect(self._on_text_changed)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def show_text(self, text: str) -> None:
        """Put a text into the field without telling of it."""
        self._pause.stop()
        was = self.blockSignals(True)
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        self.blockSignals(was)
        self._fit()

    def tell_now(self) -> None:
        """Tell at once of what was typed a moment ago."""
        if self._pause.isActive():
            self._pause.stop()
            self._on_pause()

    def event(self, event: QEvent) -> bool:
        """Leaves the keys of undoing and redoing to the window, which the editor would claim although it has nothing to undo."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_undoing(event):
            event.ignore()
            return False
        return super().event(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Text only: a dropped folder is a model, and the window's to take."""
        return source.hasText() and not source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        text = source.text()
        selected = len(self.textCursor().selectedText())
        n = self.document().characterCount() - 1 - selected + len(text)
        if n > TEXT_LIMIT:
            self.pasteRefused.emit(
                f"The pasted text would make {n:,} characters; attnviz takes up to {TEXT_LIMIT:,} at a time. "
                "Paste a shorter passage."
            )
            return
        self.insertPlainText(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Break the lines anew of a text that came before the field was seen: Qt leaves them as wide as without the vertical bar,
        which would lie on their ends."""
        super().showEvent(event)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)

    def _on_text_changed(self) -> None:
        self._pause.start()

    def _on_pause(self) -> None:
        self.textEdited.emit(self.toPlainText())

    def _fit(self) -> None:
        wanted = max(1, int(self.document().size().height()))
        lines = min(_MOST_LINES, wanted)
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if wanted > lines else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)
        # Below a cut text there is no room for the tops of the next line.
        room = 2 * int(self.document().documentMargin()) + (12 if lines == wanted else 6)
        self.setFixedHeight(lines * QFontMetrics(self.font()).lineSpacing() + room)


def _is_undoing(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)
