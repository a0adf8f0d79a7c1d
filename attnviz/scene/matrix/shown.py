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
    from attnviz.session.view import Quantity, View

MOST_PANELS: Final = 12  # beyond, a panel in a window is too small to read
_MOST_STRONG, _STRONG = 6, 0.4  # rows and columns that keep their labels: how many, and how strong, of the strongest
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


def shown_of(sight: Sight, view: View, other: Shown | None = None, is_difference: bool = False) -> Shown:
    """The maps of the first heads of a sight, without what is hidden.

    other: what is to have the same scale, that of the larger weights; is_difference: the weights are signed.
    """
    rows = np.array(sight.queries, np.intp) - sight.first_query
    # np.take leaves each map in one piece of memory; an index by lists would interleave them, and each later step is slower.
    weights = sight.weights[:MOST_PANELS].take(rows, axis=1).take(np.array(sight.keys, np.intp), axis=2)
    dimmed = np.isin(sight.keys, list(sight.dimmed))
    loud = np.abs(weights).max(axis=0, initial=0.0)[:, ~dimmed] if is_difference else weights.max(axis=0, initial=0.0)[:, ~dimmed]
    largest = max(float(loud.max(initial=0.0)), 0.0 if other is None else other.largest)
    scale, notes = _scale_and_notes(sight, view, largest, is_difference)
    of_keys = np.zeros(len(dimmed), np.float32)
    of_keys[~dimmed] = loud.max(axis=0, initial=0.0)
    queries = _side(sight, sight.queries, loud.max(axis=1, initial=0.0))
    return Shown(weights, queries, _side(sight, sight.keys, of_keys), dimmed, scale, notes, largest)


def _scale_and_notes(sight: Sight, view: View, largest: float, is_difference: bool) -> tuple[ColourScale, tuple[str, ...]]:
    """The scale of the colours, and what the bar says of it."""
    if is_difference:
        return difference_scale(largest), (_UNITS[sight.quantity], f"A {MINUS} B")
    scale = scale_for(largest, None if sight.quantity == "norms" else 1.0, view.is_log)
    return scale, (_UNITS[sight.quantity] + (", log" if view.is_log else ""), f"largest {weight_text(largest, sight.quantity)}")


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
