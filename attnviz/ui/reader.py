"""The page on which one reads: sentence, controls, picture, panel, chips. It shows a State and tells what was asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from attnviz.engine.heads import valid_head_counts
from attnviz.paint.fonts import text_width
from attnviz.scene.glide import Glide, can_glide
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.session.examples import Example, load_examples
from attnviz.session.sight import KIND_NAMES, kind_of
from attnviz.ui.canvas import Canvas
from attnviz.ui.chips import HeadChips
from attnviz.ui.notice import Notice
from attnviz.ui.reading_panel import ReadingPanel
from attnviz.ui.sentence import SentenceField
from attnviz.ui.stops import StopSlider
from attnviz.ui.threshold import ThresholdControl

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from attnviz.engine.config import Kind
    from attnviz.scene.scene import Scene
    from attnviz.session.run import Run
    from attnviz.session.session import State
    from attnviz.ui.appearance import Appearance

# Heads narrower than this say little about language; the engine and the command line take them all the same.
_NARROWEST_HEAD = 8
_NARROWEST_SCENE = 320
_RESIZE_PAUSE_MS = 20
# A picture a little too tall is set smaller; a much taller one keeps its size and scrolls.
_ZOOMS_TO_FIT = (0.9, 0.8, 0.72)
_MOST_TO_SHRINK = 120
_SMALLEST_TYPE = 13.0
_WIDEST_MODEL_BOX = 240  # a longer name is cut; the tip and the foot of the window have it whole
_PANEL_FROM = 800  # pixels of window below which the picture needs the panel's room
# The examples' numbers were measured on this model, so its name decides whether their line is shown.
_EXAMPLES_MODEL = "all-MiniLM-L6-v2"


class ReaderPage(QWidget):
    """Composes the controls; holds no state but the scene on the screen."""

    exampleChosen = Signal(object)  # Example

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reduced_motion = False
        self._appearance = appearance
        self._state: State | None = None
        self.sentence = SentenceField(self)
        self.pair = SentenceField(self)
        self.pair.setAccessibleName("Decoder's text")
        self.pair.setPlaceholderText("What the decoder has written so far: a translation, a summary, an answer")
        self.pair.setVisible(False)
        self.examples_button = self._make_examples_button()
        self._look = QLabel(self)
        self._look.setProperty("quiet", True)
        self._look.setTextFormat(Qt.TextFormat.PlainText)
        self._look.setMinimumWidth(100)
        self.model_box = QComboBox(self)
        self.model_box.setAccessibleName("Model")
        self.model_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.model_box.setMaximumWidth(_WIDEST_MODEL_BOX)
        self.model_box.setMinimumContentsLength(8)
        self.model_box.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.kinds = QComboBox(self)
        self.kinds.setAccessibleName("Attention")
        self.kinds.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.kinds.setVisible(False)
        self.layers = StopSlider("Layer", appearance, self)
        self.head_counts = StopSlider("Number of heads", appearance, self)
        self._trained = QLabel(self)
        self._trained.setProperty("quiet", True)
        self.notice = Notice(appearance, self)
        self.canvas = Canvas(self)
        self.panel = ReadingPanel(appearance, self)
        self.chips = HeadChips(appearance, self)
        self.threshold = ThresholdControl(self)
        self.specials_button = QCheckBox("Hide special tokens", self)
        self.specials_button.setToolTip(
            "Leave out tokens that were not written, such as [CLS]; the picture says what share that hides (S)"
        )
        self._compose()
        self.canvas.resized.connect(self._on_canvas_resized)
        self.canvas.focusMoved.connect(self._on_focus_moved)
        self._resized = QTimer(self)  # a window drawn larger sends more sizes than pictures can be made
        self._resized.setSingleShot(True)
        self._resized.setInterval(_RESIZE_PAUSE_MS)
        self._resized.timeout.connect(self._on_resize_pause)
        appearance.changed.connect(self._on_appearance_changed)

    def show_state(self, old: State | None, new: State) -> None:
        """Bring the page from one state to the next, touching only what changed."""
        self._state = new
        # Only a new text: the field is ahead of the state while a person types.
        if (old is None or new.text != old.text) and new.text != self.sentence.toPlainText():
            self.sentence.show_text(new.text)
        if (old is None or new.pair != old.pair) and (new.pair or "") != self.pair.toPlainText():
            self.pair.show_text(new.pair or "")
        self.canvas.set_busy(new.busy and new.run is not None)
        if old is None or (new.failure, new.text) != (old.failure, old.text):
            self.notice.show_sentence(new.failure)
        for control in (self.layers, self.head_counts, self.threshold, self.specials_button, self.chips):
            control.setEnabled(new.run is not None)
        if new.run is None:
            self.canvas.set_scene(None)
            return
        self._show_controls(new)
        self._show_look(new)
        if old is None or new.run is not old.run or replace(new.view, focus=None) != replace(old.view, focus=None):
            self._settle_room()
            self._rebuild(old.run if old is not None else None)
        elif new.view != old.view:
            self.canvas.set_focus(new.view.focus)

    def show_head_count(self, state: State) -> None:
        """Set the slider of head counts to what is asked for, even under the pointer."""
        if state.run is None:
            return
        config = state.run.model.config
        counts = valid_head_counts(config.n_head, config.d_head, _NARROWEST_HEAD)
        asked = config.n_head if state.head_count is None else state.head_count
        self.head_counts.set_stops(sorted({*counts, asked}), asked, marked=config.n_head)

    def _settle_room(self) -> None:
        """Give the canvas its size now: a resize after the picture is built would build it twice and end its motion."""
        was = self.canvas.blockSignals(True)
        for _ in range(2):  # chips know their lines only once they have their width
            self.layout().activate()
        self.canvas.blockSignals(was)

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.sentence, 1)
        head.addWidget(self.examples_button, 0, Qt.AlignmentFlag.AlignTop)
        controls = QHBoxLayout()
        controls.setSpacing(8)
        controls.addWidget(self.model_box)
        controls.addWidget(self.kinds)
        controls.addSpacing(16)
        controls.addWidget(_name("Layer", self))
        controls.addWidget(self.layers, 2)
        controls.addSpacing(16)
        controls.addWidget(_name("Heads", self))
        controls.addWidget(self.head_counts, 3)
        controls.addWidget(self._trained)
        top = QVBoxLayout()
        top.setContentsMargins(16, 12, 16, 8)
        top.setSpacing(6)
        top.addLayout(head)
        top.addWidget(self.pair)
        top.addWidget(self._look)
        top.addLayout(controls)

        which = QHBoxLayout()
        which.setSpacing(16)
        which.addWidget(self.threshold)
        which.addWidget(self.specials_button)
        which.addStretch(1)
        self._foot = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._foot.setContentsMargins(16, 10, 16, 6)
        self._foot.setSpacing(10)
        self._foot.addWidget(self.chips, 1)
        self._foot.addLayout(which)
        middle = QSplitter(Qt.Orientation.Horizontal, self)
        middle.setChildrenCollapsible(False)
        middle.setHandleWidth(1)
        middle.addWidget(self.canvas)
        middle.addWidget(self.panel)
        middle.setStretchFactor(0, 1)
        middle.setStretchFactor(1, 0)
        middle.setSizes([900, 280])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.notice)
        column.addWidget(middle, 1)
        column.addLayout(self._foot)

    def _make_examples_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setText("Examples \N{BLACK DOWN-POINTING SMALL TRIANGLE}")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        for example in load_examples():
            action = QAction(f"{example.text}\t{example.title}", menu)
            action.setData(example)
            action.setToolTip(example.look)
            menu.addAction(action)
        menu.triggered.connect(self._on_example_triggered)
        button.setMenu(menu)
        return button

    def _show_controls(self, state: State) -> None:
        run = state.run
        config = run.model.config
        kind = kind_of(run.trace, state.view)
        self._show_kinds(run, kind)
        self.layers.set_stops(range(run.trace.n_layer_of(kind)), state.view.layer)
        if not self.head_counts.isSliderDown():
            self.show_head_count(state)
        self._trained.setText(f"trained: {config.stack_of(kind).n_head}")
        heads = run.trace.head_count_of(kind)
        self.chips.set_heads(heads, state.view.shown_heads(heads), config.stack_of(kind).n_head)
        self._arrange_foot()
        self.threshold.set_threshold(state.view.threshold)
        was = self.specials_button.blockSignals(True)
        self.specials_button.setChecked(state.view.sinks.hide_specials)
        self.specials_button.blockSignals(was)

    def _show_kinds(self, run: Run, kind: Kind) -> None:
        """Offer the three attentions of an encoder-decoder, and a field for its decoder's text; nothing for other models."""
        kinds = run.trace.kinds
        for widget in (self.kinds, self.pair):
            widget.setVisible(len(kinds) > 1)
        if [self.kinds.itemData(i) for i in range(self.kinds.count())] != list(kinds):
            self.kinds.clear()
            for one in kinds:
                self.kinds.addItem(KIND_NAMES[one], one)
            self.kinds.setMinimumWidth(self.kinds.sizeHint().width())
        self.kinds.setCurrentIndex(kinds.index(kind))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.panel.setVisible(self.width() >= _PANEL_FROM)
        self._arrange_foot()

    def _arrange_foot(self) -> None:
        """Chips and controls on one line where they fit, else the chips above; the same for all head counts of a model."""
        run = self._state.run if self._state is not None else None
        heads = run.model.config.n_head if run is not None else 0
        beside = self.threshold.sizeHint().width() + self.specials_button.sizeHint().width() + 80
        fits = self.chips.line_width(heads) + beside <= self.width()
        self._foot.setDirection(QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom)

    def _show_look(self, state: State) -> None:
        known = state.run.model.name == _EXAMPLES_MODEL and not state.run.trace.is_what_if
        looks = [example.look for example in load_examples() if known and example.text == state.text]
        self._look.setText(looks[0] if looks else "")

    def _rebuild(self, before: Run | None = None) -> None:
        """Build the scene anew; before: the run whose picture is on the screen, if the new one may glide out of it."""
        state = self._state
        if state is None or state.run is None:
            return
        scene = self._build(state, 1.0)
        if scene.height > self.canvas.height() and len(scene.tokens) <= _MOST_TO_SHRINK:
            for zoom in _ZOOMS_TO_FIT:
                smaller = self._build(state, zoom)
                if zoom * smaller.height <= self.canvas.height() + 1 and zoom * smaller.font_size >= _SMALLEST_TYPE:
                    scene = smaller
                    break
        self.canvas.set_scene(scene, self._glide_to(scene, before))

    def _build(self, state: State, zoom: float) -> Scene:
        """The scene that fills the canvas at a zoom."""
        width, height = max(self.canvas.width(), _NARROWEST_SCENE), self.canvas.height()
        return build_scene(state.run, state.view, self._appearance.theme, Layout(width / zoom, height / zoom), text_width)

    def _glide_to(self, scene: Scene, before: Run | None) -> Glide | None:
        """The motion between two head counts of one text; None where the picture changes for another reason."""
        now = self._state.run
        if self.reduced_motion or before is None or before.trace.ids != now.trace.ids:
            return None
        kinds = [kind_of(run.trace, self._state.view) for run in (before, now)]
        counts = before.trace.head_count_of(kinds[0]), now.trace.head_count_of(kinds[1])
        if counts[0] == counts[1] or not can_glide(self.canvas.scene, scene):
            return None
        return Glide(self.canvas.scene, scene, *counts)

    def _on_canvas_resized(self) -> None:
        if self.canvas.scene is None or not self.canvas.isVisible():  # a window must not open on a picture of another size
            self._rebuild()
        else:
            self._resized.start()

    def _on_resize_pause(self) -> None:
        self._rebuild()

    def _on_focus_moved(self, token: object) -> None:
        if self._state is not None:
            self.panel.show_token(self._state.run, self._state.view, token)

    def _on_appearance_changed(self) -> None:
        self._rebuild()
        self.update()

    def _on_example_triggered(self, action: QAction) -> None:
        example: Example = action.data()
        self.exampleChosen.emit(example)


def _name(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("quiet", True)
    return label
