"""The sentences in which a head does its job best and worst, with what it looks at there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.tokenizer import BLANK_SIGNS
from attnviz.errors import never
from attnviz.probing.numbers import says
from attnviz.probing.observing import levels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from attnviz.engine.model import Model
    from attnviz.engine.ops import Float32
    from attnviz.engine.tokenizer import Token
    from attnviz.probing.cases import Asked, Question
    from attnviz.probing.roles import HeadRoles
    from attnviz.probing.scores import Measured

N_EACH: Final = 5
# Tokens of a generated text that are shown, its last ones.
_MOST_TOKENS: Final = 48


@dataclass(frozen=True)
class Case:
    """One place that was asked for, in the shown units. targets: what the head should look at; weights: what it looks at, [unit];
    largest: the unit with its largest weight of those that count, None if that is not shown; is_hit: whether the head got it right,
    None for a measure that adds up weights."""

    query: int
    targets: tuple[int, ...]
    weights: Float32
    largest: int | None
    is_hit: bool | None


@dataclass(frozen=True)
class Shown:
    """A text as evidence. text: its number in the plan; units: the words or tokens as they are shown; glued: of each, whether no
    blank stands before it; score: the head's in this text; cases: the places that were asked for."""

    id: str
    text: int
    units: tuple[str, ...]
    glued: tuple[bool, ...]
    score: float
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Evidence:
    """best, worst: the texts in which a head does most and least of what the measure asks for, at most N_EACH each; no text is
    both."""

    layer: int
    head: int
    measured: Measured
    best: tuple[Shown, ...]
    worst: tuple[Shown, ...]


def evidence_for(
    model: Model, roles: HeadRoles, layer: int, head: int, key: str, n: int = N_EACH, cancelled: Callable[[], bool] = never
) -> Evidence:
    """The evidence for what a head does by one measure; the texts are read again. For a measure without cases, without texts.

    Raises KeyError for no such measure, IndexError for no such head, Cancelled.
    """
    measured = roles.by_key[key]
    best, worst = _chosen(measured, layer, head, n)
    places = [*best, *worst]
    asked = [roles.plan.texts[measured.texts[place]] for place in places]
    attention: dict[int, Float32] = {}

    def see(text: int, at_layer: int, seen: Float32) -> None:
        if at_layer == layer:
            attention[text] = seen[head]

    shown = []
    if asked:
        packed = model.read_packed([text.encoding for text in asked], see, cancelled=cancelled)
        for at, (place, text) in enumerate(zip(places, asked, strict=True)):
            said = says(model, packed, at, text) if text.predicted else None
            score = float(measured.per_text[place, layer, head])
            shown.append(_shown(text, int(measured.texts[place]), _question(text, key), attention[at], said, score))
    return Evidence(layer, head, measured, tuple(shown[: len(best)]), tuple(shown[len(best) :]))


def _chosen(measured: Measured, layer: int, head: int, n: int) -> tuple[list[int], list[int]]:
    """The texts with the highest and the lowest score, by their places in `measured`; of equal ones that with more cases and more
    weight on its targets comes first among the best, that with less weight among the worst."""
    score, weight = measured.per_text[:, layer, head], measured.weight[:, layer, head]
    order = np.lexsort((-weight, -measured.cases, -score))
    n = min(n, len(order))
    best = [int(at) for at in order[:n]]
    lowest = np.lexsort((weight, -measured.cases, score))
    worst = [int(at) for at in lowest if int(at) not in best][:n]
    return best, worst


def _question(asked: Asked, key: str) -> Question:
    key = "prefers" if key == "flips" else key
    return next(question for question in asked.questions if question.measure == key)


def _shown(
    asked: Asked, number: int, question: Question, attention: Float32, said: NDArray[np.bool_] | None, score: float
) -> Shown:
    """said: whether the model then says what it should, of each case, where that counts."""
    matrix = levels_of(asked, attention[None])[question.level][0]
    units, glued = _units(asked, question)
    first = max(0, len(units) - _MOST_TOKENS) if asked.sentence is None else 0
    cases = []
    for at, query in enumerate(question.queries):
        if query < first:
            continue
        counted = matrix[query].copy()
        if question.level != "all":
            if not question.has_self:
                counted[query] = -1.0
            if asked.is_blocked:
                counted[0] = -1.0
        largest = int(counted.argmax())
        targets = tuple(int(key) - first for key in np.flatnonzero(question.targets[at]) if key >= first)
        is_hit = None
        if question.way in ("largest", "said"):
            is_hit = bool(question.targets[at, largest]) and (said is None or bool(said[at]))
        elif question.way == "prefers":
            is_hit = bool((matrix[query] * question.targets[at]).sum() > matrix[query][question.rivals[at]].max())
        seen = largest - first if largest >= first else None
        cases.append(Case(int(query) - first, targets, matrix[query, first:], seen, is_hit))
    return Shown(asked.id, number, units[first:], glued[first:], score, tuple(cases))


def _units(asked: Asked, question: Question) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    """The words or tokens that a question is about, as they are shown."""
    tokens = asked.encoding.tokens
    if question.level == "all" or asked.aligned is None:
        parts = [[token] for token in tokens]
    elif question.level == "token":
        first = asked.aligned.first
        parts = [[token] for token in tokens[first : first + asked.aligned.n_token]]
    else:
        first = asked.aligned.first
        parts = [tokens[first + group.start : first + group.stop] for group in asked.aligned.groups]
    shown = ("".join(token.shown for token in part) for part in parts)
    return tuple(text.strip(BLANK_SIGNS) or text for text in shown), _glued([_place(part) for part in parts])


def _place(tokens: Sequence[Token]) -> tuple[int, int] | None:
    """Where tokens stand in their text, without the blank that some vocabularies have a token begin with."""
    written = [token for token in tokens if token.shown.strip(BLANK_SIGNS)] or tokens
    known = [token for token in written if token.span is not None]
    return (max(known[0].span[0], known[0].span[1] - len(known[0].shown)), known[-1].span[1]) if known else None


def _glued(places: Sequence[tuple[int, int] | None]) -> tuple[bool, ...]:
    """Of each unit whether it begins where the one before it ends."""
    return tuple(
        place is not None and before is not None and place[0] <= before[1]
        for before, place in zip([None, *places[:-1]], places, strict=True)
    )
