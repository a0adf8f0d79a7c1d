"""The evidence for what a head does as plain data: sentences with arcs over them, and what lies where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from attnviz.scene.scene import Scene

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32
    from attnviz.probing.evidence import Shown
    from attnviz.scene.scene import Arcs, Box, Ink

Side = Literal["best", "worst"]


@dataclass(frozen=True)
class EvidenceWord:
    """A word or token of a sentence, where it stands. index: its place among all words of the picture; unit: that in its sentence;
    left, right: the ends of its text; top, bottom: of its line of text."""

    index: int
    text: str
    unit: int
    left: float
    right: float
    top: float
    baseline: float
    bottom: float
    row: int
    ink: Ink
    bold: bool


@dataclass(frozen=True)
class Underline:
    """A line under a word: what the head should look at, or what it looks at instead."""

    left: float
    right: float
    y: float
    colour: str
    is_dashed: bool


@dataclass(frozen=True)
class EvidenceSentence:
    """One sentence in the picture. box: the room that it takes, all its arcs included; first: the index of its first word."""

    shown: Shown
    side: Side
    box: Box
    first: int


@dataclass(frozen=True, kw_only=True)
class EvidenceScene(Scene):
    """The evidence for one head and one measure.

    arcs: from what is asked to what is looked at, `query` and `key` counting all words of the picture, `weight` what the head puts
    there; missed: [arc, 4, 2] the courses to what should have been looked at, dashed; focus, is_difference: as of an arc diagram,
    whose hit-testing serves here too (scene/arcs/hit.py).
    """

    font_size: int
    words: tuple[EvidenceWord, ...]
    arcs: Arcs
    missed: Float32
    missed_colour: str
    underlines: tuple[Underline, ...]
    sentences: tuple[EvidenceSentence, ...]
    focus: None = None
    is_difference: bool = False

    @property
    def tokens(self) -> tuple[EvidenceWord, ...]:
        """The words, by the name that they have in an arc diagram."""
        return self.words

    def token_at(self, index: int) -> EvidenceWord | None:
        """The word of that index."""
        return self.words[index] if 0 <= index < len(self.words) else None
