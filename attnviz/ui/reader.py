"""The page on which one reads: sentence, controls, picture, panel, chips. It shows a State and tells what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from attnviz.errors import AttnvizError
from attnviz.scene.grid.build import selected_head
from attnviz.session.examples import Example, load_examples
from attnviz.session.head_roles import shown_roles
from attnviz.session.sight import kind_of, sight_of
from attnviz.session.survey import kept_survey
from attnviz.session.view import View
from attnviz.ui.chips import HeadChips
from attnviz.ui.compare_bar import CompareBar
from attnviz.ui.notice import Notice
from attnviz.ui.panels.side_panel import SidePanel
from attnviz.ui.pictures.stack import PictureStack, view_of_run
from attnviz.ui.run_controls import RunControls
from attnviz.ui.sentence import SentenceField
from attnviz.ui.threshold import ThresholdControl
from attnviz.ui.timeline import Timeline
from attnviz.ui.view_bar import ViewBar

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from attnviz.session.run import Run
    from attnviz.session.state import State
    from attnviz.session.view import PictureKind
    from attnviz.ui.appearance import Appearance
    from attnviz.ui.panels.head_panel import HeadPanel
    from attnviz.ui.panels.reading_panel import ReadingPanel
    from attnviz.ui.pictures.canvas import Canvas

# Pixels of window below which the picture needs the panel's room; squares of heads need less than text. The steps have none.
_PANEL_FROM: Final[dict[PictureKind, int]] = {"arcs": 800, "matrix": 800, "grid": 640}
_WIDEST = 1 << 20
_ASKED_FOR = 640  # a panel that was chosen by itself; the picture is then narrow
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
        self.controls = RunControls(appearance, self)
        self.model_box, self.kinds = self.controls.model_box, self.controls.kinds
        self.layers, self.head_counts = self.controls.layers, self.controls.head_counts
        self.notice = Notice(appearance, self)
        self.bar = ViewBar(self)
        self.compare_bar = CompareBar(self)
        self.pictures = PictureStack(appearance, self)
        self.side = SidePanel(appearance, self)
        self.timeline = Timeline(appearance, self)
        self.chips = HeadChips(appearance, self)
        self.threshold = ThresholdControl(self)
        self._compose()
        self.pictures.focusMoved.connect(self._on_focus_moved)
        self.pictures.built.connect(self._on_picture_built)
        self.pictures.failed.connect(self._on_picture_failed)
        self.side.failed.connect(self._on_picture_failed)

    @property
    def panel(self) -> ReadingPanel:
        """The panel of the token in focus."""
        return self.side.reading

    @property
    def head_panel(self) -> HeadPanel:
        """The panel of the grid's selected head."""
        return self.side.head

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
        self._show_controls(old, new)
        self._show_look(new)
        if old is None or new.run is not old.run or new.view != old.view:
            self._settle_room()
        self.pictures.show_state(old, new)
        self.side.show_state(new)

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
        top = QVBoxLayout()
        top.setContentsMargins(16, 12, 16, 8)
        top.setSpacing(6)
        top.addLayout(head)
        top.addWidget(self.pair)
        top.addWidget(self._look)
        top.addWidget(self.controls)

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
        middle.addWidget(self.side)
        middle.setStretchFactor(0, 1)
        middle.setStretchFactor(1, 0)
        middle.setSizes([900, 280])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.bar)
        column.addWidget(self.compare_bar)
        column.addWidget(self.notice)
        column.addWidget(middle, 1)
        column.addWidget(self.timeline)
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

    def _show_controls(self, old: State | None, state: State) -> None:
        run = state.run
        config = run.model.config
        kind = kind_of(run.trace, state.view)
        self.controls.show_state(state)
        self._offer_second_text(run)
        heads = run.trace.head_count_of(kind)
        trained, roles = config.stack_of(kind).n_head, shown_roles(run, state.view, state.roles)
        self.chips.set_heads(heads, state.view.shown_heads(heads), trained, state.view.is_mean, state.view.layer, roles)
        self._arrange_foot()
        self.threshold.set_threshold(state.view.threshold)
        self.bar.show_view(run, state.view)
        self._show_panel()
        self.threshold.setVisible(state.view.picture == "arcs")
        self.compare_bar.show_state(old, state)
        self._show_written(state)

    def _show_written(self, state: State) -> None:
        """Show what the model wrote, where it did."""
        trace = state.run.trace
        self.timeline.setVisible(bool(state.written) and trace.writes)
        if state.written and not self.timeline.isSliderDown():
            shown = state.run.model.tokenizer.shown
            self.timeline.show_written([shown(number) for number in state.written], len(state.written[: state.n_shown]))

    def _offer_second_text(self, run: Run) -> None:
        """Offer a field for the decoder's text, or a way to the second text of an encoder."""
        kinds = run.trace.kinds
        self.pair_button.setVisible(kinds == ("encoder",))
        self._show_pair(len(kinds) > 1 or (kinds == ("encoder",) and self.pair_button.isChecked()), is_decoder=len(kinds) > 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_panel()
        self._arrange_foot()

    def _show_panel(self) -> None:
        """The panel that belongs to the picture, where there is room for one; the steps have all their numbers in themselves."""
        view = View() if self._state is None else self._state.view
        least = _PANEL_FROM.get(view.picture, _WIDEST) if view.panel == "reading" else _ASKED_FOR
        self.side.setVisible(self.width() >= least)

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
        if view.picture == "steps":  # which take no sinks out, and need no weights of other tokens
            self.bar.sinks.show_share(None)
            return
        survey = kept_survey(run.trace, view) if view.picture == "grid" else None
        shares = sight_of(run.trace, view_of_run(run, view)).shares if survey is None else survey.shares
        self.bar.sinks.show_share(shares.sinks)
        if view.picture != "grid":
            return
        self.head_panel.show_choice(view.grid, survey)
        head = None if survey is None else selected_head(run, view, survey)
        self.head_panel.show_head(run, view, head, self._state.roles)

    def _on_focus_moved(self, token: object) -> None:
        if self._state is not None and not self.pictures.is_preparing():
            run = self._state.run
            view = view_of_run(run, self._state.view)
            try:
                self.panel.show_token(run, view, token)
            except AttnvizError:  # the picture has said why
                self.panel.show_token(run, view, None)

    def _on_example_triggered(self, action: QAction) -> None:
        example: Example = action.data()
        self.exampleChosen.emit(example)
