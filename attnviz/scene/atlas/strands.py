"""What is drawn of a sentence's cases: from which word to which an arc runs, how strongly, and what is underlined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.probing.evidence import Case, Shown

# Weights that are drawn of a case: on its targets, and besides; and how many of each at most.
_LEAST_ON_TARGET, _LEAST = 0.02, 0.05
_MOST_EACH: Final = 4
# A sentence with more cases is drawn with less of each; where its arcs lie deeper than that over each other, that many cases alone
# stand forward, and this much is left of the others.
_MANY: Final = 8
_CLEAR_DEPTH: Final = 3.0
_FAINT: Final = 0.3

Sort = Literal["right", "wrong", "other"]


@dataclass(frozen=True)
class Strand:
    """One arc before it has a course. sort: to what the measure asks for where the head is right, to what it chose where it is
    wrong, or to anything else; strength: 1 for a case that stands forward, less for one that stands back."""

    query: int
    key: int
    weight: float
    sort: Sort
    strength: float


@dataclass(frozen=True)
class Strands:
    """All of a sentence. missed: (query, target) where something else was chosen; asked: the words that are asked; reached,
    unreached: the words that they should look at, and do or do not; chosen: those that they look at instead; each of these only
    where they are few; has_faint: some cases stand back."""

    arcs: tuple[Strand, ...]
    missed: tuple[tuple[int, int], ...]
    asked: frozenset[int]
    reached: frozenset[int]
    unreached: frozenset[int]
    chosen: frozenset[int]
    has_faint: bool


def strands_of(shown: Shown) -> Strands:
    """What is drawn of a sentence."""
    is_many = len(shown.cases) > _MANY
    drawn = [tuple(_of_case(case, 1 if is_many else _MOST_EACH)) for case in shown.cases]
    clear = _clear_cases(shown, drawn)
    arcs = [
        Strand(case.query, key, float(case.weights[key]), sort, 1.0 if number in clear else _FAINT)
        for number, (case, keys) in enumerate(zip(shown.cases, drawn, strict=True))
        for key, sort in keys
    ]
    wrong = [] if is_many else [case for case in shown.cases if case.is_hit is False]
    missed = tuple((case.query, target) for case in wrong if len(case.targets) <= _MOST_EACH for target in case.targets)
    reached = frozenset(target for case in shown.cases if case.is_hit is not False for target in case.targets)
    few = len(reached) <= max(3, len(shown.units) // 3)
    asked = frozenset(case.query for case in shown.cases)
    return Strands(
        arcs=tuple(sorted(arcs, key=lambda arc: (arc.strength, arc.sort != "other", arc.weight))),
        missed=missed,
        asked=asked if 2 * len(asked) <= len(shown.units) else frozenset(),
        reached=reached if few else frozenset(),
        unreached=frozenset(target for _, target in missed) - reached,
        chosen=frozenset(case.largest for case in wrong if case.largest is not None),
        has_faint=len(clear) < len(shown.cases),
    )


def _of_case(case: Case, most: int) -> Iterator[tuple[int, Sort]]:
    """The keys that are drawn of a case, each with its sort. most: on targets and besides."""
    targets = set(case.targets)
    order = [int(key) for key in np.argsort(-case.weights, kind="stable")]
    on_target = [key for key in order if key in targets and case.weights[key] >= _LEAST_ON_TARGET][:_MOST_EACH]
    others = [key for key in order if key not in targets and case.weights[key] >= _LEAST and key != case.query][:most]
    if case.largest is not None and case.largest not in (*on_target, *others):
        (on_target if case.largest in targets else others).append(case.largest)
    for key in on_target:
        yield key, "other" if case.is_hit is False else "right"
    for key in others:
        yield key, "wrong" if case.is_hit is False and key == case.largest else "other"


def _clear_cases(shown: Shown, drawn: Sequence[Sequence[tuple[int, Sort]]]) -> set[int]:
    """The numbers of the cases that stand forward: all, or where arcs lie thick, those with the largest weights that count."""
    told = [[key for key, sort in keys if sort != "other"] for keys in drawn]
    spans = sum(abs(key - case.query) for case, keys in zip(shown.cases, told, strict=True) for key in keys)
    if len(shown.cases) <= _MANY or spans <= _CLEAR_DEPTH * len(shown.units):
        return set(range(len(shown.cases)))
    tops = [max((float(case.weights[key]) for key in keys), default=0.0) for case, keys in zip(shown.cases, told, strict=True)]
    return set(sorted(range(len(tops)), key=lambda number: -tops[number])[:_MANY])
