"""The steps of one token's attention on the screen: tells every number, and hands out each stage as NumPy or LaTeX.

The picture is painted once into an image; what is under the pointer is an overlay and rebuilds nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QImage, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import QMenu

from attnviz.export.stages import COPIES
from attnviz.paint.page import paint_label, rect_of, see_through
from attnviz.paint.steps import paint_steps_scene
from attnviz.scene.page import SMALL
from attnviz.scene.scene import Label
from attnviz.scene.steps.hit import NOTHING, Hit, hit_at
from attnviz.scene.steps.scene import StepsScene
from attnviz.ui.pictures.picture_view import PictureView
from attnviz.ui.pictures.tips import paint_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QWidget

    from attnviz.export.stages import CopyForm
    from attnviz.scene.steps.scene import Stage, StageName

_TINT = 0.09  # how much of the accent lies over what the pointer or the keys are at


class StepsView(PictureView):
    """Shows the steps of one query at a time, or nothing.

    Left and Right ask for another query, Up and Down for another head, Tab walks through the stages, of which Ctrl+C and the menu
    key copy the one that is reached, or the one under the pointer.
    """

    tokenPinned = Signal(object)  # position of the token among the picture's, or None
    headPicked = Signal(int)
    copied = Signal(str)  # what was put on the clipboard, in words

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Steps of attention")
        self._image: QImage | None = None
        self._hit: Hit = NOTHING
        self._pointer = QPointF()
        self._reached: StageName | None = None  # by keys
        self._copied: StageName | None = None

    @property
    def scene(self) -> StepsScene | None:
        """The scene on the screen."""
        return self._scene if isinstance(self._scene, StepsScene) else None

    @property
    def stage(self) -> StageName | None:
        """The stage that would be copied: under the pointer, else reached by keys."""
        return self._hit.stage.name if self._hit.stage is not None else self._reached

    def set_scene(self, scene: StepsScene | None) -> None:
        """Show a scene in place of the last one; zoom and place are kept while its size is."""
        before = self.scene
        self._copied = None
        super().set_scene(scene, settle=before is None or scene is None or before.width != scene.width)
        self._hit = NOTHING if scene is None else self._hit_at(self._pointer) if self.underMouse() else NOTHING
        self._describe()

    def copy_stage(self, name: StageName, form: CopyForm) -> None:
        """Put a stage on the clipboard, as program text or as a formula."""
        if self.scene is None or self.scene.content is None:
            return
        label, write = COPIES[form]
        QGuiApplication.clipboard().setText(write(self.scene.content, name))
        self._copied = name
        self.copied.emit(f"{self._stage(name).title} copied as {label}")
        self.update()

    # --- what PictureView asks for --------------------------------------------------------------------------------

    def paint_picture(self, scene: StepsScene, painter: QPainter) -> None:
        painter.save()
        painter.resetTransform()
        painter.drawImage(0, 0, self._picture(scene))
        painter.restore()
        if self._hit.row is not None:
            painter.fillRect(rect_of(self._hit.row.box), see_through(scene.theme.accent, _TINT))
        if self._hit.head is not None:
            box = next(head.box for head in scene.heads if head.head == self._hit.head)
            painter.fillRect(rect_of(box), see_through(scene.theme.accent, _TINT))
        if self._hit.outline is not None:
            painter.setPen(QPen(QColor(scene.theme.ink), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect_of(self._hit.outline).adjusted(-1, -1, 1, 1))
        self._paint_stage(scene, painter)

    def paint_over(self, scene: StepsScene, painter: QPainter) -> None:
        if self._hit.tip is not None:
            paint_tip(self._hit.tip, self._pointer, self, scene, painter)

    def look_at(self, at: QPointF) -> None:
        self._pointer = at
        if self.scene is None:
            return
        hit = self._hit_at(at)
        if hit != self._hit:
            if hit.stage != self._hit.stage:
                self._copied = None
            self._hit = hit
            self.update()
        self.setCursor(Qt.CursorShape.PointingHandCursor if self._is_live(hit) else Qt.CursorShape.ArrowCursor)

    def look_away(self) -> None:
        self._hit = NOTHING
        self.update()

    def click(self, at: QPointF) -> None:
        if self._hit.is_copy:
            self._menu(self._hit.stage.name).popup(self.mapToGlobal(at.toPoint()))
        elif self._hit.head is not None:
            self.headPicked.emit(self._hit.head)
        elif self._hit.row is not None and self._hit.row.is_query:
            self.tokenPinned.emit(self._hit.row.position)

    def double_click(self, at: QPointF) -> None:
        if not self._is_live(self._hit):
            self.fit()

    def moved(self) -> None:
        self._image = None

    # --- keys and menus -------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.move_pin(steps[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_head(steps[Qt.Key(event.key())])
        elif event.matches(QKeySequence.StandardKey.Copy) and self.stage is not None:
            self.copy_stage(self.stage, "numpy")
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_keys = event.reason() == QContextMenuEvent.Reason.Keyboard
        name = self._reached or self.stage if by_keys else self.stage
        if name is None:
            super().contextMenuEvent(event)
            return
        self._menu(name).popup(self._corner(name) if by_keys else event.globalPos())

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab walks through the stages and leaves after the last one."""
        return self._reach(1 if forward else -1) or super().focusNextPrevChild(forward)

    def move_pin(self, step: int) -> None:
        """Ask for the next or the previous token as query."""
        if self.scene is not None and self.scene.queries and self.scene.focus is not None:
            place = self.scene.queries.index(self.scene.focus) + step
            self.tokenPinned.emit(self.scene.queries[place % len(self.scene.queries)])

    def move_head(self, step: int) -> None:
        """Ask for the next or the previous head; for the first where none is shown."""
        if self.scene is not None:
            content = self.scene.content
            self.headPicked.emit(0 if content is None else (content.head + step) % self.scene.head_count)

    # --- within ---------------------------------------------------------------------------------------------------

    def _picture(self, scene: StepsScene) -> QImage:
        ratio = self.devicePixelRatioF()
        if self._image is None or self._image.devicePixelRatio() != ratio:
            self._image = QImage(self.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
            self._image.setDevicePixelRatio(ratio)
            self._image.fill(QColor(scene.theme.paper))
            painter = QPainter(self._image)
            self.enter_scene(painter)
            paint_steps_scene(scene, painter)
            painter.end()
        return self._image

    def _paint_stage(self, scene: StepsScene, painter: QPainter) -> None:
        """The mark of the stage that was reached by keys, and the place to copy the one under the pointer."""
        if self._reached is not None and self.hasFocus():
            place = rect_of(self._stage(self._reached).box)
            painter.fillRect(place, see_through(scene.theme.accent, _TINT))
            painter.fillRect(QRectF(place.left(), place.top() - 2, place.width(), 2), QColor(scene.theme.accent))
        if self.stage is None:
            return
        stage = self._stage(self.stage)
        text = "done" if self._copied == stage.name else "copy"
        ink = "accent" if self._hit.is_copy or self._copied == stage.name else "muted"
        at = stage.copy
        painter.fillRect(rect_of(at), QColor(scene.theme.paper))  # the arrow to the next stage may begin there
        paint_label(Label(text, at.left, at.middle + 0.36 * SMALL, SMALL, ink), scene.theme, painter)

    def _hit_at(self, at: QPointF) -> Hit:
        return hit_at(self.scene, *self.viewport.to_scene(at.x(), at.y()))

    def _is_live(self, hit: Hit) -> bool:
        """Whether a click there does something."""
        return hit.is_copy or hit.head is not None or (hit.row is not None and hit.row.is_query)

    def _stage(self, name: StageName) -> Stage:
        return next(stage for stage in self.scene.stages if stage.name == name)

    def _reach(self, step: int) -> bool:
        """Reach the next or the previous stage; False where there is none."""
        names = [stage.name for stage in self.scene.stages] if self.scene is not None else []
        place = names.index(self._reached) + step if self._reached in names else (0 if step > 0 else len(names) - 1)
        is_there = 0 <= place < len(names)
        self._reached = names[place] if is_there else None
        if is_there:
            box = self._stage(names[place]).box
            self.bring_into_sight(box.left, box.top, box.right, box.bottom)
        self._describe()
        self.update()
        return is_there

    def _describe(self) -> None:
        """Say to those who do not see it what was reached, else what the picture is."""
        if self.scene is None:
            return
        if self._reached is None or not self.scene.stages:
            self._reached = None
            self.setAccessibleDescription(self.scene.description)
            return
        stage = self._stage(self._reached)
        self.setAccessibleDescription(f"{stage.title}: {stage.sentence} {stage.formula}")

    def _menu(self, name: StageName) -> QMenu:
        """The ways to copy a stage; it goes when it is closed."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for form, (label, _) in COPIES.items():
            menu.addAction(f"Copy as {label}").triggered.connect(partial(self._on_copy_triggered, name, form))
        return menu

    def _on_copy_triggered(self, name: StageName, form: CopyForm, checked: bool = False) -> None:
        del checked
        self.copy_stage(name, form)

    def _corner(self, name: StageName) -> QPoint:
        box = self._stage(name).box
        return self.mapToGlobal(self.on_screen(box.left, box.top).toPoint())
