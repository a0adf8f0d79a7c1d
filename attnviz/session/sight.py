"""What a view shows of a trace: tokens or words, and who looks at whom among them, with sinks treated as the view says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from attnviz.analysis.places import as_slice
from attnviz.engine.heads import hidden_keys
from attnviz.errors import never
from attnviz.session.leaving_out import leave_out, mean_of, of_words, seen_of, share_of, sinks_of
from attnviz.session.units import Units, tokens_of_kind, units_of
from attnviz.session.weights import MEAN, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attnviz.analysis.between import Between
    from attnviz.engine.config import Kind, Looking
    from attnviz.engine.ops import Float32
    from attnviz.engine.tokenizer import Token
    from attnviz.engine.trace import Trace
    from attnviz.session.leaving_out import Seen
    from attnviz.session.view import Quantity, Sinks, View

# The attentions of an encoder-decoder as a person reads them.
KIND_NAMES: Final[dict[Kind, str]] = {
    "encoder": "Encoder",
    "decoder": "Decoder",
    "cross": "Decoder \N{RIGHTWARDS ARROW} encoder",
}


@dataclass(frozen=True)
class Shares:
    """Where the weight of a row went: mean shares over the visible queries, 0 to 1.

    sinks: to the tokens that count as sinks, taken out or dimmed; apart: to pairs of tokens that the view leaves out; learned: to
    the model's own sink, which is no token (gpt-oss); shown: what is left, of rows that are scaled to their whole that whole;
    empty: the share of rows with nothing left.
    """

    sinks: float = 0.0
    apart: float = 0.0
    learned: float = 0.0
    shown: float = 1.0
    empty: float = 0.0


@dataclass(frozen=True, eq=False)
class Sight:
    """One layer's weights as a picture shows them; each is equal to itself alone.

    units: its tokens or words; heads: the head of each map, MEAN for one of several heads; n_head: of how many heads the
    maps are; weights: [map, query, key], 0 for what
    is taken out; with_sinks: the same before sinks were taken out; total: [map, query] what each row was at first; taken, apart,
    learned: [map, query] the shares of each row that go to sinks, taken out or not, to pairs of texts that are left out, and to
    the model's own sink; shares: their means;
    quantity: what the weights are, which differs from the view's where that one is not defined; scale: the largest weight
    that can be (1), or for norms the largest that there is;
    visible: the units on the picture; queries, keys: those of them that look and that can be looked at, as far as the view leaves
    them anything; quiet: those whose part as keys is taken out or dimmed; between: which pairs of two texts are left;
    masked: [query, key] which keys a query of the model may not look at, None if it may look at all.
    """

    kind: Kind
    layer: int
    units: Units
    heads: tuple[int, ...]
    n_head: int
    weights: Float32
    with_sinks: Float32
    total: Float32
    taken: Float32
    apart: Float32
    learned: Float32
    shares: Shares
    quantity: Quantity
    scale: float
    visible: tuple[int, ...]
    queries: tuple[int, ...]
    keys: tuple[int, ...]
    quiet: frozenset[int]
    sinks: Sinks
    between: Between
    masked: NDArray[np.bool_] | None
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
    def rows(self) -> list[int]:
        """The rows of the visible queries in the weights."""
        return [query - self.units.first_query for query in self.queries]

    @property
    def shown(self) -> Float32:
        """The weights of the visible queries and keys, [map, row, column]."""
        return self.weights[:, as_slice(self.rows)][:, :, as_slice(self.keys)]

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

    def in_focus(self, focus: int | None) -> int | None:
        """The position of the visible unit that holds the token at a position; None if there is none."""
        unit = None if focus is None else self.units.unit_at(focus)
        return self.position(unit) if unit in self.visible else None


def kind_of(trace: Trace, view: View) -> Kind:
    """The kind of attention that a view shows of a trace: the one it names if the model has it, else the model's first."""
    return view.kind if view.kind in trace.kinds else trace.kinds[0]


def tokens_of(trace: Trace, view: View) -> tuple[Token, ...]:
    """The tokens of a picture, in order, whether or not it merges them."""
    return tokens_of_kind(trace, kind_of(trace, view))


def carried_focus(trace: Trace, before: View, after: View) -> int | None:
    """The position that the token in focus has after a change of the kind of attention; None if it is not on the picture then."""
    before_kind, after_kind, focus = kind_of(trace, before), kind_of(trace, after), before.focus
    if focus is None or before_kind == after_kind:
        return focus
    n_encoder = len(trace.encoding.tokens)  # in a picture of both sides the encoder's stand first
    side, at = before_kind, focus
    if before_kind == "cross":
        side, at = ("encoder", focus) if focus < n_encoder else ("decoder", focus - n_encoder)
    if after_kind == "cross":
        return at if side == "encoder" else at + n_encoder
    return at if side == after_kind else None


def heads_of(trace: Trace, view: View) -> list[int]:
    """The heads that a view shows of a trace, ascending."""
    return sorted(view.shown_heads(trace.head_count_of(kind_of(trace, view))))


def quantity_of(trace: Trace, view: View) -> Quantity:
    """The quantity that a view shows of a trace: rollout is not defined where a decoder looks at an encoder."""
    return "attention" if view.quantity == "rollout" and kind_of(trace, view) == "cross" else view.quantity


def is_one_map(trace: Trace, view: View) -> bool:
    """Whether a view makes one map of the heads that it shows."""
    return view.is_mean or quantity_of(trace, view) == "rollout"


