"""What menus, keys and controls do to the view: each asks the session for one change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut

from attnviz.session.logarithm import turned
from attnviz.session.sight import heads_of, kind_of
from attnviz.session.view import Arc, HeadChoice, Sinks
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from attnviz.analysis.edges import Threshold
    from attnviz.session.grid_choice import GridChoice
    from attnviz.session.session import Session
    from attnviz.session.state import State
    from attnviz.session.view import PictureKind
    from attnviz.ui.reader import ReaderPage
    from attnviz.ui.window import MainWindow


class ViewActions(QObject):
    """The view's part of the menus (ui/actions.py names these methods) and of the reader's controls."""

    def __init__(self, session: Session, reader: ReaderPage, window: MainWindow) -> None:
        super().__init__(window)
        self._session = session
        self._reader = reader
        self._beside_grid: PictureKind = "arcs"
        session.subscribe(self._on_session_changed)
        for digit in range(10):
            # partial, not a lambda: it holds the bound method and the digit, no frame
            QShortcut(QKeySequence(str(digit)), window).activated.connect(partial(self.show_head, digit))
        reader.kinds.activated.connect(self._on_kind_activated)
        reader.layers.valueChanged.connect(self._on_layer_changed)
        reader.chips.headsPicked.connect(session.show_heads)
        reader.chips.meanPicked.connect(self._on_mean_picked)
        reader.threshold.thresholdPicked.connect(self._on_threshold_picked)
        reader.pictures.tokenPinned.connect(self._on_token_pinned)
        reader.pictures.headPicked.connect(self._on_head_picked)
        reader.pictures.headOpened.connect(self._on_head_opened)
        reader.head_panel.pictureWanted.connect(self._on_picture_picked)
        reader.head_panel.choiceChanged.connect(self._on_grid_choice_changed)
        reader.pictures.arcPicked.connect(self._on_arc_picked)
        reader.side.reading.pairPicked.connect(self._on_arc_picked)
        reader.side.panelPicked.connect(self._on_panel_picked)
        reader.side.pair.closed.connect(self._on_pair_closed)
        reader.side.pair.headPicked.connect(self._on_head_picked)
        reader.side.what_if.headPicked.connect(self.show_head)
        reader.bar.picturePicked.connect(self._on_picture_picked)
        reader.bar.quantityPicked.connect(self._on_quantity_picked)
        reader.bar.wordsPicked.connect(self._on_words_picked)
        reader.bar.betweenPicked.connect(self._on_between_picked)
        reader.bar.sinks.sinksPicked.connect(self._on_sinks_picked)

    def show_arcs(self) -> None:
        self._session.show(picture="arcs")

    def show_grid(self) -> None:
        self._session.show(picture="grid")

    def show_matrix(self) -> None:
        self._session.show(picture="matrix")

    def show_steps(self) -> None:
        self._session.show(picture="steps")

    def show_attention(self) -> None:
        self._session.show(quantity="attention")

    def show_norms(self) -> None:
        self._session.show(quantity="norms")

    def show_rollout(self) -> None:
        self._session.show(quantity="rollout")

    def toggle_words(self) -> None:
        self._session.show(words=not self._session.state.view.words)

    def toggle_mean(self) -> None:
        self._session.show(is_mean=not self._session.state.view.is_mean)

    def toggle_log(self) -> None:
        self._session.show(is_log=turned(self._session.state.run, self._session.state.view))

    def toggle_specials(self) -> None:
        """Hide the special tokens along with what other sinks are chosen, or count them as sinks no longer."""
        sinks = self._session.state.view.sinks
        if sinks.hide_specials:
            self._session.show(sinks=Sinks(sinks.kinds - {"special"}, sinks.treatment))
        else:
            self._session.show(sinks=Sinks(sinks.kinds | {"special"}, sinks.treatment if sinks.are_taken_out else "hide"))

    def previous_layer(self) -> None:
        self._reader.layers.setValue(self._reader.layers.value() - 1)

    def next_layer(self) -> None:
        self._reader.layers.setValue(self._reader.layers.value() + 1)

    def previous_token(self) -> None:
        self._reader.pictures.move_pin(-1)

    def next_token(self) -> None:
        self._reader.pictures.move_pin(1)

    def unpin(self) -> None:
        """Let go of the chosen pair, else of the token in focus."""
        if self._session.state.view.arc is not None:
            self._session.show(arc=None)
        else:
            self._session.show(focus=None)
        self._reader.pictures.currentWidget().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def zoom_in(self) -> None:
        self._reader.pictures.currentWidget().zoom_by(1.25)

    def zoom_out(self) -> None:
        self._reader.pictures.currentWidget().zoom_by(0.8)

    def fit(self) -> None:
        self._reader.pictures.currentWidget().fit()

    def show_reading(self) -> None:
        self._session.show(panel="reading")

    def show_what_if(self) -> None:
        self._session.show(panel="what_if")

    def show_prediction(self) -> None:
        self._session.show(panel="prediction")

    def all_heads(self) -> None:
        self._session.show(heads=None)

    def show_head(self, head: int) -> None:
        """Show one head alone; if it is alone already, all of them."""
        run, view = self._session.state.run, self._session.state.view
        n_head = 0 if run is None else run.trace.head_count_of(kind_of(run.trace, view))
        if head < n_head:
            alone = [head]
            self._session.show_heads(frozenset(range(n_head) if heads_of(run.trace, view) == alone else alone))

    def _on_kind_activated(self, index: int) -> None:
        self._session.show(kind=self._reader.kinds.itemData(index))

    def _on_layer_changed(self) -> None:
        self._session.show(layer=self._reader.layers.stop())

    def _on_threshold_picked(self, threshold: Threshold) -> None:
        self._session.show(threshold=threshold)

    def _on_token_pinned(self, token: int | None) -> None:
        self._session.show(focus=token)

    def _on_head_picked(self, layer: int, head: int) -> None:
        run, view = self._session.state.run, self._session.state.view
        if head == MEAN:
            self._session.show(layer=layer)
            return
        kind = kind_of(run.trace, view)
        count = run.trace.head_count_of(kind)
        if head < count and layer < run.trace.n_layer_of(kind):  # a grid that is being replaced may have other ones
            self._session.show(layer=layer, heads=HeadChoice(frozenset({head}), count))

    def _on_head_opened(self, layer: int, head: int) -> None:
        """Show a head of the grid closely, in the picture that was last looked at beside the grid."""
        self._on_head_picked(layer, head)
        self._session.show(picture=self._beside_grid)

    def _on_arc_picked(self, query: int, key: int) -> None:
        """Look at a pair closely, where its weights are told."""
        self._session.show(arc=Arc(query, key), panel="reading")

    def _on_pair_closed(self) -> None:
        self._session.show(arc=None)

    def _on_panel_picked(self, panel: str) -> None:
        self._session.show(panel=panel)

    def _on_grid_choice_changed(self, choice: GridChoice) -> None:
        self._session.show(grid=choice)

    def _on_session_changed(self, old: State, new: State) -> None:
        if new.view.picture != "grid":
            self._beside_grid = new.view.picture

    def _on_picture_picked(self, picture: str) -> None:
        self._session.show(picture=picture)

    def _on_quantity_picked(self, quantity: str) -> None:
        self._session.show(quantity=quantity)

    def _on_words_picked(self, words: bool) -> None:
        self._session.show(words=words)

    def _on_mean_picked(self, is_mean: bool) -> None:
        self._session.show(is_mean=is_mean)

    def _on_between_picked(self, between: str) -> None:
        self._session.show(between=between)

    def _on_sinks_picked(self, sinks: Sinks) -> None:
        self._session.show(sinks=sinks)
