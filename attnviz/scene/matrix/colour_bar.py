"""The bar that says which colour is which weight, right of the panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from attnviz.scene.page import LINE, SMALL
from attnviz.scene.scene import Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.matrix.colour_scale import ColourScale
    from attnviz.scene.scene import Measure

BAR_AWAY: Final = 20.0  # from the panels
_NARROWEST, _WIDEST, _STRIP = 12.0, 36.0, 5.0
_SHORTEST, _LONGEST = 56.0, 168.0
_TICK_AWAY, _NOTE_AWAY = 6.0, 18.0
# What may stand beside and below a bar on other scales of weights.
_LONGEST_TICK, _LONGEST_NOTES = "0.005", ("attention, log", "largest 0.0050")


@dataclass(frozen=True)
class ColourBar:
    """An upright strip of each ramp, the largest weight at the top; its ticks are among the scene's labels."""

    left: float
    top: float
    width: float
    height: float
    heads: tuple[int, ...]


def bar_beside(left: float, top: float, panel_height: float, heads: Sequence[int]) -> ColourBar:
    """The bar of panels of those heads, `left` being where they end."""
    return ColourBar(left + BAR_AWAY, top, _width(len(heads)), _height(panel_height), tuple(heads))


def bar_room(n_head: int, scale: ColourScale, notes: Sequence[str], measure: Measure) -> float:
    """The width of the bar with all that belongs to it; the same on every scale of weights, so that the matrix keeps its place."""
    ticks = (*(text for _, text in scale.ticks()), _LONGEST_TICK)
    beside = max(measure(text, SMALL, False) for text in ticks)
    below = max(measure(note, SMALL, False) for note in (*notes, *_LONGEST_NOTES))
    return BAR_AWAY + max(_width(n_head) + _TICK_AWAY + beside, below)


def bar_depth(panel_height: float, n_note: int) -> float:
    """The height of the bar with the notes below it."""
    return _height(panel_height) + _NOTE_AWAY + LINE * n_note - 12.0


def bar_labels(bar: ColourBar, scale: ColourScale, notes: Sequence[str]) -> list[Label]:
    """The numbers at the bar's marks, and the notes below it."""
    x = bar.left + bar.width + _TICK_AWAY
    ticks = [Label(text, x, bar.top + (1 - share) * (bar.height - 9) + 9, SMALL, "muted") for share, text in scale.ticks()]
    under = bar.top + bar.height + _NOTE_AWAY
    return ticks + [Label(note, bar.left, under + number * LINE, SMALL, "muted") for number, note in enumerate(notes)]


def _width(n_head: int) -> float:
    return min(max(_NARROWEST, _STRIP * n_head), _WIDEST)


def _height(panel_height: float) -> float:
    return min(max(panel_height, _SHORTEST), _LONGEST)
