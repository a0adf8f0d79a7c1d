"""What is measured of each head, with the source of each definition, and what a role asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attnviz.corpus.relations import Relation

Group = Literal["place", "rest", "grammar", "reference", "copy", "rare", "spread"]
Unit = Literal["share", "accuracy", "nats", "tokens"]
GROUPS: Final[dict[Group, str]] = {
    "place": "position",
    "grammar": "grammar and meaning",
    "reference": "reference",
    "copy": "copies",
    "rare": "rare tokens",
    "rest": "resting places",
    "spread": "spread",
}
# A role's interval has to begin so far above its baseline.
MARGIN: Final = 0.10
# Fewer cases, or in fewer texts, are no evidence.
LEAST_CASES: Final = 20
LEAST_TEXTS: Final = 10
# Fixed offsets that are looked at besides the neighbours.
OFFSETS: Final = tuple(offset for offset in range(-8, 9) if abs(offset) >= 2)

CLARK: Final = 'Clark et al. 2019, "What Does BERT Look At?"'
VOITA: Final = 'Voita et al. 2019, "Analyzing Multi-Head Self-Attention"'
_SYNTAX: Final = f"{CLARK}, section 4.2; the margin above the best offset is that of {VOITA}, section 5.3"
VIG: Final = 'Vig & Belinkov 2019, "Analyzing the Structure of Attention in a Transformer Language Model"'
OLSSON: Final = 'Olsson et al. 2022, "In-context Learning and Induction Heads"'
WU: Final = 'Wu et al. 2024, "Retrieval Head Mechanistically Explains Long-Context Factuality"'
GU: Final = 'Gu et al. 2025, "When Attention Sink Emerges in Language Models"'


@dataclass(frozen=True)
class Measure:
    """One thing that is measured of each head.

    key: its name in files; title: what a head with that role does; brief: the same in a few letters where that is long;
    unit: "share" of attention, "accuracy" of the largest weights, "nats" or "tokens"; threshold: the published score that a role
    asks for, None where the margin above the baseline is all; is_role: False for a number that says something of a head and is no
    job; counts: what is counted, in one sentence.
    """

    key: str
    group: Group
    title: str
    unit: Unit
    counts: str
    source: str
    threshold: float | None = None
    is_role: bool = True
    relation: str | None = None
    is_forward: bool = True
    offset: int | None = None
    brief: str = ""

    @property
    def short(self) -> str:
        """The title in a few letters, for a chip."""
        return self.brief or self.title


_NEIGHBOUR: Final = "mean weight of a token on the {} one of the text, of all its attention"
_PLACES: Final = (
    Measure(
        "previous",
        "place",
        "previous token",
        "share",
        _NEIGHBOUR.format("previous"),
        f"{CLARK}, section 3.1; the threshold is that of the authors' notebook",
        0.5,
    ),
    Measure(
        "next",
        "place",
        "next token",
        "share",
        _NEIGHBOUR.format("next"),
        f"{CLARK}, section 3.1; the threshold is that of the authors' notebook",
        0.5,
    ),
    Measure(
        "same",
        "place",
        "same token",
        "share",
        "mean weight of a token on itself",
        f"{CLARK}, section 3.1; the threshold is that of its neighbours",
        0.5,
    ),
)
_RESTS: Final = (
    Measure(
        "first",
        "rest",
        "first token",
        "share",
        "mean weight on the first position",
        f"{GU}; the threshold is that of the notebook of {CLARK}, for [CLS]",
        0.6,
    ),
    Measure(
        "separators",
        "rest",
        "separators",
        "share",
        "mean weight on specials behind the first position",
        f"{CLARK}, section 3.2",
        0.6,
    ),
    Measure(
        "punctuation",
        "rest",
        "punctuation",
        "share",
        "mean weight on punctuation marks",
        f"{CLARK}, section 3.2; the threshold is that of the authors' notebook",
        0.6,
    ),
)
_SPREAD: Final = (
    Measure("entropy", "spread", "entropy", "nats", "mean entropy of the rows", f"{CLARK}, section 3.3", is_role=False),
    Measure("distance", "spread", "distance", "tokens", "mean distance of what is looked at", f"{VIG}, section 4.2", is_role=False),
    Measure("sinks", "spread", "share on sinks", "share", "mean weight on specials and the first token", GU, is_role=False),
)
_RARE: Final = Measure(
    "rare",
    "rare",
    "rarest token",
    "accuracy",
    "how often a token's largest weight, itself and specials apart, is on the sentence's rarest token, by the vocabulary's order",
    f"{VOITA}, section 5.4; the threshold is half of the cases (the head described there reaches 0.66)",
    0.5,
)
_COPIES: Final = (
    Measure(
        "duplicate",
        "copy",
        "copies of the same token",
        "share",
        "mean weight of a token on its copies in random tokens repeated four times; of a causal model on the earlier ones",
        'Wang et al. 2022, "Interpretability in the Wild"; no threshold is published, this is that of induction',
        0.4,
        brief="copies",
    ),
    Measure(
        "induction",
        "copy",
        "token after an earlier copy",
        "share",
        "mean weight of a token on those that followed its earlier copies, in random tokens repeated four times",
        f'{OLSSON}, "prefix matching"; no threshold is published, 0.4 is that of the ARENA exercises (McDougall et al. 2023)',
        0.4,
        brief="induction",
    ),
    Measure(
        "retrieval",
        "copy",
        "retrieval",
        "accuracy",
        "share of the tokens to be found again for which the largest weight is on them and the model says them next",
        f"{WU}, section 2",
        0.1,
    ),
)
_REFERENCE: Final = (
    Measure(
        "pronoun",
        "reference",
        "pronoun → antecedent",
        "accuracy",
        "how often a pronoun's largest weight, itself and specials apart, is on its antecedent",
        f"{CLARK}, section 4.3",
        brief="pronoun",
    ),
    Measure(
        "name",
        "reference",
        "later mention → earlier one",
        "accuracy",
        "how often the largest weight of a name or noun, itself and specials apart, is on its earlier mention",
        f"{CLARK}, section 4.3",
        brief="mention",
    ),
    Measure(
        "prefers",
        "reference",
        "antecedent before distractors",
        "accuracy",
        "how often a pronoun gives its antecedent more weight than any distractor",
        "the preference that Winograd schemas test (Levesque et al. 2012)",
        is_role=False,
    ),
    Measure(
        "flips",
        "reference",
        "both of a pair",
        "accuracy",
        "how often a pronoun prefers the antecedent in both of two sentences that differ in the word that decides",
        "Winograd schemas (Levesque et al. 2012)",
        is_role=False,
    ),
)


def measures_of(relations: Mapping[str, Relation]) -> tuple[Measure, ...]:
    """All measures, in the order in which they are shown; relations: those that the corpus may have."""
    offsets = tuple(_offset(offset) for offset in OFFSETS)
    grammar = tuple(_relation(relation, forward) for relation in relations.values() for forward in (True, False))
    return (*_PLACES, *offsets, *grammar, *_REFERENCE, *_COPIES, _RARE, *_RESTS, *_SPREAD)


def relation_key(relation: str, is_forward: bool) -> str:
    """The key of the measure of a relation in one direction."""
    return f"{relation}{'>' if is_forward else '<'}"


def _relation(relation: Relation, is_forward: bool) -> Measure:
    first, second = (relation.first, relation.second) if is_forward else (relation.second, relation.first)
    return Measure(
        key=relation_key(relation.name, is_forward),
        group="grammar",
        title=relation.title(is_forward),
        unit="accuracy",
        counts=f"how often the largest weight of “{first}”, itself and specials apart, is on “{second}”",
        source=_SYNTAX if relation.is_role else "no published definition: a number, and no role",
        is_role=relation.is_role,
        relation=relation.name,
        is_forward=is_forward,
        brief=relation.short(is_forward),
    )


def _offset(offset: int) -> Measure:
    n, way = abs(offset), "back" if offset < 0 else "ahead"
    return Measure(
        key=f"offset{offset:+d}",
        group="place",
        title=f"{n} tokens {way}",
        unit="accuracy",
        counts=f"how often a token's largest weight, specials apart, is on the one {n} places {way}",
        source=f"{VOITA}, section 5.2, of the neighbours",
        threshold=0.9,
        offset=offset,
        brief=f"{offset:+d}",
    )
