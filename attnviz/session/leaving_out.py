"""What a view leaves of some weights: sinks taken out, pairs of texts left out, pieces merged, and the shares that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category

import numpy as np

from attnviz.analysis.between import between_texts
from attnviz.analysis.sinks import without_keys
from attnviz.analysis.words import merge_to_words
from attnviz.engine.tokenizer import BLANK_SIGNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.analysis.between import Between
    from attnviz.engine.ops import Float32
    from attnviz.engine.tokenizer import Token
    from attnviz.engine.trace import Trace
    from attnviz.session.units import Units
    from attnviz.session.view import SinkKind, Sinks, View


class Seen(NamedTuple):
    """Which units are on the picture, which of them look and can be looked at, and between which pairs, [query, key]."""

    visible: NDArray[np.intp]
    queries: NDArray[np.intp]
    keys: NDArray[np.intp]
    pairs: NDArray[np.bool_] | None
    between: Between


def seen_of(trace: Trace, units: Units, view: View, sink: NDArray[np.bool_]) -> Seen:
    """What of the units a view shows; sink: [unit] which of them count as sinks."""
    gone = sink & view.sinks.are_taken_out
    is_special = np.array([token.is_special for token in units.tokens], bool)
    visible = np.flatnonzero(~(gone & is_special))
    queries = visible[visible >= units.first_query]
    keys = visible[(visible < units.n_key) & ~gone[visible]]
    if view.between == "all" or not has_two_texts(trace):
        return Seen(visible, queries, keys, None, "all")
    texts = np.array([token.sequence for token in units.tokens], np.intp)
    pairs = between_texts(texts, texts, view.between)
    queries = queries[pairs[queries].any(axis=1)]
    return Seen(visible, queries, keys[pairs[queries][:, keys].any(axis=0)], pairs, view.between)


def has_two_texts(trace: Trace) -> bool:
    """Whether one stack read two texts together, so that there is attention within and between them."""
    return trace.pair is not None and trace.decoder_encoding is None


class Left(NamedTuple):
    """What is left of the weights, with and without the sinks, [map, query, key], and the shares of each row, [map, query], that
    went to sinks and to other texts."""

    weights: Float32
    with_sinks: Float32
    taken: Float32
    apart: Float32


def leave_out(weights: Float32, total: Float32, sink: NDArray[np.bool_], pairs: NDArray[np.bool_] | None, sinks: Sinks) -> Left:
    """What a view leaves of weights [map, query, key] whose rows are shares of `total`, [map, query].

    Sinks that are taken out go first, and what other texts have of the rest after them; dimmed ones stay, and are counted in
    what is left."""
    with_sinks = weights if pairs is None else np.where(pairs, weights, np.float32(0))
    counted = weights if sinks.are_taken_out else with_sinks
    without, taken = without_keys(counted, total, sink, sinks.treatment == "renormalise")
    kept = without if sinks.are_taken_out else with_sinks
    if pairs is None:
        return Left(kept, with_sinks, taken, np.zeros_like(total))
    left = np.where(pairs, kept, np.float32(0))
    before = without if sinks.are_taken_out else weights
    return Left(left, with_sinks, taken, share_of((before - left).sum(-1), total))


def of_words(units: Units, weights: Float32, total: Float32, learned: Float32) -> tuple[Float32, Float32, Float32]:
    """The same for words: what goes to their pieces summed, what comes from them averaged."""
    queries = units.query_groups
    means = (np.stack([rows[:, g.start : g.stop].mean(axis=1) for g in queries], axis=1) for rows in (total, learned))
    return merge_to_words(weights, queries, units.key_groups), *means


def sinks_of(units: Units, kinds: frozenset[SinkKind]) -> NDArray[np.bool_]:
    """Which units count as sinks of those kinds, [unit]."""
    return np.array([_is_sink(units, unit, kinds) for unit in range(len(units.tokens))], bool)


def _is_sink(units: Units, unit: int, kinds: frozenset[SinkKind]) -> bool:
    """Whether a unit is one of those kinds of sinks; only what can be looked at is, and special tokens beside it."""
    token = units.tokens[unit]
    if token.is_special:
        return "special" in kinds or (unit == 0 and "first" in kinds)
    if unit >= units.n_key:
        return False
    return (unit == 0 and "first" in kinds) or ("punctuation" in kinds and _is_punctuation(token))


def _is_punctuation(token: Token) -> bool:
    """Whether a token is written in punctuation alone; the signs that stand for a blank or a line break are not written."""
    return all(category(char)[0] == "P" and (char not in BLANK_SIGNS or char in token.text) for char in token.shown)


def share_of(part: Float32, total: Float32) -> Float32:
    """A part of each row's total, at least 0; 0 in rows of nothing."""
    return np.maximum(np.divide(part, total, out=np.zeros_like(total), where=total > 0), np.float32(0))


def mean_of(share: Float32, rows: NDArray[np.intp]) -> float:
    """The mean over maps and those rows of a share, [map, query]; 0 where there are none."""
    return float(share[:, rows].mean(dtype=np.float64)) if share[:, rows].size else 0.0
