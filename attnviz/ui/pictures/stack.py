"""The pictures of a state, one at a time: builds the scene that the view asks for and shows it in that picture's widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget

from attnviz.errors import AttnvizError
from attnviz.paint.fonts import text_width
from attnviz.scene.arcs.glide import Glide, can_glide
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene, is_compared
from attnviz.scene.role_words import head_notes
from attnviz.session.sight import kind_of
from attnviz.session.view import PictureKind, View, seen_by_picture
from attnviz.ui.pictures.canvas import Canvas
from attnviz.ui.pictures.preparations import Preparations

if TYPE_CHECKING:
    from PySide6.QtCore import QSize
    from PySide6.QtWidgets import QWidget

    from attnviz.scene.scene import ArcScene, Scene
    from attnviz.session.run import Run
    from attnviz.session.state import State
    from attnviz.ui.appearance import Appearance

Shown = PictureKind | Literal["compare"]
_NARROWEST_SCENE = 320
_RESIZE_PAUSE_MS = 20
# A picture a little too tall is set smaller; a much taller one keeps its size and scrolls.
_ZOOMS_TO_FIT = (0.9, 0.8, 0.72)
_ZOOMS_OF_STEPS = (1.0, 0.95, 0.9, 0.85)
_MOST_TO_SHRINK = 120
_SMALLEST_TYPE = 13.0


class PictureStack(QStackedWidget):
    """Holds the pictures' widgets, each made when it is first asked for, and no state but the scenes on the screen."""

    tokenPinned = Signal(object)  # position of the token, or None
    tokenDoubleClicked = Signal(int)  # position of the token
    arcPicked = Signal(int, int)  # positions of query and key
    focusMoved = Signal(object)  # position of the token in focus by pointer or pin, or None
    headPicked = Signal(int, int)  # layer, head
    headOpened = Signal(int, int)
    failed = Signal(str)  # the sentence that says why there is no new picture
    copied = Signal(str)  # what was put on the clipboard, in words
    built = Signal()  # a new scene is on the screen

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reduced_motion = False
        self._appearance = appearance
        self._state: State | None = None
        self._is_outdated = False
        self._is_settling = False
        self._built_for: QSize | None = None  # the room
        self.canvas = Canvas(self)
        self._widgets: dict[Shown, QWidget] = {}
        self._take("arcs", self.canvas)
        self.canvas.tokenDoubleClicked.connect(self.tokenDoubleClicked)
        self.canvas.arcPicked.connect(self.arcPicked)
        self._preparations = Preparations(self)
        self._preparations.arrived.connect(self.rebuild)
        self._preparations.failed.connect(self.failed)
        self._resized = QTimer(self)  # a window drawn larger sends more sizes than pictures can be made
        self._resized.setSingleShot(True)
        self._resized.setInterval(_RESIZE_PAUSE_MS)
        self._resized.timeout.connect(self._on_rest)
        appearance.changed.connect(self.rebuild)

    def is_preparing(self) -> bool:
        """Whether the picture on the screen is of another view, as what this one needs is still being made."""
        return self._preparations.is_making

    def is_settled(self) -> bool:
        """Whether no picture of another size or of another thread is still to come."""
        return not (self._resized.isActive() or self._preparations.is_making)

    def show_state(self, old: State | None, new: State) -> None:
        """Bring the picture from one state to the next, building anew only what changed."""
        self._state = new
        self._current().set_busy(new.run is not None and (new.busy or self._is_outdated))
        if new.run is None:
            self.canvas.set_scene(None)
            self.setCurrentWidget(self.canvas)
            return
        self._bring_forward(self._current())
        self.canvas.head_notes = head_notes(new.run, new.view, new.roles)
        if old is None or _is_another_picture(old, new):
            self.rebuild(old.run if old is not None else None)
        elif new.view.focus != old.view.focus and new.view.picture != "grid":
            self._current().set_focus(new.view.focus)
        show_pair = getattr(self._current(), "show_pair", None)
        if show_pair is not None:
            show_pair(new.view.arc)

    def _bring_forward(self, widget: QWidget) -> None:
        """Show a picture's widget in the size that it keeps, before its scene is built for that."""
        self._is_settling = True
        self.setCurrentWidget(widget)
        widget.setGeometry(self.contentsRect())  # which the layout would do after the scene is built
        self._is_settling = False

    def rebuild(self, before: Run | None = None) -> None:
        """Build the scene anew; before: the run whose picture is on the screen, if the new one may glide out of it."""
        state = self._state
        if state is None or state.run is None:
            return
        if not self._preparations.is_ready(state.run, state.view):
            self._set_outdated()
            return
        try:
            self._show_built(state, before)
        except AttnvizError as error:  # what a picture computes besides the run may not fit the memory, or its file be gone
            self._set_outdated()
            self.failed.emit(str(error))
            return
        self._is_outdated = False
        self._current().set_busy(state.busy)
        self.built.emit()

    def _set_outdated(self) -> None:
        """Remember that the picture on the screen is of another state, until one is built."""
        self._is_outdated = True
        self._current().set_busy(True)

    def _show_built(self, state: State, before: Run | None) -> None:
        """Build the scene and show it."""
        self._built_for = self._current().size()
        if is_compared(state.run, state.view):
            scenes, counterparts = self._compared(state)
            self._current().show_scenes(scenes, counterparts)
        elif state.view.picture == "arcs":
            scene = self._fitted_arcs(state)
            self.canvas.set_scene(scene, self._glide_to(scene, before))
        else:
            self._current().set_scene(self._fitted_steps(state) if state.view.picture == "steps" else self._build(state, 1.0))

    def stop(self) -> None:
        """End what is computed on other threads."""
        self._preparations.stop()

    def move_pin(self, step: int) -> None:
        """Pin the next or the previous token of the picture."""
        move = getattr(self._current(), "move_pin", None)
        if move is not None:
            move(step)

    def _compared(self, state: State) -> tuple[tuple[Scene, ...], dict[int, int]]:
        """The pictures of both runs, or that of their difference, and which tokens stand for each other."""
        from attnviz.ui.pictures.compared import compared_scenes  # what few starts need

        room, theme = self._current(), self._appearance.theme
        width = max(room.width(), _NARROWEST_SCENE)
        return compared_scenes(state.run, state.view, theme, width, room.height(), room.beside)

    def _fitted_arcs(self, state: State) -> ArcScene:
        """The arc diagram in the largest size that shows all of it, or, of a long text, in life size."""
        scene = self._build(state, 1.0)
        if scene.height > self.canvas.height() and len(scene.tokens) <= _MOST_TO_SHRINK:
            for zoom in _ZOOMS_TO_FIT:
                smaller = self._build(state, zoom)
                if zoom * smaller.height <= self.canvas.height() + 1 and zoom * smaller.font_size >= _SMALLEST_TYPE:
                    return smaller
        return scene

    def _fitted_steps(self, state: State) -> Scene:
        """The steps a little smaller where that shows all of them; in life size where they have to scroll."""
        scene = self._build(state, 1.0)
        for zoom in _ZOOMS_OF_STEPS:
            if scene.height <= self._current().height() / zoom + 1:
                smaller = self._build(state, zoom)
                if zoom * smaller.height <= self._current().height() + 1:
                    return smaller
        return scene

    def _build(self, state: State, zoom: float) -> Scene:
        return build_scene(state.run, state.view, self._appearance.theme, self._layout(zoom), text_width, state.roles)

    def _layout(self, zoom: float) -> Layout:
        """The room for a scene that fills its widget at a zoom."""
        room = self._current()
        return Layout(max(room.width(), _NARROWEST_SCENE) / zoom, room.height() / zoom)

    def _glide_to(self, scene: ArcScene, before: Run | None) -> Glide | None:
        """The motion between two head counts of one text; None where the picture changes for another reason."""
        now = self._state.run
        if self.reduced_motion or before is None or before.trace.ids != now.trace.ids:
            return None
        kinds = [kind_of(run.trace, self._state.view) for run in (before, now)]
        counts = before.trace.head_count_of(kinds[0]), now.trace.head_count_of(kinds[1])
        if counts[0] == counts[1] or not can_glide(self.canvas.scene, scene):
            return None
        return Glide(self.canvas.scene, scene, *counts)

    def _current(self) -> QWidget:
        return self._widget_of(self._state)

    def _widget_of(self, state: State | None) -> QWidget:
        if state is None or state.run is None:
            return self.canvas
        return self._widget("compare" if is_compared(state.run, state.view) else state.view.picture)

    def _widget(self, picture: Shown) -> QWidget:
        if picture not in self._widgets:
            self._take(picture, self._make(picture))
        return self._widgets[picture]

    def _make(self, picture: Shown) -> QWidget:
        """The widget of a picture; imported when it is first wanted, since plotting costs a third of a second to load."""
        match picture:
            case "grid":
                from attnviz.ui.pictures.grid_view import GridView

                return GridView(self)
            case "matrix":
                from attnviz.ui.pictures.matrix_view import MatrixView

                return MatrixView(self)
            case "steps":
                from attnviz.ui.pictures.steps_view import StepsView

                return StepsView(self)
            case "compare":
                from attnviz.ui.pictures.compare_view import CompareView

                return CompareView(self)
            case "arcs":
                return Canvas(self)

    def _take(self, picture: Shown, widget: QWidget) -> None:
        self._widgets[picture] = widget
        self.addWidget(widget)
        for name in ("tokenPinned", "focusMoved"):
            signal = getattr(widget, name, None)
            if signal is not None:
                signal.connect(getattr(self, name))
        if picture == "grid":
            widget.headPicked.connect(self.headPicked)
            widget.headOpened.connect(self.headOpened)
        elif picture in ("matrix", "steps", "compare"):
            widget.headPicked.connect(self._on_head_picked)
        if picture == "compare":
            widget.arcPicked.connect(self.arcPicked)
            widget.tokenDoubleClicked.connect(self.tokenDoubleClicked)
        if picture == "steps":
            widget.copied.connect(self.copied)
        widget.resized.connect(self._on_resized)

    def _on_head_picked(self, head: int) -> None:
        """A picture of one layer tells the head alone."""
        self.headPicked.emit(self._state.view.layer, head)

    def _on_resized(self) -> None:
        if self._is_settling:
            return
        if self._current().scene is None or not self._current().isVisible():  # a window must not open on a picture of another size
            self.rebuild()
        else:
            self._resized.start()

    def _on_rest(self) -> None:
        """Build the scene for the room that there is now, unless it came back to what it was."""
        if self._built_for != self._current().size():
            self.rebuild()


def view_of_run(run: Run | None, view: View) -> View:
    """The view as the picture on the screen has it of the run itself: a difference may be of means."""
    if run is None or view.setting == "side" or not is_compared(run, view):
        return view
    from attnviz.session.comparison import views_of

    return views_of(run, view)[0]


def _is_another_picture(old: State, new: State) -> bool:
    """Whether a state needs another scene than the one before, but for the token in focus."""
    if new.run is not old.run or seen_by_picture(new.view) != seen_by_picture(old.view):
        return True
    return new.view.picture == "grid" and new.roles is not old.roles
