"""From what heads get in each text to scores over the corpus, with baselines and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attnviz.analysis.bootstrap import interval, score_of
from attnviz.errors import Cancelled, never
from attnviz.probing.cases import FARTHEST
from attnviz.probing.measures import measures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.probing.cases import Question
    from attnviz.probing.measures import Measure
    from attnviz.probing.numbers import Numbers
    from attnviz.probing.plan import Plan


@dataclass(frozen=True)
class Baseline:
    """What is reached without looking at the model. name: of the best of the baselines; all: each one's score by its name."""

    name: str
    score: float
    all: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Measured:
    """One measure of all heads. score, low, high: over the corpus, with the ends of the 95 % interval, [layer, head], NaN where
    there is no case; n_case: how many there are, n_text: in how many texts, equal ones and partners counted as one; baseline: None
    for a measure without one; why_none: why there is no case; texts: their numbers in the plan; per_text, weight: of each, the
    score there and the mean weight on the targets, [text, layer, head]; cases: of each."""

    measure: Measure
    score: Float32
    low: Float32
    high: Float32
    n_case: int
    n_text: int
    baseline: Baseline | None
    why_none: str | None
    texts: NDArray[np.intp]
    cases: NDArray[np.float32]
    per_text: Float32
    weight: Float32


def score_measures(
    plan: Plan, numbers: Numbers, is_causal: bool, writes: bool, cancelled: Callable[[], bool] = never
) -> tuple[Measured, ...]:
    """All measures of the plan's corpus, in their order. Raises Cancelled between two of them."""
    found: dict[str, list[tuple[int, int]]] = {}
    for number, text in enumerate(plan.texts):
        for at, question in enumerate(text.questions):
            found.setdefault(question.measure, []).append((number, at))
    shape = numbers.gets[0].shape[:2]
    measured = []
    for measure in measures_of(plan.corpus.relations):
        if cancelled():
            raise Cancelled
        if measure.key == "flips":
            measured.append(_flips(measure, plan, numbers, found.get("prefers", []), shape))
            continue
        places = found.get(measure.key, [])
        gets = _gather(numbers.gets, places, shape)
        weights = _gather(numbers.weights, places, shape)
        cases = np.array([plan.texts[text].questions[at].n for text, at in places], np.float32)
        groups = [plan.texts[text].group for text, _ in places]
        baseline = _baseline([(plan.texts[text].half, plan.texts[text].questions[at]) for text, at in places])
        texts = np.array([text for text, _ in places], np.intp)
        why = None if places else _why_none(measure, is_causal, writes)
        measured.append(_measured(measure, texts, cases, gets, weights, groups, baseline, why))
    return tuple(measured)


def _gather(numbers: tuple[Float32, ...], places: list[tuple[int, int]], shape: tuple[int, int]) -> Float32:
    """The numbers of some questions, [text, layer, head]."""
    return np.stack([numbers[text][..., at] for text, at in places]) if places else np.zeros((0, *shape), np.float32)


def _measured(
    measure: Measure,
    texts: NDArray[np.intp],
    cases: NDArray[np.float32],
    gets: Float32,
    weights: Float32,
    groups: Iterable[int],
    baseline: Baseline | None,
    why_none: str | None,
) -> Measured:
    numbers = {group: at for at, group in enumerate(dict.fromkeys(groups))}
    own = np.array([numbers[group] for group in groups], np.intp)
    gets_of, cases_of = np.zeros((len(numbers), *gets.shape[1:]), np.float32), np.zeros(len(numbers), np.float32)
    np.add.at(gets_of, own, gets)
    np.add.at(cases_of, own, cases)
    low, high = interval(gets_of, cases_of)
    per_case = cases[:, None, None]
    return Measured(
        measure=measure,
        score=score_of(gets, cases),
        low=low,
        high=high,
        n_case=int(cases.sum()),
        n_text=len(numbers),
        baseline=baseline,
        why_none=why_none,
        texts=texts,
        cases=cases,
        per_text=gets / per_case,
        weight=weights / per_case,
    )


