"""What a person changes in a run to see what follows: heads muted, weakened or strengthened, attention weights set by hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from attnviz.engine.config import Kind
from attnviz.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

# What muting a head means, by the papers that did it:
# zero: its output is 0 (Michel et al. 2019, "Are Sixteen Heads Really Better than One?", section 2.3);
# uniform: it attends alike to all keys it may see (Kovaleva et al. 2019, "Revealing the Dark Secrets of BERT", on disabling heads);
# frozen: its output is 0, and all heads keep the attention of the run without changes, so that only what the head writes is
# missed and nothing else moves (Olsson et al. 2022, "In-context Learning and Induction Heads", pattern-preserving ablation).
Muting = Literal["zero", "uniform", "frozen"]

STRONGEST: Final = 2.0


class HeadAt(NamedTuple):
    """One head of a run, numbered as the run's head count has it."""

    kind: Kind
    layer: int
    head: int


class WeightAt(NamedTuple):
    """One attention weight of a run; query and key: positions among the tokens of their sides."""

    kind: Kind
    layer: int
    head: int
    query: int
    key: int


@dataclass(frozen=True)
class Changes:
    """muted: heads, and in which way; strengths: factors on the outputs of heads, 0 to 2, none of them 1; weights: attention
    weights set by hand, 0 to 1; what else is in their row is scaled to the rest of it. Both are sorted, one entry each.

    Make one with `with_…`, which keep it so: two that are equal change the same.
    """

    muted: frozenset[HeadAt] = frozenset()
    muting: Muting = "zero"
    strengths: tuple[tuple[HeadAt, float], ...] = ()
    weights: tuple[tuple[WeightAt, float], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return bool(self.muted or self.strengths or self.weights)

    def strength(self, head: HeadAt) -> float:
        """The factor on a head's output, not counting whether it is muted."""
        return dict(self.strengths).get(head, 1.0)

    def weight(self, at: WeightAt) -> float | None:
        """The attention weight that was set there; None if it is the run's own."""
        return dict(self.weights).get(at)

    def with_muted(self, head: HeadAt, is_muted: bool) -> Changes:
        """The same with a head muted, or heard again."""
        return replace(self, muted=self.muted | {head} if is_muted else self.muted - {head})

    def with_muting(self, muting: Muting) -> Changes:
        """The same with another meaning of muting."""
        return replace(self, muting=muting)

    def with_strength(self, head: HeadAt, strength: float) -> Changes:
        """The same with another factor on a head's output."""
        kept = {**dict(self.strengths), head: float(strength)}
        return replace(self, strengths=tuple(sorted((at, value) for at, value in kept.items() if value != 1.0)))

    def with_weight(self, at: WeightAt, weight: float | None) -> Changes:
        """The same with an attention weight set; None gives it back to the run."""
        kept = {**dict(self.weights), at: weight}
        return replace(self, weights=tuple(sorted((at, float(value)) for at, value in kept.items() if value is not None)))

    def without_weights(self) -> Changes:
        """The same without weights set by hand, whose positions mean nothing in another text."""
        return replace(self, weights=())

    def effective(self) -> Changes:
        """The same, or nothing at all where only the meaning of muting differs from it."""
        return self if self.muted else replace(self, muting="zero")

    @property
    def is_frozen(self) -> bool:
        """Whether the heads keep the attention of the run without changes."""
        return self.muting == "frozen" and bool(self.muted)

    @property
    def places(self) -> set[tuple[Kind, int]]:
        """The layers' attentions in which something is changed."""
        heads = [*self.muted, *(head for head, _ in self.strengths)]
        return {(at.kind, at.layer) for at in (*heads, *(at for at, _ in self.weights))}


NOTHING: Final = Changes()


def check_changes(changes: Changes, sizes: dict[Kind, tuple[int, int, int, int]]) -> None:
    """Raises InputError for a head or token that the run does not have, or for a number out of its range.

    sizes: for each kind of attention its layers, heads, queries and keys.
    """
    for at in (*changes.muted, *(head for head, _ in changes.strengths), *(at for at, _ in changes.weights)):
        _check_place(at, sizes)
    for head, strength in changes.strengths:
        if not 0.0 <= strength <= STRONGEST:
            raise InputError(f"Strength {strength:g} of {_name(head)}: a head's strength lies between 0 and {STRONGEST:g}.")
    rows: defaultdict[tuple[Kind, int, int, int], float] = defaultdict(float)
    for at, weight in changes.weights:
        if not 0.0 <= weight <= 1.0:
            raise InputError(f"Weight {weight:g} in {_name(at)}: an attention weight lies between 0 and 1.")
        rows[at[:4]] += weight
    for (kind, layer, head, query), whole in rows.items():
        if whole > 1.0 + 1e-6:
            raise InputError(
                f"The weights set for token {query} in {_name(HeadAt(kind, layer, head))} sum to {whole:.3g}; "
                "a row of attention sums to 1, so set less."
            )


def differing_layers(one: Changes, other: Changes) -> dict[Kind, int]:
    """For each kind of attention the first layer from which on two runs of one text differ, if they do."""
    one, other = one.effective(), other.effective()
    if one == other:
        return {}
    if one.is_frozen or other.is_frozen:
        places = one.places | other.places
    else:
        parts = zip(*(({(at, c.muting) for at in c.muted}, set(c.strengths), set(c.weights)) for c in (one, other)), strict=True)
        places = {(at.kind, at.layer) for a, b in parts for at, _ in a ^ b}
    first: dict[Kind, int] = {}
    for kind, layer in places:
        first[kind] = min(layer, first.get(kind, layer))
    return first


def _check_place(at: HeadAt | WeightAt, sizes: dict[Kind, tuple[int, int, int, int]]) -> None:
    if at.kind not in sizes:
        raise InputError(f'There is no "{at.kind}" attention to change; this model has {", ".join(sizes)}.')
    names: Sequence[str] = ("layer", "head", "query token", "key token")
    for name, number, n in zip(names, at[1:], sizes[at.kind], strict=False):
        if not 0 <= number < n:
            raise InputError(f"There is no {name} {number} to change; this run has {name}s 0 to {n - 1}.")


def _name(at: HeadAt | WeightAt) -> str:
    return f"L{at.layer}.H{at.head}"
