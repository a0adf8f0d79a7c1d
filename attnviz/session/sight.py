"""What a view shows of a trace: tokens or words, and who looks at whom among them, with sinks treated as the view says."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final
from unicodedata import category
from weakref import WeakKeyDictionary

import numpy as np

from attnviz.analysis.between import between_texts
from attnviz.analysis.sinks import without_keys
from attnviz.analysis.words import merge_to_words
from attnviz.session.units import Units, tokens_of_kind, units_of
from attnviz.session.weights import MEAN, weights_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.analysis.between import Between
    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.tokenizer import Token
    from attnviz.engine.trace import Trace
    from attnviz.session.view import Quantity, SinkKind, Sinks, View

# The attentions of an encoder-decoder as a person reads them.
KIND_NAMES: Final[dict[Kind, str]] = {
    "encoder": "Encoder",
    "decoder": "Decoder",
    "cross": "Decoder \N{RIGHTWARDS ARROW} encoder",
}


@dataclass(frozen=True)
class Shares:
    """Where a row's weight went before anything is chosen to be drawn: mean shares over the visible queries, 0 to 1.

    sinks: to the tokens that count as sinks, taken out or dimmed; apart: to pairs of tokens that the view leaves out; learned: to
    the model's own sink, which is no token (gpt-oss). What is left is shown.
    """

    sinks: float = 0.0
    apart: float = 0.0
    learned: float = 0.0


@dataclass(frozen=True)
class Sight:
    """One layer's weights as a picture shows them.

    units: its tokens or words; heads: the head of each map, MEAN for one of several heads; weights: [map, query, key], 0 for what
    is taken out; with_sinks: the same before sinks were taken out; total: [map, query] what each row was at first, and is shared
    out in `shares`; taken: [map, query] the share of each row that goes to sinks, taken out or not;
    quantity: what the weights are, which differs from the view's where that one is not defined; scale: the largest weight
    that can be (1), or for norms the largest that there is;
    visible: the units on the picture; queries, keys: those of them that look and that can be looked at, as far as the view leaves
    them anything; quiet: those whose part as keys is taken out or dimmed; between: which pairs of two texts are left.
    """

    kind: Kind
    layer: int
    units: Units
    heads: tuple[int, ...]
    weights: Float32
    with_sinks: Float32
    total: Float32
    taken: Float32
    shares: Shares
    quantity: Quantity
    scale: float
    visible: tuple[int, ...]
    queries: tuple[int, ...]
    keys: tuple[int, ...]
    quiet: frozenset[int]
    sinks: Sinks
    between: Between
    is_causal: bool

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The units as tokens, in order; those from `first_query` on look, those before `n_key` are looked at."""
        return self.units.tokens

    @property
    def first_query(self) -> int:
        """The first unit that looks."""
        return self.units.first_query

    @property
    def dimmed(self) -> frozenset[int]:
        """The keys that are drawn faintly."""
        return self.quiet if self.sinks.treatment == "dim" else frozenset()

    def is_query(self, unit: int) -> bool:
        """Whether a unit of the picture looks at others."""
        return unit >= self.units.first_query

    def is_key(self, unit: int) -> bool:
        """Whether a unit of the picture can be looked at."""
        return unit < self.units.n_key

    def position(self, unit: int) -> int:
        """The position of a unit's first token among the picture's tokens, by which it is known everywhere else."""
        return self.units.places[unit].start


def kind_of(trace: Trace, view: View) -> Kind:
    """The kind of attention that a view shows of a trace: the one it names if the model has it, else the model's first."""
    return view.kind if view.kind in trace.kinds else trace.kinds[0]


def tokens_of(trace: Trace, view: View) -> tuple[Token, ...]:
    """The tokens of a picture, in order, whether or not it merges them."""
    return tokens_of_kind(trace, kind_of(trace, view))


def heads_of(trace: Trace, view: View) -> list[int]:
    """The heads that a view shows of a trace, ascending."""
    return sorted(view.shown_heads(trace.head_count_of(kind_of(trace, view))))


# The newest sights of each trace, which several parts of a window and each movement of the pointer ask for; they go with it.
_KEPT: WeakKeyDictionary[Trace, dict[tuple[object, ...], Sight]] = WeakKeyDictionary()
_N_KEPT = 4
_LOCK = Lock()  # figures are made on threads of their own


