"""Sentences with gold relations between their words: what heads are measured against."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from attnviz.corpus.relations import RELATIONS, Relation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MentionKind = Literal["pronoun", "name", "noun"]
MENTION_KINDS: Final = ("pronoun", "name", "noun")


@dataclass(frozen=True)
class Pair:
    """Two words in a relation, by their numbers in the sentence, from 0. first: the dependent, the later word, the one that needs
    the other; second: its head, or what it needs. `relations.py` says which is which for each relation."""

    relation: str
    first: int
    second: int


@dataclass(frozen=True)
class Mention:
    """A word that stands for something mentioned before. antecedent: the word that it stands for; distractors: other words before
    it that it might stand for, and does not."""

    kind: MentionKind
    mention: int
    antecedent: int
    distractors: tuple[int, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """spans: where each word stands in the text, in characters; partner: the id of the sentence that goes with it, in which its
    pronoun stands for another word, or its ambiguous word means something else; line: of the file that it comes from, from 1."""

    id: str
    text: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    pairs: tuple[Pair, ...] = ()
    mentions: tuple[Mention, ...] = ()
    partner: str | None = None
    line: int = 0


@dataclass(frozen=True)
class Corpus:
    """sha256: of the file's bytes; relations: those that its pairs may have, by their names; path: None for the one that comes
    with the program."""

    name: str
    sentences: tuple[Sentence, ...]
    sha256: str
    path: Path | None = None
    about: str = ""
    relations: Mapping[str, Relation] = field(default_factory=lambda: RELATIONS)

    @cached_property
    def by_id(self) -> dict[str, Sentence]:
        """The sentences by their ids."""
        return {sentence.id: sentence for sentence in self.sentences}
