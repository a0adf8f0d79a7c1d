"""The colours of roles: one hue a group, each of another lightness, so that grey print tells them apart too.

A cell's ground is its group's colour laid over the paper, more strongly the clearer the role, and thinly where text stands on it;
the line along its foot has the colour in full. So a group has one look however clear its roles are, and text can be read on each.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.probing.measures import MARGIN
from attnviz.scene.oklab import into_gamut, lab_of, to_levels, to_rgb
from attnviz.scene.ramps import colour_name

if TYPE_CHECKING:
    from attnviz.probing.measures import Group
    from attnviz.scene.theme import Theme, ThemeName

# (hue, lightness, chroma) in OKLCH. Lightnesses are 0.075 apart and more; any two are 0.069 and more apart as protan and deutan
# eyes see them (Machado et al. 2009), about three times what is just seen side by side.
_GROUPS: Final[dict[ThemeName, dict[Group, tuple[float, float, float]]]] = {
    "light": {
        "place": (270.0, 0.355, 0.18),
        "reference": (345.0, 0.435, 0.17),
        "grammar": (175.0, 0.515, 0.12),
        "copy": (52.0, 0.59, 0.15),
        "rare": (100.0, 0.665, 0.13),
    },
    "dark": {
        "place": (270.0, 0.58, 0.16),
        "reference": (345.0, 0.655, 0.17),
        "grammar": (175.0, 0.73, 0.12),
        "copy": (58.0, 0.805, 0.14),
        "rare": (102.0, 0.885, 0.14),
    },
}
# Groups without a hue: to rest somewhere, or to spread one's attention, is no job.
NO_JOBS: Final[tuple[Group, ...]] = ("rest", "spread")
# What a head chose in place of what it should have.
_WRONG: Final[dict[ThemeName, tuple[float, float, float]]] = {"light": (27.0, 0.53, 0.20), "dark": (25.0, 0.66, 0.20)}
# How much of its colour a ground has, for the least clear role and the clearest. More under text, and its 4.5 to 1 would be lost.
_UNDER_TEXT: Final[dict[ThemeName, tuple[float, float]]] = {"light": (0.17, 0.50), "dark": (0.17, 0.42)}
_BARE: Final = (0.25, 0.85)
_N_STRENGTH: Final = 32  # steps between them, too fine to see
_REST: Final[dict[ThemeName, float]] = {"light": 0.14, "dark": 0.22}  # of the theme's muted ink
# Above the baseline by so much, a role has the strongest ground. Most are 0.1 to 0.3 above it, where the strength grows faster.
CLEAREST: Final = 0.6
_BEND: Final = 0.7


@cache
def group_colour(group: Group, theme: Theme) -> str:
    """The colour of a group of roles, "#rrggbb"; a near-grey for resting places and spread, which are no jobs."""
    lch = _GROUPS[theme.name].get(group)
    return theme.muted if lch is None else _named(*lch)


@cache
def wrong_colour(theme: Theme) -> str:
    """The colour of what a head looks at where it should look elsewhere."""
    return _named(*_WRONG[theme.name])


def role_ground(group: Group, above: float, theme: Theme, is_bare: bool = False) -> str:
    """The ground of a cell whose clearest role is of this group.

    above: how far its interval begins above its baseline, 0 to 1; is_bare: no text stands on it.
    """
    share = min(max((above - MARGIN) / (CLEAREST - MARGIN), 0.0), 1.0) ** _BEND
    return _grounds(group, theme, is_bare)[round(share * _N_STRENGTH)]


@cache
def _grounds(group: Group, theme: Theme, is_bare: bool) -> tuple[str, ...]:
    """The grounds of a group from that of the least clear role to that of the clearest; all alike for what is no job."""
    least, most = (_REST[theme.name],) * 2 if group in NO_JOBS else _BARE if is_bare else _UNDER_TEXT[theme.name]
    share = np.linspace(least, most, _N_STRENGTH + 1)[:, None]
    paper, colour = lab_of(theme.paper), lab_of(group_colour(group, theme))
    return tuple(colour_name(level) for level in to_levels(to_rgb(into_gamut(paper + share * (colour - paper)))))


def _named(hue: float, lightness: float, chroma: float) -> str:
    angle = np.deg2rad(hue)
    lab = np.array([[lightness, chroma * np.cos(angle), chroma * np.sin(angle)]])
    return colour_name(to_levels(to_rgb(into_gamut(lab)))[0])
