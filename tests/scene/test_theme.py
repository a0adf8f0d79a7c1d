"""Both themes have every colour, and text can be read on each ground."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from attnviz.resources import read_json
from attnviz.scene.theme import Theme, load_theme
from tests.scene.test_palette import contrast, each_theme

COLOURS = [field.name for field in fields(Theme) if field.name not in ("name", "head_lightness")]


@each_theme
def test_a_theme_file_has_exactly_the_known_names(theme: Theme) -> None:
    assert set(read_json(f"themes/{theme.name}.json")) == {field.name for field in fields(Theme)}
    for name in COLOURS:
        assert re.fullmatch("#[0-9a-f]{6}", getattr(theme, name)), name


@each_theme
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize(("ink", "least"), [("ink", 4.5), ("muted", 4.5), ("accent", 4.5), ("faint", 3.0)])
def test_text_can_be_read_on_paper_and_panel(theme: Theme, ink: str, ground: str, least: float) -> None:
    """WCAG 2.2: 4.5 for text, 3.0 for large text and signs."""
    assert contrast(getattr(theme, ink), getattr(theme, ground)) >= least


@each_theme
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("what_if_ink", "what_if_ground"),
        ("warning_ink", "warning_ground"),
        ("accent_ink", "accent"),
        ("accent", "focus_ground"),
        ("ink", "field"),
        ("muted", "field"),
    ],
)
def test_text_can_be_read_on_the_ground_made_for_it(theme: Theme, ink: str, ground: str) -> None:
    assert contrast(getattr(theme, ink), getattr(theme, ground)) >= 4.5


def test_white_paper_can_be_read_like_the_light_one() -> None:
    light = load_theme("light")
    for ink in ("ink", "muted", "accent"):
        assert contrast(getattr(light, ink), "#ffffff") >= 4.5


def test_light_is_light_and_dark_is_dark() -> None:
    assert contrast(load_theme("light").paper, "#000000") > 15.0
    assert contrast(load_theme("dark").paper, "#ffffff") > 15.0
