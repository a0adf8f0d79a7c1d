"""What of a sight a matrix shows: its weights, the tokens of its two sides, the scale of its colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.matrix.colour_scale import difference_scale, scale_for
from attnviz.scene.matrix.maps import dimmed_columns, maps_of
from attnviz.scene.matrix.scene import TokenSide, weight_text
from attnviz.scene.numbers import MINUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.matrix.colour_scale import ColourScale
    from attnviz.scene.matrix.maps import Maps
    from attnviz.session.sight import Sight
    from attnviz.session.view import Quantity

_MOST_STRONG, _STRONG = 6, 0.4  # rows and columns that keep their labels: how many, and how strong, of the strongest
_UNITS: Final[dict[Quantity, str]] = {"attention": "attention", "norms": "norm", "rollout": "rollout"}


@dataclass(frozen=True)
class Shown:
    """Maps [panel, row, column], their sides, which columns are dimmed [column], on which scale, and the largest weight that it is
    for, of what is not dimmed."""

    maps: Maps
    queries: TokenSide
    keys: TokenSide
    dimmed: NDArray[np.bool_]
    scale: ColourScale
    notes: tuple[str, ...]
    largest: float

    @property
    def n_panel(self) -> int:
        """How many maps have a panel; none where there is no token to look or to be looked at."""
        return len(self.maps.weights) if len(self.queries) and len(self.keys) else 0


def shown_of(sight: Sight, is_log: bool = False, other: Shown | None = None, is_difference: bool = False) -> Shown:
    """The maps of the first heads of a sight, without what is hidden.

    is_log: the colours follow the logarithm; other: what is to have the same scale, that of the larger weights; is_difference: the
    weights are signed.
    """
    maps = maps_of(sight, is_difference)
    largest = max(float(maps.of_rows.max(initial=0.0)), 0.0 if other is None else other.largest)
    scale, notes = _scale_and_notes(sight, is_log, largest, is_difference)
    queries, keys = _side(sight, sight.queries, maps.of_rows), _side(sight, sight.keys, maps.of_columns)
    return Shown(maps, queries, keys, dimmed_columns(sight), scale, notes, largest)


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
