"""Ramps are even to the eye, begin at the paper and keep the head's hue; the colour arithmetic is the palette tests' own."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.scene.palette import N_COLOUR, head_colour
from attnviz.scene.ramps import (
    N_STEP,
    colour_name,
    difference_colours,
    difference_ramp,
    ink_ramp,
    is_dark,
    ramp,
    steps_of,
    two_sided,
)
from attnviz.session.weights import MEAN
from tests.scene.test_palette import EYES, THEMES, contrast, each_theme, linear, oklab, seen

if TYPE_CHECKING:
    from attnviz.scene.theme import Theme

HEADS = (MEAN, *range(N_COLOUR))


def names(levels: np.ndarray) -> list[str]:
    return [colour_name(level) for level in levels]


def lightness(levels: np.ndarray) -> np.ndarray:
    return np.array([oklab(linear(name))[0] for name in names(levels)])


@each_theme
@pytest.mark.parametrize("head", HEADS)
def test_lightness_runs_evenly_from_the_paper_away(theme: Theme, head: int) -> None:
    paper, *weights = lightness(ramp(theme, head))
    light = np.array(weights)
    steps = np.diff([paper, *weights]) * (-1 if theme.name == "light" else 1)
    assert np.abs(light - np.linspace(light[0], light[-1], N_STEP - 1)).max() < 0.008  # 8 bits are no finer
    # On a dark ground even the least weight is seen.
    assert abs(light[0] - paper) < 0.008 if theme.name == "light" else 0.03 < light[0] - paper < 0.06
    assert steps.min() > -0.003
    assert abs(light[-1] - light[0]) > 0.7


@each_theme
@pytest.mark.parametrize("head", HEADS)
def test_a_ramp_begins_at_the_paper_and_passes_the_heads_colour(theme: Theme, head: int) -> None:
    colours = names(ramp(theme, head))
    assert colours[0] == theme.paper
    wanted = oklab(linear(head_colour(head, theme)))
    nearest = min(range(N_STEP), key=lambda step: math.dist(oklab(linear(colours[step])), wanted))
    assert math.dist(oklab(linear(colours[nearest])), wanted) < 0.02
    assert 0 < nearest < N_STEP - 12  # and goes on to a deeper end


@each_theme
@pytest.mark.parametrize("head", HEADS)
def test_a_ramp_has_no_bands(theme: Theme, head: int) -> None:
    colours = [oklab(linear(name)) for name in names(ramp(theme, head))]
    apart = np.array([math.dist(a, b) for a, b in itertools.pairwise(colours)])
    assert apart[3:].max() < 0.016  # the first steps off the paper may gain their hue faster


@each_theme
@pytest.mark.parametrize("head", HEADS)
def test_the_ramp_of_several_heads_is_grey_and_as_light_as_each_of_theirs(theme: Theme, head: int) -> None:
    grey = ink_ramp(theme)
    assert colour_name(grey[0]) == theme.paper
    assert np.abs(lightness(grey) - lightness(ramp(theme, head))).max() < 0.012
    assert max(math.hypot(*oklab(linear(name))[1:]) for name in names(grey)) < 0.02


@each_theme
def test_a_ramp_on_white_paper_begins_at_white(theme: Theme) -> None:
    assert colour_name(ramp(replace(theme, paper="#ffffff"), 3)[0]) == "#ffffff"


@each_theme
@pytest.mark.parametrize("head", HEADS)
def test_black_or_white_numbers_can_be_read_on_every_step(theme: Theme, head: int) -> None:
    levels = ramp(theme, head)
    inks = ["#ffffff" if dark else "#000000" for dark in is_dark(levels)]
    assert min(contrast(name, ink) for name, ink in zip(names(levels), inks, strict=True)) >= 4.5


@each_theme
def test_signed_numbers_are_as_far_from_the_middle_on_both_sides(theme: Theme) -> None:
    light = lightness(two_sided(theme))
    assert np.abs(light - light[::-1]).max() < 0.01
    middle = light[N_STEP // 2]
    assert abs(middle - oklab(linear(theme.paper))[0]) > 0.02
    away = np.abs(light - middle)
    assert (np.diff(away[N_STEP // 2 :]) > -0.003).all()
    assert away[-1] > 0.4


@each_theme
@pytest.mark.parametrize("eye", EYES)
def test_every_eye_tells_the_two_sides_apart_from_a_fifth_of_the_way(theme: Theme, eye: str) -> None:
    colours = [seen(name, eye) for name in names(two_sided(theme))]
    for step in range(round(0.4 * N_STEP)):
        assert math.dist(colours[step], colours[N_STEP - 1 - step]) > 0.04, step


@each_theme
def test_a_ramp_is_made_once_and_nobody_can_change_it(theme: Theme) -> None:
    assert ramp(theme, 2) is ramp(theme, 2)
    for levels in (ramp(theme, 2), two_sided(theme)):
        assert levels.shape == (N_STEP, 3)
        assert levels.dtype == np.uint8
        with pytest.raises(ValueError, match="read-only"):
            levels[0] = 0


@given(st.lists(st.floats(-0.5, 1.5, width=32), min_size=1, max_size=40))
def test_a_larger_share_never_has_an_earlier_step(shares: list[float]) -> None:
    ordered = np.sort(np.array(shares, np.float32))
    steps = steps_of(ordered).astype(int)
    assert (np.diff(steps) >= 0).all()
    assert np.abs(steps - 255 * np.clip(ordered, 0, 1)).max() <= 0.5001
    assert steps_of(np.array([-1, 0, 1, 2], np.float32)).tolist() == [0, 0, 255, 255]


def test_both_themes_are_covered() -> None:
    assert {theme.name for theme in THEMES} == {"light", "dark"}


@each_theme
@pytest.mark.parametrize("eye", EYES)
def test_every_eye_tells_whose_difference_it_is_from_a_fifth_of_the_way(theme: Theme, eye: str) -> None:
    colours = [seen(name, eye) for name in names(difference_ramp(theme))]
    for step in range(round(0.4 * N_STEP)):
        assert math.dist(colours[step], colours[N_STEP - 1 - step]) > 0.04, step


@each_theme
def test_the_two_runs_colours_part_in_grey_print_and_stand_off_the_paper(theme: Theme) -> None:
    of_a, of_b = difference_colours(theme)
    light = [oklab(linear(name))[0] for name in (of_a, of_b)]
    assert abs(light[0] - light[1]) > 0.10
    assert min(contrast(name, theme.paper) for name in (of_a, of_b)) > 2.9
    assert (of_a, of_b) == (names(difference_ramp(theme))[-1], names(difference_ramp(theme))[0])


@each_theme
def test_the_more_a_difference_is_the_further_it_is_from_the_paper(theme: Theme) -> None:
    light = lightness(difference_ramp(theme))
    paper = oklab(linear(theme.paper))[0]
    away = np.abs(light - paper)
    assert colour_name(difference_ramp(theme)[N_STEP // 2]) == colour_name(difference_ramp(theme)[N_STEP // 2 - 1]) == theme.paper
    assert (np.diff(away[N_STEP // 2 :]) > -0.003).all()
    assert (np.diff(away[: N_STEP // 2]) < 0.003).all()


@each_theme
def test_black_or_white_numbers_can_be_read_on_every_difference(theme: Theme) -> None:
    levels = difference_ramp(theme)
    inks = ["#ffffff" if dark else "#000000" for dark in is_dark(levels)]
    assert min(contrast(name, ink) for name, ink in zip(names(levels), inks, strict=True)) >= 4.5
