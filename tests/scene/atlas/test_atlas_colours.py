"""The groups' colours can be told apart on both papers, by colour-blind eyes and in grey print, and text can be read on them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from attnviz.probing.measures import GROUPS
from attnviz.scene.atlas.colours import CLEAREST, NO_JOBS, group_colour, role_ground, wrong_colour
from attnviz.scene.oklab import lab_of
from attnviz.scene.ramps import colour_name, colour_ramp
from tests.scene.test_palette import EYES, contrast, each_theme, linear

if TYPE_CHECKING:
    from attnviz.scene.theme import Theme

JOBS: Final = [group for group in GROUPS if group not in NO_JOBS]


def seen(colour: str, eye: str) -> np.ndarray:
    """A colour in OKLab as an eye sees it."""
    mixed = np.clip(np.array(EYES[eye]) @ np.array(linear(colour)), 0.0, 1.0)
    levels = np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * mixed ** (1 / 2.4) - 0.055)
    return lab_of("#{:02x}{:02x}{:02x}".format(*np.rint(levels * 255).astype(int)))


@each_theme
@pytest.mark.parametrize("eye", EYES)
def test_any_two_groups_differ_for_every_eye(theme: Theme, eye: str) -> None:
    colours = [group_colour(group, theme) for group in JOBS]
    assert len(colours) == 5
    for one, other in combinations(colours, 2):
        assert np.linalg.norm(seen(one, eye) - seen(other, eye)) > 0.065


@each_theme
def test_any_two_groups_differ_in_grey_print(theme: Theme) -> None:
    lightness = sorted(lab_of(group_colour(group, theme))[0] for group in JOBS)
    assert np.diff(lightness).min() > 0.065


@each_theme
@pytest.mark.parametrize("eye", EYES)
def test_what_is_wrong_looks_like_no_group(theme: Theme, eye: str) -> None:
    wrong = seen(wrong_colour(theme), eye)
    for group in JOBS:
        assert np.linalg.norm(wrong - seen(group_colour(group, theme), eye)) > 0.06, group


@each_theme
@pytest.mark.parametrize("group", JOBS)
def test_a_groups_line_stands_out_from_the_paper_and_from_its_own_ground(theme: Theme, group: str) -> None:
    colour = group_colour(group, theme)
    assert contrast(colour, theme.paper) >= 2.9
    assert np.linalg.norm(lab_of(colour) - lab_of(role_ground(group, 1.0, theme))) > 0.1


@each_theme
@pytest.mark.parametrize("above", [0.1, 0.3, CLEAREST, 1.0])
def test_text_can_be_read_on_every_ground(theme: Theme, above: float) -> None:
    for group in JOBS:
        assert contrast(theme.ink, role_ground(group, above, theme)) >= 4.5
    assert contrast(theme.muted, role_ground("rest", above, theme)) >= 4.5


@each_theme
def test_even_the_least_clear_role_is_seen_beside_none_and_beside_a_resting_place(theme: Theme) -> None:
    for group in JOBS:
        least = lab_of(role_ground(group, 0.1, theme))
        assert np.linalg.norm(least - lab_of(theme.paper)) > 0.04
        assert np.linalg.norm(least - lab_of(role_ground("rest", 0.1, theme))) > 0.02


@each_theme
def test_what_is_no_job_has_no_hue(theme: Theme) -> None:
    for group in NO_JOBS:
        assert np.hypot(*lab_of(group_colour(group, theme))[1:]) < 0.02
        assert role_ground(group, 0.1, theme) == role_ground(group, 0.9, theme)


@each_theme
@pytest.mark.parametrize("group", JOBS)
def test_a_groups_ramp_leads_from_the_paper_through_its_colour_in_even_steps(theme: Theme, group: str) -> None:
    ramp = colour_ramp(theme, group_colour(group, theme))
    assert colour_name(ramp[0]) == theme.paper
    steps = np.array([lab_of(colour_name(level)) for level in ramp[8:]])
    forward = np.diff(steps[:, 0]) * (-1 if theme.name == "light" else 1)
    assert forward.min() > -0.004  # a level of the screen
    nearest = np.linalg.norm(steps - lab_of(group_colour(group, theme)), axis=1).min()
    assert nearest < 0.03


@each_theme
def test_grounds_without_text_are_fuller(theme: Theme) -> None:
    paper = lab_of(theme.paper)
    for group in JOBS:
        for above in (0.12, 0.4, 0.9):
            bare, under = (np.linalg.norm(lab_of(role_ground(group, above, theme, is_bare)) - paper) for is_bare in (True, False))
            assert bare > 1.2 * under
