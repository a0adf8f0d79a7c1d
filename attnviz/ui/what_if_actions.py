"""What menus, keys and controls change about the run itself: heads, weights, masks, what the model writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.session.comparing import kept
from attnviz.session.masking import masked, with_guess
from attnviz.session.sight import heads_of, kind_of
from attnviz.session.state import shows_what_is_asked
from attnviz.session.view import Arrival

if TYPE_CHECKING:
    from attnviz.engine.changes import Changes, Muting, WeightAt
    from attnviz.session.predicting import Guess, Prediction
    from attnviz.session.session import Session
    from attnviz.ui.reader import ReaderPage
    from attnviz.ui.window import MainWindow


class WhatIfActions(QObject):
    """The part of the menus and of the reader's panels that asks the session for another run."""

    said = Signal(str, int)  # a sentence and for how many milliseconds

    def __init__(self, session: Session, reader: ReaderPage, window: MainWindow) -> None:
        super().__init__(window)
        self._session = session
        self._reader = reader
        what_if, pair, prediction = reader.side.what_if, reader.side.pair, reader.side.prediction
        what_if.mutePicked.connect(self._on_mute_picked)
        what_if.strengthPicked.connect(self._on_strength_picked)
        what_if.mutingPicked.connect(self._on_muting_picked)
        what_if.takenBack.connect(self._on_taken_back)
        what_if.resetPicked.connect(self.take_all_back)
        pair.weightPicked.connect(self._on_weight_picked)
        pair.weightTaken.connect(self._on_taken_back)
        prediction.temperaturePicked.connect(self._on_temperature_picked)
        prediction.writePicked.connect(self._write)
        prediction.stopPicked.connect(session.stop_writing)
        prediction.againPicked.connect(self._on_again_picked)
        prediction.guessPicked.connect(self._on_guess_picked)
        reader.timeline.valueChanged.connect(self._on_scrubbed)
        reader.pictures.tokenDoubleClicked.connect(self.mask)

    def mute_shown(self) -> None:
        """Mute the heads on the picture; if they all are muted, hear them again."""
        state = self._session.state
        if state.run is None:
            return
        kind = kind_of(state.run.trace, state.view)
        heads = [HeadAt(kind, state.view.layer, head) for head in heads_of(state.run.trace, state.view)]
        is_muted = not state.changes.muted.issuperset(heads)
        changes = state.changes
        for head in heads:
            changes = changes.with_muted(head, is_muted)
        self._change(changes)

    def take_all_back(self) -> None:
        """Give all heads and weights back to the model."""
        self._change(NOTHING.with_muting(self._session.state.changes.muting))

    def write_one(self) -> None:
        self._session.show(panel="prediction")
        self._write(1)

    def write_many(self) -> None:
        self._session.show(panel="prediction")
        self._write(20)

    def mask(self, position: int) -> None:
        """Put a mask in place of a token of the picture."""
        state = self._session.state
        if state.run is None:
            return
        found = masked(state, position)
        if isinstance(found, str):
            self.said.emit(found, 6_000)
            return
        view = state.view
        arrival = Arrival(view.layer, view.heads, focus=found.place)
        against = state.against
        if not state.run.model.predicts and against is None:  # what it does is then seen in the vectors of both runs
            against = kept(state.run.request)
        self._session.ask(text=found.text, pair=found.pair, against=against, arrival=arrival)

    def _write(self, n: int) -> None:
        state = self._session.state
        if shows_what_is_asked(state) and state.run.trace.writes:
            self._session.write(n)

    def _change(self, changes: Changes, gesture: object = None) -> None:
        self._session.ask(changes=changes, gesture=gesture)

    def _on_mute_picked(self, head: HeadAt, is_muted: bool) -> None:
        self._change(self._session.state.changes.with_muted(head, is_muted))

    def _on_strength_picked(self, head: HeadAt, strength: float) -> None:
        self._change(self._session.state.changes.with_strength(head, strength), ("strength", head))

    def _on_muting_picked(self, muting: Muting) -> None:
        self._change(self._session.state.changes.with_muting(muting))

    def _on_weight_picked(self, at: WeightAt, weight: float) -> None:
        self._change(self._session.state.changes.with_weight(at, weight), ("weight", at))

    def _on_taken_back(self, at: HeadAt | WeightAt) -> None:
        changes = self._session.state.changes
        if not isinstance(at, HeadAt):
            self._change(changes.with_weight(at, None))
        elif at in changes.muted:
            self._change(changes.with_muted(at, False))
        else:
            self._change(changes.with_strength(at, 1.0))

    def _on_temperature_picked(self, temperature: float) -> None:
        self._session.show(temperature=temperature)

    def _on_again_picked(self) -> None:
        """Write as many tokens as are shown, with other draws."""
        state = self._session.state
        n = len(state.written[: state.n_shown])
        self._session.write_anew(n)

    def _on_guess_picked(self, prediction: Prediction, guess: Guess) -> None:
        """Have a guess come true: written behind the text, or in place of the mask."""
        state = self._session.state
        if not shows_what_is_asked(state) or self._reader.side.predicted is not state.run:
            return  # the row is of what was there before
        if prediction.is_next:
            written = state.run.request.written
            n_given = len(state.run.trace.output_pieces) - len(written)
            before = written[: max(0, prediction.position + 1 - n_given)]
            if prediction.position + 1 >= n_given:
                self._session.ask(written=(*before, guess.number), n_shown=None)
            else:
                self.said.emit("The text goes on there; a token is written behind its end.", 6_000)
            return
        found = with_guess(state, prediction.position, guess)
        if found is not None:
            self._session.ask(text=found.text, pair=found.pair)

    def _on_scrubbed(self, n: int) -> None:
        whole = len(self._session.state.written)
        self._session.ask(n_shown=None if n >= whole else n, gesture="scrub")
