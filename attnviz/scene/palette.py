"""A colour per head: as many and as different as eyes allow, colour-blind ones too.

Candidates lie in OKLCH (Ottosson 2020) at several lightnesses. After eight chosen by hand, one after the other the
candidate is taken whose nearest neighbour among those already taken is farthest, as the worst of three eyes sees it:
normal, protan and deutan (Machado, Oliveira & Fernandes 2009, severity 1.0), in the light and in the dark theme. So the
first k colours are about as distinct as k can be, and head h has the same hue in both themes. The choice takes 20 ms, of which a
start would pay each: it stands here, and tests/scene/chosen_colours.py makes it again.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.oklab import to_levels, to_rgb
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.scene.theme import Theme

    Float64 = NDArray[np.float64]
    Chosen = tuple[float, float, float]  # hue in degrees, place within a theme's lightness range, chroma

# By hand, after the hues of Okabe & Ito 2008: a farthest-point choice alone starts with muddy ones.
FIRST: Final[tuple[Chosen, ...]] = (
    (262.5, 1 / 3, 0.165),  # blue
    (60.0, 1.0, 0.165),  # orange
    (165.0, 1 / 3, 0.165),  # green
    (7.5, 2 / 3, 0.165),  # red
    (232.5, 1.0, 0.09),  # sky
    (307.5, 0.0, 0.165),  # violet
    (97.5, 2 / 3, 0.165),  # olive
    (345.0, 1.0, 0.165),  # pink
)
_OTHERS: Final = (  # their steps in sevenths of the lightness range
    (52.5, 0, 0.165),
    (232.5, 0, 0.05),
    (315, 3, 0.09),
    (52.5, 3, 0.13),
    (0, 0, 0.165),
    (277.5, 5, 0.13),
    (22.5, 2, 0.165),
    (210, 4, 0.05),
    (322.5, 2, 0.165),
    (187.5, 6, 0.165),
    (142.5, 6, 0.165),
    (112.5, 1, 0.05),
    (307.5, 1, 0.09),
    (150, 4, 0.13),
    (330, 5, 0.13),
    (165, 7, 0.165),
    (285, 1, 0.165),
    (187.5, 1, 0.09),
    (352.5, 3, 0.13),
    (157.5, 6, 0.05),
    (300, 4, 0.13),
    (247.5, 1, 0.13),
    (30, 3, 0.09),
    (172.5, 4, 0.09),
    (75, 1, 0.09),
    (75, 4, 0.09),
    (217.5, 2, 0.09),
    (330, 0, 0.165),
    (22.5, 0, 0.13),
    (270, 3, 0.09),
    (15, 1, 0.05),
    (135, 5, 0.13),
    (225, 6, 0.13),
    (75, 6, 0.05),
    (337.5, 0, 0.05),
    (330, 4, 0.165),
    (120, 6, 0.165),
    (195, 5, 0.09),
    (135, 4, 0.05),
    (352.5, 2, 0.09),
)
CHOSEN: Final[tuple[Chosen, ...]] = (*FIRST, *((hue, step / 7, chroma) for hue, step, chroma in _OTHERS))
N_COLOUR: Final = len(CHOSEN)


def head_colour(head: int, theme: Theme) -> str:
    """The colour of a head, "#rrggbb"; from head 48 on they repeat. MEAN has the theme's accent."""
    if head == MEAN:
        return theme.accent
    return head_colours(theme.head_lightness)[head % N_COLOUR]


@cache
def head_colours(lightness: tuple[float, float]) -> tuple[str, ...]:
    """N_COLOUR colours, "#rrggbb", in the lightness range of a theme."""
    levels = to_levels(to_rgb(lab_rows(CHOSEN, lightness)))
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in levels)


def lab_rows(chosen: Sequence[Chosen], bounds: tuple[float, float]) -> Float64:
    """Colours as OKLab rows in the lightness range `bounds`."""
    hue, step, chroma = np.asarray(chosen, dtype=np.float64).T
    angle = np.deg2rad(hue)
    low, high = bounds
    return np.stack([low + step * (high - low), chroma * np.cos(angle), chroma * np.sin(angle)], axis=1)
