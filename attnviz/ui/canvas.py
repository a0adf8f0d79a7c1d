"""The picture on the screen: paints a Scene, follows pointer and keys, zooms and pans.

The arcs are painted once into an image; a token in focus or an arc under the pointer is an overlay and rebuilds nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEasingCurve, QEvent, QPointF, QRectF, QSize, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from attnviz.paint.fonts import font, text_width
from attnviz.paint.painter import ground_strength, paint_arcs, paint_text
from attnviz.paint.paths import cubic_path
from attnviz.scene.focus import arcs_in_focus
from attnviz.scene.hit import arc_under, token_under
from attnviz.ui.viewport import Viewport

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent

    from attnviz.scene.glide import Glide
    from attnviz.scene.scene import Scene

_STALE_AFTER_MS = 150  # a picture that is replaced sooner need not dim
_CLICK_SLOP = 4.0
_GLIDE_MS = 150
_ROUND_A_TOKEN = 40.0  # pixels that stay in sight round a token that was reached by keys


class Canvas(QWidget):
    """Shows one scene at a time, or nothing."""

    focusMoved = Signal(object)  # position of the token in focus by pointer or pin, or None
    tokenPinned = Signal(object)  # position of the token, or None
    resized = Signal()
    painted = Signal()  # after each repaint

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Attention")
        self._scene: Scene | None = None
        self._viewport = Viewport()
        self._arcs: QImage | None = None
        self._hover_token: int | None = None
        self._hover_arc: int | None = None
        self._pointer = QPointF()
        self._drag: QPointF | None = None
        self._pressed = QPointF()
        self._double_clicked = False
        self._by_keys = False
        self._glide: Glide | None = None
        self._motion = QVariantAnimation(self)
        self._motion.setDuration(_GLIDE_MS)
        self._motion.setStartValue(0.0)
        self._motion.setEndValue(1.0)
        self._motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._motion.valueChanged.connect(self.update)
        self._motion.finished.connect(self._on_motion_finished)
        self._stale = False
        self._stale_timer = QTimer(self)
        self._stale_timer.setSingleShot(True)
        self._stale_timer.setInterval(_STALE_AFTER_MS)
        self._stale_timer.timeout.connect(self._on_stale)

    @property
    def scene(self) -> Scene | None:
        """The scene on the screen, in the focus it was built with."""
        return self._scene

    @property
    def focus_token(self) -> int | None:
        """The token whose arcs stand forward: under the pointer, else pinned."""
        if self._hover_token is not None:
            return self._hover_token
        return self._scene.focus if self._scene is not None else None

    @property
    def hovered_arc(self) -> int | None:
        """The number of the arc under the pointer in the scene."""
        return self._hover_arc

    def set_scene(self, scene: Scene | None, glide: Glide | None = None) -> None:
        """Show a scene in place of the last one; zoom and place are kept while its text is. glide: the way there."""
        before = self._scene
        self._scene = scene
        self._arcs = None
        self._hover_arc = None
        self._motion.stop()
        self._glide = glide
        if glide is not None:
            self._motion.start()
        if scene is not None and _is_another(before, scene):
            self._viewport.settle(scene.width, scene.height, self.width(), self.height())
        elif scene is not None and before.height != scene.height:
            self._viewport.scroll(0, 0, scene.width, scene.height, self.width(), self.height())
        if self._hover_token is not None:
            self._hover_token = self._token_at(self._pointer)
        self.setAccessibleDescription(scene.description if scene is not None else "")
        self.focusMoved.emit(self.focus_token)
        self.update()

    def set_focus(self, token: int | None) -> None:
        """Pin a token, or none: an overlay, the picture stays as it is."""
        if self._scene is not None:
            self._scene = replace(self._scene, focus=token if self._scene.token_at(-1 if token is None else token) else None)
            self.focusMoved.emit(self.focus_token)
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
            self._viewport.fit(self._scene.width, self._scene.height, self.width(), self.height())
            self._arcs = None
            self.update()

    @property
    def zoom(self) -> float:
        """Logical pixels per pixel of the scene."""
        return self._viewport.zoom

    def on_screen(self, x: float, y: float) -> QPointF:
        """Where a point of the scene is in the widget."""
        return QPointF(*self._viewport.to_screen(x, y))

    def sizeHint(self) -> QSize:
        return QSize(900, 480)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 220)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._scene is None:
            painter.fillRect(self.rect(), self.palette().window())
            return
        scene = replace(self._scene, focus=self.focus_token)
        painter.fillRect(self.rect(), QColor(scene.theme.paper))
        if self._glide is not None:
            self._paint_gliding(scene, painter)
        else:
            painter.setOpacity(1.0 if scene.focus is None else ground_strength(scene))
            painter.drawImage(0, 0, self._arcs_image(scene))
            painter.setOpacity(1.0)
            self._enter_scene(painter)
            if scene.focus is not None:
                paint_arcs(scene, painter, 0.0, arcs_in_focus(scene))
        if self._hover_arc is not None:
            self._paint_hovered(scene, painter)
        paint_text(scene, painter)
        painter.resetTransform()
        if self._stale:
            veil = QColor(scene.theme.paper)
            veil.setAlphaF(0.55)
            painter.fillRect(self.rect(), veil)
        self._paint_thumb(scene, painter)
        if self._hover_arc is not None:
            self._paint_arc_label(scene, painter)
        if self.hasFocus() and self._by_keys:
            painter.setPen(QPen(QColor(scene.theme.accent), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))
        painter.end()
        self.painted.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arcs = None
        self.resized.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._drag is not None:
            self._pan(at.x() - self._drag.x(), at.y() - self._drag.y())
            self._drag = at
            return
        self._look_at(at)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._double_clicked = False
            self._pressed = event.position()
            self._look_at(event.position())
            if self._hover_token is None:
                self._drag = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._drag = None
        if self._double_clicked:  # the second half of a double-click, whose first half has pinned already
            self._double_clicked = False
            return
        moved = event.position() - self._pressed
        if moved.manhattanLength() <= _CLICK_SLOP and self._scene is not None:
            token = self._hover_token
            if token is not None or self._hover_arc is None:
                self.tokenPinned.emit(None if token == self._scene.focus else token)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._double_clicked = True
            if self._hover_token is None:
                self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(None, None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):  # back as it was
            self._by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom(1.0015 ** event.angleDelta().y(), event.position())
        else:
            delta = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta() / 2
            self._pan(delta.x(), delta.y())
        self._look_at(event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.move_pin(1 if event.key() == Qt.Key.Key_Right else -1)
        elif event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self._pan(0, (-0.8 if event.key() == Qt.Key.Key_PageDown else 0.8) * self.height())
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab walks through the tokens and leaves after the last one."""
        return self.move_pin(1 if forward else -1, wrap=False) or super().focusNextPrevChild(forward)

    def move_pin(self, step: int, wrap: bool = True) -> bool:
        """Pin the next or the previous token; False where there is none and it does not wrap round."""
        if self._scene is None or not self._scene.tokens:
            return False
        order = [box.index for box in self._scene.tokens]
        pinned = self._scene.focus
        place = order.index(pinned) + step if pinned in order else (0 if step > 0 else len(order) - 1)
        if not wrap and not 0 <= place < len(order):
            return False
        self._set_hover(None, None)
        token = order[place % len(order)]
        self.tokenPinned.emit(token)
        self._bring_into_sight(token)
        return True

    def _look_at(self, at: QPointF) -> None:
        if self._scene is None:
            return
        self._pointer = at
        token = self._token_at(at)
        arc = None if token is not None else arc_under(self._scene, *self._viewport.to_scene(at.x(), at.y()))
        self._set_hover(token, arc)
        self.setCursor(Qt.CursorShape.PointingHandCursor if token is not None else Qt.CursorShape.ArrowCursor)

    def _token_at(self, at: QPointF) -> int | None:
        return None if self._scene is None else token_under(self._scene, *self._viewport.to_scene(at.x(), at.y()))

    def _bring_into_sight(self, token: int) -> None:
        box = self._scene.token_at(token)
        if box is not None:
            left, top = self._viewport.to_screen(box.left, box.top)
            right, bottom = self._viewport.to_screen(box.right, box.bottom)
            self._pan(_step_into(left, right, self.width()), _step_into(top, bottom, self.height()))

    def _set_hover(self, token: int | None, arc: int | None) -> None:
        if (token, arc) == (self._hover_token, self._hover_arc):
            return
        moved = token != self._hover_token
        self._hover_token, self._hover_arc = token, arc
        if moved:
            self.focusMoved.emit(self.focus_token)
        self.update()

    def _pan(self, dx: float, dy: float) -> None:
        if self._scene is not None:
            self._viewport.scroll(dx, dy, self._scene.width, self._scene.height, self.width(), self.height())
            self._arcs = None
            self.update()

    def _zoom(self, factor: float, about: QPointF) -> None:
        self._viewport.zoom_about(factor, about.x(), about.y())
        self._arcs = None
        self.update()

    def _arcs_image(self, scene: Scene) -> QImage:
        ratio = self.devicePixelRatioF()
        if self._arcs is None or self._arcs.devicePixelRatio() != ratio:
            self._arcs = QImage(self.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
            self._arcs.setDevicePixelRatio(ratio)
            self._arcs.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._arcs)
            self._enter_scene(painter)
            paint_arcs(scene, painter, 0.0)
            painter.end()
        return self._arcs

    def _enter_scene(self, painter: QPainter) -> None:
        painter.translate(self._viewport.x, self._viewport.y)
        painter.scale(self._viewport.zoom, self._viewport.zoom)

    def _paint_gliding(self, scene: Scene, painter: QPainter) -> None:
        share = float(self._motion.currentValue())
        self._enter_scene(painter)
        for arcs in (self._glide.leaving(share), self._glide.arriving(share)):
            moving = replace(scene, arcs=arcs)
            in_focus = arcs_in_focus(moving)
            if scene.focus is not None:
                paint_arcs(moving, painter, 0.0, ~in_focus, ground_strength(scene))
            paint_arcs(moving, painter, 0.0, in_focus)

    def _on_motion_finished(self) -> None:
        self._glide = None
        self.update()

    def _paint_hovered(self, scene: Scene, painter: QPainter) -> None:
        arcs, arc = scene.arcs, self._hover_arc
        painter.setPen(QPen(QColor(arcs.colours[arcs.colour[arc]]), max(2.5, float(arcs.width[arc]) + 1.0)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(cubic_path(arcs.curve[arc : arc + 1]))

    def _paint_arc_label(self, scene: Scene, painter: QPainter) -> None:
        text = arc_text(scene, self._hover_arc)
        width = text_width(text, 13, False) + 20
        x = min(max(self._pointer.x() + 14, 4), self.width() - width - 4)
        y = min(max(self._pointer.y() - 34, 4), self.height() - 30)
        painter.setPen(QPen(QColor(scene.theme.hairline), 1.0))
        painter.setBrush(QColor(scene.theme.field))
        painter.drawRoundedRect(QRectF(x, y, width, 26), 6, 6)
        painter.setPen(QColor(scene.theme.ink))
        painter.setFont(font(13))
        painter.drawText(QPointF(x + 10, y + 17.5), text)

    def _paint_thumb(self, scene: Scene, painter: QPainter) -> None:
        """Where in a picture taller than the window one is."""
        # Only where something is out of sight, not for the few pixels of margin below the last line.
        share = self._viewport.shown_share(scene.height - 12, self.height())
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
    if start < _ROUND_A_TOKEN:
        return _ROUND_A_TOKEN - start
    return min(0.0, room - _ROUND_A_TOKEN - end)


def arc_text(scene: Scene, arc: int) -> str:
    """What the pointer says of an arc: query, key, head, weight; isolated, so that a right-to-left word does not turn it round."""
    arcs = scene.arcs
    query, key = (scene.token_at(int(index)) for index in (arcs.query[arc], arcs.key[arc]))
    looks = f"{_isolated(query.text)} \N{RIGHTWARDS ARROW} {_isolated(key.text)}"
    return f"{looks}   H{arcs.head[arc]}   {arcs.weight[arc]:.3f}"


def _isolated(text: str) -> str:
    """The text with a direction of its own (Unicode Standard Annex 9, isolates)."""
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def _is_another(before: Scene | None, now: Scene) -> bool:
    """Whether a scene shows another text, or the text set to another width."""
    if before is None or before.width != now.width:
        return True
    return [(box.index, box.text) for box in before.tokens] != [(box.index, box.text) for box in now.tokens]
