"""The bar that says which colour is which weight: upright right of the panels, or level below them where a figure is narrow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from attnviz.scene.page import LINE, SMALL
from attnviz.scene.scene import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.scene.matrix.colour_scale import ColourScale
    from attnviz.scene.scene import Measure

BAR_AWAY: Final = 20.0  # from the panels, upright
_THICK, _LEVEL_THICK = 12.0, 8.0
_LEVEL_AWAY = 14.0
_SHORTEST, _LONGEST = 56.0, 168.0
_TICK_AWAY, _NOTE_AWAY = 6.0, 18.0
_LEAST_PITCH, _LEAST_GAP = 13.0, 4.0  # between numbers one above the other, and between those in a line
_LEVEL_TICK = 15.0  # from a level bar to its numbers' baseline
# What may stand beside and below a bar on other scales of weights.
_LONGEST_TICK, _LONGEST_NOTES = "0.005", ("attention, log", "largest 0.0050")


@dataclass(frozen=True)
class ColourBar:
    """A strip of a ramp, the largest weight at its top, or at its right where it is level.

    head: whose ramp it is, None for the grey one that stands for several; is_signed: that of differences; labels: its numbers and
    what they are.
    """

    left: float
    top: float
    width: float
    height: float
    head: int | None
    labels: tuple[Label, ...] = ()
    is_level: bool = False
    is_signed: bool = False

    def moved(self, dx: float) -> ColourBar:
        """The bar so much further right."""
        return replace(self, left=self.left + dx, labels=tuple(replace(label, x=label.x + dx) for label in self.labels))


def upright_bar(left: float, top: float, depth: float, head: int | None, scale: ColourScale, notes: Sequence[str]) -> ColourBar:
    """The bar of panels that end at `left` and reach `depth` down from `top`."""
    bar = ColourBar(left + BAR_AWAY, top, _THICK, _height(depth, len(notes)), head, is_signed=scale.is_signed)
    length = bar.height - 9
    ticks = _apart([Label(text, share * length, 0.0, SMALL, "muted") for share, text in scale.ticks()], lambda _: _LEAST_PITCH)
    x, under = bar.left + bar.width + _TICK_AWAY, bar.top + bar.height + _NOTE_AWAY
    ticks = [replace(tick, x=x, baseline=bar.top + length - tick.x + 9) for tick in ticks]
    told = [Label(note, bar.left, under + number * LINE, SMALL, "muted") for number, note in enumerate(notes)]
    return replace(bar, labels=(*ticks, *told))


def level_bar(
    left: float, right: float, bottom: float, head: int | None, scale: ColourScale, lines: Sequence[str], measure: Measure
) -> ColourBar:
    """The bar below panels that reach from `left` to `right` and end at `bottom`; lines: what stands below it."""
    width = right - left
    bar = ColourBar(left, bottom + _LEVEL_AWAY, width, _LEVEL_THICK, head, is_level=True, is_signed=scale.is_signed)
    baseline, ticks = bar.top + bar.height + _LEVEL_TICK, []
    for share, text in scale.ticks():
        half = measure(text, SMALL, False) / 2
        middle = min(max(left + share * width, left + half), right - half)
        ticks.append(Label(text, middle, baseline, SMALL, "muted", align="middle"))
    labels = _apart(ticks, lambda tick: measure(tick.text, SMALL, False) + _LEAST_GAP)
    labels += [Label(line, left, baseline + (number + 1) * LINE, SMALL, "muted") for number, line in enumerate(lines)]
    return replace(bar, labels=tuple(labels))


def level_depth(n_line: int) -> float:
    """The height that a level bar takes below the panels."""
    return _LEVEL_AWAY + _LEVEL_THICK + _LEVEL_TICK + LINE * n_line + 3.0


def bar_room(scale: ColourScale, notes: Sequence[str], measure: Measure) -> float:
    """The width of an upright bar with all that belongs to it; the same on every scale of weights, so that the matrix keeps its
    place."""
    ticks = (*(text for _, text in scale.ticks()), _LONGEST_TICK)
    beside = max(measure(text, SMALL, False) for text in ticks)
    below = max(measure(note, SMALL, False) for note in (*notes, *_LONGEST_NOTES))
    return BAR_AWAY + max(_THICK + _TICK_AWAY + beside, below)


def bar_depth(depth: float, n_note: int) -> float:
    """The height of an upright bar with the notes below it, beside panels that reach `depth` down."""
    return _height(depth, n_note) + _below(n_note)


def _apart(ticks: Sequence[Label], size: Callable[[Label], float]) -> list[Label]:
    """The marks of a bar, or where those have no room beside each other every second one or so: both ends are always there."""
    for step in range(1, len(ticks)):
        kept = ticks[::step]
        if (len(ticks) - 1) % step == 0 and all(b.x - a.x >= (size(a) + size(b)) / 2 for a, b in pairwise(kept)):
            return [*kept]
    return [ticks[0], ticks[-1]]


def _below(n_note: int) -> float:
    return _NOTE_AWAY + LINE * n_note - 12.0


def _height(depth: float, n_note: int) -> float:
    return min(max(depth - _below(n_note), _SHORTEST), _LONGEST)
