"""The arc diagram on the screen: follows pointer and keys.

The arcs are painted once into an image, many of them in slices between events; a token in focus or an arc under the pointer is an
overlay and rebuilds nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEasingCurve, QPointF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QPainter, QPen

from attnviz.paint.arcs import ground_strength, paint_arcs, paint_text
from attnviz.paint.pair import paint_pair
from attnviz.paint.paths import cubic_path
from attnviz.scene.arcs.focus import arcs_in_focus
from attnviz.scene.arcs.hit import arc_text, arc_under, token_under
from attnviz.scene.scene import ArcScene, Box
from attnviz.ui.pictures.arcs_image import ArcsImage
from attnviz.ui.pictures.picture_view import PictureView
from attnviz.ui.pictures.tips import paint_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QWidget

    from attnviz.scene.arcs.glide import Glide
    from attnviz.session.view import Arc

_GLIDE_MS = 150


class Canvas(PictureView):
    """Shows one arc diagram at a time, or nothing."""

    focusMoved = Signal(object)  # position of the token in focus by pointer or pin, or None
    tokenPinned = Signal(object)  # position of the token, or None
    tokenDoubleClicked = Signal(int)  # position of the token
    arcPicked = Signal(int, int)  # positions of query and key

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Attention")
        self.head_notes: dict[int, str] = {}  # what is said of a head where an arc of it is named
        self._arcs = ArcsImage(self)
        self._arcs.completed.connect(self.update)
        self._hover_token: int | None = None
        self._lent_focus: int | None = None
        self._hover_arc: int | None = None
        self._pointer = QPointF()
        self._pair: Arc | None = None
        self._drawn: tuple[int, QPointF, int | None] | None = None  # from a token, to the pointer, over another token
        self._glide: Glide | None = None
        self._motion = QVariantAnimation(self)
        self._motion.setDuration(_GLIDE_MS)
        self._motion.setStartValue(0.0)
        self._motion.setEndValue(1.0)
        self._motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._motion.valueChanged.connect(self.update)
        self._motion.finished.connect(self._on_motion_finished)

    @property
    def scene(self) -> ArcScene | None:
        """The scene on the screen, in the focus it was built with."""
        return self._scene if isinstance(self._scene, ArcScene) else None

    @property
    def is_complete(self) -> bool:
        """Whether all arcs are painted: of very many the weaker ones follow a moment after the others."""
        return self._arcs.is_complete

    @property
    def focus_token(self) -> int | None:
        """The token whose arcs stand forward: under the pointer, here or on a picture beside this one, else pinned."""
        if self._hover_token is not None:
            return self._hover_token
        if self._lent_focus is not None:
            return self._lent_focus
        return self.scene.focus if self.scene is not None else None

    @property
    def sight(self) -> Box:
        """The part of the scene that is in the widget."""
        return Box(*self.viewport.to_scene(0, 0), *self.viewport.to_scene(self.width(), self.height()))

    @property
    def hovered_arc(self) -> int | None:
        """The number of the arc under the pointer in the scene."""
        return self._hover_arc

    def set_scene(self, scene: ArcScene | None, glide: Glide | None = None) -> None:
        """Show a scene in place of the last one; zoom and place are kept while its text is. glide: the way there."""
        self._hover_arc = None
        self._motion.stop()
        self._glide = glide
        if glide is not None:
            self._motion.start()
        super().set_scene(scene, settle=scene is None or _is_another(self.scene, scene))
        if self._hover_token is not None:
            self._hover_token = self._token_at(self._pointer)
        self.focusMoved.emit(self.focus_token)

    def set_focus(self, token: int | None) -> None:
        """Pin a token, or none: an overlay, the picture stays as it is."""
        if self.scene is not None:
            self._scene = replace(self.scene, focus=token if self.scene.token_at(-1 if token is None else token) else None)
            self.focusMoved.emit(self.focus_token)
            self.update()

    def lend_focus(self, token: int | None) -> None:
        """Have a token stand forward as the pointer is over its counterpart on a picture beside this one; None for no more."""
        if token != self._lent_focus:
            self._lent_focus = token
            self.update()

    @property
    def hovered_token(self) -> int | None:
        """The token under the pointer."""
        return self._hover_token

    def show_pair(self, pair: Arc | None) -> None:
        """Have a pair stand out, or none: an overlay."""
        if pair != self._pair:
            self._pair = pair
            self.update()

    def paint_picture(self, scene: ArcScene, painter: QPainter) -> None:
        scene = replace(scene, focus=self.focus_token)
        if self._glide is not None:
            self._paint_gliding(scene, painter)
        else:
            painter.save()
            painter.resetTransform()
            painter.setOpacity(1.0 if scene.focus is None else ground_strength(scene))
            self._arcs.paint(scene, painter)
            painter.restore()
            if scene.focus is not None:
                paint_arcs(scene, painter, 0.0, arcs_in_focus(scene))
        if self._hover_arc is not None:
            self._paint_hovered(scene, painter)
        if self._pair is not None and self._drawn is None:
            paint_pair(scene, self._pair.query, self._pair.key, painter)
        if self._drawn is not None:
            self._paint_drawn(scene, painter)
        paint_text(scene, painter, self.sight)

    def paint_over(self, scene: ArcScene, painter: QPainter) -> None:
        if self._hover_arc is not None:
            note = self.head_notes.get(int(scene.arcs.head[self._hover_arc]))
            text = arc_text(scene, self._hover_arc) + ("" if note is None else f"\n{note}")
            paint_tip(text, self._pointer, self, scene, painter, quiet_from=1)

    def look_at(self, at: QPointF) -> None:
        if self.scene is None:
            return
        self._pointer = at
        token = self._token_at(at)
        arc = None if token is not None else arc_under(self.scene, *self.viewport.to_scene(at.x(), at.y()))
        self._set_hover(token, arc)
        self.setCursor(Qt.CursorShape.PointingHandCursor if token is not None else Qt.CursorShape.ArrowCursor)

    def look_away(self) -> None:
        self._set_hover(None, None)

    def click(self, at: QPointF) -> None:
        token = self._hover_token
        if token is not None or self._hover_arc is None:
            self.tokenPinned.emit(None if token == self.scene.focus else token)
        else:
            arcs = self.scene.arcs
            self.arcPicked.emit(int(arcs.query[self._hover_arc]), int(arcs.key[self._hover_arc]))

    def double_click(self, at: QPointF) -> None:
        if self._hover_token is None:
            self.fit()
        else:
            self.tokenDoubleClicked.emit(self._hover_token)

    def pull(self, start: QPointF, at: QPointF) -> None:
        query = self._token_at(start)
        if query is not None:
            self._drawn = (query, at, self._token_at(at))
            self.setCursor(Qt.CursorShape.CrossCursor)
            self.update()

    def let_go(self, start: QPointF, at: QPointF) -> None:
        query, key = self._token_at(start), self._token_at(at)
        self._drawn = None
        self.update()
        if query is not None and key is not None and self._can_look(query, key):
            self.arcPicked.emit(query, key)

    def can_drag(self) -> bool:
        return self._hover_token is None

    def moved(self) -> None:
        self._arcs.clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.move_pin(1 if event.key() == Qt.Key.Key_Right else -1)
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab walks through the tokens and leaves after the last one."""
        return self.move_pin(1 if forward else -1, wrap=False) or super().focusNextPrevChild(forward)

    def move_pin(self, step: int, wrap: bool = True) -> bool:
        """Pin the next or the previous token; False where there is none and it does not wrap round."""
        if self.scene is None or not self.scene.tokens:
            return False
        order = [box.index for box in self.scene.tokens]
        pinned = self.scene.focus
        place = order.index(pinned) + step if pinned in order else (0 if step > 0 else len(order) - 1)
        if not wrap and not 0 <= place < len(order):
            return False
        self._set_hover(None, None)
        token = order[place % len(order)]
        self.tokenPinned.emit(token)
        box = self.scene.token_at(token)
        if box is not None:
            self.bring_into_sight(box.left, box.top, box.right, box.bottom)
        return True

    def _token_at(self, at: QPointF) -> int | None:
        return None if self.scene is None else token_under(self.scene, *self.viewport.to_scene(at.x(), at.y()))

    def _can_look(self, query: int, key: int) -> bool:
        """Whether a drawn arc is one that could be: between a decoder and an encoder only the one way."""
        first = self.scene.first_query
        return query >= first and (first == 0 or key < first)

    def _paint_drawn(self, scene: ArcScene, painter: QPainter) -> None:
        query, at, key = self._drawn
        if key is not None and key != query and self._can_look(query, key):
            paint_pair(scene, query, key, painter)
        else:
            box = scene.token_at(query)
            end = QPointF(*self.viewport.to_scene(at.x(), at.y()))
            if box is not None:
                painter.setPen(QPen(QColor(scene.theme.accent), 2.0, Qt.PenStyle.DashLine))
                painter.drawLine(QPointF(box.middle, box.top), end)

    def _set_hover(self, token: int | None, arc: int | None) -> None:
        if (token, arc) == (self._hover_token, self._hover_arc):
            return
        moved = token != self._hover_token
        self._hover_token, self._hover_arc = token, arc
        if moved:
            self.focusMoved.emit(self.focus_token)
        self.update()

    def _paint_gliding(self, scene: ArcScene, painter: QPainter) -> None:
        share = float(self._motion.currentValue())
        for arcs in (self._glide.leaving(share), self._glide.arriving(share)):
            moving = replace(scene, arcs=arcs)
            in_focus = arcs_in_focus(moving)
            if scene.focus is not None:
                paint_arcs(moving, painter, 0.0, ~in_focus, ground_strength(scene))
            paint_arcs(moving, painter, 0.0, in_focus)

    def _on_motion_finished(self) -> None:
        self._glide = None
        if self.scene is not None:  # all arcs were in motion: none may be gone for a moment
            self._arcs.of(self.scene)
            self._arcs.complete()
        self.update()

    def _paint_hovered(self, scene: ArcScene, painter: QPainter) -> None:
        arcs, arc = scene.arcs, self._hover_arc
        painter.setPen(QPen(QColor(arcs.colours[arcs.colour[arc]]), max(2.5, float(arcs.width[arc]) + 1.0)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(cubic_path(arcs.curve[arc : arc + 1]))


def _is_another(before: ArcScene | None, now: ArcScene) -> bool:
    """Whether a scene shows another text, or the text set to another width."""
    if before is None or before.width != now.width:
        return True
    return [(box.index, box.text) for box in before.tokens] != [(box.index, box.text) for box in now.tokens]
