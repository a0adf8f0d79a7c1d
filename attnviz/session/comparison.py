"""Two runs set against each other: what one view shows of both, which of their tokens are the same, how their weights differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import ReferenceType, WeakKeyDictionary, ref

import numpy as np

from attnviz.analysis.alignment import Alignment, align
from attnviz.errors import InputError
from attnviz.session.sight import is_one_map, kept_sight, kind_of, sight_key, sight_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.engine.tokenizer import Token
    from attnviz.engine.trace import Trace
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View

_Found = TypeVar("_Found")

# Weights that differ by less are the same but for rounding: rows sum to 1, of which float32 keeps some seven digits.
SAME_WITHIN: Final = 1e-6


@dataclass(frozen=True)
class Side:
    """One of two runs, the view as it has it (its own layer, heads and token in focus), and what that shows of it."""

    run: Run
    view: View
    sight: Sight


@dataclass(frozen=True)
class Difference:
    """What A's weights have more than B's, on A's tokens.

    sight: A's, its weights A - B, [map, query, key], 0 where query or key have no counterpart; its queries and keys are those that
    have one, its scale is the largest difference, and units that replace each other have the texts of both; of_a, of_b: both
    sides' weights in the same places; left_out: the parts of A's and of B's shown weight that have no counterpart, 0 to 1;
    alone: the visible units of A and of B without one, by their texts; are_means: the map is of the means of either side's shown
    heads, as the two have other numbers of them; largest: the largest difference either way, of what is not dimmed; is_none:
    whether both runs have the same weights, but for rounding.
    """

    sight: Sight
    of_a: Float32
    of_b: Float32
    left_out: tuple[float, float]
    alone: tuple[tuple[str, ...], tuple[str, ...]]
    are_means: bool
    largest: float
    is_none: bool


@dataclass(frozen=True)
class Comparison:
    """a: the run itself; b: the one that it is compared with; alignment: of their units, special ones never with others;
    scale: the largest weight that can be on either side, for norms the largest that there is; difference: where the view asks."""

    a: Side
    b: Side
    alignment: Alignment
    scale: float
    difference: Difference | None = None

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both sides."""
        return self.a, self.b

    def counterpart(self, unit: int | None) -> int | None:
        """B's unit in the place of one of A's; None where there is none."""
        return None if unit is None else dict(self.alignment.pairs).get(unit)


def comparison_of(run: Run, view: View) -> Comparison | None:
    """What a view shows of a run and of the one that it is compared with; None if it is compared with none.

    B has the view's layer or its last, if it has fewer, and the heads that share numbers with the view's. Their difference is head
    by head where both have as many; else it is that of the means of the shown heads. Raises InputError for the difference of
    weights that have none: of other quantities, or of a decoder that looks at an encoder and a text that looks at itself.
    """
    comparison = side_by_side(run, view)
    if comparison is None or view.setting == "side":
        return comparison
    a, b = comparison.sides

    def make() -> Difference:
        return _difference(comparison, a.view.is_mean and not view.is_mean)

    key = _difference_key(run, view)
    return replace(comparison, difference=_kept(a.run.trace, b.run.trace, "difference", key, make))


def kept_comparison(run: Run, view: View) -> Comparison | None:
    """The comparison that `comparison_of` would give, if all that it takes is there already; None if any of it would have to be
    made, or there is none."""
    if run.against is None:
        return None
    traces = (run.trace, run.against.trace)
    if any(kept_sight(trace, own) is None for trace, own in zip(traces, views_of(run, view), strict=True)):
        return None
    if _known(*traces, "alignment", _alignment_key(run, view)) is None:
        return None
    if view.setting == "difference" and _known(*traces, "difference", _difference_key(run, view)) is None:
        return None
    return comparison_of(run, view)


