"""The first moments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from attnviz.session.examples import load_examples
from attnviz.session.settings import Settings, save_settings
from attnviz.ui.app import smallest_model
from attnviz.ui.start import open_window
from tests.engine.tiny_bert import write_bert
from tests.golden.families_reader import write_model
from tests.ui.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QApplication, QWidget
    from pytestqt.qtbot import QtBot

    from attnviz.engine.model import Model
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


def test_the_first_picture_that_is_painted_fills_the_window(
    qtbot: QtBot, fusion: QApplication, minilm_path: Path, closed_after: Callable[[MainWindow], MainWindow]
) -> None:
    window = closed_after(open_window(fusion, minilm_path, None))
    canvas = window.reader.canvas
    painted: list[tuple[float, int]] = []
    canvas.painted.connect(lambda: painted.append((canvas.scene.width, canvas.width())))
    qtbot.waitUntil(lambda: bool(painted))
    scene, room = painted[0]
    assert scene == room > 600


def controls(hands: Hands) -> list[QWidget]:
    reader = hands.reader
    return [reader.layers, reader.head_counts, reader.threshold, reader.bar, reader.chips]


@pytest.mark.parametrize(("text", "says"), [(" ", "no visible character"), ("A text too long.", "not enough memory")])
def test_a_first_text_that_cannot_be_read_leaves_the_reader_with_the_sentence_and_nothing_to_turn(
    qtbot: QtBot,
    fusion: QApplication,
    minilm: Model,
    closed_after: Callable[[MainWindow], MainWindow],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    says: str,
) -> None:
    def trace(*args: object, **how: object) -> None:
        raise MemoryError

    with monkeypatch.context() as crowded:
        crowded.setattr(type(minilm), "trace", trace)
        hands = Hands(qtbot, closed_after(open_window(fusion, minilm.path, text)))
        qtbot.waitUntil(hands.window.isVisible)
        hands.settle()
    assert says in hands.reader.notice.text()
    assert hands.reader.isVisible()
    assert not hands.window.welcome.isVisible()
    assert hands.state.model == minilm.path
    assert not any(control.isEnabled() for control in controls(hands))
    hands.type("Cats sleep.")
    assert hands.words() == ["Cats", "sleep", "."]
    assert hands.reader.notice.text() == ""
    assert all(control.isEnabled() for control in controls(hands))


def test_the_panel_gives_its_room_to_the_picture_in_a_narrow_window(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader()
    for width, seen in ((1180, True), (799, False), (800, True), (700, False)):
        hands.window.resize(width, 700)
        hands.settle()
        assert hands.reader.panel.isVisible() == seen
        assert (hands.canvas.width() == width) != seen


def test_without_the_default_model_the_smallest_that_runs_is_opened(own_folders: Path) -> None:
    models = own_folders / "models"
    for link in models.iterdir():
        link.unlink()
    assert smallest_model() is None
    write_bert(models / "small")
    write_model("llama-gqa", models / "larger")
    foreign = write_bert(models / "foreign")
    config = json.loads((foreign / "config.json").read_text())
    (foreign / "config.json").write_text(json.dumps(config | {"model_type": "mamba"}))
    (foreign / "model.safetensors").unlink()
    save_file({"x": np.zeros(1, np.float32)}, foreign / "model.safetensors")
    assert smallest_model() == models / "small"
