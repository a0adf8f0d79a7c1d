"""What of a sight a matrix shows: its weights, the tokens of its two sides, the scale of its colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.matrix.colour_scale import difference_scale, scale_for
from attnviz.scene.matrix.scene import TokenSide, weight_text
from attnviz.scene.numbers import MINUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.matrix.colour_scale import ColourScale
    from attnviz.session.sight import Sight
    from attnviz.session.view import Quantity

MOST_PANELS: Final = 12  # beyond, a panel in a window is too small to read
_MOST_STRONG, _STRONG = 6, 0.4  # rows and columns that keep their labels: how many, and how strong, of the strongest
_AT_ONCE: Final = 1 << 18  # cells, which stay in the cache while rows and columns are looked through
_UNITS: Final[dict[Quantity, str]] = {"attention": "attention", "norms": "norm", "rollout": "rollout"}


@dataclass(frozen=True)
class Shown:
    """Weights [panel, row, column], its sides, which columns are dimmed [column], on which scale, and the largest weight that it is
    for, of what is not dimmed."""

    weights: Float32
    queries: TokenSide
    keys: TokenSide
    dimmed: NDArray[np.bool_]
    scale: ColourScale
    notes: tuple[str, ...]
    largest: float

    @property
    def n_panel(self) -> int:
        """How many maps have a panel; none where there is no token to look or to be looked at."""
        return len(self.weights) if len(self.queries) and len(self.keys) else 0


def shown_of(sight: Sight, is_log: bool = False, other: Shown | None = None, is_difference: bool = False) -> Shown:
    """The maps of the first heads of a sight, without what is hidden.

    is_log: the colours follow the logarithm; other: what is to have the same scale, that of the larger weights; is_difference: the
    weights are signed.
    """
    weights = _shown_maps(sight)
    dimmed = np.isin(sight.keys, list(sight.dimmed))
    of_queries, of_keys = _peaks(weights, dimmed, is_difference)
    largest = max(float(of_queries.max(initial=0.0)), 0.0 if other is None else other.largest)
    scale, notes = _scale_and_notes(sight, is_log, largest, is_difference)
    queries = _side(sight, sight.queries, of_queries)
    return Shown(weights, queries, _side(sight, sight.keys, of_keys), dimmed, scale, notes, largest)


def _shown_maps(sight: Sight) -> Float32:
    """The weights of the first heads without what is hidden, [panel, row, column], each row in one piece of memory."""
    shown = sight.shown[:MOST_PANELS]
    # An index by a list, where what is hidden lies between, would interleave the rows, and each later step is slower.
    return shown if shown.strides[2] == shown.itemsize else np.ascontiguousarray(shown)


def _peaks(weights: Float32, dimmed: NDArray[np.bool_], is_difference: bool) -> tuple[Float32, Float32]:
    """The strongest cell of each row and of each column in any panel, but 0 for those in dimmed columns: [row], [column]."""
    n_panel, n_row, n_column = weights.shape
    of_rows, of_columns = np.zeros(n_row, np.float32), np.zeros(n_column, np.float32)
    loud = ~dimmed
    step = max(1, _AT_ONCE // max(n_column, 1))
    for panel in range(n_panel):
        for start in range(0, n_row, step):
            rows = slice(start, start + step)
            block = weights[panel, rows] if not is_difference else np.abs(weights[panel, rows])
            np.maximum(of_columns, block.max(axis=0, initial=0.0), out=of_columns)
            block = block if loud.all() else block[:, loud]
            np.maximum(of_rows[rows], block.max(axis=1, initial=0.0), out=of_rows[rows])
    of_columns[dimmed] = 0.0
    return of_rows, of_columns


def _scale_and_notes(sight: Sight, is_log: bool, largest: float, is_difference: bool) -> tuple[ColourScale, tuple[str, ...]]:
    """The scale of the colours, and what the bar says of it."""
    unit = _UNITS[sight.quantity] + (", log" if is_log else "")
    if is_difference:
        return difference_scale(largest, is_log), (unit, f"A {MINUS} B")
    scale = scale_for(largest, None if sight.quantity == "norms" else 1.0, is_log)
    return scale, (unit, f"largest {weight_text(largest, sight.quantity)}")


def _side(sight: Sight, units: Sequence[int], peaks: Float32) -> TokenSide:
    """The tokens of one side, from the picture's units; peaks: the strongest cell of each."""
    strongest = np.argsort(-peaks, kind="stable")[:_MOST_STRONG]
    tokens = [sight.tokens[unit] for unit in units]
    follows = [place > 0 and units[place - 1] == unit - 1 for place, unit in enumerate(units)]
    return TokenSide(
        positions=tuple(sight.position(unit) for unit in units),
        texts=tuple(token.shown for token in tokens),
        is_quiet=tuple(token.is_special or unit in sight.dimmed for token, unit in zip(tokens, units, strict=True)),
        joined=tuple(token.continues and after for token, after in zip(tokens, follows, strict=True)),
        text_starts=tuple(i for i in range(1, len(tokens)) if tokens[i].sequence != tokens[i - 1].sequence),
        strongest=tuple(strongest[peaks[strongest] > _STRONG * peaks.max(initial=0.0)].tolist()),
    )
