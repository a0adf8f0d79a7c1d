"""A picture on the screen: shows a Scene, zooms and pans, dims while a newer one is made. What is on it is for subclasses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from attnviz.ui.pictures.viewport import Viewport

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent

    from attnviz.scene.scene import Scene

_STALE_AFTER_MS = 150  # a picture that is replaced sooner need not dim
_CLICK_SLOP = 4.0
_AROUND = 40.0  # pixels that stay in sight round what was reached by keys


class PictureView(QWidget):
    """Shows one scene at a time, or nothing.

    A subclass paints it (`paint_picture`, in the scene's coordinates, and `paint_over`, in the widget's), says what lies under the
    pointer (`look_at`, `look_away`) and what a click means (`click`). While `can_drag` is true a press moves the picture.
    """

    resized = Signal()
    painted = Signal()  # after each repaint

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport = Viewport()
        self._scene: Scene | None = None
        self._drag: QPointF | None = None
        self._pressed = QPointF()
        self._is_pulling = self._has_pulled = False
        self._double_clicked = False
        self._by_keys = False
        self._stale = False
        self._stale_timer = QTimer(self)
        self._stale_timer.setSingleShot(True)
        self._stale_timer.setInterval(_STALE_AFTER_MS)
        self._stale_timer.timeout.connect(self._on_stale)

    # --- for subclasses -------------------------------------------------------------------------------------------

    def paint_picture(self, scene: Scene, painter: QPainter) -> None:
        """Paint the scene; the painter is in its coordinates."""
        raise AssertionError("each picture paints itself")

    def paint_over(self, scene: Scene, painter: QPainter) -> None:
        """Paint what keeps its size and place on the screen, such as the label at the pointer."""

    def look_at(self, at: QPointF) -> None:
        """Take note of the pointer; `at` in the widget."""

    def look_away(self) -> None:
        """The pointer has left."""

    def click(self, at: QPointF) -> None:
        """A press and release in one place; `at` in the widget."""

    def double_click(self, at: QPointF) -> None:
        """The second click of two; by itself it fits the picture."""
        self.fit()

    def can_drag(self) -> bool:
        """Whether a press where the pointer is takes hold of the picture."""
        return True

    def pull(self, start: QPointF, at: QPointF) -> None:
        """The pointer moves while it is pressed where the picture cannot be dragged; both in the widget."""

    def let_go(self, start: QPointF, at: QPointF) -> None:
        """The end of a pull."""

    def moved(self) -> None:
        """The picture's place or scale on the screen has changed; what was painted for it is of no use any more."""

    # --- the picture ----------------------------------------------------------------------------------------------

    @property
    def scene(self) -> Scene | None:
        """The scene on the screen."""
        return self._scene

    def set_scene(self, scene: Scene | None, settle: bool = True) -> None:
        """Show a scene in place of the last one. settle: from its beginning; else zoom and place are kept."""
        before, self._scene = self._scene, scene
        if scene is not None and (settle or before is None):
            self.viewport.settle(scene.width, scene.height, self.width(), self.height())
        elif scene is not None and before.height != scene.height:
            self.viewport.scroll(0, 0, scene.width, scene.height, self.width(), self.height())
        self.setAccessibleDescription(scene.description if scene is not None else "")
        self.moved()
        self.update()

    def set_busy(self, busy: bool) -> None:
        """Dim the picture if a newer one is not there within a moment."""
        if not busy:
            self._stale_timer.stop()
            if self._stale:
                self._stale = False
                self.update()
        elif not self._stale and not self._stale_timer.isActive():
            self._stale_timer.start()

    def zoom_by(self, factor: float) -> None:
        """Enlarge or reduce about the middle."""
        self._zoom(factor, QPointF(self.width() / 2, self.height() / 2))

    def fit(self) -> None:
        """Show the whole picture, no larger than life."""
        if self._scene is not None:
            self.viewport.fit(self._scene.width, self._scene.height, self.width(), self.height())
            self.moved()
            self.update()

    @property
    def zoom(self) -> float:
        """Logical pixels per pixel of the scene."""
        return self.viewport.zoom

    def on_screen(self, x: float, y: float) -> QPointF:
        """Where a point of the scene is in the widget."""
        return QPointF(*self.viewport.to_screen(x, y))

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture as far as there is more of it to see."""
        if self._scene is not None:
            self.viewport.scroll(dx, dy, self._scene.width, self._scene.height, self.width(), self.height())
            self.moved()
            self.update()

    def bring_into_sight(self, left: float, top: float, right: float, bottom: float) -> None:
        """Move the picture until a box of the scene can be seen, with some of what is round it."""
        left, top = self.viewport.to_screen(left, top)
        right, bottom = self.viewport.to_screen(right, bottom)
        self.pan(_step_into(left, right, self.width()), _step_into(top, bottom, self.height()))

    def enter_scene(self, painter: QPainter) -> None:
        """Have the painter's coordinates be those of the scene."""
        painter.translate(self.viewport.x, self.viewport.y)
        painter.scale(self.viewport.zoom, self.viewport.zoom)

    # --- Qt's events ----------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(900, 480)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 180)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        scene = self._scene
        if scene is None:
            painter.fillRect(self.rect(), self.palette().window())
            return
        painter.fillRect(self.rect(), QColor(scene.theme.paper))
        self.enter_scene(painter)
        self.paint_picture(scene, painter)
        painter.resetTransform()
        painter.setOpacity(1.0)
        if self._stale:
            veil = QColor(scene.theme.paper)
            veil.setAlphaF(0.55)
            painter.fillRect(self.rect(), veil)
        self._paint_thumb(scene, painter)
        self.paint_over(scene, painter)
        if self.hasFocus() and self._by_keys:
            painter.setPen(QPen(QColor(scene.theme.accent), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))
        painter.end()
        self.painted.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.moved()
        self.resized.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._drag is not None:
            self.pan(at.x() - self._drag.x(), at.y() - self._drag.y())
            self._drag = at
            return
        if self._is_pulling and (self._has_pulled or (at - self._pressed).manhattanLength() > _CLICK_SLOP):
            self._has_pulled = True
            self.pull(self._pressed, at)
            return
        self.look_at(at)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._double_clicked = False
            self._pressed = event.position()
            self.look_at(event.position())
            if self.can_drag():
                self._drag = event.position()
            else:
                self._is_pulling, self._has_pulled = True, False

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._drag = None
        self._is_pulling = False
        if self._has_pulled:
            self._has_pulled = False
            self.let_go(self._pressed, event.position())
            self.look_at(event.position())
            return
        if self._double_clicked:  # the second half of a double-click, whose first half was a click already
            self._double_clicked = False
            return
        if (event.position() - self._pressed).manhattanLength() <= _CLICK_SLOP and self._scene is not None:
            self.click(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._double_clicked = True
            self.double_click(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self.look_away()

    def focusInEvent(self, event: QFocusEvent) -> None:
        if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):  # back as it was
            self._by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom(1.0015 ** event.angleDelta().y(), event.position())
        else:
            delta = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta() / 2
            self.pan(delta.x(), delta.y())
        self.look_at(event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self.pan(0, (-0.8 if event.key() == Qt.Key.Key_PageDown else 0.8) * self.height())
        else:
            super().keyPressEvent(event)

    def _zoom(self, factor: float, about: QPointF) -> None:
        self.viewport.zoom_about(factor, about.x(), about.y())
        self.moved()
        self.update()

    def _paint_thumb(self, scene: Scene, painter: QPainter) -> None:
        """Where in a picture taller than the window one is."""
        # Only where something is out of sight, not for the few pixels of margin below the last line.
        share = self.viewport.shown_share(scene.height - 12, self.height())
        if share is None:
            return
        start, size = share
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(scene.theme.hairline))
        painter.drawRoundedRect(QRectF(self.width() - 8, start * self.height(), 5, max(size * self.height(), 20)), 2.5, 2.5)

    def _on_stale(self) -> None:
        self._stale = True
        self.update()


def _step_into(start: float, end: float, room: float) -> float:
    """How far something from `start` to `end` must move to lie within 0 to `room`, with some of what is round it."""
    if start < _AROUND:
        return _AROUND - start
    return min(0.0, room - _AROUND - end)
