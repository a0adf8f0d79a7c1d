"""Weights as colours: from the paper through a head's colour to its depth, in steps that look equal.

Lightness runs evenly from one end to the other (OKLab), so that a weight twice as large looks twice as far from the paper, in
print and to colour-blind eyes too. On a dark ground the least weight starts a little above the paper. The head's own colour lies
where its lightness does; what gamut does not hold is drawn towards grey, never lighter or darker.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.oklab import into_gamut, lab_of, levels_of, to_levels, to_rgb
from attnviz.scene.palette import head_colour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.theme import Theme, ThemeName

    Float64 = NDArray[np.float64]
    Ramp = NDArray[np.uint8]

N_STEP: Final = 256
# The lightness of the largest weight: clear of every head's colour, and not yet black or white, which have no hue.
_DEPTH: Final[dict[ThemeName, float]] = {"light": 0.26, "dark": 0.96}
# Where the least weight above 0 starts, as a share of the way: near black, eyes and screens part steps of lightness badly.
_LIFT: Final[dict[ThemeName, float]] = {"light": 0.0, "dark": 0.05}
_DEEP_CHROMA = 0.6  # what is left of a head's chroma at that end, where gamut holds little more
_BLOOM = 0.7  # chroma comes before lightness does, so that faint cells have a hue and dark ones on a dark ground are no mud
# Both ends of signed numbers: (hue, lightness, chroma). Blue and orange are the pair that protan and deutan eyes part best.
_BELOW: Final[dict[ThemeName, tuple[float, float, float]]] = {"light": (255.0, 0.48, 0.16), "dark": (255.0, 0.76, 0.13)}
_ABOVE: Final[dict[ThemeName, tuple[float, float, float]]] = {"light": (50.0, 0.48, 0.13), "dark": (60.0, 0.76, 0.14)}
# Both ends of a difference of two runs, A's and B's: the same hues, apart in lightness too, so that grey print parts them.
_MORE_IN_A: Final[dict[ThemeName, tuple[float, float, float]]] = {"light": (258.0, 0.42, 0.165), "dark": (255.0, 0.69, 0.14)}
_MORE_IN_B: Final[dict[ThemeName, tuple[float, float, float]]] = {"light": (58.0, 0.66, 0.15), "dark": (62.0, 0.81, 0.13)}
_ZERO_OFF = 0.03  # how far the middle of a two-sided ramp is from the paper in lightness: just seen


@cache
def ramp(theme: Theme, head: int) -> Ramp:
    """The colours of weights from 0, the paper, to the largest, levels 0 to 255 of red, green and blue: [256, 3], read-only.

    head: as numbered in the trace; MEAN has the accent.
    """
    return _ramp_through(theme, head_colour(head, theme))


@cache
def ink_ramp(theme: Theme) -> Ramp:
    """As `ramp`, in no head's colour: what stands for several heads, step by step as light as each of theirs."""
    return _ramp_through(theme, theme.muted)


@cache
def colour_ramp(theme: Theme, colour: str) -> Ramp:
    """As `ramp`, of any colour, "#rrggbb", that stands out from the paper."""
    return _ramp_through(theme, colour)


@cache
def two_sided(theme: Theme) -> Ramp:
    """The colours of signed numbers from the lowest, blue, over zero to the highest, orange: [256, 3], read-only.

    Both sides are equally far from zero in lightness; zero itself is a little off the paper, which stands for no number.
    """
    paper = lab_of(theme.paper)
    zero = paper + np.array([-_ZERO_OFF if theme.name == "light" else _ZERO_OFF, 0.0, 0.0])
    low, high = (_lch(*ends[theme.name]) for ends in (_BELOW, _ABOVE))
    share = np.linspace(-1.0, 1.0, N_STEP)[:, None]
    return _as_levels(np.where(share < 0, zero - share * (low - zero), zero + share * (high - zero)))


@cache
def difference_ramp(theme: Theme) -> Ramp:
    """The colours of differences A - B, from B's largest surplus over none at all, the paper, to A's: [256, 3], read-only."""
    paper = lab_of(theme.paper)
    of_a, of_b = (_lch(*ends[theme.name]) for ends in (_MORE_IN_A, _MORE_IN_B))
    share = np.linspace(-1.0, 1.0, N_STEP)[:, None]
    share[N_STEP // 2 - 1 : N_STEP // 2 + 1] = 0.0  # an even number of steps has two in the middle
    return _as_levels(np.where(share < 0, paper - share * (of_b - paper), paper + share * (of_a - paper)))


@cache
def difference_colours(theme: Theme) -> tuple[str, str]:
    """The colours of what is more in A and of what is more in B: the ends of `difference_ramp`."""
    colours = difference_ramp(theme)
    return colour_name(colours[-1]), colour_name(colours[0])


def steps_of(share: Float32) -> NDArray[np.uint8]:
    """The step of a ramp for each share of its range: 0 to 1 -> 0 to 255; what lies outside has the colour of the end."""
    return np.rint(np.clip(share, 0, 1) * np.float32(N_STEP - 1)).astype(np.uint8)


def colour_name(level: NDArray[np.uint8]) -> str:
    """One colour of a ramp, [3], as "#rrggbb"."""
    return "#{:02x}{:02x}{:02x}".format(*level.tolist())


def is_dark(levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether white can be read better than black on each colour: levels [..., 3] -> [...]; the better one has 4.5 to 1 at least.

    By relative luminance (WCAG 2.2): both have the same contrast at sqrt(1.05 · 0.05) - 0.05 = 0.179.
    """
    linear = np.where(levels <= 10, levels / 3294.6, ((levels / 255 + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722]) < 0.179


def _ramp_through(theme: Theme, colour: str) -> Ramp:
    paper, middle = lab_of(theme.paper), lab_of(colour)
    end = np.array([_DEPTH[theme.name], *(_DEEP_CHROMA * middle[1:])])
    lightness = np.linspace(paper[0] + _LIFT[theme.name] * (end[0] - paper[0]), end[0], N_STEP)
    return _as_levels(np.column_stack([lightness, _along(lightness, paper, middle, end)]), theme.paper)


def _along(lightness: Float64, paper: Float64, middle: Float64, end: Float64) -> Float64:
    """The two components of hue and chroma, [step, 2], at each lightness on the way from the paper through `middle` to the end."""
    to_middle = np.clip((lightness - paper[0]) / (middle[0] - paper[0]), 0.0, 1.0)[:, None]
    beyond = np.clip((lightness - middle[0]) / (end[0] - middle[0]), 0.0, 1.0)[:, None]
    return paper[1:] + (middle - paper)[1:] * to_middle**_BLOOM + (end - middle)[1:] * beyond


def _lch(hue: float, lightness: float, chroma: float) -> Float64:
    angle = np.deg2rad(hue)
    return np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])


def _as_levels(lab: Float64, first: str | None = None) -> Ramp:
    """OKLab rows as levels; `first` is a colour that the first row is to the last bit."""
    levels = to_levels(to_rgb(into_gamut(lab)))
    if first is not None:
        levels[0] = levels_of(first)
    levels.flags.writeable = False
    return levels
