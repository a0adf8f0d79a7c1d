"""Beside one head: what it measurably does, with the baseline of each score, or that nothing is known of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from attnviz.scene.atlas.colours import group_colour
from attnviz.scene.role_words import figures_by_room, no_role_line, role_score, role_title, told_role, why_none_line
from attnviz.session.head_roles import shown_roles, why_no_roles
from attnviz.ui.lines import line
from attnviz.ui.roles.score_row import ScoreLine, ScoreRow

if TYPE_CHECKING:
    from attnviz.probing.summary import RoleLine, RoleSummary
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.view import View
    from attnviz.ui.appearance import Appearance


class HeadRolesPart(QWidget):
    """The roles of a head, each with its score, and a way to what they are read from."""

    wanted = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._roles: tuple[RoleLine, ...] = ()
        self.button = QToolButton(self)
        self.button.setProperty("small", True)
        self.button.clicked.connect(self.wanted)
        self._said = line("", self, quiet=True)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(line("roles", self, quiet=True), 1)
        head.addWidget(self.button)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._said)
        column.addLayout(self._rows)
        appearance.changed.connect(self._fill)

    def rows(self) -> list[ScoreRow]:
        """The role of each row, as it stands there."""
        return [self._rows.itemAt(number).widget() for number in range(self._rows.count())]

    def said(self) -> str:
        """What stands there in place of roles, "" where there are some."""
        return self._said.text()

    def show_head(self, run: Run, view: View, summary: RoleSummary | None, layer: int, head: int) -> None:
        """Show the roles of a head of a run's picture."""
        why, shown = why_no_roles(run, view, summary), shown_roles(run, view, summary)
        roles = () if shown is None else shown.of(layer, head)
        self._said.setText("" if roles else no_role_line(summary) if why is None else why_none_line(why))
        self._said.setVisible(not roles)
        self.button.setText("Measure\N{HORIZONTAL ELLIPSIS}" if why == "not_measured" else "Evidence\N{HORIZONTAL ELLIPSIS}")
        self.button.setToolTip(
            "Measure what each head does over a corpus" if why == "not_measured" else "The sentences that this is read from"
        )
        self.button.setVisible(why in (None, "not_measured"))
        if roles != self._roles:
            self._roles = roles
            self._fill()

    def _fill(self) -> None:
        while self._rows.count():
            gone = self._rows.takeAt(0).widget()
            gone.hide()
            gone.deleteLater()
        for role in self._roles:
            row = ScoreRow(_score_line(role, self._appearance.theme), self._appearance, self)
            row.setCheckable(False)
            row.clicked.connect(self.wanted)
            self._rows.addWidget(row)


def _score_line(role: RoleLine, theme: Theme) -> ScoreLine:
    return ScoreLine(
        key=role.key,
        title=role_title(role),
        number=role_score(role),
        score=role.score,
        low=role.low,
        high=role.high,
        baseline=role.baseline,
        needs=None,
        colour=group_colour(role.group, theme),
        notes=figures_by_room(role),
        sentence=told_role(role),
    )
