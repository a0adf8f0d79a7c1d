"""Roles made up without a model: every number is there and fits the others, for pictures and windows that only show them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.analysis.bootstrap import score_of
from attnviz.corpus.corpus import Corpus, Sentence
from attnviz.engine.tokenizer import Encoding, Token
from attnviz.probing.cases import Asked, Question
from attnviz.probing.evidence import Case, Evidence, Shown
from attnviz.probing.measures import measures_of
from attnviz.probing.plan import Plan
from attnviz.probing.roles import HeadRoles, Importance
from attnviz.probing.scores import Baseline, Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.ops import Float32
    from attnviz.probing.measures import Measure

N_TEXT: Final = 12
N_CASE: Final = 4  # in each text
_HALF_INTERVAL: Final = 0.03
_WORDS: Final = "the old captain of a ferry never saw any lighthouse that he liked and so she kept it dark".split()
# Measures that have no case in a model that looks both ways.
_WITHOUT: Final = {"induction": "measured of causal models alone", "retrieval": "measured of models that write"}
_BASELINES: Final = {"largest": "fixed offset +1", "weight": "even attention"}


def made_up_roles(n_layer: int, n_head: int, seed: int = 0, with_roles: bool = True) -> HeadRoles:
    """Roles of a model that is nowhere, over a few sentences: about half of its heads have one or several, a sixth only rest.

    with_roles: False for a model in which no head does anything. `roles.roles(layer, head)` and all else work as for a real one;
    only `evidence_for` needs a model: see `made_up_evidence`.
    """
    rng = np.random.default_rng(seed)
    texts = tuple(_asked(number) for number in range(N_TEXT))
    corpus = _corpus(texts)
    measures = measures_of(corpus.relations)
    holders = _holders(measures, (n_layer, n_head), rng) if with_roles else {}
    measured = tuple(_measured(measure, (n_layer, n_head), holders.get(measure.key), rng) for measure in measures)
    return HeadRoles(
        model=f"made-up-{n_layer}x{n_head}",
        model_sha256=sha256(f"{n_layer} {n_head} {seed} {with_roles}".encode()).hexdigest(),
        plan=Plan(corpus, texts, (tuple(range(N_TEXT)),)),
        kind="encoder",
        measured=measured,
        importance=_importance((n_layer, n_head), rng),
        is_causal=False,
    )


def made_up_evidence(roles: HeadRoles, layer: int, head: int, key: str, seed: int = 0) -> Evidence:
    """Evidence for a head of `made_up_roles`, with weights made up to fit what it says of its cases."""
    rng, measured = np.random.default_rng(seed), roles.by_key[key]
    scores = measured.per_text[:, layer, head] if len(measured.texts) else np.zeros(0)
    order = np.argsort(-scores, kind="stable").tolist()
    n = min(5, len(order) // 2)
    is_hit = measured.measure.unit == "accuracy"
    shown = [_shown(roles.plan.texts[at], at, key, float(scores[at]), is_hit, rng) for at in (*order[:n], *order[::-1][:n])]
    return Evidence(layer, head, measured, tuple(shown[:n]), tuple(shown[n:]))


def _asked(number: int) -> Asked:
    words = [_WORDS[(number + at) % len(_WORDS)] for at in range(8 + number % 5)]
    tokens, at = [], 0
    for word in words:
        tokens.append(Token(_WORDS.index(word), word, word, (at, at + len(word)), 0, False, False))
        at += len(word) + 1
    questions = tuple(_question(measure, number, len(words)) for measure in measures_of(Corpus("", (), "").relations))
    asked = tuple(question for question in questions if question.measure not in _WITHOUT)
    return Asked(f"made-up-{number:02d}", number, number % 2, Encoding(tuple(tokens), 0), None, asked, sentence=number)


def _question(measure: Measure, number: int, n: int) -> Question:
    queries = np.arange(2, 2 + N_CASE, dtype=np.intp)
    targets = np.zeros((N_CASE, n), bool)
    step = 1 + number % 2 if measure.is_forward else -1 - number % 2
    targets[np.arange(N_CASE), queries + step] = True
    return Question(measure.key, "largest" if measure.unit == "accuracy" else "weight", "all", queries, targets)


def _corpus(texts: Sequence[Asked]) -> Corpus:
    sentences = []
    for text in texts:
        words = tuple(token.shown for token in text.encoding.tokens)
        sentences.append(Sentence(text.id, " ".join(words), words, tuple(token.span for token in text.encoding.tokens)))
    told = sha256("\n".join(sentence.text for sentence in sentences).encode()).hexdigest()
    return Corpus("made-up sentences", tuple(sentences), told)


def _holders(measures: Sequence[Measure], shape: tuple[int, int], rng: np.random.Generator) -> dict[str, Float32]:
    """Of each measure how far above what it asks for each head that has the role is, [layer, head]; NaN for the others."""
    by_group: dict[str, list[str]] = {}
    for measure in measures:
        if measure.is_role and measure.key not in _WITHOUT:
            by_group.setdefault(measure.group, []).append(measure.key)
    rests, groups = by_group.pop("rest"), list(by_group.values())
    above = {key: np.full(shape, np.nan, np.float32) for key in (*rests, *(key for keys in groups for key in keys))}
    for at in np.ndindex(shape):
        kind = rng.random()
        chosen = [] if kind > 0.66 else [rests[rng.integers(len(rests))]]
        if kind < 0.5:
            drawn = rng.choice(len(groups), 1 + rng.integers(3), replace=False)
            chosen = [groups[number][rng.integers(len(groups[number]))] for number in drawn] + chosen[: kind < 0.1]
        for key in chosen:
            above[key][at] = 0.01 + rng.random()
    return above


def _measured(measure: Measure, shape: tuple[int, int], above: Float32 | None, rng: np.random.Generator) -> Measured:
    if measure.key in _WITHOUT:
        nothing, empty = np.full(shape, np.nan, np.float32), np.zeros((0, *shape), np.float32)
        return Measured(
            measure, nothing, nothing, nothing, 0, 0, None, _WITHOUT[measure.key], np.zeros(0, np.intp), np.zeros(0), empty, empty
        )
    top = {"nats": 3.0, "tokens": 12.0}.get(measure.unit, 1.0)
    base = round(float(rng.uniform(0.05, 0.4)), 3) * (top if top == 1.0 else 0.9 * top / 0.4)
    wanted = (rng.uniform(0.1, 1.0, shape) * base).astype(np.float32)
    if above is not None:
        least = max(base + 0.1 + _HALF_INTERVAL, measure.threshold or 0.0) + 0.005
        room = np.float32(max(0.99 - least, 0.0))
        wanted = np.where(np.isnan(above), wanted, least + room * np.clip(above, 0, 1) ** 2).astype(np.float32)
    turns = np.sin(2 * np.pi * (np.arange(N_TEXT) + 0.5) / N_TEXT)[:, None, None]  # from text to text, nothing on the whole
    waves = 0.8 * turns * np.minimum(wanted, np.maximum(top - wanted, 0))
    per_text = np.clip(wanted + waves, 0, top).astype(np.float32)
    cases = np.full(N_TEXT, N_CASE, np.float32)
    score = score_of(per_text * N_CASE, cases).astype(np.float32)
    half = np.float32(_HALF_INTERVAL * top)
    guessed = Baseline(_BASELINES["largest" if measure.unit == "accuracy" else "weight"], base)
    return Measured(
        measure=measure,
        score=score,
        low=np.maximum(score - half, 0),
        high=np.minimum(score + half, np.float32(top)),
        n_case=N_TEXT * N_CASE,
        n_text=N_TEXT,
        baseline=Baseline(guessed.name, guessed.score, ((guessed.name, guessed.score),)),
        why_none=None,
        texts=np.arange(N_TEXT, dtype=np.intp),
        cases=cases,
        per_text=per_text,
        weight=0.8 * per_text,
    )


def _importance(shape: tuple[int, int], rng: np.random.Generator) -> Importance:
    score = (0.03 * rng.random(shape) ** 2).astype(np.float32)
    return Importance(score, 0.8 * score, 1.2 * score, N_TEXT)


def _shown(asked: Asked, number: int, key: str, score: float, is_hit: bool, rng: np.random.Generator) -> Shown:
    units = tuple(token.shown for token in asked.encoding.tokens)
    question = next(question for question in asked.questions if question.measure == key)
    n_hit, cases = round(score * question.n), []
    for at, query in enumerate(question.queries.tolist()):
        targets = tuple(np.flatnonzero(question.targets[at]).tolist())
        wrong = [unit for unit in range(len(units)) if unit not in (*targets, query)]
        largest = targets[0] if at < n_hit or not is_hit else wrong[int(rng.integers(len(wrong)))]
        weights = rng.random(len(units)).astype(np.float32) ** 3
        weights[largest] = weights.sum() + 0.1
        weights /= np.float32(1.05) * weights.sum()
        cases.append(Case(query, targets, weights, largest, at < n_hit if is_hit else None))
    return Shown(asked.id, number, units, (True, *(False for _ in units[1:])), score, tuple(cases))
