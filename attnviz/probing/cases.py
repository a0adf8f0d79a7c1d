"""What is asked of a text: for each measure the places where heads are looked at, and what they should do there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from attnviz.engine.tokenizer import Encoding
    from attnviz.probing.aligned import Aligned

# What is looked at: "word": units of words, "token": the tokens of the text, "all": those and the specials.
Level = Literal["word", "token", "all"]
# What is counted. "largest": whether the largest weight, a query's own apart where the measure says so, is on a target; "weight":
# the weight on the targets; "prefers": whether the targets have more weight than any rival; "said": as "largest", over all keys,
# where the model also predicts that token next; "entropy" and "distance": of the row.
Way = Literal["largest", "weight", "prefers", "said", "entropy", "distance"]
# The farthest that a fixed offset is tried, in both directions.
FARTHEST: Final = 40


@dataclass(frozen=True)
class Question:
    """Some places of a text, all for one measure.

    queries: [case]; targets, rivals: [case, key], where the right keys are, and those that must not be preferred;
    guessed: by the names of baselines, what each gets of the cases together; by_offset: the same of each fixed offset from
    -FARTHEST to FARTHEST, None where offsets are no baseline; has_self: whether a query's own weight may be the largest.
    """

    measure: str
    way: Way
    level: Level
    queries: NDArray[np.intp]
    targets: NDArray[np.bool_]
    guessed: Mapping[str, float] = field(default_factory=dict)
    by_offset: NDArray[np.float64] | None = None
    rivals: NDArray[np.bool_] | None = None
    has_self: bool = False

    @property
    def n(self) -> int:
        """The number of cases."""
        return len(self.queries)


@dataclass(frozen=True)
class Part:
    """The questions of a text that are counted alike, laid out so that all are counted at once.

    numbers: those of the questions, among the text's; places: of every target of each of them in turn, where its weight is in
    [query x key]; queries, cases: its query, and its case in the question; questions: of those that have a target, their numbers
    in the part; starts: where each of these begins in `places`.
    """

    level: Level
    way: Way
    has_self: bool
    numbers: NDArray[np.intp]
    places: NDArray[np.intp]
    queries: NDArray[np.intp]
    cases: NDArray[np.intp]
    questions: NDArray[np.intp]
    starts: NDArray[np.intp]

    def sums(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The sum over each question's targets: [head, target] -> [head, question]."""
        summed = np.zeros((len(values), len(self.numbers)), np.float32)
        if len(self.starts):
            summed[:, self.questions] = np.add.reduceat(values, self.starts, axis=1)
        return summed


@dataclass(frozen=True)
class Asked:
    """A text that the model is given, and what is looked at in it.

    group: texts of one number are equal or partners, and count as one when cases are drawn anew; half: 0 or 1, of a whole group;
    is_blocked: whether the first token of the text is a resting place like a special; sentence: its number in the corpus, None for
    a generated one; predicted: of a text whose predictions are needed, the places of all tokens from which they are made and the
    numbers of the tokens that should come; partner: the number in the corpus of the sentence that goes with it.
    """

    id: str
    group: int
    half: int
    encoding: Encoding
    aligned: Aligned | None
    questions: tuple[Question, ...]
    is_blocked: bool = False
    sentence: int | None = None
    predicted: tuple[tuple[int, int], ...] = ()
    partner: int | None = None

    @property
    def n_token(self) -> int:
        """All tokens, the specials too."""
        return len(self.encoding.tokens)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The questions, those that are counted alike together."""
        alike: dict[tuple[Level, Way, bool], list[int]] = {}
        for number, question in enumerate(self.questions):
            alike.setdefault((question.level, question.way, question.has_self), []).append(number)
        return tuple(_part(self.questions, numbers, *kind) for kind, numbers in alike.items())


def _part(questions: Sequence[Question], numbers: list[int], level: Level, way: Way, has_self: bool) -> Part:
    cases, keys = zip(*(np.nonzero(questions[number].targets) for number in numbers), strict=True)
    queries = [questions[number].queries[case] for number, case in zip(numbers, cases, strict=True)]
    n_key = questions[numbers[0]].targets.shape[1]
    lengths = np.array([len(case) for case in cases], np.intp)
    found = np.flatnonzero(lengths)
    starts = (np.cumsum(lengths) - lengths)[found]
    rows = np.concatenate(queries)
    places = rows * n_key + np.concatenate(keys)
    return Part(level, way, has_self, np.array(numbers, np.intp), places, rows, np.concatenate(cases), found, starts)


def offset_hits(queries: NDArray[np.intp], targets: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How many cases each fixed offset from -FARTHEST to FARTHEST has right, [offset]."""
    cases, keys = np.nonzero(targets)
    offsets = keys - queries[cases]
    near = offsets[np.abs(offsets) <= FARTHEST] + FARTHEST
    return np.bincount(near, minlength=2 * FARTHEST + 1).astype(np.float64)
