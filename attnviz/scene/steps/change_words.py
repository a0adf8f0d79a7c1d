"""What the stages of the steps say of a person's changes: nothing where there is none in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.numbers import fixed
from attnviz.scene.steps.arithmetic import each_of
from attnviz.scene.steps.softmax import WEIGHT_DECIMALS, shown_weights
from attnviz.scene.steps.strengths import strengths_of
from attnviz.scene.steps.table import name_of, rows_of
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from attnviz.scene.steps.changed import Changed
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.scene import StageName

_MOST_NAMED: Final = 2  # keys that were set by hand
_MOST_HEADS: Final = 3


def change_of(content: Content, stage: StageName) -> str:
    """What a person changed of what a stage does, a number kept together with its sign; empty where that is nothing."""
    said = ""
    if stage == "softmax" and content.changed is not None:
        said = _weights_sentence(content, content.changed)
    elif stage == "heads":
        said = _strengths_sentence(content)
    return said.replace(" ÷ ", "\N{NO-BREAK SPACE}÷\N{NO-BREAK SPACE}").replace("× ", "×\N{NO-BREAK SPACE}")


def _weights_sentence(content: Content, changed: Changed) -> str:
    if not changed.chosen and changed.base == "frozen":
        return "Frozen: here are the weights of the run without changes."
    if not changed.chosen and changed.base == "uniform":
        return f"Muted: it looks alike at all {count_of(changed.n_other, 'token')} that it sees, {each_of(changed)} each."
    start = ""
    if changed.base == "frozen":
        start = "Frozen: here are the weights of the run without changes, but "
    elif changed.base == "uniform":
        start = "Muted: it looks alike at all that it sees, but "
    are = "is" if len(changed.chosen) == 1 else "are"
    return f"{start}{_named(content, changed)} {are} set by hand to {_values(changed)}{_others_phrase(content, changed)}."


def _named(content: Content, changed: Changed) -> str:
    """The keys that were set, by name where they are few."""
    if len(changed.chosen) > _MOST_NAMED:
        return f"{len(changed.chosen)} weights"
    return " and ".join(f"“{name_of(content.keys[key].shown)}”" for key in changed.chosen)


def _values(changed: Changed) -> str:
    if len(changed.chosen) > _MOST_NAMED:
        return f"{fixed(1.0 - changed.left, WEIGHT_DECIMALS)} together"
    return " and ".join(fixed(float(changed.weights[key]), WEIGHT_DECIMALS) for key in changed.chosen)


def _others_phrase(content: Content, changed: Changed) -> str:
    """What became of the other weights of the row."""
    if changed.left == 0.0:
        return "; nothing is left for the others"
    if changed.is_alike:
        return f"; the others share the rest alike, {each_of(changed)} each" if changed.n_other else ""
    times = "" if changed.factor is None else f", × {shown_weights(content, rows_of(content)).factor}"
    return f"; the others are scaled to the rest{times}"


def _strengths_sentence(content: Content) -> str:
    strengths = strengths_of(content)
    own = strengths.pop(content.head, None)
    parts = []
    if own is not None and content.is_muted(content.head) and content.strength == 0.0:
        parts.append(f"This head is muted: its output goes on {own}.")
    elif own is not None:
        parts.append(f"This head's output goes on {own}, set by hand.")
    if len(strengths) > _MOST_HEADS:
        parts.append(f"{len(strengths)} {'other ' if own else ''}heads are changed{' too' if own else ''}.")
    elif strengths:
        others = ", ".join(f"H{head}\N{NO-BREAK SPACE}{text}" for head, text in strengths.items())
        parts.append(f"{'Others changed' if own else 'Changed'}: {others}.")
    return " ".join(parts)
