"""Beside the grid: the selected head seen closely, and what the grid says of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from attnviz.paint.fonts import font
from attnviz.scene.grid.summaries import SUMMARY_MEANINGS, cell_name, summary_number
from attnviz.scene.role_words import short_roles
from attnviz.scene.words import shortened
from attnviz.session.grid_choice import SUMMARY_NAMES, GridChoice, SummaryName
from attnviz.session.head_reading import read_head
from attnviz.session.head_roles import shown_roles
from attnviz.session.view import PICTURE_NAMES
from attnviz.session.weights import MEAN
from attnviz.ui.lines import line
from attnviz.ui.panels.grid_controls import GridControls
from attnviz.ui.panels.head_preview import HeadPreview
from attnviz.ui.panels.head_roles import HeadRolesPart
from attnviz.ui.panels.scrolling import scrolling

if TYPE_CHECKING:
    from attnviz.probing.summary import RoleSummary
    from attnviz.session.head_reading import HeadReading, Pair
    from attnviz.session.run import Run
    from attnviz.session.survey import Survey
    from attnviz.session.view import View
    from attnviz.ui.appearance import Appearance

_MARGIN: Final = 16
_WIDTH: Final = 264
_N_PAIR: Final = 5
_LONGEST: Final = 13  # letters of a token; two of them, an arrow and a number stand on one line


class HeadPanel(QWidget):
    """The panel of the selected head, over the controls of the grid."""

    pictureWanted = Signal(str)  # "arcs" or "matrix", of the selected head
    choiceChanged = Signal(object)  # GridChoice
    rolesWanted = Signal(int, int)  # layer, head

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Selected head")
        self._title = QLabel(self)
        self._title.setFont(font(17, True))
        self._title.setStyleSheet("font-size: 17px;")
        self._hint = line("", self, quiet=True)
        self.preview = HeadPreview(appearance, self)
        self.roles = HeadRolesPart(appearance, self)
        self.roles.wanted.connect(self._on_roles_wanted)
        self._role_names = line("", self, quiet=True)
        self._head: tuple[int, int] | None = None
        self._numbers: dict[SummaryName, QLabel] = {}
        self._pairs: list[tuple[QLabel, QLabel]] = []
        self._reading = QWidget(self)
        self._fill_reading()
        self.controls = GridControls(self)
        self.controls.choiceChanged.connect(self.choiceChanged)
        self._lay_out()
        self.setFixedWidth(_WIDTH)
        self.show_head(None)

    def title(self) -> str:
        """The selected head, or what the panel says without one."""
        return self._title.text()

    def role_names(self) -> str:
        """What stands below the title of what the head does, "" where nothing is known."""
        return self._role_names.text()

    def numbers(self) -> dict[SummaryName, str]:
        """The numbers as they stand there."""
        return {name: label.text() for name, label in self._numbers.items()}

    def pairs(self) -> list[tuple[str, str]]:
        """The strongest pairs as they stand there: who looks at whom, and the weight."""
        return [(looks.text(), weight.text()) for looks, weight in self._pairs if looks.text()]

    def show_choice(self, choice: GridChoice, survey: Survey | None) -> None:
        """Show what is chosen for the grid; survey: the heads that it holds, None while they are not there yet."""
        self.controls.set_choice(choice, survey)

    def show_head(
        self,
        run: Run | None,
        view: View | None = None,
        head: tuple[int, int] | None = None,
        roles: RoleSummary | None = None,
    ) -> None:
        """Show a (layer, head) of a run as a view treats it, MEAN for the map of several, with what of `roles` is its; without one
        say how to get there."""
        self._head = head
        reading = None if run is None or view is None or head is None else read_head(run.trace, view, *head, most=_N_PAIR)
        self.preview.show_reading(reading)
        self.preview.setVisible(reading is not None)
        self._reading.setVisible(reading is not None)
        self._hint.setVisible(reading is None)
        self._show_roles(run, view, roles, None if reading is None or reading.head == MEAN else head)
        if reading is not None:
            self._title.setText(cell_name(reading.layer, reading.head))
            self._show(reading)
        elif head is not None:
            self._title.setText(cell_name(*head))
            self._hint.setText("Nothing of it is shown: no head or no token is.")
        else:
            self._title.setText("Pick a head")
            self._hint.setText("with a click or the arrow keys to see it closely. A double-click opens it.")

    def _show_roles(self, run: Run | None, view: View | None, summary: RoleSummary | None, head: tuple[int, int] | None) -> None:
        """Show what a head does: by name at the top, where it is seen however low the window is, and with its scores."""
        shown = None if head is None else shown_roles(run, view, summary)
        self._role_names.setText("" if shown is None else short_roles(shown.of(*head)))
        self._role_names.setVisible(shown is not None)
        self.roles.setVisible(head is not None)
        if head is not None:
            self.roles.show_head(run, view, summary, *head)

    def _show(self, reading: HeadReading) -> None:
        for name, label in self._numbers.items():
            number = summary_number(name, float(getattr(reading.summary, name)[0]))
            label.setText(f"{number} nats" if name == "entropy" else number)
        for number, (looks, weight) in enumerate(self._pairs):
            pair = reading.pairs[number] if number < len(reading.pairs) else None
            looks.setText("" if pair is None else _looks(pair))
            weight.setText("" if pair is None else f"{pair.weight:.2f}")
        said = ", ".join(f"{looks} {weight}" for looks, weight in self.pairs())
        self.preview.setAccessibleDescription(f"{self.title()}; strongest: {said}")

    def _fill_reading(self) -> None:
        column = QVBoxLayout(self._reading)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for picture, slot in (("arcs", self._on_arcs_clicked), ("matrix", self._on_matrix_clicked)):
            button = QPushButton(PICTURE_NAMES[picture], self._reading)
            button.setObjectName(picture)
            button.setToolTip(f"Show this head in the picture {PICTURE_NAMES[picture]}")
            button.clicked.connect(slot)
            buttons.addWidget(button)
        column.addLayout(buttons)
        column.addSpacing(12)
        column.addWidget(self.roles)
        column.addSpacing(12)
        column.addWidget(line("strongest pairs", self._reading, quiet=True))
        column.addLayout(self._pair_rows())
        column.addSpacing(12)
        for name, title in SUMMARY_NAMES.items():
            column.addLayout(self._number_row(name, title))
            column.addWidget(line(SUMMARY_MEANINGS[name], self._reading, quiet=True))
            column.addSpacing(8)

    def _number_row(self, name: SummaryName, title: str) -> QHBoxLayout:
        row = QHBoxLayout()
        number = QLabel(self._reading)
        number.setFont(font(13, True))
        number.setAccessibleName(title)
        self._numbers[name] = number
        row.addWidget(line(title, self._reading), 1)
        row.addWidget(number)
        return row

    def _pair_rows(self) -> QGridLayout:
        rows = QGridLayout()
        rows.setVerticalSpacing(4)
        for at in range(_N_PAIR):
            looks, weight = QLabel(self._reading), QLabel(self._reading)
            looks.setTextFormat(Qt.TextFormat.PlainText)
            rows.addWidget(looks, at, 0)
            rows.addWidget(weight, at, 1)
            self._pairs.append((looks, weight))
        rows.setColumnStretch(0, 1)
        return rows

    def _lay_out(self) -> None:
        """The head scrolls where the window is low; the controls keep their place below it."""
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(8)
        for widget in (self._title, self._role_names, self._hint, self.preview, self._reading):
            column.addWidget(widget)
        column.addStretch(1)
        self.controls.setContentsMargins(_MARGIN, 12, _MARGIN, _MARGIN)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scrolling(inner, self), 1)
        outer.addWidget(self._rule())
        outer.addWidget(self.controls)

    def _rule(self) -> QFrame:
        rule = QFrame(self)
        rule.setFrameShape(QFrame.Shape.HLine)
        rule.setFrameShadow(QFrame.Shadow.Plain)
        rule.setForegroundRole(QPalette.ColorRole.Mid)
        return rule

    def _on_roles_wanted(self) -> None:
        if self._head is not None:
            self.rolesWanted.emit(*self._head)

    def _on_arcs_clicked(self) -> None:
        self.pictureWanted.emit("arcs")

    def _on_matrix_clicked(self) -> None:
        self.pictureWanted.emit("matrix")


def _looks(pair: Pair) -> str:
    """ "it -> animal", each in a direction of its own (Unicode Standard Annex 9, isolates)."""
    query, key = (
        f"\N{FIRST STRONG ISOLATE}{shortened(text, _LONGEST)}\N{POP DIRECTIONAL ISOLATE}" for text in (pair.query, pair.key)
    )
    return f"{query} \N{RIGHTWARDS ARROW} {key}"
