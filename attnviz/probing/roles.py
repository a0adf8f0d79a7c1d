"""Which heads have which roles: what was measured, against what each role asks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from attnviz.analysis.bootstrap import interval
from attnviz.engine.model import nowhere
from attnviz.errors import never
from attnviz.probing.kept import Shelf
from attnviz.probing.measures import LEAST_CASES, LEAST_TEXTS, MARGIN
from attnviz.probing.numbers import mute_heads, muted_texts, parts_of, read_numbers
from attnviz.probing.plan import plan_for
from attnviz.probing.scores import score_measures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.corpus.corpus import Corpus
    from attnviz.engine.config import Kind
    from attnviz.engine.model import Model
    from attnviz.engine.ops import Float32
    from attnviz.probing.measures import Measure
    from attnviz.probing.plan import Plan
    from attnviz.probing.scores import Measured


@dataclass(frozen=True)
class Role:
    """A job that a head measurably does. score, low, high: with the ends of the interval; baseline: the best one's score."""

    measured: Measured
    layer: int
    head: int

    @property
    def measure(self) -> Measure:
        """What it does."""
        return self.measured.measure

    @property
    def score(self) -> float:
        """Over the corpus."""
        return float(self.measured.score[self.layer, self.head])

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return float(self.measured.low[self.layer, self.head])

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return float(self.measured.high[self.layer, self.head])

    @property
    def baseline(self) -> float:
        """The best baseline's score."""
        return self.measured.baseline.score

    @property
    def above(self) -> float:
        """How far the interval's lower end is above the baseline."""
        return self.low - self.baseline


@dataclass(frozen=True)
class Importance:
    """How much the final vectors turn when a head is muted, 1 - the mean cosine to those of the whole model, 0 to 2: the mean over
    n_text sentences with the ends of its interval, [layer, head]."""

    score: Float32
    low: Float32
    high: Float32
    n_text: int


@dataclass(frozen=True)
class HeadRoles:
    """All that was measured of a model's heads over a corpus, as they were trained.

    kind: of the attention that was measured; of an encoder-decoder the encoder's; importance: None where it was left out.
    """

    model: str
    model_sha256: str
    plan: Plan
    kind: Kind
    measured: tuple[Measured, ...]
    importance: Importance | None
    is_causal: bool

    @property
    def corpus(self) -> Corpus:
        """What it was measured over."""
        return self.plan.corpus

    @property
    def n_layer(self) -> int:
        """The number of layers."""
        return self.measured[0].score.shape[0]

    @property
    def n_head(self) -> int:
        """The number of heads of each layer."""
        return self.measured[0].score.shape[1]

    @cached_property
    def by_key(self) -> dict[str, Measured]:
        """What was measured, by the measures' keys."""
        return {measured.measure.key: measured for measured in self.measured}

    @cached_property
    def _roles(self) -> dict[tuple[int, int], tuple[Role, ...]]:
        found: dict[tuple[int, int], list[Role]] = {}
        for measured in self.measured:
            for layer, head in np.argwhere(holds(measured)):
                at = int(layer), int(head)
                found.setdefault(at, []).append(Role(measured, *at))
        return {
            at: tuple(sorted(roles, key=lambda role: (role.measure.group == "rest", -role.above))) for at, roles in found.items()
        }

    def roles(self, layer: int, head: int) -> tuple[Role, ...]:
        """The roles of a head, jobs before resting places, the clearest first; () for none found."""
        return self._roles.get((layer, head), ())

    def heads_with(self, key: str) -> list[tuple[int, int]]:
        """The heads that have the role of a measure, the clearest first."""
        measured = self.by_key[key]
        found = [(int(layer), int(head)) for layer, head in np.argwhere(holds(measured))]
        return sorted(found, key=lambda at: -measured.low[at])


@dataclass(frozen=True)
class Begun:
    """A measuring whose numbers are not all kept: how many of its parts are, and of how many sentences it is."""

    done: int
    total: int
    n_sentence: int


def holds(measured: Measured) -> np.ndarray:
    """Which heads have the role, [layer, head]: enough cases, the published threshold reached, and the interval's lower end MARGIN
    above the best baseline."""
    measure, baseline = measured.measure, measured.baseline
    if not measure.is_role or baseline is None or measured.n_case < LEAST_CASES or measured.n_text < LEAST_TEXTS:
        return np.zeros(measured.score.shape, bool)
    reaches = True if measure.threshold is None else measured.score >= measure.threshold
    return reaches & (measured.low >= baseline.score + MARGIN)


def measure_heads(
    model: Model,
    corpus: Corpus,
    *,
    muted: int | None = None,
    shelf: Shelf | None = None,
    cancelled: Callable[[], bool] = never,
    reading: Callable[[int, int], None] = nowhere,
    muting: Callable[[int, int], None] = nowhere,
) -> HeadRoles:
    """What each head of a model, as it was trained, does over a corpus.

    muted: sentences on which heads are muted for their importance, None for as many as the model's size allows, 0 to leave it
    out; shelf: where numbers are kept, None for the one on this machine; reading and muting are called with what is done, and of
    how much.
    Raises InputError for a corpus of which the model can read nothing, ModelError, Cancelled.
    """
    plan = plan_for(model, corpus)
    sha256 = model.read_sum(cancelled)
    shelf = _shelf_of(model, plan, sha256) if shelf is None else shelf
    return _measure(model, plan, sha256, muted_texts(model, plan, muted), shelf, cancelled, reading, muting)


def kept_roles(
    model: Model, corpus: Corpus, *, shelf: Shelf | None = None, cancelled: Callable[[], bool] = never
) -> HeadRoles | Begun:
    """What `measure_heads` gives, where all that it takes is kept; else how much of it is. Nothing is measured.

    Raises as `measure_heads` does.
    """
    plan = plan_for(model, corpus)
    sha256 = model.read_sum(cancelled)
    shelf = _shelf_of(model, plan, sha256) if shelf is None else shelf
    texts = muted_texts(model, plan)
    parts = parts_of(model, plan, texts)
    done = shelf.count(parts)
    if done < len(parts):
        return Begun(done, len(parts), len(corpus.sentences))
    return _measure(model, plan, sha256, texts, shelf, cancelled, nowhere, nowhere)


def _shelf_of(model: Model, plan: Plan, sha256: str) -> Shelf:
    return Shelf.of(sha256, plan.digest, model.config.stack.n_head)


def _measure(
    model: Model,
    plan: Plan,
    sha256: str,
    texts: Sequence[int],
    shelf: Shelf,
    cancelled: Callable[[], bool],
    reading: Callable[[int, int], None],
    muting: Callable[[int, int], None],
) -> HeadRoles:
    """The roles over a plan; texts: those in which heads are muted."""
    is_causal = model.config.stack.looks[0].is_causal
    numbers = read_numbers(model, plan, shelf, cancelled, reading)
    importance = None
    if texts:
        changes = mute_heads(model, plan, texts, shelf, cancelled, muting).changes
        low, high = interval(changes, np.ones(len(texts), np.float32))
        importance = Importance(changes.mean(axis=0), low, high, len(texts))
    shelf.touch()
    measured = score_measures(plan, numbers, is_causal, model.writes, cancelled)
    return HeadRoles(model.name, sha256, plan, model.config.kinds[0], measured, importance, is_causal)
