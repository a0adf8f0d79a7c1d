"""The questions that gold relations and mentions ask: which word a word should look at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attnviz.probing.cases import Question, offset_hits
from attnviz.probing.guesses import mention_guesses, summed
from attnviz.probing.measures import relation_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attnviz.corpus.corpus import Corpus, Pair, Sentence
    from attnviz.corpus.relations import Relation
    from attnviz.probing.aligned import Aligned
    from attnviz.probing.guesses import Units


@dataclass
class LeftOut:
    """What could not be asked, counted. words: gold pairs whose words the tokenizer does not tell apart, or left nothing of;
    ahead: those of which a model that looks back alone cannot see the key; rest: those whose key is a resting place;
    example: where the first of `words` is."""

    words: int = 0
    ahead: int = 0
    rest: int = 0
    example: str | None = None


def pair_questions(sentence: Sentence, aligned: Aligned, corpus: Corpus, units: Units, left_out: LeftOut) -> list[Question]:
    """Each relation in both directions."""
    pairs: dict[str, list[tuple[int, int]]] = {}
    for pair in sentence.pairs:
        both = (corpus.relations.get(name) for name in (pair.relation, f"far_{pair.relation}"))
        relations = [relation for relation in both if relation is not None and _is_near_enough(pair, relation)]
        own = _units(aligned, pair.first, pair.second)
        if relations and own is None:
            _note_words(sentence, pair.first, pair.second, left_out)
        elif own is not None:
            for relation in relations:
                pairs.setdefault(relation.name, []).append(own)
    questions = []
    for name, found in pairs.items():
        questions.append(_link_question(relation_key(name, True), found, units, left_out))
        back = [(second, first) for first, second in found]
        questions.append(_link_question(relation_key(name, False), back, units, left_out))
    return [question for question in questions if question is not None]


def mention_questions(sentence: Sentence, aligned: Aligned, units: Units, left_out: LeftOut) -> list[Question]:
    """Where mentions look, and whether a pronoun prefers its antecedent."""
    links: dict[str, list[tuple[int, int]]] = {"pronoun": [], "name": []}
    guesses: dict[tuple[int, int], dict[str, float]] = {}
    preferences: list[tuple[int, int, tuple[int, ...]]] = []
    for mention in sentence.mentions:
        own = _units(aligned, mention.mention, mention.antecedent)
        if own is None:
            _note_words(sentence, mention.mention, mention.antecedent, left_out)
            continue
        links["pronoun" if mention.kind == "pronoun" else "name"].append(own)
        guesses[own] = mention_guesses(sentence, mention)
        apart = _units(aligned, mention.mention, mention.antecedent, *mention.distractors)
        if mention.kind == "pronoun" and mention.distractors and apart is not None and units.allowed[apart[0], apart[1:]].all():
            preferences.append((*own, apart[2:]))
    questions = [_link_question(name, found, units, left_out, guesses) for name, found in links.items()]
    questions.append(_preference_question(preferences, units) if preferences else None)
    return [question for question in questions if question is not None]


def _link_question(
    measure: str,
    links: Sequence[tuple[int, int]],
    units: Units,
    left_out: LeftOut,
    own_guesses: Mapping[tuple[int, int], dict[str, float]] | None = None,
) -> Question | None:
    """One right key for each query, beside all fixed offsets and what else can be guessed. A word that has several right keys, as a
    noun with two adjectives, is right with any of them. own_guesses: of each link, what the measure's own baselines get."""
    keys: dict[int, set[int]] = {}
    for query, key in links:
        if units.allowed[query, key]:
            keys.setdefault(query, set()).add(key)
        elif key > query:
            left_out.ahead += 1
        else:
            left_out.rest += 1
    if not keys:
        return None
    queries = np.array(sorted(keys), np.intp)
    targets = np.zeros((len(queries), units.allowed.shape[1]), bool)
    guesses = []
    for case, query in enumerate(queries.tolist()):
        targets[case, list(keys[query])] = True
        own = {} if own_guesses is None else _best([own_guesses[query, key] for key in keys[query]])
        guesses.append({**own, **units.guesses(query, keys[query])})
    chance = float((targets.sum(axis=1) / units.allowed[queries].sum(axis=1)).sum())
    guessed = {**summed(guesses), "chance": chance}
    return Question(measure, "largest", "word", queries, targets, guessed, offset_hits(queries, targets))


def _preference_question(preferences: Sequence[tuple[int, int, tuple[int, ...]]], units: Units) -> Question:
    """Whether pronouns give their antecedents more weight than distractors: (pronoun, antecedent, distractors)."""
    queries = np.array([query for query, _, _ in preferences], np.intp)
    targets, rivals = (np.zeros((len(queries), units.allowed.shape[1]), bool) for _ in range(2))
    for case, (_, key, others) in enumerate(preferences):
        targets[case, key] = True
        rivals[case, list(others)] = True
    nearest = sum(key > max(others) for _, key, others in preferences)
    chance = sum(1 / (1 + len(others)) for _, _, others in preferences)
    guessed = {"nearest mention": float(nearest), "chance": chance}
    return Question("prefers", "prefers", "word", queries, targets, guessed, rivals=rivals)


def _is_near_enough(pair: Pair, relation: Relation) -> bool:
    apart = abs(pair.first - pair.second)
    return apart >= relation.nearest and (relation.farthest is None or apart <= relation.farthest)


def _units(aligned: Aligned, *words: int) -> tuple[int, ...] | None:
    """The units of some words; None if one has none, or two have the same."""
    units = [aligned.unit_of[word] for word in words]
    return None if None in units or len(set(units)) < len(units) else tuple(units)


def _note_words(sentence: Sentence, first: int, second: int, left_out: LeftOut) -> None:
    left_out.words += 1
    if left_out.example is None:
        left_out.example = f'{sentence.id}: "{sentence.words[first]}" and "{sentence.words[second]}"'


def _best(guesses: Sequence[dict[str, float]]) -> dict[str, float]:
    """The best that each baseline gets of a word that has several right keys, as "they" has of two names."""
    return {name: max(one[name] for one in guesses) for name in guesses[0]}
