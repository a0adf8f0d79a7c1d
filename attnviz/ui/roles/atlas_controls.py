"""What the atlas says of each head, and in which order its heads stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from attnviz.probing.measures import GROUPS
from attnviz.scene.atlas.choice import IMPORTANCE, ROLE, AtlasChoice
from attnviz.scene.atlas.words import measure_line
from attnviz.ui.roles.measure_box import Entry, MeasureBox
from attnviz.ui.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from attnviz.probing.roles import HeadRoles
    from attnviz.scene.atlas.choice import Order

_ORDERS: Final[dict[Order, str]] = {"trained": "As trained", "value": "By value"}
_ORDER_TIPS: Final[dict[Order, str]] = {
    "trained": "Each layer's heads by their numbers",
    "value": "Each layer's heads by what is shown of them, the clearest or highest first",
}


class AtlasControls(QWidget):
    """A choice of colour and a switch of order."""

    choiceChanged = Signal(object)  # AtlasChoice

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = AtlasChoice()
        self.colour_box = MeasureBox("Colour by", self, most=240)
        self.colour_box.keyPicked.connect(self._on_colour_picked)
        self._order = Segments(_ORDERS, _ORDER_TIPS, self, narrow=True)
        self.orders = self._order.buttons
        self._order.picked.connect(self._on_order_picked)
        label = QLabel("Colour by", self)
        label.setProperty("quiet", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 8, 24, 8)
        row.setSpacing(8)
        row.addWidget(label)
        row.addWidget(self.colour_box, 1)
        row.addSpacing(8)
        row.addWidget(self._order)
        row.addStretch()

    @property
    def choice(self) -> AtlasChoice:
        """What is chosen; nothing of it is selected."""
        return self._choice

    def offer(self, roles: HeadRoles) -> None:
        """Offer what was measured, and keep what is chosen as far as that can be."""
        first = [Entry(ROLE, "Role", "Each head's clearest role")]
        if roles.importance is not None:
            first.append(Entry(IMPORTANCE, "Importance", "How far the output turns when a head is muted"))
        keys = {entry.key for entry in first} | {measured.measure.key for measured in roles.measured if measured.n_case}
        self._choice = replace(self._choice, colour=self._choice.colour if self._choice.colour in keys else ROLE)
        self.colour_box.offer([("", first), *measure_groups(roles)], self._choice.colour)
        self._order.show_value(self._choice.order)

    def _on_colour_picked(self, key: str) -> None:
        self._tell(replace(self._choice, colour=key))

    def _on_order_picked(self, order: str) -> None:
        self._tell(replace(self._choice, order=order))

    def _tell(self, choice: AtlasChoice) -> None:
        self._choice = choice
        self.choiceChanged.emit(choice)


def measure_groups(roles: HeadRoles, without: Set[str] = frozenset()) -> Iterator[tuple[str, list[Entry]]]:
    """The measures that have cases, under the names of their groups."""
    for group, name in GROUPS.items():
        measures = [one.measure for one in roles.measured if one.n_case and one.measure.group == group]
        entries = [Entry(one.key, one.title, measure_line(one)) for one in measures if one.key not in without]
        if entries:
            yield name.capitalize(), entries
