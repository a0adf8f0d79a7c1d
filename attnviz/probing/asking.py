"""The questions to a sentence of a corpus."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from unicodedata import category

import numpy as np

from attnviz.probing.aligned import align
from attnviz.probing.cases import Asked, Question, offset_hits
from attnviz.probing.measures import OFFSETS, relation_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from attnviz.corpus.corpus import Corpus, Mention, Pair, Sentence
    from attnviz.corpus.relations import Relation
    from attnviz.engine.tokenizer import Encoding
    from attnviz.probing.aligned import Aligned


@dataclass
class LeftOut:
    """What could not be asked, counted. words: gold pairs whose words the tokenizer does not tell apart, or left nothing of;
    ahead: those of which a model that looks back alone cannot see the key; rest: those whose key is a resting place;
    example: where the first of `words` is."""

    words: int = 0
    ahead: int = 0
    rest: int = 0
    example: str | None = None


def ask(
    number: int,
    group: int,
    half: int,
    corpus: Corpus,
    frequent: Collection[str],
    encoding: Encoding,
    is_causal: bool,
    partner: int | None,
    left_out: LeftOut,
) -> Asked:
    """The questions to sentence `number`: places, relations, mentions, rests. What cannot be asked is added to `left_out`.

    frequent: the corpus' frequent words and signs, in small letters.
    """
    sentence = corpus.sentences[number]
    aligned = align(sentence, encoding)
    n, first = aligned.n_token, aligned.first
    is_blocked = is_causal and first == 0
    questions = [*_place_questions(encoding, first, n, is_causal, is_blocked), *_rest_questions(encoding, is_causal)]
    words = _allowed(len(aligned.groups), is_causal, is_blocked, has_self=False)
    is_content = [any(sentence.words[word].lower() not in frequent for word in unit) for unit in aligned.words]
    questions += _pair_questions(sentence, aligned, corpus, words, is_content, left_out)
    questions += _mention_questions(sentence, aligned, words, left_out)
    questions.append(_rare_question(encoding, first, n, is_causal, is_blocked))
    asked = tuple(question for question in questions if question is not None and question.n)
    return Asked(sentence.id, group, half, encoding, aligned, asked, is_blocked, number, (), partner)


def _allowed(n: int, is_causal: bool, is_blocked: bool, has_self: bool) -> NDArray[np.bool_]:
    """The keys that a largest weight may be on, [query, key]."""
    allowed = np.tri(n, dtype=bool) if is_causal else np.ones((n, n), bool)
    if not has_self:
        np.fill_diagonal(allowed, False)
    if is_blocked and n:
        allowed[:, 0] = False
    return allowed


def _place_questions(encoding: Encoding, first: int, n: int, is_causal: bool, is_blocked: bool) -> list[Question]:
    """Neighbours and the token itself, by their weight; fixed offsets, by the largest one."""
    total = len(encoding.tokens)
    text = np.arange(first, first + n)
    visible = text + 1.0 if is_causal else np.full(n, float(total))
    questions = []
    for name, step in (("previous", -1), ("next", 1), ("same", 0)):
        if is_causal and step > 0:
            continue
        is_inside = (text + step >= first) & (text + step < first + n)
        queries = text[is_inside]
        targets = np.zeros((len(queries), total), bool)
        targets[np.arange(len(queries)), queries + step] = True
        questions.append(
            Question(name, "weight", "all", queries, targets, {"even attention": float((1 / visible[is_inside]).sum())})
        )
    allowed = _allowed(n, is_causal, is_blocked, has_self=True)
    for offset in OFFSETS:
        if is_causal and offset > 0:
            continue
        places = np.arange(n)
        queries = places[(places + offset >= (1 if is_blocked else 0)) & (places + offset < n)]
        targets = np.zeros((len(queries), n), bool)
        targets[np.arange(len(queries)), queries + offset] = True
        chance = float((1 / allowed[queries].sum(axis=1)).sum())
        questions.append(Question(f"offset{offset:+d}", "largest", "token", queries, targets, {"chance": chance}, has_self=True))
    return questions


def _rest_questions(encoding: Encoding, is_causal: bool) -> list[Question]:
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
        even = float((targets[asked].sum(axis=1) / visible[queries[asked]].sum(axis=1)).sum())
        questions.append(Question(name, "weight", "all", queries[asked], targets[asked], {"even attention": even}))
    seen = visible[queries]
    apart = np.abs(queries[:, None] - np.arange(total))
    even_distance = float((np.where(seen, apart, 0).sum(axis=1) / seen.sum(axis=1)).sum())
    questions.append(
        Question("entropy", "entropy", "all", queries, seen, {"even attention": float(np.log(seen.sum(axis=1)).sum())})
    )
    questions.append(Question("distance", "distance", "all", queries, seen, {"even attention": even_distance}))
    return questions


def frequent_words(corpus: Corpus) -> frozenset[str]:
    """The most frequent words, in small letters, that make up half of what the corpus says, and all punctuation: what is left are
    the words that say something."""
    counts = Counter(word.lower() for sentence in corpus.sentences for word in sentence.words)
    marks = {word for word in counts if is_punctuation(word)}
    words = [(word, count) for word, count in counts.most_common() if word not in marks]
    half, seen, frequent = sum(count for _, count in words) / 2, 0, set(marks)
    for word, count in words:
        if seen >= half:
            break
        frequent.add(word)
        seen += count
    return frozenset(frequent)


def _pair_questions(
    sentence: Sentence,
    aligned: Aligned,
    corpus: Corpus,
    allowed: NDArray[np.bool_],
    is_content: Sequence[bool],
    left_out: LeftOut,
) -> list[Question]:
    """Each relation in both directions."""
    guess = partial(_content_guesses, allowed, np.array(is_content, bool))
    pairs: dict[str, list[tuple[int, int]]] = {}
    for pair in sentence.pairs:
        both = (corpus.relations.get(name) for name in (pair.relation, f"far_{pair.relation}"))
        relations = [relation for relation in both if relation is not None and _is_near_enough(pair, relation)]
        units = _units(aligned, pair.first, pair.second)
        if relations and units is None:
            _note_words(sentence, pair.first, pair.second, left_out)
        elif units is not None:
            for relation in relations:
                pairs.setdefault(relation.name, []).append(units)
    questions = []
    for name, found in pairs.items():
        for is_forward in (True, False):
            links = found if is_forward else [(second, first) for first, second in found]
            # Where a relation is defined by its meaning or by a distance, no fixed offset can be right.
            by_syntax = bool(corpus.relations[name].deprels)
            questions.append(
                _link_question(relation_key(name, is_forward), links, allowed, left_out, _none if by_syntax else guess)
            )
    return [question for question in questions if question is not None]


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


def _link_question(
    measure: str,
    links: Sequence[tuple[int, int]],
    allowed: NDArray[np.bool_],
    left_out: LeftOut,
    guess: Callable[[int, set[int]], dict[str, float]],
) -> Question | None:
    """One right key for each query, beside all fixed offsets and what else can be guessed. A word that has several right keys, as a
    noun with two adjectives, is right with any of them."""
    keys: dict[int, set[int]] = {}
    for query, key in links:
        if allowed[query, key]:
            keys.setdefault(query, set()).add(key)
        elif key > query:
            left_out.ahead += 1
        else:
            left_out.rest += 1
    if not keys:
        return None
    queries = np.array(sorted(keys), np.intp)
    targets = np.zeros((len(queries), allowed.shape[1]), bool)
    guessed: dict[str, float] = {}
    for case, query in enumerate(queries):
        targets[case, list(keys[query])] = True
        for name, value in guess(int(query), keys[query]).items():
            guessed[name] = guessed.get(name, 0.0) + value
    chance = float((targets.sum(axis=1) / allowed[queries].sum(axis=1)).sum())
    return Question(measure, "largest", "word", queries, targets, {**guessed, "chance": chance}, offset_hits(queries, targets))


def _none(query: int, keys: set[int]) -> dict[str, float]:
    """The guesses of a measure that has no others than offsets and chance."""
    return {}


def _content_guesses(allowed: NDArray[np.bool_], is_content: NDArray[np.bool_], query: int, keys: set[int]) -> dict[str, float]:
    """Whether the nearest and the first of the other words that say something is a right one; of two as near, half for each."""
    content = np.flatnonzero(allowed[query] & is_content)
    if not len(content):
        return {"nearest content word": 0.0, "first content word": 0.0}
    apart, is_right = np.abs(content - query), np.isin(content, list(keys))
    return {"nearest content word": float(is_right[apart == apart.min()].mean()), "first content word": float(is_right[0])}


def _mention_questions(sentence: Sentence, aligned: Aligned, allowed: NDArray[np.bool_], left_out: LeftOut) -> list[Question]:
    """Where mentions look, and whether a pronoun prefers its antecedent."""
    links: dict[str, list[tuple[int, int]]] = {"pronoun": [], "name": []}
    guesses: dict[tuple[int, int], dict[str, float]] = {}
    preferences: list[tuple[int, int, tuple[int, ...]]] = []
    for mention in sentence.mentions:
        units = _units(aligned, mention.mention, mention.antecedent)
        if units is None:
            _note_words(sentence, mention.mention, mention.antecedent, left_out)
            continue
        links["pronoun" if mention.kind == "pronoun" else "name"].append(units)
        guesses[units] = _guesses(sentence, mention)
        apart = _units(aligned, mention.mention, mention.antecedent, *mention.distractors)
        if mention.kind == "pronoun" and mention.distractors and apart is not None and allowed[apart[0], list(apart[1:])].all():
            preferences.append((*units, apart[2:]))
    questions = [
        _link_question(name, found, allowed, left_out, lambda query, keys: _best([guesses[query, key] for key in keys]))
        for name, found in links.items()
    ]
    if preferences:
        queries = np.array([query for query, _, _ in preferences], np.intp)
        targets, rivals = (np.zeros((len(queries), allowed.shape[1]), bool) for _ in range(2))
        for case, (_, key, others) in enumerate(preferences):
            targets[case, key] = True
            rivals[case, list(others)] = True
        nearest = sum(key > max(others) for _, key, others in preferences)
        chance = sum(1 / (1 + len(others)) for _, _, others in preferences)
        questions.append(
            Question("prefers", "prefers", "word", queries, targets, {"nearest mention": nearest, "chance": chance}, rivals=rivals)
        )
    return [question for question in questions if question is not None]


def _best(guesses: Sequence[dict[str, float]]) -> dict[str, float]:
    """The best that each baseline gets of a word that has several right keys, as "they" has of two names."""
    return {name: max(one[name] for one in guesses) for name in guesses[0]}


def _guesses(sentence: Sentence, mention: Mention) -> dict[str, float]:
    """What the baselines of Clark et al. 2019, section 4.3, get: the nearest mention before, and the nearest one with the same word
    where there is one. The mentions are those that the corpus names for this one."""
    candidates = sorted((mention.antecedent, *mention.distractors))
    own = sentence.words[mention.mention].lower()
    alike = [word for word in candidates if sentence.words[word].lower() == own]
    return {
        "nearest mention": float(candidates[-1] == mention.antecedent),
        "same word, else nearest": float((alike or candidates)[-1] == mention.antecedent),
    }


def _rare_question(encoding: Encoding, first: int, n: int, is_causal: bool, is_blocked: bool) -> Question | None:
    """Whether tokens look at the rarest one of the text. Vocabularies are in the order of their tokens' frequency, or of merges or
    probabilities, which is nearly the same; the last number is the rarest."""
    ids = encoding.ids[first : first + n]
    start = 1 if is_blocked else 0
    if n - start < 3:
        return None
    is_rarest = (ids == ids[start:].max()) & (np.arange(n) >= start)
    allowed = _allowed(n, is_causal, is_blocked, has_self=False)
    targets = allowed & is_rarest
    queries = np.flatnonzero(targets.any(axis=1) & ~is_rarest)
    chance = float((targets[queries].sum(axis=1) / allowed[queries].sum(axis=1)).sum())
    return Question(
        "rare", "largest", "token", queries, targets[queries], {"chance": chance}, offset_hits(queries, targets[queries])
    )


def is_punctuation(text: str) -> bool:
    """Whether there is nothing but punctuation in a token."""
    return bool(text) and all(category(sign).startswith("P") for sign in text)
