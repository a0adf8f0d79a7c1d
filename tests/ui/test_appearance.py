"""Light and dark, by choice and by the system, and what is remembered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QStyleHints

from attnviz.scene.palette import head_colour
from attnviz.scene.theme import load_theme
from attnviz.session.settings import load_settings
from tests.ui.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QApplication


@pytest.fixture
def system(fusion: QApplication, monkeypatch: pytest.MonkeyPatch) -> Callable[[Qt.ColorScheme], None]:
    """Has the system ask for a scheme; the offscreen platform has none of its own."""

    def ask_for(scheme: Qt.ColorScheme) -> None:
        monkeypatch.setattr(QStyleHints, "colorScheme", lambda hints: scheme)
        fusion.styleHints().colorSchemeChanged.emit(scheme)

    return ask_for


def theme_on_screen(hands: Hands) -> str:
    """The theme by what one sees: the paper of the picture and the ground of the sentence."""
    paper = hands.canvas.grab().toImage().pixelColor(5, hands.canvas.height() // 2)
    field = hands.reader.sentence.grab().toImage().pixelColor(hands.reader.sentence.width() - 20, 8)
    found = [
        name for name in ("light", "dark") if (paper, field) == (QColor(load_theme(name).paper), QColor(load_theme(name).field))
    ]
    assert found, (paper.name(), field.name())
    return found[0]


def test_the_menu_chooses_dark_and_light(hands: Hands) -> None:
    assert theme_on_screen(hands) == "light"
    hands.choose_menu("go_dark")
    assert theme_on_screen(hands) == hands.scene.theme.name == "dark"
    hands.choose_menu("go_light")
    assert theme_on_screen(hands) == hands.scene.theme.name == "light"


def ticked(hands: Hands) -> list[str]:
    return [slot for slot in ("follow_system", "go_light", "go_dark") if hands.window.actions_by_slot[slot].isChecked()]


def test_the_menu_ticks_the_one_that_holds(open_reader: Callable[..., Hands]) -> None:
    first = open_reader()
    assert ticked(first) == ["follow_system"]
    for slot in ("go_dark", "go_dark", "go_light", "follow_system", "go_dark"):
        first.choose_menu(slot)
        assert ticked(first) == [slot]
    first.window.close()
    assert ticked(open_reader()) == ["go_dark"]


def test_the_window_follows_the_system(hands: Hands, system: Callable[[Qt.ColorScheme], None]) -> None:
    system(Qt.ColorScheme.Dark)
    assert hands.scene.theme.name == "dark"
    assert theme_on_screen(hands) == "dark"
    system(Qt.ColorScheme.Light)
    assert theme_on_screen(hands) == "light"


def test_a_chosen_theme_holds_against_the_system_until_it_is_followed_again(
    hands: Hands, system: Callable[[Qt.ColorScheme], None]
) -> None:
    hands.choose_menu("go_light")
    system(Qt.ColorScheme.Dark)
    assert hands.scene.theme.name == "light"
    hands.choose_menu("follow_system")
    assert theme_on_screen(hands) == "dark"


def test_a_head_keeps_its_hue_in_the_dark(hands: Hands) -> None:
    for head in range(12):
        light, dark = (QColor(head_colour(head, load_theme(name))) for name in ("light", "dark"))
        turn = abs(light.hue() - dark.hue())
        assert min(turn, 360 - turn) <= 25, (head, light.name(), dark.name())
    light_colours = hands.scene.arcs.colours
    hands.choose_menu("go_dark")
    assert hands.scene.arcs.colours == tuple(head_colour(head, load_theme("dark")) for head in range(12))
    assert light_colours == tuple(head_colour(head, load_theme("light")) for head in range(12))


def test_the_picture_stays_the_same_but_for_its_colours(hands: Hands) -> None:
    before = hands.scene
    hands.choose_menu("go_dark")
    assert hands.scene.tokens == before.tokens
    assert (hands.scene.arcs.curve == before.arcs.curve).all()


def test_theme_size_and_motion_are_remembered(open_reader: Callable[..., Hands], own_folders: Path) -> None:
    first = open_reader(still=False)
    first.choose_menu("go_dark")
    first.choose_menu("toggle_motion")
    first.window.resize(1000, 700)
    first.window.close()
    kept = json.loads((own_folders / "settings.json").read_text())
    assert (kept["theme"], kept["reduced_motion"], kept["width"], kept["height"]) == ("dark", True, 1000, 700)
    second = open_reader(still=load_settings().reduced_motion)
    assert second.reader.pictures.reduced_motion
    assert second.window.actions_by_slot["toggle_motion"].isChecked()
    assert theme_on_screen(second) == "dark"
    assert (second.window.width(), second.window.height()) == (1000, 700)


def test_settings_that_cannot_be_read_are_as_at_first(open_reader: Callable[..., Hands], own_folders: Path) -> None:
    (own_folders / "settings.json").write_text('{"theme": "mauve", "width": "wide"')
    assert theme_on_screen(open_reader()) == "light"
