"""The questions that need no gold relations: places, resting places, the rarest token, how weight is spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attnviz.probing.cases import Question, offset_hits
from attnviz.probing.guesses import end_guesses, is_punctuation
from attnviz.probing.measures import OFFSETS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.tokenizer import Encoding


def allowed_keys(n: int, is_causal: bool, is_blocked: bool, has_self: bool) -> NDArray[np.bool_]:
    """The keys that a largest weight may be on, [query, key]; is_blocked: not on the first one."""
    allowed = np.tri(n, dtype=bool) if is_causal else np.ones((n, n), bool)
    if not has_self:
        np.fill_diagonal(allowed, False)
    if is_blocked and n:
        allowed[:, 0] = False
    return allowed


def neighbour_questions(encoding: Encoding, first: int, n: int, is_causal: bool) -> list[Question]:
    """The weight on the neighbours of each token of the text and on itself; first, n: where the text is among all tokens."""
    total = len(encoding.tokens)
    text = np.arange(first, first + n)
    visible = text + 1.0 if is_causal else np.full(n, float(total))
    questions = []
    for name, step in (("previous", -1), ("next", 1), ("same", 0)):
        if is_causal and step > 0:
            continue
        is_inside = (text + step >= first) & (text + step < first + n)
        queries = text[is_inside]
        even = float((1 / visible[is_inside]).sum())
        questions.append(Question(name, "weight", "all", queries, _at(queries + step, total), {"even attention": even}))
    return questions


def offset_questions(n: int, is_causal: bool, is_blocked: bool) -> list[Question]:
    """Whether the largest weight of each of `n` tokens is a fixed number of tokens away."""
    allowed = allowed_keys(n, is_causal, is_blocked, has_self=True)
    places, questions = np.arange(n), []
    for offset in OFFSETS:
        if is_causal and offset > 0:
            continue
        queries = places[(places + offset >= (1 if is_blocked else 0)) & (places + offset < n)]
        targets = _at(queries + offset, n)
        guessed = {"chance": _chance(queries, targets, allowed), **end_guesses(queries, targets, allowed)}
        questions.append(Question(f"offset{offset:+d}", "largest", "token", queries, targets, guessed, has_self=True))
    return questions


def rest_questions(encoding: Encoding, is_causal: bool) -> list[Question]:
    """The weight of the text's tokens on the first place, on specials behind it, on punctuation, and how they spread it."""
    tokens, total = encoding.tokens, len(encoding.tokens)
    is_special = np.array([token.is_special for token in tokens])
    is_mark = np.array([not token.is_special and is_punctuation(token.shown) for token in tokens])
    queries = np.flatnonzero(~is_special)
    queries = queries[queries > 0]  # the first token of a causal model sees itself alone
    visible = np.tri(total, dtype=bool) if is_causal else np.ones((total, total), bool)
    is_first = np.arange(total) == 0
    questions = []
    for name, keys in (
        ("first", is_first),
        ("separators", is_special & ~is_first),
        ("punctuation", is_mark),
        ("sinks", is_special | is_first),
    ):
        targets = visible[queries] & keys
        # A punctuation mark that looks at itself rests nowhere; and where there is none to look at, no question is asked.
        if name == "punctuation":
            targets &= np.arange(total) != queries[:, None]
        asked = targets.any(axis=1)
        even = _chance(queries[asked], targets[asked], visible)
        questions.append(Question(name, "weight", "all", queries[asked], targets[asked], {"even attention": even}))
    seen = visible[queries]
    apart = np.abs(queries[:, None] - np.arange(total))
    for name, of_rows in (
        ("entropy", np.log(seen.sum(axis=1))),
        ("distance", np.where(seen, apart, 0).sum(axis=1) / seen.sum(axis=1)),
    ):
        questions.append(Question(name, name, "all", queries, seen, {"even attention": float(of_rows.sum())}))
    return questions


def rare_question(encoding: Encoding, first: int, n: int, is_causal: bool, is_blocked: bool) -> Question | None:
    """Whether tokens look at the rarest one of the text. Vocabularies are in the order of their tokens' frequency, or of merges or
    probabilities, which is nearly the same; the last number is the rarest."""
    ids = encoding.ids[first : first + n]
    start = 1 if is_blocked else 0
    if n - start < 3:
        return None
    is_rarest = (ids == ids[start:].max()) & (np.arange(n) >= start)
    allowed = allowed_keys(n, is_causal, is_blocked, has_self=False)
    targets = allowed & is_rarest
    queries = np.flatnonzero(targets.any(axis=1) & ~is_rarest)
    targets = targets[queries]
    guessed = {"chance": _chance(queries, targets, allowed), **end_guesses(queries, targets, allowed)}
    return Question("rare", "largest", "token", queries, targets, guessed, offset_hits(queries, targets))


def _at(keys: NDArray[np.intp], n: int) -> NDArray[np.bool_]:
    """One right key for each case, [case, key]."""
    targets = np.zeros((len(keys), n), bool)
    targets[np.arange(len(keys)), keys] = True
    return targets


def _chance(queries: NDArray[np.intp], targets: NDArray[np.bool_], visible: NDArray[np.bool_]) -> float:
    """What is on the targets where all visible keys have the same, of all cases together."""
    return float((targets.sum(axis=1) / visible[queries].sum(axis=1)).sum())
