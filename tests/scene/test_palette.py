"""Heads' colours can be told apart, on both papers and by colour-blind eyes; the colour arithmetic is done here again."""

from __future__ import annotations

import math
import re
from itertools import combinations
from typing import Final

import pytest

from attnviz.scene.palette import CHOSEN, N_COLOUR, head_colour
from attnviz.scene.theme import Theme, load_theme
from tests.scene.chosen_colours import chosen_colours

THEMES: Final = [load_theme("light"), load_theme("dark")]
# Machado, Oliveira & Fernandes 2009, table 1, severity 1.0, on linear sRGB.
EYES: Final = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
# (n, eye) -> OKLab distance of the two nearest of the first n colours, at least; about 0.02 is just told apart side by side.
NEAREST: Final = {
    (12, "normal"): 0.090,
    (12, "protan"): 0.048,
    (12, "deutan"): 0.046,
    (24, "normal"): 0.070,
    (24, "protan"): 0.041,
    (24, "deutan"): 0.039,
    (48, "normal"): 0.046,
    (48, "protan"): 0.023,
    (48, "deutan"): 0.023,
}

each_theme = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)


def linear(colour: str) -> list[float]:
    levels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]


def oklab(rgb: list[float]) -> tuple[float, float, float]:
    """Ottosson's published function, number by number."""
    r, g, b = rgb
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    middle = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def seen(colour: str, eye: str) -> tuple[float, float, float]:
    rgb = linear(colour)
    return oklab([min(max(sum(m * v for m, v in zip(row, rgb, strict=True)), 0.0), 1.0) for row in EYES[eye]])


def nearest(theme: Theme, n: int, eye: str) -> float:
    colours = [seen(head_colour(head, theme), eye) for head in range(n)]
    return min(math.dist(a, b) for a, b in combinations(colours, 2))


def contrast(a: str, b: str) -> float:
    """WCAG 2.2 contrast ratio."""
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(a), linear(b)))
    return (light + 0.05) / (dark + 0.05)


@each_theme
@pytest.mark.parametrize(("n", "eye"), NEAREST)
def test_the_first_heads_colours_are_apart(theme: Theme, n: int, eye: str) -> None:
    assert nearest(theme, n, eye) >= NEAREST[n, eye]


def test_the_colours_are_those_that_the_choice_makes() -> None:
    for kept, made in zip(CHOSEN, chosen_colours(N_COLOUR), strict=True):
        assert kept == pytest.approx(made, abs=1e-12)


@each_theme
def test_48_heads_have_48_colours(theme: Theme) -> None:
    assert len({head_colour(head, theme) for head in range(N_COLOUR)}) == N_COLOUR == 48
    assert head_colour(N_COLOUR + 5, theme) == head_colour(5, theme)


@each_theme
def test_each_heads_colour_stands_out_from_the_paper(theme: Theme) -> None:
    # Pastel orange and pink are the lightest; lines of them are read by place and hue, their numbers by size.
    least = {"light": 2.4, "dark": 4.4}[theme.name]
    for head in range(N_COLOUR):
        assert contrast(head_colour(head, theme), theme.paper) >= least


def test_a_head_has_the_same_hue_in_both_themes() -> None:
    for head in range(N_COLOUR):
        hues = [math.degrees(math.atan2(b, a)) for _, a, b in (oklab(linear(head_colour(head, theme))) for theme in THEMES)]
        assert abs((hues[0] - hues[1] + 180.0) % 360.0 - 180.0) <= 2.0


@each_theme
def test_a_heads_colour_is_always_the_same(theme: Theme) -> None:
    assert head_colour(3, load_theme(theme.name)) == head_colour(3, theme)
    assert re.fullmatch("#[0-9a-f]{6}", head_colour(3, theme))


@each_theme
def test_the_colours_lie_in_the_lightness_range_of_the_theme(theme: Theme) -> None:
    low, high = theme.head_lightness
    for head in range(N_COLOUR):
        assert low - 0.01 <= oklab(linear(head_colour(head, theme)))[0] <= high + 0.01
