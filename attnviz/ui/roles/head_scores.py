"""What is measured of one head, in words and rows: its roles, or what it comes closest to, and how much it matters."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QVBoxLayout, QWidget

from attnviz.paint.fonts import font
from attnviz.probing.nearest import nearest_roles
from attnviz.scene.atlas.colours import group_colour
from attnviz.scene.atlas.words import NO_ROLE, baseline_text, importance_line, interval_text, role_sentence, unbroken, value_text
from attnviz.scene.words import count_of
from attnviz.ui.lines import line
from attnviz.ui.roles.score_row import SIDE, ScoreLine, ScoreRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.probing.measures import Unit
    from attnviz.probing.nearest import Near
    from attnviz.probing.roles import HeadRoles, Role
    from attnviz.scene.theme import Theme
    from attnviz.ui.appearance import Appearance

_SMALL: Final = 12  # pixel size of the line below the rows
_CLOSEST: Final = "It comes closest to these; the dotted stroke is what a role would take."


class HeadScores(QWidget):
    """A row for each role, or for none what comes closest; a click on one asks for its evidence."""

    measurePicked = Signal(str)  # the measure's key

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._said = line("", self)
        self._importance = line("", self, quiet=True)
        self._importance.setFont(font(_SMALL))
        self._importance.setStyleSheet(f"font-size: {_SMALL}px;")
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.buttonClicked.connect(self._on_row_clicked)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for words in (self._said, self._importance):
            words.setContentsMargins(SIDE, 0, SIDE, 0)
        column.setSpacing(4)
        column.addWidget(self._said)
        column.addLayout(self._rows)
        column.addWidget(self._importance)

    def said(self) -> str:
        """What stands above the rows; "" where there are roles."""
        return self._said.text()

    def importance(self) -> str:
        """The line below the rows."""
        return self._importance.text()

    def importance_sentence(self) -> str:
        """What it is when it is asked for more."""
        return self._importance.toolTip()

    def rows(self) -> list[ScoreRow]:
        """The rows as they stand there."""
        return [self._rows.itemAt(at).widget() for at in range(self._rows.count())]

    def show_head(self, roles: HeadRoles, layer: int, head: int) -> None:
        """Show what was measured of a head."""
        theme = self._appearance.theme
        found = roles.roles(layer, head)
        lines = [role_line(role, theme) for role in found]
        if not any(role.measure.group != "rest" for role in found):
            lines += [near_line(near, theme) for near in nearest_roles(roles, layer, head)]
        self._said.setText(_said(found))
        self._said.setVisible(bool(self._said.text()))
        self._show_rows(lines)
        importance = roles.importance
        self._importance.setText("" if importance is None else _importance(roles, layer, head))
        self._importance.setToolTip("" if importance is None else _importance_sentence(roles, layer, head))
        self._importance.setVisible(importance is not None)

    def check(self, key: str) -> None:
        """Mark the row of a measure, if there is one, and no other."""
        self._group.setExclusive(False)
        for row in self.rows():
            row.setChecked(row.line.key == key)
        self._group.setExclusive(True)

    def _show_rows(self, lines: list[ScoreLine]) -> None:
        if [row.line for row in self.rows()] == lines:
            return
        for row in self.rows():
            self._rows.removeWidget(row)
            self._group.removeButton(row)
            row.hide()
            row.deleteLater()
        for one in lines:
            row = ScoreRow(one, self._appearance, self)
            self._group.addButton(row)
            self._rows.addWidget(row)

    def _on_row_clicked(self, row: ScoreRow) -> None:
        self.measurePicked.emit(row.line.key)


def role_line(role: Role, theme: Theme) -> ScoreLine:
    """A row for a role that a head has."""
    return _line(role, value_text(role.measure.unit, role.score), group_colour(role.measure.group, theme), role_sentence(role))


def near_line(near: Near, theme: Theme) -> ScoreLine:
    """A row for one that it has not, with what that would take."""
    role, unit = near.role, near.role.measure.unit
    number, needs = _apart(unit, role.score, near.needs)
    sentence = f"{role_sentence(role)}; a role would take {needs}"
    return replace(_line(role, number, theme.faint, sentence, (f"needs {needs}",)), needs=near.needs)


def _line(role: Role, number: str, colour: str, sentence: str, first: tuple[str, ...] = ()) -> ScoreLine:
    return ScoreLine(
        key=role.measure.key,
        title=role.measure.title,
        number=number,
        score=role.score,
        low=role.low,
        high=role.high,
        baseline=role.baseline,
        needs=None,
        colour=colour,
        notes=tuple("  \N{MIDDLE DOT}  ".join((*first, *parts)) for parts in _notes(role)),
        sentence=sentence,
    )


def _notes(role: Role) -> Iterator[tuple[str, ...]]:
    """What a score stands on, in full, and each time with less: no number is ever cut short."""
    unit, n_case = role.measure.unit, role.measured.n_case
    full = baseline_text(unit, role.measured.baseline)
    bare, interval = full.partition(" (")[0], interval_text(unit, role.low, role.high)
    yield full, interval, count_of(n_case, "case")
    yield bare, interval, count_of(n_case, "case")
    yield bare, interval, f"{n_case:,}"
    yield bare, interval
    yield (bare,)


def _apart(unit: Unit, score: float, needs: float) -> tuple[str, str]:
    """A score and what is needed, with a decimal, and that rounded apart, where they would else look the same."""
    texts = value_text(unit, score), value_text(unit, needs)
    return texts if texts[0] != texts[1] else (f"{floor(1000 * score) / 10:.1f} %", f"{ceil(1000 * needs) / 10:.1f} %")


def _said(found: tuple[Role, ...]) -> str:
    if not found:
        return f"{NO_ROLE.capitalize()}. {_CLOSEST}"
    if all(role.measure.group == "rest" for role in found):
        return f"It rests, and has no job. {_CLOSEST}"
    return ""


def _importance(roles: HeadRoles, layer: int, head: int) -> str:
    """How much the head matters, and its place among all heads and among those of its layer: late layers matter most."""
    scores = roles.importance.score
    own = scores[layer, head]
    every, beside = (f"{1 + int((some > own).sum()):,} of {some.size:,}" for some in (scores, scores[layer]))
    return f"Importance {own:.4f}: place {every}, {beside} in its layer"


def _importance_sentence(roles: HeadRoles, layer: int, head: int) -> str:
    """What that number is, with its interval and what it was measured over."""
    said = importance_line(roles.importance, layer, head)
    return unbroken(f"{said[:1].upper()}{said[1:]}, over {count_of(roles.importance.n_text, 'sentence')}.")
