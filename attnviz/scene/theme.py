"""The colours of the program, named by their job; the same names in light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from attnviz.resources import read_json

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True)
class Theme:
    """Colours as "#rrggbb". head_lightness: the OKLab lightness range of the heads' colours, for contrast with the paper."""

    name: ThemeName
    paper: str
    panel: str
    field: str
    ink: str
    muted: str
    faint: str
    hairline: str
    accent: str
    accent_ink: str
    focus_ground: str
    what_if_ground: str
    what_if_ink: str
    warning_ground: str
    warning_ink: str
    head_lightness: tuple[float, float]


@cache
def load_theme(name: ThemeName) -> Theme:
    """The theme of that name from resources/themes."""
    values = read_json(f"themes/{name}.json")
    return Theme(**{**values, "head_lightness": tuple(values["head_lightness"])})
