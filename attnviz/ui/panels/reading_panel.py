"""Beside the picture: what the token in focus looks at, and what looks at it, as numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from attnviz.analysis.reading import Reading, looked_at_by, looks_at
from attnviz.scene.palette import head_colour
from attnviz.scene.words import head_name
from attnviz.session.sight import sight_of
from attnviz.ui.lines import line
from attnviz.ui.panels.bars import Bar, BarList
from attnviz.ui.panels.heading import heading, title
from attnviz.ui.panels.scrolling import scrolling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View
    from attnviz.ui.appearance import Appearance

_MOST_ROWS = 60
_LEAST = 0.005  # of the largest weight that can be; less is written 0.00


class ReadingList(BarList):
    """Rows of token, weight, bar and head."""

    def __init__(self, name: str, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(appearance, parent, is_open=True, name=name)
        self.setToolTip("Choose this pair: all heads by its weight")
        self._rows: list[tuple[Reading, str, bool]] = []

    def rows(self) -> list[tuple[Reading, str, bool]]:
        """Each reading with its token's text and whether the token is a special one."""
        return list(self._rows)

    def show_rows(self, rows: Sequence[tuple[Reading, str, bool]], scale: float = 1.0) -> None:
        """Show these rows, the strongest first; scale: the weight of a full bar."""
        self._rows = list(rows[:_MOST_ROWS])
        theme = self._appearance.theme
        self.show_bars(
            [
                Bar(
                    text,
                    f"{reading.weight:.2f}",
                    reading.weight / scale,
                    colour=head_colour(reading.head, theme),
                    note=head_name(reading.head),
                    is_quiet=is_special,
                )
                for reading, text, is_special in self._rows
            ]
        )


class ReadingPanel(QWidget):
    """The panel of the token in focus; without one it says how to get there."""

    pairPicked = Signal(int, int)  # positions of query and key

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(210)
        self._title = title("", self)
        self._hint = line("", self, quiet=True)
        self._at_label = heading("looks at", self)
        self._by_label = heading("is looked at by", self)
        self.looks_at = ReadingList("looks at", appearance, self)
        self.looked_at_by = ReadingList("is looked at by", appearance, self)
        self._keys: list[tuple[int, int]] = []  # the pair of each row
        self._queries: list[tuple[int, int]] = []
        self.looks_at.rowClicked.connect(self._on_key_clicked)
        self.looked_at_by.rowClicked.connect(self._on_query_clicked)

        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 16, 12, 16)
        column.setSpacing(6)
        for widget in (self._title, self._hint, self._at_label, self.looks_at, self._by_label, self.looked_at_by):
            column.addWidget(widget)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inner, self))
        appearance.changed.connect(self.update)

    def title(self) -> str:
        """The token in focus, or what the panel says without one."""
        return self._title.text()

    def show_token(self, run: Run | None, view: View, token: int | None) -> None:
        """Show the numbers of a token of a run in the layer and heads of a view."""
        sight = None if run is None or token is None else sight_of(run.trace, view)
        unit = None if sight is None else sight.units.unit_at(token)
        reading = sight is not None and unit is not None
        for widget in (self._at_label, self.looks_at):
            widget.setVisible(reading and sight.is_query(unit))
        for widget in (self._by_label, self.looked_at_by):
            widget.setVisible(reading and sight.is_key(unit))
        if not reading:
            self._title.setText("Point at a token")
            self._hint.setText("to see what it looks at. A click pins it; the arrow keys move along the sentence.")
            return
        piece = sight.tokens[unit]
        self._title.setText(piece.shown)
        self._hint.setText(_hint(sight, view, unit))
        # What is hidden on the picture is told here all the same.
        weights = sight.weights if sight.sinks.treatment == "renormalise" else sight.with_sinks
        if sight.is_query(unit):
            row = looks_at(weights, range(len(sight.heads)), unit - sight.first_query)
            self.looks_at.show_rows(self._named(sight, row, 0), sight.scale)
            self._keys = [(sight.position(unit), sight.position(one.token)) for one in row]
        if sight.is_key(unit):
            column = looked_at_by(weights, range(len(sight.heads)), unit)
            first = sight.first_query
            self.looked_at_by.show_rows(self._named(sight, column, first), sight.scale)
            self._queries = [(sight.position(one.token + first), sight.position(unit)) for one in column]

    def _on_key_clicked(self, row: int) -> None:
        self.pairPicked.emit(*self._keys[row])

    def _on_query_clicked(self, row: int) -> None:
        self.pairPicked.emit(*self._queries[row])

    def _named(self, sight: Sight, readings: list[Reading], first: int) -> list[tuple[Reading, str, bool]]:
        """The readings that are worth a line, with their heads, their tokens' texts, and whether those are special ones. A text
        that stands in the sentence more than once has its position with it."""
        texts = [token.shown for token in sight.tokens]
        how_often = Counter(texts)
        named = []
        for reading in readings:
            if reading.weight < _LEAST * sight.scale:
                break  # of the rest none is stronger
            unit = reading.token + first
            place = f" {sight.position(unit)}" if how_often[texts[unit]] > 1 else ""
            head = sight.heads[reading.head]
            named.append((replace(reading, head=head), texts[unit] + place, sight.tokens[unit].is_special))
        return named


def _hint(sight: Sight, view: View, unit: int) -> str:
    """The line below a token's text: where it stands, how the model spells it, what the numbers are."""
    piece = sight.tokens[unit]
    spelled = f", the model reads \N{LEFT DOUBLE QUOTATION MARK}{piece.text}\N{RIGHT DOUBLE QUOTATION MARK}"
    place = sight.units.places[unit]
    where = f"token {place.start}" if len(place) == 1 else f"tokens {place.start} to {place.stop - 1}"
    largest = "" if len(sight.heads) == 1 else ". Each number is the largest among the heads shown"
    return f"{where}{spelled if piece.text != piece.shown else ''}, layer {view.layer}{largest}"
