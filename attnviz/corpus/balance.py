"""How a corpus is balanced: how far its relations reach, and what of them could be guessed without looking at a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING

from attnviz.corpus.corpus import MENTION_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from attnviz.corpus.corpus import Corpus, Mention, MentionKind, Pair, Sentence
    from attnviz.corpus.relations import Relation


@dataclass(frozen=True)
class Reach:
    """How far apart the two words of some links are. least, median, most: in words; offset: the fixed one, from the first word to
    the second, that most links have; explained: their share, 0 to 1; counts: the links by their distance in words."""

    least: int
    median: int
    most: int
    offset: int
    explained: float
    counts: Mapping[int, int]


@dataclass(frozen=True)
class RelationBalance:
    """The links of a relation. n, n_sentence: how many, and in how many sentences; forward: the share whose first word stands
    before the second, 0 to 1."""

    relation: Relation
    n: int
    n_sentence: int
    forward: float
    reach: Reach


@dataclass(frozen=True)
class MentionBalance:
    """The mentions of a kind, with the reach back to their antecedents. n_choice: those that have a distractor; nearest: the
    share of these whose antecedent is the nearest candidate, None without any."""

    kind: MentionKind
    n: int
    n_sentence: int
    n_choice: int
    nearest: float | None
    reach: Reach


@dataclass(frozen=True)
class Partners:
    """Pairs of sentences that differ in one word. antecedent: those in which a pronoun then stands for another word; sense:
    those in which an ambiguous word then means something else."""

    n: int
    antecedent: int
    sense: int


@dataclass(frozen=True)
class Balance:
    """n_word: in all; words: least, median and most of a sentence; never: relations without a case."""

    n_sentence: int
    n_word: int
    words: tuple[int, int, int]
    relations: tuple[RelationBalance, ...]
    never: tuple[Relation, ...]
    mentions: tuple[MentionBalance, ...]
    partners: Partners


def balance_of(corpus: Corpus) -> Balance:
    """What a corpus holds. Words are counted as it has them, whatever a tokenizer would make of them."""
    lengths = sorted(len(sentence.words) for sentence in corpus.sentences)
    found = links_of(corpus)
    return Balance(
        n_sentence=len(lengths),
        n_word=sum(lengths),
        words=(lengths[0], median_low(lengths), lengths[-1]),
        relations=tuple(_relation(corpus.relations[name], links) for name, links in found.items() if links),
        never=tuple(corpus.relations[name] for name, links in found.items() if not links),
        mentions=tuple(_mentions(kind, corpus) for kind in MENTION_KINDS if any(_of_kind(kind, corpus))),
        partners=_partners(corpus),
    )


def links_of(corpus: Corpus) -> dict[str, list[tuple[Sentence, Pair]]]:
    """The pairs of each relation that the corpus may have, far ones made of others by their distance too."""
    found: dict[str, list[tuple[Sentence, Pair]]] = {name: [] for name in corpus.relations}
    for sentence in corpus.sentences:
        for pair in sentence.pairs:
            apart = abs(pair.second - pair.first)
            for name in (pair.relation, f"far_{pair.relation}"):
                relation = corpus.relations.get(name)
                if relation is not None and relation.nearest <= apart <= (relation.farthest or apart):
                    found[name].append((sentence, pair))
    return found


def _relation(relation: Relation, links: Sequence[tuple[Sentence, Pair]]) -> RelationBalance:
    offsets = [pair.second - pair.first for _, pair in links]
    forward = sum(offset > 0 for offset in offsets) / len(offsets)
    return RelationBalance(relation, len(links), len({sentence.id for sentence, _ in links}), forward, _reach(offsets))


def _reach(offsets: Sequence[int]) -> Reach:
    apart = sorted(map(abs, offsets))
    # Of several that are as frequent, the nearest one, and looking back before looking ahead.
    offset, n = min(Counter(offsets).items(), key=lambda one: (-one[1], abs(one[0]), one[0]))
    return Reach(apart[0], median_low(apart), apart[-1], offset, n / len(offsets), dict(sorted(Counter(apart).items())))


def _of_kind(kind: MentionKind, corpus: Corpus) -> Iterator[tuple[Sentence, Mention]]:
    return ((sentence, mention) for sentence in corpus.sentences for mention in sentence.mentions if mention.kind == kind)


def _mentions(kind: MentionKind, corpus: Corpus) -> MentionBalance:
    found = list(_of_kind(kind, corpus))
    choices = [mention for _, mention in found if mention.distractors]
    nearest = sum(mention.antecedent > max(mention.distractors) for mention in choices) / len(choices) if choices else None
    reach = _reach([mention.antecedent - mention.mention for _, mention in found])
    return MentionBalance(kind, len(found), len({sentence.id for sentence, _ in found}), len(choices), nearest, reach)


def _partners(corpus: Corpus) -> Partners:
    pairs = [
        (sentence, corpus.by_id[sentence.partner])
        for sentence in corpus.sentences
        if sentence.partner is not None and sentence.id < sentence.partner
    ]
    antecedent = sum(_stands_for_another(*pair) for pair in pairs)
    sense = sum(all(any(one.relation == "sense" for one in sentence.pairs) for sentence in pair) for pair in pairs)
    return Partners(len(pairs), antecedent, sense)


def _stands_for_another(one: Sentence, other: Sentence) -> bool:
    """Whether a pronoun has another antecedent, in the order of the pronouns."""
    sides = [[s.words[mention.antecedent] for mention in s.mentions if mention.kind == "pronoun"] for s in (one, other)]
    return len(sides[0]) == len(sides[1]) and sides[0] != sides[1]