def _flips(measure: Measure, plan: Plan, numbers: Numbers, places: list[tuple[int, int]], shape: tuple[int, int]) -> Measured:
    """How often the antecedent is preferred in both sentences of a pair, at all of their pronouns."""
    by_sentence = {plan.texts[text].sentence: (text, at) for text, at in places}
    pairs = []
    for text, at in places:
        own, partner = plan.texts[text].sentence, plan.texts[text].partner
        if partner is not None and own < partner and partner in by_sentence:
            pairs.append(((text, at), by_sentence[partner]))
    texts = np.array([first[0] for first, _ in pairs], np.intp)
    both = np.zeros((len(pairs), *shape), np.float32)
    for number, sides in enumerate(pairs):
        right = [numbers.gets[text][..., at] == plan.texts[text].questions[at].n for text, at in sides]
        both[number] = right[0] & right[1]
    why = None if pairs else "the corpus has no two sentences that differ in the word that decides"
    chance = Baseline("chance", 0.25, (("chance", 0.25),)) if pairs else None
    return _measured(measure, texts, np.ones(len(pairs), np.float32), both, both, range(len(pairs)), chance, why)


def _baseline(questions: list[tuple[int, Question]]) -> Baseline | None:
    """The best that can be guessed: by fixed offsets, and by what the questions name."""
    n = sum(question.n for _, question in questions)
    if not n:
        return None
    sums: dict[str, float] = {}
    for _, question in questions:
        for name, got in question.guessed.items():
            sums[name] = sums.get(name, 0.0) + got
    halves = [np.zeros(2 * FARTHEST + 1), np.zeros(2 * FARTHEST + 1)]
    for half, question in questions:
        if question.by_offset is not None:
            halves[half] += question.by_offset
    if any(question.by_offset is not None for _, question in questions):
        sums |= _offset_sums(halves)
    scores = {name: float(got / n) for name, got in sums.items()}
    name = max(scores, key=lambda one: scores[one])
    return Baseline(name, scores[name], tuple(scores.items()))


def _offset_sums(halves: list[NDArray[np.float64]]) -> dict[str, float]:
    """What fixed offsets get: the one that is best over all texts, and in each half of them the one that is best in the other.

    Where the halves agree, both are the same. Where they differ, those fitted on the other half get less than one offset that a
    head may well have, and such a head would be taken for one that knows the relation.
    """
    whole = halves[0] + halves[1]
    if not whole.any():
        return {"fixed offset": 0.0}
    sums = {f"fixed offset {int(whole.argmax()) - FARTHEST:+d}": float(whole.max())}
    best = [int((halves[1 - half] if halves[1 - half].any() else halves[half]).argmax()) for half in (0, 1)]
    offsets = sorted({best[half] - FARTHEST for half in (0, 1) if halves[half].any()})
    crossed = sum(float(halves[half][best[half]]) for half in (0, 1))
    return {f"fixed offset {' or '.join(f'{offset:+d}' for offset in offsets)}": crossed} | sums


def _why_none(measure: Measure, is_causal: bool, writes: bool) -> str:
    """Why a measure has no case."""
    if measure.key == "induction" and not is_causal:
        return "measured of causal models alone"
    if measure.key == "retrieval" and not (writes and is_causal):
        return "measured of models that write"
    if measure.key in ("duplicate", "induction", "retrieval"):
        return "the model reads no text that is long enough, or its tokenizer has too few words"
    if is_causal and (measure.key == "next" or (measure.offset or 0) > 0):
        return "the model looks back alone"
    if measure.key == "separators":
        return "the model's texts have no specials behind the first position"
    if measure.group in ("grammar", "reference"):
        ahead = " where the model, which looks back alone, can see it" if is_causal else ""
        return f"it never occurs in this corpus{ahead}"
    return "it never occurs in this corpus"