def side_by_side(run: Run, view: View) -> Comparison | None:
    """The same without the difference, though of what that would be of: the means of runs with other numbers of heads."""
    if run.against is None:
        return None
    a, b = (_side(one, own) for one, own in zip((run, run.against), views_of(run, view), strict=True))

    def make() -> Alignment:
        return align_units(a.sight, b.sight)

    alignment = _kept(a.run.trace, b.run.trace, "alignment", _alignment_key(run, view), make)
    focus = a.sight.units.unit_at(view.focus) if view.focus is not None else None
    counterpart = dict(alignment.pairs).get(focus) if focus is not None else None
    b = replace(b, view=replace(b.view, focus=None if counterpart is None else b.sight.position(counterpart), arc=None))
    return Comparison(a, b, alignment, max(a.sight.scale, b.sight.scale))


# The newest alignment and the newest difference of each run with another, which one gesture asks for several times; they hold
# neither run, and go with A's trace.
_KEPT: WeakKeyDictionary[Trace, dict[str, tuple[ReferenceType[Trace], Hashable, object]]] = WeakKeyDictionary()
_LOCK = Lock()  # figures are made on threads of their own


def _kept(trace: Trace, other: Trace, name: str, key: Hashable, make: Callable[[], _Found]) -> _Found:
    """What was made last of that name, if it was for the same two traces and the same key; else `make()`."""
    known = _known(trace, other, name, key)
    if known is not None:
        return known
    made = make()
    with _LOCK:
        _KEPT.setdefault(trace, {})[name] = (ref(other), key, made)
    return made


def _known(trace: Trace, other: Trace, name: str, key: Hashable) -> object | None:
    with _LOCK:
        last = _KEPT.get(trace, {}).get(name)
    return last[2] if last is not None and last[0]() is other and last[1] == key else None


def _alignment_key(run: Run, view: View) -> Hashable:
    """What an alignment depends on, besides the two traces."""
    return (kind_of(run.trace, view), kind_of(run.against.trace, view), view.words)


def _difference_key(run: Run, view: View) -> Hashable:
    """What a difference depends on, besides the two traces."""
    a, b = views_of(run, view)
    return (view.is_mean, sight_key(run.trace, a), sight_key(run.against.trace, b))


def views_of(run: Run, view: View) -> tuple[View, View]:
    """The view as either run has it: in a layer that it has; for the difference of runs with other numbers of heads, their mean."""
    assert run.against is not None
    sides = (run, run.against)
    counts = {one.trace.head_count_of(kind_of(one.trace, view)) for one in sides}
    has_maps_of_heads = not any(is_one_map(one.trace, view) for one in sides)
    is_mean = view.is_mean or (view.setting == "difference" and len(counts) > 1 and has_maps_of_heads)
    layers = [min(view.layer, one.trace.n_layer_of(kind_of(one.trace, view)) - 1) for one in sides]
    return replace(view, layer=layers[0], is_mean=is_mean), replace(view, layer=layers[1], is_mean=is_mean)


def align_units(one: Sight, other: Sight) -> Alignment:
    """Which units of two sights are the same and which replace each other, by the texts shown, whatever their case.

    All units are aligned, hidden ones too, so that the hiding of sinks moves nothing. Where a decoder looks at an encoder on both
    sides, each side's text by itself. A special token and a written one never stand in each other's place.
    """
    cuts = (one.first_query, other.first_query) if one.kind == other.kind == "cross" else (0, 0)
    parts = []
    for ours, theirs in (((0, cuts[0]), (0, cuts[1])), ((cuts[0], len(one.tokens)), (cuts[1], len(other.tokens)))):
        found = _align(one.tokens[slice(*ours)], other.tokens[slice(*theirs)])
        parts.append(tuple(tuple((i + ours[0], j + theirs[0]) for i, j in pairs) for pairs in (found.same, found.replaced)))
    same, replaced = (sum(found, ()) for found in zip(*parts, strict=True))
    is_special = [[token.is_special for token in sight.tokens] for sight in (one, other)]
    return Alignment(same, tuple((i, j) for i, j in replaced if is_special[0][i] == is_special[1][j]))


def _align(first: Sequence[Token], second: Sequence[Token]) -> Alignment:
    ours, theirs = ([("\0" if token.is_special else "") + token.shown.casefold() for token in side] for side in (first, second))
    if ours == theirs:  # one text, mostly: what is equal need not be searched for
        return Alignment(tuple((i, i) for i in range(len(ours))), ())
    return align(ours, theirs)


