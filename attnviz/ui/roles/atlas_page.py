"""What was measured, on the screen: the atlas of all heads, and beside it the evidence for the chosen one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from attnviz.errors import AttnvizError
from attnviz.paint.fonts import text_width
from attnviz.scene.atlas.build import build_atlas
from attnviz.scene.page import Layout
from attnviz.ui.roles.atlas_controls import AtlasControls
from attnviz.ui.roles.atlas_view import AtlasView
from attnviz.ui.roles.evidence_panel import EvidencePanel

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.probing.roles import HeadRoles
    from attnviz.scene.atlas.choice import AtlasChoice
    from attnviz.ui.appearance import Appearance

_RESIZE_PAUSE_MS: Final = 20
# While a key is held down heads are chosen faster than an atlas of a thousand can be built anew (some 80 ms), whose names follow.
_REST_MS: Final = 80
_SIZES: Final = (700, 400)


class AtlasPage(QSplitter):
    """Shows one measuring at a time, with one head of it chosen."""

    headOpened = Signal(int, int)  # layer, head
    sentenceOpened = Signal(object, object)  # Evidence, Shown
    failed = Signal(str)  # the sentence to show

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._appearance = appearance
        self._model: Model | None = None
        self._roles: HeadRoles | None = None
        self._head: tuple[int, int] | None = None
        self.controls = AtlasControls(self)
        self.atlas = AtlasView(self)
        self.panel = EvidencePanel(appearance, self)
        self._resized = QTimer(self)  # a window drawn larger sends more sizes than pictures can be made
        self._resized.setInterval(_RESIZE_PAUSE_MS)
        self._rest = QTimer(self)
        self._rest.setInterval(_REST_MS)
        self._compose()
        for timer in (self._resized, self._rest):
            timer.setSingleShot(True)
            timer.timeout.connect(self._build)
        self.controls.choiceChanged.connect(self._on_choice_changed)
        self.atlas.resized.connect(self._resized.start)
        self.atlas.headPicked.connect(self.choose_head)
        self.atlas.headOpened.connect(self.headOpened)
        self.panel.headOpened.connect(self.headOpened)
        self.panel.sentenceOpened.connect(self.sentenceOpened)
        self.panel.failed.connect(self.failed)
        appearance.changed.connect(self._build)

    @property
    def head(self) -> tuple[int, int] | None:
        """The (layer, head) that is chosen."""
        return self._head

    @property
    def choice(self) -> AtlasChoice:
        """How the atlas is shown."""
        return replace(self.controls.choice, selected=self._head)

    def is_settled(self) -> bool:
        """Whether nothing is being read or laid out."""
        return not (self._resized.isActive() or self._rest.isActive() or self.panel.is_reading)

    def show_roles(self, model: Model, roles: HeadRoles, head: tuple[int, int] | None = None) -> None:
        """Show what was measured of a model. head: the one to choose; None for that which is, or that with the clearest job."""
        self._model, self._roles = model, roles
        self.atlas.set_busy(False)
        self.controls.offer(roles)
        self.atlas.set_scene(None)  # whose heads are not these
        self.choose_head(*_first_head(roles, head or self._head))

    def choose_head(self, layer: int, head: int) -> None:
        """Choose a head, and show it by the measure that the atlas shows, or by its own clearest role."""
        roles, colour = self._roles, self.controls.choice.colour
        if roles is not None and layer < roles.n_layer and head < roles.n_head:
            self._head = layer, head
            if self.atlas.select(self._head):
                self._rest.start()
            else:
                self._build()
            self.panel.show_head(self._model, roles, layer, head, colour if colour in roles.by_key else None)

    def forget(self) -> None:
        """Let go of the model and of what was measured of it; the same head is chosen of the next one, if it has it."""
        self._model = self._roles = None
        self.panel.forget()
        self.atlas.set_scene(None)

    def stop(self) -> None:
        """End what is read on another thread."""
        self.panel.stop()

    def _compose(self) -> None:
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.controls)
        column.addWidget(self.atlas, 1)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        self.addWidget(left)
        self.addWidget(self.panel)
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        self.setSizes(list(_SIZES))

    def _build(self) -> None:
        """The atlas of what is chosen, in the room that there is."""
        self._rest.stop()
        if self._roles is None:
            return
        layout = Layout(max(self.atlas.width(), 1), self.atlas.height())
        try:
            self.atlas.set_scene(build_atlas(self._roles, self.choice, self._appearance.theme, layout, text_width))
        except AttnvizError as error:
            self.failed.emit(str(error))

    def _on_choice_changed(self, choice: AtlasChoice) -> None:
        self._build()
        if choice.colour in self._roles.by_key:
            self.panel.show_measure(choice.colour)


def _first_head(roles: HeadRoles, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """The head that is wanted, if there is such a one; else that with the clearest job."""
    if wanted is not None and wanted[0] < roles.n_layer and wanted[1] < roles.n_head:
        return wanted
    every = [(layer, head) for layer in range(roles.n_layer) for head in range(roles.n_head)]
    jobs = [found[0] for at in every if (found := roles.roles(*at)) and found[0].measure.group != "rest"]
    clearest = max(jobs, key=lambda role: role.above, default=None)
    return (0, 0) if clearest is None else (clearest.layer, clearest.head)
