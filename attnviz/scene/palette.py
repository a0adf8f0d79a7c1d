"""A colour per head: as many and as different as eyes allow, colour-blind ones too.

Candidates lie in OKLCH (Ottosson 2020) at several lightnesses. After eight chosen by hand, one after the other the
candidate is taken whose nearest neighbour among those already taken is farthest, as the worst of three eyes sees it:
normal, protan and deutan (Machado, Oliveira & Fernandes 2009, severity 1.0), in the light and in the dark theme. So the
first k colours are about as distinct as k can be, and head h has the same hue in both themes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from attnviz.scene.oklab import to_lab, to_levels, to_rgb
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.scene.theme import Theme

    Float64 = NDArray[np.float64]

N_COLOUR = 48
_HUES = np.arange(0.0, 360.0, 7.5)
_STEPS = np.linspace(0.0, 1.0, 8)  # places within a theme's lightness range
_CHROMAS = np.array([0.05, 0.09, 0.13, 0.165])
# The first eight by hand, after the hues of Okabe & Ito 2008: a farthest-point choice alone starts with muddy ones.
_FIRST = (
    (262.5, 1 / 3, 0.165),  # blue
    (60.0, 1.0, 0.165),  # orange
    (165.0, 1 / 3, 0.165),  # green
    (7.5, 2 / 3, 0.165),  # red
    (232.5, 1.0, 0.09),  # sky
    (307.5, 0.0, 0.165),  # violet
    (97.5, 2 / 3, 0.165),  # olive
    (345.0, 1.0, 0.165),  # pink
)
_RANGES = ((0.42, 0.70), (0.62, 0.88))

# Linear sRGB as seen with the long-wave or the middle-wave cones missing: Machado et al. 2009, table 1, severity 1.0.
_EYES = (
    np.eye(3),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
)
# Normal eyes see far more differences than colour-blind ones; counted in full, the choice would end in many olives.
_EYE_WEIGHTS = (0.55, 1.0, 1.0)


def head_colour(head: int, theme: Theme) -> str:
    """The colour of a head, "#rrggbb"; from head 48 on they repeat. MEAN has the theme's accent."""
    if head == MEAN:
        return theme.accent
    return head_colours(theme.head_lightness)[head % N_COLOUR]


@cache
def head_colours(lightness: tuple[float, float]) -> tuple[str, ...]:
    """N_COLOUR colours, "#rrggbb", in the lightness range of a theme."""
    levels = to_levels(to_rgb(_lch(_chosen(), lightness)))
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in levels)


@cache
def _chosen() -> tuple[tuple[float, float, float], ...]:
    """(hue, step, chroma) of each colour, the most distinct first."""
    grid = [(hue, step, chroma) for hue in _HUES for step in _STEPS for chroma in _CHROMAS]
    candidates = np.array([*_FIRST, *grid])
    inks = [to_rgb(_lch(candidates, bounds)) for bounds in _RANGES]
    seen = [(to_lab(rgb @ eye.T), weight) for rgb in inks for eye, weight in zip(_EYES, _EYE_WEIGHTS, strict=True)]
    distance = np.full(len(candidates), np.inf)
    taken: list[int] = []
    for place in range(N_COLOUR):
        taken.append(place if place < len(_FIRST) else int(np.argmax(distance)))
        for lab, weight in seen:
            np.minimum(distance, weight * np.linalg.norm(lab - lab[taken[-1]], axis=1), out=distance)
    return tuple((float(h), float(s), float(c)) for h, s, c in candidates[taken])


def _lch(chosen: object, bounds: tuple[float, float]) -> Float64:
    """(hue, step, chroma) rows -> OKLab rows in the lightness range `bounds`."""
    hue, step, chroma = np.asarray(chosen, dtype=np.float64).T
    angle = np.deg2rad(hue)
    low, high = bounds
    return np.stack([low + step * (high - low), chroma * np.cos(angle), chroma * np.sin(angle)], axis=1)
