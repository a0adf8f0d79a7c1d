"""The relations between words that heads are measured on, with Universal Dependencies' names where it has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Relation:
    """first, second: what its two words are, as in "determiner" and "noun"; the first one is the dependent, or else the one that
    needs the other to be understood. deprels: Universal Dependencies' labels that count as it, subtypes apart; () without one.
    nearest, farthest: in words, how far apart its two words have to be to count; brief: its two words in a few letters;
    is_role: False for one of which no head is known to follow it, so that its score is a number and no job.
    """

    name: str
    first: str
    second: str
    deprels: tuple[str, ...] = ()
    nearest: int = 1
    farthest: int | None = None
    brief: tuple[str, str] | None = None
    is_role: bool = True

    def title(self, forward: bool) -> str:
        """The relation as a head follows it: from the first word to the second, or back."""
        return " → ".join((self.first, self.second) if forward else (self.second, self.first))

    def short(self, forward: bool) -> str:
        """The same in a few letters."""
        first, second = self.brief or (self.first, self.second)
        return "→".join((first, second) if forward else (second, first))


_ALL: Final = (
    Relation("det", "determiner", "noun", ("det",), brief=("det", "noun")),
    Relation("amod", "adjective", "noun", ("amod",), brief=("adj", "noun")),
    Relation("nsubj", "subject", "verb", ("nsubj", "nsubj:pass"), brief=("subj", "verb")),
    Relation("obj", "object", "verb", ("obj",), brief=("obj", "verb")),
    Relation("case", "preposition", "its object", ("case",), brief=("prep", "obj")),
    Relation("aux", "auxiliary", "verb", ("aux", "aux:pass"), brief=("aux", "verb")),
    Relation("poss", "possessor", "what is possessed", ("nmod:poss",), brief=("owner", "owned")),
    Relation("compound", "compound", "noun", ("compound",), brief=("comp", "noun")),
    Relation("advmod", "adverb", "what it modifies", ("advmod",), brief=("adv", "head")),
    Relation("relcl", "relative clause", "its noun", ("acl:relcl",), brief=("relcl", "noun")),
    Relation("mark", "marker", "clause", ("mark",), brief=("mark", "clause")),
    Relation("cop", "copula", "predicate", ("cop",), brief=("cop", "pred")),
    Relation("far_nsubj", "far subject", "verb", nearest=5, farthest=20, brief=("far subj", "verb")),
    Relation("agreement", "agreeing verb", "far subject", nearest=5, farthest=20, brief=("agree", "subj")),
    Relation("sense", "ambiguous word", "cue", brief=("sense", "cue"), is_role=False),
)
# By their names. "far_nsubj" is made of "nsubj" by the distance; "agreement" and "sense" are in corpora of the program's own form.
RELATIONS: Final[dict[str, Relation]] = {relation.name: relation for relation in _ALL}
BY_DEPREL: Final[dict[str, str]] = {deprel: relation.name for relation in _ALL for deprel in relation.deprels}
