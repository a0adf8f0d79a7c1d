"""Sentences, tokens and attention in a few lines, and a corpus that tiny models read in no time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.corpus.corpus import Corpus, Mention, Pair, Sentence
from attnviz.corpus.opening import bundled_corpus
from attnviz.engine.tokenizer import Encoding, Token
from attnviz.probing import generated
from attnviz.probing import plan as plan_module
from attnviz.probing.asking import ask
from attnviz.probing.guesses import frequent_words
from attnviz.probing.links import LeftOut

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    import pytest
    from numpy.typing import NDArray

    from attnviz.probing.cases import Asked, Question

    Float32 = NDArray[np.float32]

_VOCABULARY: Final[dict[str, int]] = {}


def sentence(text: str, *what: Pair | Mention, id: str = "s", partner: str | None = None) -> Sentence:
    """A sentence of the words between blanks."""
    words, spans, end = tuple(text.split()), [], 0
    for word in words:
        start = text.index(word, end)
        end = start + len(word)
        spans.append((start, end))
    pairs = tuple(one for one in what if isinstance(one, Pair))
    mentions = tuple(one for one in what if isinstance(one, Mention))
    return Sentence(id, text, words, tuple(spans), pairs, mentions, partner)


def corpus_of(*sentences: Sentence, name: str = "small") -> Corpus:
    """A corpus of these."""
    return Corpus(name, sentences, f"sum of {name}")


def token(text: str, span: tuple[int, int] | None, number: int | None = None) -> Token:
    """A token; one without a span is a special. number: None for one that is always the same for the same text."""
    known = _VOCABULARY.setdefault(text.lower(), len(_VOCABULARY)) if number is None else number
    return Token(known, text, text, span, 0, span is None, False)


def encoding_of(text: str, spans: Iterable[tuple[int, int]], before: int = 0, after: int = 0) -> Encoding:
    """The pieces of a text that stand in `spans`, with so many specials around."""
    pieces = [token(text[start:stop] or "?", (start, stop)) for start, stop in spans]
    return Encoding((*(token("[CLS]", None) for _ in range(before)), *pieces, *(token("[SEP]", None) for _ in range(after))), 0)


def asked_of(
    one: Sentence, is_causal: bool = False, before: int = 0, after: int = 0, *, frequent: Collection[str] | None = None
) -> tuple[Asked, LeftOut]:
    """What is asked of a sentence with one token for each word, and what is left out."""
    corpus, left_out = corpus_of(one), LeftOut()
    encoding = encoding_of(one.text, one.spans, before, after)
    frequent = frequent_words(corpus) if frequent is None else frequent
    return ask(0, 0, 0, corpus, frequent, encoding, is_causal, None, left_out), left_out


def question(asked: Asked, measure: str) -> Question | None:
    """The question for a measure; None if it is not asked."""
    return next((one for one in asked.questions if one.measure == measure), None)


def links(one: Question) -> list[tuple[int, set[int]]]:
    """The queries with the keys that are right."""
    return [(int(query), set(np.flatnonzero(row).tolist())) for query, row in zip(one.queries, one.targets, strict=True)]


def random_attention(rng: np.random.Generator, n_head: int, n: int, is_causal: bool) -> Float32:
    """Rows that sum to 1, none of whose weights is 0 where it may be anything else, [head, query, key]."""
    weights = np.exp(rng.normal(scale=2.0, size=(n_head, n, n)))
    if is_causal:
        weights *= np.tri(n)
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def even_attention(n: int, is_causal: bool) -> Float32:
    """One head that looks at all that it sees alike."""
    seen = np.tri(n, dtype=np.float32) if is_causal else np.ones((n, n), np.float32)
    return (seen / seen.sum(axis=-1, keepdims=True))[None]


def attention_to(n: int, keys: Callable[[int], Sequence[int]]) -> Float32:
    """One head that looks from each query at some keys alike, at the first token where there are none."""
    weights = np.zeros((1, n, n), np.float32)
    for query in range(n):
        found = [key for key in keys(query) if 0 <= key < n] or [0]
        weights[0, query, found] = 1 / len(found)
    return weights


def shrink_bundle(patch: pytest.MonkeyPatch) -> None:
    """Draw generated texts from a few of the bundled sentences and lay few needles in little hay: plans then take milliseconds."""
    whole = bundled_corpus()
    few = replace(whole, sentences=tuple(one for one in whole.sentences if one.id.startswith("general"))[:40])
    patch.setattr(plan_module, "bundled_corpus", lambda: few)
    patch.setattr(generated, "NEEDLES", 3)
    patch.setattr(generated, "_HAYSTACK", 1)


def _few() -> Corpus:
    """Fourteen short sentences: relations, one of them between words far apart, names, and four pairs in which a pronoun flips."""
    plain = [
        sentence("The old dog slept", Pair("det", 0, 2), Pair("amod", 1, 2), Pair("nsubj", 2, 3)),
        sentence("A cat saw the bird", Pair("det", 0, 1), Pair("nsubj", 1, 2), Pair("det", 3, 4), Pair("obj", 4, 2)),
        sentence("My aunt sold her red car", Pair("poss", 0, 1), Pair("nsubj", 1, 2), Pair("amod", 4, 5), Pair("obj", 5, 2)),
        sentence("The key to the doors is old", Pair("det", 0, 1), Pair("nsubj", 1, 6), Pair("cop", 5, 6), Pair("det", 3, 4)),
        sentence("Rome is old , Rome is big", Pair("nsubj", 0, 2), Pair("cop", 1, 2), Mention("name", 4, 0)),
        sentence("He read big thick books", Pair("nsubj", 0, 1), Pair("amod", 2, 4), Pair("amod", 3, 4), Pair("obj", 4, 1)),
    ]
    flips = []
    for number, (start, pronoun, names, ends) in enumerate(
        (
            ("Ann paid Eve as she was", 4, (0, 2), ("rich", "poor")),
            ("Tom met Jim when he was", 4, (0, 2), ("here", "there")),
            ("The cup hit the jar and it", 6, (1, 4), ("fell", "broke")),
            ("A boy sat by a man as he", 7, (1, 5), ("ate", "sang")),
        )
    ):
        for at, end in enumerate(ends):
            what = Mention("pronoun", pronoun, names[at], (names[1 - at],)), Pair("nsubj", names[0], names[0] + 1)
            own, other = f"flip-{number}{'ab'[at]}", f"flip-{number}{'ab'[1 - at]}"
            flips.append(sentence(f"{start} {end}", *what, id=own, partner=other))
    return corpus_of(*(replace(one, id=f"plain-{number}") for number, one in enumerate(plain)), *flips, name="few sentences")


FEW: Final = _few()
