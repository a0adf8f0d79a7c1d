"""What can be guessed of a sentence without looking at a model, beside one fixed offset."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from unicodedata import category

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from attnviz.corpus.corpus import Corpus, Mention, Sentence
    from attnviz.engine.tokenizer import Encoding
    from attnviz.probing.aligned import Aligned

# The names of the words that are guessed. Content words say something; the others are frequent, and no punctuation.
WORDS: Final = (
    "nearest content word",
    "next content word",
    "previous content word",
    "first content word",
    "next function word",
    "previous function word",
    "rarest word",
    "first word",
    "last word",
)


@dataclass(frozen=True)
class Units:
    """What is known of a sentence's units without a model. allowed: the keys that a largest weight may be on, [query, key];
    is_content, is_function: [unit], neither for punctuation; rarity: [unit], the number of its rarest token."""

    allowed: NDArray[np.bool_]
    is_content: NDArray[np.bool_]
    is_function: NDArray[np.bool_]
    rarity: NDArray[np.int64]

    def guesses(self, query: int, keys: Collection[int]) -> dict[str, float]:
        """What each guess gets of one query whose right keys are `keys`, by the names of WORDS: 1 or 0, a part of it where several
        are as good."""
        seen = np.flatnonzero(self.allowed[query])
        if not len(seen):
            return dict.fromkeys(WORDS, 0.0)
        content, function = (seen[is_one[seen]] for is_one in (self.is_content, self.is_function))
        apart = np.abs(content - query)
        rarity = self.rarity[seen]
        found = (
            content[apart == apart.min(initial=len(self.rarity))],
            content[content > query][:1],
            content[content < query][-1:],
            content[:1],
            function[function > query][:1],
            function[function < query][-1:],
            seen[rarity == rarity.max()],
            seen[:1],
            seen[-1:],
        )
        return {name: sum(int(key) in keys for key in those) / max(len(those), 1) for name, those in zip(WORDS, found, strict=True)}


def units_of(
    sentence: Sentence, aligned: Aligned, encoding: Encoding, allowed: NDArray[np.bool_], frequent: Collection[str]
) -> Units:
    """What is known of the units of a sentence; frequent: the corpus' frequent words and signs, in small letters."""
    words = [[sentence.words[word].lower() for word in unit] for unit in aligned.words]
    is_content = np.array([any(word not in frequent for word in unit) for unit in words], bool)
    is_mark = np.array([all(is_punctuation(word) for word in unit) for unit in words], bool)
    ids = encoding.ids[aligned.first : aligned.first + aligned.n_token]
    rarity = np.array([ids[list(group)].max() for group in aligned.groups], np.int64)
    return Units(allowed, is_content, ~is_content & ~is_mark, rarity)


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


def mention_guesses(sentence: Sentence, mention: Mention) -> dict[str, float]:
    """What the baselines of Clark et al. 2019, section 4.3, get: the nearest mention before, and the nearest one with the same word
    where there is one. The mentions are those that the corpus names for this one."""
    candidates = sorted((mention.antecedent, *mention.distractors))
    own = sentence.words[mention.mention].lower()
    alike = [word for word in candidates if sentence.words[word].lower() == own]
    return {
        "nearest mention": float(candidates[-1] == mention.antecedent),
        "same word, else nearest": float((alike or candidates)[-1] == mention.antecedent),
    }


def end_guesses(queries: NDArray[np.intp], targets: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> dict[str, float]:
    """What the first and the last token get that a query may look at, itself apart: of all cases together.

    queries: [case]; targets: [case, key]; allowed: [query, key].
    """
    seen = allowed[queries] & (np.arange(allowed.shape[1]) != queries[:, None])
    cases = np.flatnonzero(seen.any(axis=1))
    first, last = seen[cases].argmax(axis=1), seen.shape[1] - 1 - seen[cases][:, ::-1].argmax(axis=1)
    return {"first token": float(targets[cases, first].sum()), "last token": float(targets[cases, last].sum())}


def summed(guesses: Sequence[dict[str, float]]) -> dict[str, float]:
    """What each guess gets of all cases."""
    return {name: sum(one[name] for one in guesses) for name in guesses[0]} if guesses else {}


def is_punctuation(text: str) -> bool:
    """Whether there is nothing but punctuation in a token."""
    return bool(text) and all(category(sign).startswith("P") for sign in text)
