"""How a trace is shown, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from attnviz.analysis.between import Between
from attnviz.analysis.edges import Threshold
from attnviz.engine.config import Kind
from attnviz.session.grid_choice import GridChoice

if TYPE_CHECKING:
    from collections.abc import Hashable

PictureKind = Literal["arcs", "grid", "matrix", "steps"]
Quantity = Literal["attention", "norms", "rollout"]
SinkKind = Literal["special", "first", "punctuation"]
Treatment = Literal["show", "dim", "hide", "renormalise"]
Panel = Literal["reading", "what_if", "prediction"]
Setting = Literal["side", "difference"]  # how two runs are set beside each other

# As a person reads them, in the order they are offered.
PICTURE_NAMES: Final[dict[PictureKind, str]] = {"arcs": "Arcs", "grid": "Grid", "matrix": "Matrix", "steps": "Steps"}
QUANTITY_NAMES: Final[dict[Quantity, str]] = {"attention": "Attention", "norms": "Value-weighted", "rollout": "Rollout"}
SINK_NAMES: Final[dict[SinkKind, str]] = {
    "special": "Special tokens",
    "first": "First token",
    "punctuation": "Punctuation",
}
TREATMENT_NAMES: Final[dict[Treatment, str]] = {
    "show": "Show",
    "dim": "Dim",
    "hide": "Hide",
    "renormalise": "Hide, rest to 100 %",
}
PANEL_NAMES: Final[dict[Panel, str]] = {"reading": "Reading", "what_if": "What if", "prediction": "Prediction"}
SETTING_NAMES: Final[dict[Setting, str]] = {"side": "Side by side", "difference": "Difference"}
BETWEEN_NAMES: Final[dict[Between, str]] = {
    "all": "Both texts",
    "within": "Within each",
    "across": "Between them",
    "first_to_second": "First \N{RIGHTWARDS ARROW} second",
    "second_to_first": "Second \N{RIGHTWARDS ARROW} first",
}


@dataclass(frozen=True)
class HeadChoice:
    """Heads that were chosen while the model ran with `of` heads.

    Kept in those terms, so that a choice survives a what-if: head 1 of 12 is shown inside head 0 of 6, and again as head 1
    when the slider comes back.
    """

    heads: frozenset[int]
    of: int

    def at(self, head_count: int) -> frozenset[int]:
        """The heads among `head_count` that share numbers with a chosen one."""
        return frozenset(
            head
            for head in range(head_count)
            if any(head * self.of < (c + 1) * head_count and c * head_count < (head + 1) * self.of for c in self.heads)
        )


@dataclass(frozen=True)
class Arc:
    """A query and a key, by their positions among the picture's tokens."""

    query: int
    key: int


@dataclass(frozen=True)
class Sinks:
    """Tokens that gather attention without a meaning of their own, and what is done about it.

    kinds: which tokens count; treatment: "show" them like any other, "dim" them, "hide" what goes to them, or hide it and
    scale what is left of each row to the row's whole ("renormalise").
    """

    kinds: frozenset[SinkKind] = frozenset({"special"})
    treatment: Treatment = "hide"

    @property
    def hide_specials(self) -> bool:
        """Whether the tokens that were not written are left out of the picture."""
        return self.are_taken_out and "special" in self.kinds

    @property
    def are_taken_out(self) -> bool:
        """Whether the attention to them is left out."""
        return self.treatment in ("hide", "renormalise")


@dataclass(frozen=True)
class View:
    """What is on the picture.

    picture: which one; kind: which attention of an encoder-decoder, None for the first that the model has; heads: None for
    all; is_mean: the shown heads as one map, their mean; focus: the pinned token, by its position; words: pieces of a word are
    merged; between: which pairs of tokens of two texts; is_log: the colours of the matrix follow the logarithm, None where they do
    so for a long text alone; grid: what the grid says of its heads; arc: the pair that was chosen to look at closely; panel: what
    stands beside the picture; temperature: of the predictions, 0 for the likeliest alone; setting: how a run stands to the one that
    it is compared with.
    """

    layer: int = 0
    heads: HeadChoice | None = None
    focus: int | None = None
    threshold: Threshold = field(default_factory=Threshold)
    kind: Kind | None = None
    picture: PictureKind = "arcs"
    quantity: Quantity = "attention"
    is_mean: bool = False
    words: bool = False
    sinks: Sinks = field(default_factory=Sinks)
    between: Between = "all"
    is_log: bool | None = None
    grid: GridChoice = field(default_factory=GridChoice)
    arc: Arc | None = None
    panel: Panel = "reading"
    temperature: float = 1.0
    setting: Setting = "side"

    def shown_heads(self, head_count: int) -> frozenset[int]:
        """The heads that are drawn when the model runs with `head_count` of them."""
        if self.heads is None:
            return frozenset(range(head_count))
        return self.heads.at(head_count)


def seen_by_picture(view: View) -> View:
    """The view with what its picture does not show left as it is at first: two that are equal give the same picture, but for the
    token in focus, which most pictures change by themselves."""
    shown = _SHOWN[view.picture]
    return replace(view, **{field.name: getattr(_PLAIN, field.name) for field in fields(View) if field.name not in shown})


_WEIGHTS: Final = {"picture", "layer", "heads", "kind", "quantity", "is_mean", "words", "sinks", "between", "setting"}
_SHOWN: Final[dict[PictureKind, set[str]]] = {
    "arcs": {*_WEIGHTS, "threshold"},
    "grid": {*_WEIGHTS, "grid"},
    "matrix": {*_WEIGHTS, "is_log"},
    "steps": {*_WEIGHTS, "focus"},
}
_PLAIN: Final = View()


class ViewChanges(TypedDict, total=False):
    """Fields of a View by their names, those that shall change."""

    layer: int
    heads: HeadChoice | None
    focus: int | None
    threshold: Threshold
    kind: Kind | None
    picture: PictureKind
    quantity: Quantity
    is_mean: bool
    words: bool
    sinks: Sinks
    between: Between
    is_log: bool | None
    grid: GridChoice
    arc: Arc | None
    panel: Panel
    temperature: float
    setting: Setting


# Changes of one of these, one after the other, are one gesture: a slider in motion, a walk through the tokens.
_IN_MOTION: Final = {"threshold", "focus", "temperature"}


def gesture_of(changes: ViewChanges) -> Hashable | None:
    """What kind of gesture a change is, where several in a row count as one; None where each counts."""
    names = frozenset(changes)
    return names if len(names) == 1 and names <= _IN_MOTION else None


@dataclass(frozen=True)
class Arrival:
    """How a text that is being read shall be shown once it is there: layer, heads, the word to pin by its text or its place."""

    layer: int
    heads: HeadChoice | None = None
    focus_word: str | None = None
    focus: int | None = None
