"""The pictures of a report, in light colours on white."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from attnviz.export.report.document import PICTURE_WIDTH, Figure
from attnviz.export.report.tables import head_name
from attnviz.scene.atlas.build import build_atlas
from attnviz.scene.atlas.choice import IMPORTANCE, AtlasChoice
from attnviz.scene.atlas.evidence import build_evidence
from attnviz.scene.atlas.words import role_sentence
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import Theme, load_theme
from attnviz.session.view import HeadChoice, View

if TYPE_CHECKING:
    from attnviz.probing.evidence import Evidence
    from attnviz.probing.roles import HeadRoles, Role
    from attnviz.scene.scene import Measure
    from attnviz.session.run import Run

_LAYOUT: Final = Layout(PICTURE_WIDTH)
# Arcs are the higher the wider they are; of these a page has two or three.
_SENTENCE: Final = Layout(560.0, caption=True)
# What fits a page of a PDF at nine tenths of its size, with a heading and a caption.
_TALLEST: Final = 940.0


@dataclass(frozen=True)
class Pictures:
    """Builds pictures. measure: the advance of a line of text."""

    roles: HeadRoles
    measure: Measure

    @property
    def theme(self) -> Theme:
        """Light, on white."""
        return replace(load_theme("light"), paper="#ffffff")

    def atlas(self) -> Figure:
        """Each head's clearest role."""
        caption = f"The heads of {self.roles.model}, layers down and heads across, each with its clearest role"
        return self._atlas(AtlasChoice(), caption)

    def importance(self) -> Figure:
        """How much each head matters to the output."""
        return self._atlas(AtlasChoice(IMPORTANCE), "Importance: how far the final vectors turn when a head is muted")

    def _atlas(self, choice: AtlasChoice, caption: str) -> Figure:
        return Figure(caption, build_atlas(self.roles, choice, self.theme, _LAYOUT, self.measure))

    def evidence(self, evidence: Evidence, others: str) -> Figure:
        """Sentences in which a head does its job best and worst, as many as a page has room for. others: which heads do it too, for
        the caption."""
        title, name = evidence.measured.measure.title, head_name(evidence.layer, evidence.head)
        caption = f"{name}, {title}: the texts in which it does most and least of it. {others}"
        scene = build_evidence(evidence, self.theme, _LAYOUT, self.measure)
        while scene.height > _TALLEST and len(evidence.best) > 1:
            evidence = replace(evidence, best=evidence.best[:-1], worst=evidence.worst[: len(evidence.best) - 1])
            scene = build_evidence(evidence, self.theme, _LAYOUT, self.measure)
        return Figure(caption, scene)

    def sentence(self, run: Run, role: Role) -> Figure:
        """The attention of one head in a sentence, as a figure of it is drawn: on paper, arcs take just the room they need."""
        view = View(role.layer, HeadChoice(frozenset({role.head}), self.roles.n_head), kind=self.roles.kind)
        caption = f"{head_name(role.layer, role.head)} in this text. {role_sentence(role)}"
        return Figure(caption, build_scene(run, view, self.theme, _SENTENCE, self.measure))