# The newest sights of each trace, which several parts of a window and each movement of the pointer ask for; they go with it.
_KEPT: WeakKeyDictionary[Trace, dict[tuple[object, ...], Sight]] = WeakKeyDictionary()
_N_KEPT, _MOST_BYTES = 4, 128 << 20  # a sight of 32 heads and 2,048 tokens has 1 GiB: of such the newest is kept alone
_LOCK = Lock()  # figures are made on threads of their own


def sight_of(trace: Trace, view: View, cancelled: Callable[[], bool] = never) -> Sight:
    """What a view shows of a trace. Raises IndexError for a layer that the model does not have, Cancelled between the layers of a
    rollout once `cancelled()` says so."""
    kept = kept_sight(trace, view)
    if kept is not None:
        return kept
    made = make_sight(trace, view, cancelled)
    with _LOCK:
        sights = _KEPT.setdefault(trace, {})
        sights[sight_key(trace, view)] = made
        while len(sights) > 1 and (len(sights) > _N_KEPT or sum(map(_n_bytes, sights.values())) > _MOST_BYTES):
            del sights[next(iter(sights))]
    return made


def kept_sight(trace: Trace, view: View) -> Sight | None:
    """The sight that `sight_of` would give, if it is there already; None if it would have to be made."""
    with _LOCK:
        return _KEPT.get(trace, {}).get(sight_key(trace, view))


def sight_key(trace: Trace, view: View) -> tuple[object, ...]:
    """What a sight depends on, besides the trace: two views of one key have the same sight."""
    heads = tuple(heads_of(trace, view))
    return (kind_of(trace, view), view.layer, heads, view.quantity, view.is_mean, view.words, view.sinks, view.between)


def frame_of(trace: Trace, view: View) -> Sight:
    """The sight of a view without its weights, of which there is no row and no share: which units there are, and who looks at whom.

    Its heads are those that there would be maps of. It takes some milliseconds where the weights take seconds.
    """
    return _framed(trace, view)[0]


def make_sight(trace: Trace, view: View, cancelled: Callable[[], bool] = never) -> Sight:
    """The same as `sight_of`, made anew and not kept: for somebody who goes through all layers."""
    frame, sink, seen = _framed(trace, view)
    kind, units, quantity = frame.kind, frame.units, frame.quantity
    whole = weights_of(trace, kind, view.layer, heads_of(trace, view), quantity, view.is_mean, cancelled)
    weights, total, learned = whole if not units.are_words else of_words(units, *whole)
    left = leave_out(weights, total, sink[: units.n_key], seen.pairs, view.sinks)
    rows, keys = seen.queries - units.first_query, seen.keys
    scale = 1.0
    if quantity == "norms":
        loud = keys[~np.isin(keys, list(frame.quiet))]
        scale = max(float(left.weights[:, rows][:, :, loud].max(initial=0.0)), 1e-9)
    shown = share_of(left.weights.sum(-1), total)
    return replace(
        frame,
        weights=left.weights,
        with_sinks=left.with_sinks,
        total=total,
        taken=left.taken,
        apart=left.apart,
        learned=share_of(learned, total),
        shares=Shares(
            mean_of(left.taken, rows),
            mean_of(left.apart, rows),
            mean_of(share_of(learned, total), rows),
            mean_of(shown, rows),
            mean_of((shown <= 0).astype(np.float32), rows),
        ),
        scale=scale,
        masked=_masked(trace, kind, units, trace.config.stack_of(kind).looks[view.layer], quantity),
    )


def _framed(trace: Trace, view: View) -> tuple[Sight, NDArray[np.bool_], Seen]:
    """The frame of a view's sight, which of its units are sinks, and what is seen."""
    kind, heads = kind_of(trace, view), tuple(heads_of(trace, view))
    units = units_of(trace, kind, view.words)
    sink = sinks_of(units, view.sinks.kinds)
    seen = seen_of(trace, units, view, sink)
    nothing = np.empty((0, len(units.query_groups), 0), np.float32)
    no_rows = np.empty((0, len(units.query_groups)), np.float32)
    frame = Sight(
        kind=kind,
        layer=view.layer,
        units=units,
        heads=(MEAN,) * bool(heads) if is_one_map(trace, view) else heads,
        n_head=len(heads),
        weights=nothing,
        with_sinks=nothing,
        total=no_rows,
        taken=no_rows,
        apart=no_rows,
        learned=no_rows,
        shares=Shares(),
        quantity=quantity_of(trace, view),
        scale=1.0,
        visible=tuple(seen.visible.tolist()),
        queries=tuple(seen.queries.tolist()),
        keys=tuple(seen.keys.tolist()),
        quiet=frozenset(np.flatnonzero(sink & (view.sinks.treatment != "show")).tolist()),
        sinks=view.sinks,
        between=seen.between,
        masked=None,
        is_causal=trace.config.stack_of(kind).looks[view.layer].is_causal and kind != "cross",
    )
    return frame, sink, seen


def _masked(trace: Trace, kind: Kind, units: Units, look: Looking, quantity: Quantity) -> NDArray[np.bool_] | None:
    """Which units a unit may not look at: those none of whose tokens any of its own may look at. A rollout goes on through the
    layers, where a window is no bound."""
    if kind == "cross":
        return None
    look = look if quantity != "rollout" else replace(look, reach=None)
    hidden = hidden_keys(len(trace.queries(kind)), len(trace.keys(kind)), look)
    if hidden is None or not units.are_words:
        return hidden
    starts = [place.start for place in units.places]
    return np.logical_and.reduceat(np.logical_and.reduceat(hidden, starts, axis=0), starts, axis=1)


def _n_bytes(sight: Sight) -> int:
    return sight.weights.nbytes + (sight.with_sinks.nbytes if sight.with_sinks is not sight.weights else 0)
