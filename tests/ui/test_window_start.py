"""The first moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attnviz.session.examples import load_examples
from attnviz.session.settings import Settings, save_settings
from attnviz.ui.start import open_window
from tests.ui.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from attnviz.ui.window import MainWindow


def test_the_first_start_draws_the_first_example_pinned_on_it(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader(None)
    first = load_examples()[0]
    assert hands.reader.sentence.toPlainText() == first.text
    assert hands.state.view.layer == 3
    assert hands.scene.focus == hands.position("it")
    assert " ".join(hands.words()) == "The animal didn ' t cross the street because it was tired ."
    assert hands.reader.panel.title() == "it"
    assert hands.look() == first.look


def test_the_window_is_not_seen_before_it_has_a_picture(
    qtbot: QtBot, fusion: QApplication, minilm_path: Path, closed_after: Callable[[MainWindow], MainWindow]
) -> None:
    window = closed_after(open_window(fusion, minilm_path, None))
    seen: list[bool] = []
    window.session.subscribe(lambda old, new: seen.append(window.isVisible() and window.reader.canvas.scene is None))
    assert not window.isVisible()
    qtbot.waitUntil(window.isVisible)
    assert window.reader.canvas.scene is not None
    assert not any(seen)


def test_the_sentence_has_the_focus_at_first(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader()
    hands.activate()
    assert hands.window.focusWidget() is hands.reader.sentence


def test_a_given_text_is_read_without_the_examples_line(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader("Cats purr.")
    assert hands.words() == ["Cats", "pu", "rr", "."]
    assert hands.look() == ""


@pytest.mark.parametrize("size", [(1180, 760), (900, 640), (700, 600)])
def test_the_window_opens_in_the_size_it_was_left_in(open_reader: Callable[..., Hands], size: tuple[int, int]) -> None:
    save_settings(Settings(width=size[0], height=size[1]))
    hands = open_reader()
    assert (hands.window.width(), hands.window.height()) == size


def test_all_chips_are_seen_in_a_narrow_window(open_reader: Callable[..., Hands]) -> None:
    save_settings(Settings(width=660, height=640))
    hands = open_reader()
    chips = hands.reader.chips
    assert len({chip.y() for chip in chips._chips}) == 2
    assert all(chips.rect().contains(chip.geometry()) for chip in chips._chips)
