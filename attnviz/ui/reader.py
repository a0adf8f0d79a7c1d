"""The page on which one reads: sentence, controls, picture, panel, chips. It shows a State and tells what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from attnviz.engine.heads import valid_head_counts
from attnviz.errors import AttnvizError
from attnviz.scene.grid.build import selected_head
from attnviz.session.examples import Example, load_examples
from attnviz.session.sight import KIND_NAMES, kind_of, sight_of
from attnviz.session.survey import kept_survey
from attnviz.ui.chips import HeadChips
from attnviz.ui.notice import Notice
from attnviz.ui.panels.head_panel import HeadPanel
from attnviz.ui.panels.reading_panel import ReadingPanel
from attnviz.ui.pictures.stack import PictureStack
from attnviz.ui.sentence import SentenceField
from attnviz.ui.stops import StopSlider
from attnviz.ui.threshold import ThresholdControl
from attnviz.ui.view_bar import ViewBar

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from attnviz.engine.config import Kind
    from attnviz.session.run import Run
    from attnviz.session.session import State
    from attnviz.session.view import PictureKind
    from attnviz.ui.appearance import Appearance
    from attnviz.ui.pictures.canvas import Canvas

# Heads narrower than this say little about language; the engine and the command line take them all the same.
_NARROWEST_HEAD = 8
_WIDEST_MODEL_BOX = 240  # a longer name is cut; the tip and the foot of the window have it whole
# Pixels of window below which the picture needs the panel's room; squares of heads need less than text. The steps have none.
_PANEL_FROM: Final[dict[PictureKind, int]] = {"arcs": 800, "matrix": 800, "grid": 640}
_WIDEST = 1 << 20
_DECODER_HINT = "What the decoder has written so far: a translation, a summary, an answer"
_SECOND_HINT = "A second text, read together with the first"
# The examples' numbers were measured on this model, so its name decides whether their line is shown.
_EXAMPLES_MODEL = "all-MiniLM-L6-v2"


class ReaderPage(QWidget):
    """Composes the controls; holds no state but the scene on the screen."""

    exampleChosen = Signal(object)  # Example

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._state: State | None = None
        self._picture_failed = False
        self.sentence = SentenceField(self)
        self.pair_button = QToolButton(self)
        self.pair_button.setText("Second text")
        self.pair_button.setCheckable(True)
        self.pair_button.setToolTip("Read a second text together with the first: a question and its passage, a premise and a claim")
        self.pair_button.clicked.connect(self._on_pair_button_clicked)
        self.pair = SentenceField(self)
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
        self.bar = ViewBar(self)
        self.pictures = PictureStack(appearance, self)
        self.panel = ReadingPanel(appearance, self)
        self.head_panel = HeadPanel(appearance, self)
        self._panels = QStackedWidget(self)
        self.chips = HeadChips(appearance, self)
        self.threshold = ThresholdControl(self)
        self._compose()
        self.pictures.focusMoved.connect(self._on_focus_moved)
        self.pictures.built.connect(self._on_picture_built)
        self.pictures.failed.connect(self._on_picture_failed)

    @property
    def canvas(self) -> Canvas:
        """The widget of the arc diagram."""
        return self.pictures.canvas

    def show_state(self, old: State | None, new: State) -> None:
        """Bring the page from one state to the next, touching only what changed."""
        self._state = new
        # Only a new text: the field is ahead of the state while a person types.
        if (old is None or new.text != old.text) and new.text != self.sentence.toPlainText():
            self.sentence.show_text(new.text)
        if (old is None or new.pair != old.pair) and (new.pair or "") != self.pair.toPlainText():
            self.pair.show_text(new.pair or "")
        if new.pair is not None or (old is not None and new.model != old.model):
            self.pair_button.setChecked(new.pair is not None)
        if old is None or (new.failure, new.text) != (old.failure, old.text):
            self.notice.show_sentence(new.failure)
        for control in (self.layers, self.head_counts, self.threshold, self.bar, self.chips):
            control.setEnabled(new.run is not None)
        if new.run is None:
            self.pictures.show_state(old, new)
            return
        self._show_controls(new)
        self._show_look(new)
        if old is None or new.run is not old.run or new.view != old.view:
            self._settle_room()
        self.pictures.show_state(old, new)

    def show_head_count(self, state: State) -> None:
        """Set the slider of head counts to what is asked for, even under the pointer."""
        if state.run is None:
            return
        config = state.run.model.config
        counts = valid_head_counts(config.n_head, config.d_head, _NARROWEST_HEAD)
        asked = config.n_head if state.head_count is None else state.head_count
        self.head_counts.set_stops(sorted({*counts, asked}), asked, marked=config.n_head)

    def _settle_room(self) -> None:
        """Give the picture its size now: a resize after it is built would build it twice and end its motion."""
        was = self.canvas.blockSignals(True)
        for _ in range(2):  # chips know their lines only once they have their width
            self.layout().activate()
        self.canvas.blockSignals(was)

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.sentence, 1)
        head.addWidget(self.pair_button, 0, Qt.AlignmentFlag.AlignTop)
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
        which.addStretch(1)
        self._foot = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._foot.setContentsMargins(16, 10, 16, 6)
        self._foot.setSpacing(10)
        self._foot.addWidget(self.chips, 1)
        self._foot.addLayout(which)
        middle = QSplitter(Qt.Orientation.Horizontal, self)
        middle.setChildrenCollapsible(False)
        middle.setHandleWidth(1)
        middle.addWidget(self.pictures)
        for panel in (self.panel, self.head_panel):
            self._panels.addWidget(panel)
        middle.addWidget(self._panels)
        middle.setStretchFactor(0, 1)
        middle.setStretchFactor(1, 0)
        middle.setSizes([900, 280])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.bar)
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
        self.chips.set_heads(heads, state.view.shown_heads(heads), config.stack_of(kind).n_head, state.view.is_mean)
        self._arrange_foot()
        self.threshold.set_threshold(state.view.threshold)
        self.bar.show_view(run, state.view)
        self._show_panel()
        self.threshold.setVisible(state.view.picture == "arcs")

    def _show_kinds(self, run: Run, kind: Kind) -> None:
        """Offer the three attentions of an encoder-decoder, and a field for its decoder's text; nothing for other models."""
        kinds = run.trace.kinds
        self.kinds.setVisible(len(kinds) > 1)
        self.pair_button.setVisible(kinds == ("encoder",))
        self._show_pair(len(kinds) > 1 or (kinds == ("encoder",) and self.pair_button.isChecked()), is_decoder=len(kinds) > 1)
        if [self.kinds.itemData(i) for i in range(self.kinds.count())] != list(kinds):
            self.kinds.clear()
            for one in kinds:
                self.kinds.addItem(KIND_NAMES[one], one)
            self.kinds.setMinimumWidth(self.kinds.sizeHint().width())
        self.kinds.setCurrentIndex(kinds.index(kind))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_panel()
        self._arrange_foot()

    def _show_panel(self) -> None:
        """The panel that belongs to the picture, where there is room for one; the steps have all their numbers in themselves."""
        picture = "arcs" if self._state is None else self._state.view.picture
        self._panels.setCurrentWidget(self.head_panel if picture == "grid" else self.panel)
        self._panels.setVisible(self.width() >= _PANEL_FROM.get(picture, _WIDEST))

    def _arrange_foot(self) -> None:
        """Chips and controls on one line where they fit, else the chips above; the same for all head counts of a model."""
        run = self._state.run if self._state is not None else None
        heads = run.model.config.n_head if run is not None else 0
        beside = self.threshold.sizeHint().width() + 44
        fits = self.chips.line_width(heads) + beside <= self.width()
        self._foot.setDirection(QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom)

    def _show_pair(self, is_there: bool, is_decoder: bool) -> None:
        """Offer a field for the decoder's text, or for the second one of an encoder that reads two; or none."""
        self.pair.setVisible(is_there)
        self.pair.setAccessibleName("Decoder's text" if is_decoder else "Second text")
        self.pair.setPlaceholderText(_DECODER_HINT if is_decoder else _SECOND_HINT)

    def _on_pair_button_clicked(self, wanted: bool) -> None:
        """Open the field of the second text, or close it and read one text again."""
        self._show_pair(wanted, is_decoder=False)
        if wanted:
            self.pair.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.pair.textEdited.emit("")

    def _show_look(self, state: State) -> None:
        known = state.run.model.name == _EXAMPLES_MODEL and not state.run.trace.is_what_if
        looks = [example.look for example in load_examples() if known and example.text == state.text]
        self._look.setText(looks[0] if looks else "")

    def _on_picture_failed(self, sentence: str) -> None:
        self._picture_failed = True
        self.notice.show_sentence(sentence)

    def _on_picture_built(self) -> None:
        """Show beside a new picture what belongs to it."""
        run, view = self._state.run, self._state.view
        if self._picture_failed:
            self._picture_failed = False
            self.notice.show_sentence(self._state.failure)
        survey = kept_survey(run.trace, view) if view.picture == "grid" else None
        shares = sight_of(run.trace, view).shares if survey is None else survey.shares
        self.bar.sinks.show_share(None if view.picture == "steps" else shares.sinks)
        if view.picture != "grid":
            return
        self.head_panel.show_choice(view.grid, survey)
        self.head_panel.show_head(run, view, None if survey is None else selected_head(run, view, survey))

    def _on_focus_moved(self, token: object) -> None:
        if self._state is not None and not self.pictures.is_preparing():
            run, view = self._state.run, self._state.view
            try:
                self.panel.show_token(run, view, token)
            except AttnvizError:  # the picture has said why
                self.panel.show_token(run, view, None)

    def _on_example_triggered(self, action: QAction) -> None:
        example: Example = action.data()
        self.exampleChosen.emit(example)


def _name(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("quiet", True)
    return label
