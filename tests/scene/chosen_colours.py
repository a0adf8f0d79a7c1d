"""The choice of the heads' colours, as attnviz/scene/palette.py describes it: the candidates, the eyes, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.oklab import to_lab, to_rgb
from attnviz.scene.palette import FIRST, lab_rows

if TYPE_CHECKING:
    from attnviz.scene.palette import Chosen

_HUES: Final = np.arange(0.0, 360.0, 7.5)
_STEPS: Final = np.arange(8) / 7  # places within a theme's lightness range
_CHROMAS: Final = (0.05, 0.09, 0.13, 0.165)
_RANGES: Final = ((0.42, 0.70), (0.62, 0.88))  # of lightness, in the light and in the dark theme
# Linear sRGB as seen with the long-wave or the middle-wave cones missing: Machado et al. 2009, table 1, severity 1.0.
_EYES: Final = (
    np.eye(3),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
)
# Normal eyes see far more differences than colour-blind ones; counted in full, the choice would end in many olives.
_EYE_WEIGHTS: Final = (0.55, 1.0, 1.0)


def chosen_colours(n: int) -> list[Chosen]:
    """`n` colours, those by hand and then the most distinct first."""
    grid = [(float(hue), float(step), chroma) for hue in _HUES for step in _STEPS for chroma in _CHROMAS]
    candidates = [*FIRST, *grid]
    inks = [to_rgb(lab_rows(candidates, bounds)) for bounds in _RANGES]
    seen = [(to_lab(rgb @ eye.T), weight) for rgb in inks for eye, weight in zip(_EYES, _EYE_WEIGHTS, strict=True)]
    distance = np.full(len(candidates), np.inf)
    taken: list[int] = []
    for place in range(n):
        taken.append(place if place < len(FIRST) else int(np.argmax(distance)))
        for lab, weight in seen:
            np.minimum(distance, weight * np.linalg.norm(lab - lab[taken[-1]], axis=1), out=distance)
    return [candidates[number] for number in taken]
