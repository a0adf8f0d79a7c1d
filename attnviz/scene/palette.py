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
# OKLab: https://bottosson.github.io/posts/oklab/ (Ottosson 2020).
_LAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def head_colour(head: int, theme: Theme) -> str:
    """The colour of a head, "#rrggbb"; from head 48 on they repeat. MEAN has the theme's accent."""
    if head == MEAN:
        return theme.accent
    return head_colours(theme.head_lightness)[head % N_COLOUR]


@cache
def head_colours(lightness: tuple[float, float]) -> tuple[str, ...]:
    """N_COLOUR colours, "#rrggbb", in the lightness range of a theme."""
    rgb = _to_rgb(_lch(_chosen(), lightness))
    levels = np.rint(_gamma(rgb) * 255).astype(int)
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in levels)


@cache
def _chosen() -> tuple[tuple[float, float, float], ...]:
    """(hue, step, chroma) of each colour, the most distinct first."""
    grid = [(hue, step, chroma) for hue in _HUES for step in _STEPS for chroma in _CHROMAS]
    candidates = np.array([*_FIRST, *grid])
    inks = [_to_rgb(_lch(candidates, bounds)) for bounds in _RANGES]
    seen = [(_to_lab(rgb @ eye.T), weight) for rgb in inks for eye, weight in zip(_EYES, _EYE_WEIGHTS, strict=True)]
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


def _to_rgb(lab: Float64) -> Float64:
    """OKLab -> linear sRGB, drawn towards grey of the same lightness until it is in gamut."""
    grey = lab * np.array([1.0, 0.0, 0.0])
    share = np.ones((len(lab), 1))
    for _ in range(24):
        rgb = ((grey + share * (lab - grey)) @ _LAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T
        outside = (rgb.min(axis=1) < 0.0) | (rgb.max(axis=1) > 1.0)
        share[outside] *= 0.94
    return np.clip(rgb, 0.0, 1.0)


def _to_lab(rgb: Float64) -> Float64:
    lms = np.cbrt(np.clip(rgb, 0.0, 1.0) @ np.linalg.inv(_LMS_TO_RGB).T)
    return lms @ np.linalg.inv(_LAB_TO_LMS).T


def _gamma(rgb: Float64) -> Float64:
    return np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * np.power(rgb, 1 / 2.4) - 0.055)
