"""One layer of a survey: its weights are read once, a few rows at a time, and let go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.analysis.places import as_slice
from attnviz.analysis.summary import HeadSummary, SpreadSums
from attnviz.analysis.thumbnails import Thumbnails
from attnviz.session.leaving_out import leave_out, seen_of, share_of, sinks_of
from attnviz.session.row_blocks import row_blocks
from attnviz.session.sight import Shares, Sight, heads_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.row_blocks import RowBlock
    from attnviz.session.view import View

# What is left of the weight on a dimmed key: its root, by which it is coloured, is then the 0.3 that dimmed arcs have.
DIMMED: Final = 0.09


@dataclass(frozen=True)
class LayerSurvey:
    """One layer of a Survey: maps [map, height, width], summary [map] each, shares, and for norms the largest weight, else 1."""

    maps: Float32
    summary: HeadSummary
    shares: Shares
    scale: float


def survey_layer(trace: Trace, view: View, frame: Sight, size: int) -> LayerSurvey:
    """The survey of the view's layer, in maps of at most size x size cells; frame: the view's, of any layer."""
    layer = _Layer(trace, view, frame, size)
    for block in row_blocks(trace, view, frame.kind, frame.units, heads_of(trace, view)):
        layer.add(block)
    return layer.survey()


class _Layer:
    """What has been read of a layer so far."""

    def __init__(self, trace: Trace, view: View, frame: Sight, size: int) -> None:
        units, n_map = frame.units, len(frame.heads)
        sink = sinks_of(units, view.sinks.kinds)
        self._sinks, self._sink = view.sinks, sink[: units.n_key]
        self._pairs = seen_of(trace, units, view, sink).pairs
        self._queries, self._keys = np.array(frame.queries, np.intp) - frame.first_query, np.array(frame.keys, np.intp)
        self._dims = np.where(np.isin(self._keys, list(frame.dimmed)), np.float32(DIMMED), np.float32(1))
        self._is_loud = ~np.isin(self._keys, list(frame.quiet))
        is_one_text, self._is_norms = frame.kind != "cross", frame.quantity == "norms"
        positions = np.array([place.start for place in units.places], np.intp)
        self._positions = (positions[self._queries], positions[self._keys]) if is_one_text else None
        self._maps = Thumbnails(n_map, len(self._queries), len(self._keys), size)
        self._spread = SpreadSums(n_map)
        self._taken = np.zeros(n_map)
        self._shares = np.zeros(4)  # of sinks, of other texts, of the model's own sink, of what is shown
        self._n_empty = 0
        self._largest = 0.0

    def add(self, block: RowBlock) -> None:
        """Take in some rows."""
        first, end = np.searchsorted(self._queries, (block.start, block.stop)).tolist()
        n_key = block.weights.shape[2]
        keys = self._keys[: np.searchsorted(self._keys, n_key)]
        pairs = None if self._pairs is None else self._pairs[block.start : block.stop, :n_key]
        left = leave_out(block.weights, block.total, self._sink[:n_key], pairs, self._sinks)
        rows = as_slice(self._queries[first:end] - block.start)
        shown = left.weights[:, rows][:, :, as_slice(keys)]
        places = () if self._positions is None else (self._positions[0][first:end], self._positions[1][: len(keys)])
        self._share_out(left.taken[:, rows], left.apart[:, rows], block, rows, self._spread.add(shown, *places))
        if self._is_norms:
            self._largest = max(self._largest, float(shown[:, :, self._is_loud[: len(keys)]].max(initial=0.0)))
        dims = self._dims[: len(keys)]
        self._maps.add(shown if (dims == 1).all() else shown * dims, first)

    def _share_out(self, taken: Float32, apart: Float32, block: RowBlock, rows: slice | NDArray[np.intp], whole: Float32) -> None:
        """Add up where the weight of those rows went, [map, row] each; whole: what is shown of each."""
        total = block.total[:, rows]
        shown = share_of(whole, total)
        parts = (taken, apart, share_of(block.learned[:, rows], total), shown)
        self._shares += [part.sum(dtype=np.float64) for part in parts]
        self._n_empty += int(np.count_nonzero(shown <= 0))
        self._taken += taken.sum(axis=1, dtype=np.float64)

    def survey(self) -> LayerSurvey:
        """All of it."""
        n_row = len(self._queries)
        entropy, distance = self._spread.means()
        sink_share = (self._taken / max(n_row, 1)).astype(np.float32)
        n = max(n_row * len(self._taken), 1)
        shares = Shares(*(self._shares / n).tolist(), self._n_empty / n)
        scale = max(self._largest, 1e-9) if self._is_norms else 1.0
        return LayerSurvey(self._maps.maps, HeadSummary(entropy, distance, sink_share), shares, scale)