def _side(run: Run, view: View) -> Side:
    return Side(run, view, sight_of(run.trace, view))


def _difference(comparison: Comparison, are_means: bool) -> Difference:
    one, other = comparison.a.sight, comparison.b.sight
    if (one.kind == "cross") != (other.kind == "cross"):
        raise InputError(
            "One of these runs shows a decoder that looks at its encoder, the other a text that looks at itself, which have no "
            "difference; set them side by side, or choose another attention."
        )
    if one.quantity != other.quantity:
        raise InputError(f"{one.quantity.capitalize()} and {other.quantity} have no difference; set the two runs side by side.")
    to_b = dict(comparison.alignment.pairs)
    their_queries, their_keys = set(other.queries), set(other.keys)
    queries = tuple(unit for unit in one.queries if to_b.get(unit) in their_queries)
    keys = tuple(unit for unit in one.keys if to_b.get(unit) in their_keys)
    here = np.ix_(range(len(one.weights)), [unit - one.first_query for unit in queries], keys)
    there = np.ix_(range(len(other.weights)), [to_b[unit] - other.first_query for unit in queries], [to_b[unit] for unit in keys])
    of_a, of_b = np.zeros_like(one.weights), np.zeros_like(one.weights)
    of_a[here], of_b[here] = one.weights[here], other.weights[there]
    weights = of_a - of_b
    back = {there: here for here, there in to_b.items()}
    alone = tuple(
        tuple(sight.tokens[unit].shown for unit in sight.visible if unit not in paired)
        for sight, paired in ((one, to_b), (other, back))
    )
    sight = replace(
        one,
        units=replace(one.units, tokens=_named(one, other, comparison.alignment)),
        weights=weights,
        with_sinks=weights,
        queries=queries,
        keys=keys,
        quiet=one.quiet | {unit for unit in one.visible if unit not in to_b},
        masked=_masked(one, other, here, there),
        is_causal=one.is_causal and other.is_causal,
    )
    left_out = (_left_out(one, of_a), _left_out(other, of_b))
    of_keys = _largest_of_keys(weights)
    largest = abs(float(of_keys[[key for key in keys if key not in sight.dimmed]].max(initial=0.0)))
    is_none = bool(of_keys.max(initial=0.0) <= SAME_WITHIN * max(1.0, float(of_a.max(initial=0.0))))
    if is_none:  # rounding alone, which colours would show as if it were something
        weights[:], largest = 0.0, 0.0
    return Difference(replace(sight, scale=max(largest, 1e-9)), of_a, of_b, left_out, alone, are_means, largest, is_none)


def _named(one: Sight, other: Sight, alignment: Alignment) -> tuple[Token, ...]:
    """A's units, those that replace another with the texts of both: "tired/wide"."""
    theirs = dict(alignment.replaced)
    return tuple(
        replace(token, shown=f"{token.shown}/{other.tokens[theirs[unit]].shown}") if unit in theirs else token
        for unit, token in enumerate(one.tokens)
    )


def _masked(one: Sight, other: Sight, here: tuple[object, ...], there: tuple[object, ...]) -> NDArray[np.bool_] | None:
    """Which of A's units may look at which on neither side, [query, key]."""
    if one.masked is None or other.masked is None:
        return None
    masked = one.masked.copy()
    masked[np.ix_(here[1].ravel(), here[2].ravel())] &= other.masked[np.ix_(there[1].ravel(), there[2].ravel())]
    return masked


def _largest_of_keys(weights: Float32) -> Float32:  # [map, query, key] -> [key]
    """The largest size of any weight of each key; without a copy, which of 2,048 tokens and 8 heads takes half a second."""
    return np.maximum(weights.max(axis=(0, 1), initial=0.0), -weights.min(axis=(0, 1), initial=0.0))


def _left_out(sight: Sight, kept: Float32) -> float:
    """The part of a sight's shown weight that is not among `kept`."""
    whole = float(sight.shown.sum(dtype=np.float64))
    left = 1.0 - float(kept.sum(dtype=np.float64)) / whole if whole > 0 else 0.0
    return left if left > SAME_WITHIN else 0.0
