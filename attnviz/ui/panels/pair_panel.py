"""Beside the picture: one pair of tokens, the heads in which the one looks at the other, and its weight to be set by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from attnviz.engine.changes import WeightAt
from attnviz.scene.palette import head_colour
from attnviz.scene.role_words import head_notes
from attnviz.session.finding import pair_of
from attnviz.session.sight import heads_of, kind_of
from attnviz.ui.lines import line
from attnviz.ui.panels.bars import Bar, BarList
from attnviz.ui.panels.fader import Fader
from attnviz.ui.panels.heading import heading, title
from attnviz.ui.panels.scrolling import scrolling

if TYPE_CHECKING:
    from attnviz.session.finding import FoundHead, Pair
    from attnviz.session.state import State
    from attnviz.ui.appearance import Appearance

_MOST: Final = 40
_STEP: Final = 0.01


class PairPanel(QWidget):
    """Shows the chosen pair of a State, and tells what was asked."""

    headPicked = Signal(int, int)  # layer, head
    weightPicked = Signal(object, float)  # WeightAt
    weightTaken = Signal(object)  # WeightAt
    closed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Chosen pair")
        self._appearance = appearance
        self._found: tuple[FoundHead, ...] = ()
        self._at: WeightAt | None = None
        self._state: State | None = None
        self._title = title("", self)
        self._close = QToolButton(self)
        self._close.setText("\N{MULTIPLICATION SIGN}")
        self._close.setProperty("small", True)
        self._close.setAccessibleName("Let go of the pair")
        self._close.setToolTip("Back to the token in focus (Esc)")
        self._close.clicked.connect(self.closed)
        self._hint = line("", self, quiet=True)
        self._set = QWidget(self)
        self._where = heading("", self)
        self._roles = line("", self, quiet=True)
        self.weight = Fader("Attention weight", 1.0, _STEP, appearance, self)
        self._value = QLabel(self)
        self._value.setFixedWidth(32)
        self.give_back = QToolButton(self)
        self.give_back.setText("Give back")
        self.give_back.setProperty("small", True)
        self.give_back.setToolTip("Let the head decide again")
        self._list_label = heading("in all heads, the strongest first", self)
        self.heads = BarList(appearance, self, is_open=True, name="Heads by the weight of the pair")
        self._lay_out()
        self.weight.moved.connect(self._on_weight_moved)
        self.give_back.clicked.connect(self._on_give_back_clicked)
        self.heads.rowClicked.connect(self._on_row_clicked)
        appearance.changed.connect(self._on_appearance_changed)

    def title(self) -> str:
        """The pair."""
        return self._title.text()

    def hint(self) -> str:
        """What can be done with it."""
        return self._hint.text()

    def roles(self) -> str:
        """What stands there of what the shown head does, "" for nothing that is known."""
        return self._roles.text()

    def found(self) -> tuple[FoundHead, ...]:
        """All heads as they stand there."""
        return self._found

    def show_state(self, state: State) -> bool:
        """Show the pair; False where none is chosen, or it is none in this kind of attention."""
        self._state, run, view = state, state.run, state.view
        pair = None if view.arc is None else pair_of(run.trace, view, view.arc)
        if pair is None:
            self._found, self._at, self._state = (), None, None
            return False
        self._title.setText(f"{pair.query} \N{RIGHTWARDS ARROW} {pair.key}")
        self._found = pair.heads()[:_MOST]
        theme = self._appearance.theme
        shown = set(heads_of(run.trace, view))
        self.heads.show_bars(
            [
                Bar(
                    f"L{one.layer}.H{one.head}",
                    f"{one.weight:.2f}",
                    one.weight,
                    colour=head_colour(one.head, theme),
                    note="shown" if one.layer == view.layer and one.head in shown else "",
                )
                for one in self._found
            ]
        )
        self._show_weight(state, pair)
        return True

    def _show_weight(self, state: State, pair: Pair) -> None:
        """Offer to set the weight where one head is shown and the pair is one of tokens."""
        run, view = state.run, state.view
        heads = heads_of(run.trace, view)
        is_one = len(heads) == 1 and pair.is_one_token_each
        self._set.setVisible(is_one)
        self._hint.setVisible(not is_one)
        if not is_one:
            self._at = None
            self._hint.setText(
                "A click on a head shows it alone; its weight can be set by hand then."
                if pair.is_one_token_each
                else "Weights are set between tokens; these are words of several."
            )
            return
        kind = kind_of(run.trace, view)
        first = len(run.trace.keys(kind)) if kind == "cross" else 0
        self._at = WeightAt(kind, view.layer, heads[0], view.arc.query - first, view.arc.key)
        own = float(pair.weights[view.layer, heads[0]])
        was_set = state.changes.weight(self._at)
        self._where.setText(f"in L{view.layer}.H{heads[0]}{', set by hand' if was_set is not None else ''}")
        self._roles.setText(head_notes(run, view, state.roles).get(heads[0], ""))
        self._roles.setVisible(bool(self._roles.text()))
        value = own if was_set is None else was_set
        self.weight.show_value(value, self._mark(state, own))
        self._value.setText(f"{value:.2f}")
        self.give_back.setVisible(was_set is not None)

    def _mark(self, state: State, own: float) -> float:
        """The weight of the run as trained, where it has that head."""
        at, trained = self._at, state.run.trained
        if trained.head_count != state.run.trace.head_count:
            return own
        return float(trained.attention_row(at.layer, at.query, at.kind)[at.head, at.key])

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self._close)
        fader = QHBoxLayout()
        fader.setSpacing(8)
        fader.addWidget(self.weight, 1)
        fader.addWidget(self._value)
        fader.addWidget(self.give_back)
        setting = QVBoxLayout(self._set)
        setting.setContentsMargins(0, 0, 0, 0)
        setting.setSpacing(4)
        setting.addWidget(self._where)
        setting.addWidget(self._roles)
        setting.addLayout(fader)
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 12, 12, 16)
        column.setSpacing(6)
        column.addLayout(top)
        for widget in (self._hint, self._set, self._list_label, self.heads):
            column.addWidget(widget)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inner, self))

    def _on_weight_moved(self, weight: float) -> None:
        if self._at is not None:
            self._value.setText(f"{weight:.2f}")
            self.weightPicked.emit(self._at, weight)

    def _on_give_back_clicked(self) -> None:
        if self._at is not None:
            self.weightTaken.emit(self._at)

    def _on_row_clicked(self, row: int) -> None:
        self.headPicked.emit(self._found[row].layer, self._found[row].head)

    def _on_appearance_changed(self) -> None:
        if self._state is not None:
            self.show_state(self._state)