def sight_of(trace: Trace, view: View) -> Sight:
    """What a view shows of a trace. Raises IndexError for a layer that the model does not have."""
    heads = tuple(heads_of(trace, view))
    key = (kind_of(trace, view), view.layer, heads, view.quantity, view.is_mean, view.words, view.sinks, view.between)
    with _LOCK:
        kept = _KEPT.get(trace, {}).get(key)
    if kept is not None:
        return kept
    made = make_sight(trace, view)
    with _LOCK:
        sights = _KEPT.setdefault(trace, {})
        while len(sights) >= _N_KEPT:
            del sights[next(iter(sights))]
        sights[key] = made
    return made


def make_sight(trace: Trace, view: View) -> Sight:
    """The same, made anew and not kept: for somebody who goes through all layers."""
    kind = kind_of(trace, view)
    heads = tuple(heads_of(trace, view))
    units = units_of(trace, kind, view.words)
    quantity: Quantity = "attention" if kind == "cross" and view.quantity == "rollout" else view.quantity
    weights, total, learned = weights_of(trace, kind, view.layer, heads, quantity, view.is_mean)
    if units.are_words:
        queries = units.query_groups
        weights = merge_to_words(weights, queries, units.key_groups)
        total, learned = (_means(rows, queries) for rows in (total, learned))
    sink = np.array([_is_sink(units, unit, view.sinks.kinds) for unit in range(len(units.tokens))], bool)
    is_special = np.array([token.is_special for token in units.tokens], bool)
    gone = sink & view.sinks.are_taken_out
    left, taken = without_keys(weights, total, sink[: units.n_key], view.sinks.treatment == "renormalise")
    with_sinks, weights = weights, left if view.sinks.are_taken_out else weights
    between: Between = view.between if len({token.sequence for token in units.tokens}) > 1 and kind == "encoder" else "all"
    visible = np.flatnonzero(~(gone & is_special))
    queries = visible[visible >= units.first_query]
    keys = np.array([unit for unit in visible if unit < units.n_key and not gone[unit]], np.intp)
    apart = 0.0
    if between != "all":
        pairs = _pairs(units, between)
        queries = queries[pairs[queries].any(axis=1)]
        keys = keys[pairs[queries][:, keys].any(axis=0)]
        whole, weights = weights, np.where(pairs, weights, np.float32(0))
        apart = _mean_share((whole - weights).sum(-1), total, queries)
    rows = queries - units.first_query
    look = trace.config.stack_of(kind).looks[0]
    loud = weights[:, rows][:, :, keys[~sink[keys]]]
    return Sight(
        kind=kind,
        layer=view.layer,
        units=units,
        heads=(MEAN,) if quantity == "rollout" or (view.is_mean and heads) else heads,
        weights=weights,
        with_sinks=with_sinks,
        total=total,
        taken=taken,
        shares=Shares(_mean(taken, rows), apart, _mean_share(learned, total, rows)),
        quantity=quantity,
        scale=max(float(loud.max(initial=0.0)), 1e-9) if quantity == "norms" else 1.0,
        visible=tuple(visible.tolist()),
        queries=tuple(queries.tolist()),
        keys=tuple(keys.tolist()),
        quiet=frozenset(np.flatnonzero(sink).tolist()) if view.sinks.treatment != "show" else frozenset(),
        sinks=view.sinks,
        between=between,
        is_causal=look.is_causal and kind != "cross",
    )


def _is_sink(units: Units, unit: int, kinds: frozenset[SinkKind]) -> bool:
    """Whether a unit is one of those kinds of sinks; only what can be looked at is, and special tokens beside it."""
    token = units.tokens[unit]
    if token.is_special:
        return "special" in kinds or (unit == 0 and "first" in kinds)
    if unit >= units.n_key:
        return False
    return (unit == 0 and "first" in kinds) or ("punctuation" in kinds and all(category(char)[0] == "P" for char in token.shown))


def _pairs(units: Units, between: Between) -> NDArray[np.bool_]:
    """Which queries and keys, [query, key], belong to the texts that the view asks for."""
    texts = np.array([token.sequence for token in units.tokens], np.intp)
    return between_texts(texts[units.first_query :], texts[: units.n_key], between)


def _means(rows: Float32, groups: tuple[range, ...]) -> Float32:  # [map, query] -> [map, word]
    return np.stack([rows[:, group.start : group.stop].mean(axis=1) for group in groups], axis=1)


def _mean(share: Float32, rows: NDArray[np.intp]) -> float:
    return float(share[:, rows].mean(dtype=np.float64)) if share[:, rows].size else 0.0


def _mean_share(part: Float32, total: Float32, rows: NDArray[np.intp]) -> float:
    """The mean over rows of a part of the row's total; rows of nothing count as 0."""
    share = np.divide(part, total, out=np.zeros_like(total), where=total > 0)
    return max(0.0, _mean(share, rows))
