"""Numbers of heads as colours: how far the output turns without a head, or what one measure says of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.errors import InputError
from attnviz.scene.atlas.choice import IMPORTANCE, ROLE
from attnviz.scene.atlas.colours import group_colour
from attnviz.scene.atlas.words import importance_line, measured_line, value_text
from attnviz.scene.numbers import decimals_for, fixed
from attnviz.scene.ramps import colour_name, colour_ramp, is_dark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.probing.roles import HeadRoles
    from attnviz.probing.scores import Measured
    from attnviz.scene.theme import Theme

_DARK_INK, _LIGHT_INK = "#000000", "#ffffff"
_UNITS: Final = (" nats", " tokens")  # said once, beside the bar of colours


@dataclass(frozen=True)
class Value:
    """A head's number. value: None for none; holds: whether it has the role of the measure that is shown; told: all about it."""

    value: float | None
    number: str
    holds: bool
    told: str


@dataclass(frozen=True)
class Range:
    """What a ramp of colours reaches from and to; first: the value from which on there is colour; colours: of its steps; inks: of
    text on each."""

    first: float
    last: float
    colours: tuple[str, ...]
    inks: tuple[str, ...]

    def step(self, value: float | None) -> int:
        """The place of a value in the ramp, 0 for one that has no colour, or is not there."""
        if value is None:
            return 0
        share = (value - self.first) / max(self.last - self.first, 1e-9)
        return round(min(share, 1.0) * (len(self.colours) - 1)) if share > 0 else 0


def values_of(roles: HeadRoles, colour: str) -> Iterator[Value]:
    """The numbers of all heads, layer by layer. Raises InputError for a colour that is not measured."""
    heads = np.ndindex(roles.n_layer, roles.n_head)
    if colour != IMPORTANCE:
        measured = measured_of(roles, colour)
        holding = set(roles.heads_with(colour))
        yield from (_measured_value(measured, *at, at in holding) for at in heads)
        return
    importance = roles.importance
    decimals = 0 if importance is None else decimals_for(importance.score, 2)
    for at in heads:
        if importance is None:
            yield Value(None, "", False, "importance was left out")
        else:
            value = float(importance.score[at])
            yield Value(value, fixed(value, decimals), False, importance_line(importance, *at))


def range_of(roles: HeadRoles, colour: str, theme: Theme) -> Range | None:
    """What the colours of numbers reach from and to; None where colours are those of roles, or there is no number.

    A measure's scores have colour from its baseline on, up to 1; of one that has no such end, up to the highest or the baseline.
    Raises InputError for a colour that is not measured.
    """
    if colour == IMPORTANCE:
        importance = roles.importance
        return None if importance is None else Range(0.0, max(float(importance.score.max()), 1e-6), *_looks(theme, theme.muted))
    measured = None if colour == ROLE else measured_of(roles, colour)
    if measured is None or not measured.n_case:
        return None
    baseline = 0.0 if measured.baseline is None else measured.baseline.score
    looks = _looks(theme, group_colour(measured.measure.group, theme))
    if measured.measure.unit in ("share", "accuracy"):
        return Range(baseline, 1.0, *looks)
    return Range(0.0, max(baseline, float(np.nanmax(measured.score))), *looks)


def measured_of(roles: HeadRoles, key: str) -> Measured:
    """What was measured by the measure of that key. Raises InputError for no such key."""
    measured = roles.by_key.get(key)
    if measured is None:
        known = f'use "{ROLE}", "{IMPORTANCE}" or the key of a measure, as "previous"'
        raise InputError(f'"{key}" is not measured of heads; {known}.')
    return measured


def _measured_value(measured: Measured, layer: int, head: int, holds: bool) -> Value:
    value, unit = float(measured.score[layer, head]) if measured.n_case else None, measured.measure.unit
    told = f"{measured.measure.title} {measured_line(measured, layer, head)}{': a role of this head' if holds else ''}"
    number = "" if value is None else value_text(unit, value)
    for name in _UNITS:
        number = number.removesuffix(name)
    return Value(value, number, holds, told)


@cache
def _looks(theme: Theme, colour: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The colours of the steps of a ramp through a colour, and those of text on each."""
    ramp = colour_ramp(theme, colour)
    return tuple(colour_name(level) for level in ramp), tuple(_LIGHT_INK if dark else _DARK_INK for dark in is_dark(ramp))
