"""Beside the atlas: what was measured of the chosen head, and the sentences that this is read from."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from attnviz.paint.fonts import font
from attnviz.probing.evidence import evidence_for
from attnviz.probing.nearest import nearest_roles
from attnviz.scene.atlas.words import measure_line
from attnviz.scene.grid.summaries import cell_name
from attnviz.ui.newest import Newest
from attnviz.ui.panels.scrolling import scrolling
from attnviz.ui.roles.atlas_controls import measure_groups
from attnviz.ui.roles.evidence_picture import EvidencePicture
from attnviz.ui.roles.head_scores import HeadScores
from attnviz.ui.roles.measure_box import Entry, MeasureBox
from attnviz.ui.roles.score_row import SIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.model import Model
    from attnviz.probing.evidence import Evidence
    from attnviz.probing.roles import HeadRoles
    from attnviz.ui.appearance import Appearance

NARROWEST: Final = 300
_SIDE: Final = 24  # as that of the pictures


class EvidencePanel(QWidget):
    """Shows one head of a measured model by one measure at a time."""

    headOpened = Signal(int, int)  # layer, head
    sentenceOpened = Signal(object, object)  # Evidence, Shown
    failed = Signal(str)  # the sentence to show

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._roles: HeadRoles | None = None
        self._model: Model | None = None
        self._head = (0, 0)
        self._title = QLabel(self)
        self._title.setFont(font(17, True))
        self._title.setStyleSheet("font-size: 17px;")
        self.open_button = QToolButton(self)
        self.open_button.setText("Open")
        self.open_button.setToolTip("Show this head alone in the main window (Enter in the atlas)")
        self.open_button.clicked.connect(self._on_open_clicked)
        self.scores = HeadScores(appearance, self)
        self.scores.measurePicked.connect(self.show_measure)
        self.measure_box = MeasureBox("Evidence for", self)
        self.measure_box.keyPicked.connect(self.show_measure)
        self.picture = EvidencePicture(appearance, self)
        self.picture.sentenceOpened.connect(self.sentenceOpened)
        self._evidence = Newest("attnviz-evidence", self)
        self._evidence.arrived.connect(self._on_evidence)
        self._evidence.failed.connect(self.failed)
        self.setMinimumWidth(NARROWEST)
        self._compose()
        appearance.changed.connect(self._on_appearance_changed)

    @property
    def evidence(self) -> Evidence | None:
        """What is shown of sentences; None while it is not there yet."""
        return self.picture.evidence

    @property
    def is_reading(self) -> bool:
        """Whether sentences are being read."""
        return self._evidence.is_making

    def title(self) -> str:
        """The head's name."""
        return self._title.text()

    def show_head(self, model: Model, roles: HeadRoles, layer: int, head: int, key: str | None = None) -> None:
        """Show a head, by a measure: by None, by its clearest role, or what it comes closest to."""
        if roles is not self._roles:
            self._evidence.forget()
        self._model, self._roles, self._head = model, roles, (layer, head)
        self._title.setText(cell_name(layer, head))
        self.scores.show_head(roles, layer, head)
        own = [role.measure for role in roles.roles(layer, head)]
        entries = [Entry(one.key, one.title, measure_line(one)) for one in own]
        groups = [*([("Its roles", entries)] if own else []), *measure_groups(roles, {one.key for one in own})]
        chosen = key or (own[0].key if own else _closest(roles, layer, head))
        self.measure_box.offer(groups, chosen)
        self._order_tabs()
        self.show_measure(chosen)

    def show_measure(self, key: str) -> None:
        """Show the same head by another measure."""
        layer, head = self._head
        self.measure_box.show_key(key)
        self.scores.check(key)
        self.picture.set_busy(True)
        make = partial(_evidence, self._model, self._roles, layer, head, key)
        self._evidence.ask((layer, head, key), make, is_quick=False)

    def forget(self) -> None:
        """Let go of the model and of what was measured of it."""
        self._evidence.forget()
        self._model = self._roles = None
        self.picture.show_evidence(None)

    def stop(self) -> None:
        """End what is read on another thread."""
        self._evidence.stop()

    def _compose(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self.open_button)
        choice = QHBoxLayout()
        choice.setSpacing(8)
        label = QLabel("Evidence for", self)
        label.setProperty("quiet", True)
        label.setBuddy(self.measure_box)
        choice.addWidget(label)
        choice.addWidget(self.measure_box, 1)
        top.setContentsMargins(_SIDE, 8, _SIDE, 4)
        rows = QHBoxLayout()
        rows.setContentsMargins(_SIDE - SIDE, 0, _SIDE - SIDE, 0)
        rows.addWidget(self.scores)
        choice.setContentsMargins(_SIDE, 6, _SIDE, 8)
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (top, rows, choice):
            column.addLayout(part)
        column.addWidget(self.picture)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inner, self))

    def _order_tabs(self) -> None:
        """Have Tab go from top to bottom, also through rows that have just been made."""
        for before, after in pairwise((self.open_button, *self.scores.rows(), self.measure_box, self.picture)):
            QWidget.setTabOrder(before, after)

    def _on_open_clicked(self) -> None:
        self.headOpened.emit(*self._head)

    def _on_evidence(self, evidence: Evidence) -> None:
        has_row = any(row.line.key == evidence.measured.measure.key for row in self.scores.rows())
        self.picture.show_evidence(evidence, with_score=not has_row)  # else it would be said twice

    def _on_appearance_changed(self) -> None:
        if self._roles is not None:  # the rows' colours are those of the theme
            self.scores.show_head(self._roles, *self._head)
            self.scores.check(self.measure_box.key())


def _closest(roles: HeadRoles, layer: int, head: int) -> str:
    """What a head without a role comes closest to, or else the first measure that has cases."""
    near = nearest_roles(roles, layer, head, n=1)
    return near[0].role.measure.key if near else next(one.measure.key for one in roles.measured if one.n_case)


def _evidence(model: Model, roles: HeadRoles, layer: int, head: int, key: str, cancelled: Callable[[], bool]) -> Evidence:
    return evidence_for(model, roles, layer, head, key, cancelled=cancelled)
