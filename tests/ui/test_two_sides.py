"""The window on an encoder-decoder: a second text, three attentions, and back to a model of one side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from attnviz.ui.export_dialog import ExportDialog
from tests.golden.families_reader import write_model
from tests.scene.pictures import SHOWN
from tests.ui.hands import LEFT, Hands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT, PAIR = "Why not cross the street?", "The fox."


@pytest.fixture
def hands(open_reader: Callable[..., Hands], tmp_path: Path) -> Hands:
    """A window that reads TEXT with a T5 that has more layers on one side."""
    hands = open_reader(TEXT)
    hands.window.open_model(write_model("t5-v11-untied", tmp_path / "t5-tiny"))
    hands.until(lambda: hands.run.model.name == "t5-tiny")
    hands.settle()
    return hands


def write_pair(hands: Hands, text: str) -> None:
    hands.qtbot.mouseClick(hands.reader.pair, LEFT)
    hands.reader.pair.selectAll()
    hands.qtbot.keyClicks(hands.reader.pair, text)
    hands.until(lambda: hands.run.trace.pair == text)
    hands.settle()


def choose(hands: Hands, name: str) -> None:
    box = hands.reader.kinds
    box.setFocus(Qt.FocusReason.TabFocusReason)
    index = box.findText(name)
    while box.currentIndex() != index:
        hands.qtbot.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < index else Qt.Key.Key_Up)
    hands.settle()


def test_a_model_of_two_sides_brings_a_field_for_its_decoder(hands: Hands) -> None:
    assert hands.reader.pair.isVisible()
    assert hands.reader.kinds.isVisible()
    assert [hands.reader.kinds.itemText(i) for i in range(3)] == ["Encoder", "Decoder", "Decoder → encoder"]
    assert "encoder and" in hands.facts()
    assert "decoder layer" in hands.facts()


def test_what_is_written_for_the_decoder_is_read_by_it(hands: Hands) -> None:
    write_pair(hands, PAIR)
    choose(hands, "Decoder")
    assert "".join(hands.words()).replace("·", "") == PAIR.replace(" ", "")
    choose(hands, "Decoder → encoder")
    assert "".join(hands.words()).replace("·", "") == (TEXT + PAIR).replace(" ", "")
    choose(hands, "Encoder")
    assert "".join(hands.words()).replace("·", "") == TEXT.replace(" ", "")


def test_each_attention_has_the_layers_of_its_side(hands: Hands) -> None:
    trace = hands.run.trace
    for name, kind in (("Encoder", "encoder"), ("Decoder", "decoder"), ("Decoder → encoder", "cross")):
        choose(hands, name)
        hands.reader.layers.setValue(100)
        hands.settle()
        assert hands.state.view.layer == trace.n_layer_of(kind) - 1


def test_the_panel_tells_what_a_token_of_the_decoder_looks_at(hands: Hands) -> None:
    write_pair(hands, PAIR)
    choose(hands, "Decoder → encoder")
    n = len(hands.run.trace.tokens)
    hands.window.session.show(focus=n + 1, sinks=SHOWN)
    hands.settle()
    panel = hands.reader.panel
    assert panel.looks_at.isVisible()
    assert not panel.looked_at_by.isVisible()
    hands.window.session.show(focus=0)
    hands.settle()
    assert panel.looked_at_by.isVisible()
    assert not panel.looks_at.isVisible()


def test_the_head_count_reaches_all_three(hands: Hands) -> None:
    hands.window.fewer_heads()
    hands.until(lambda: hands.run.trace.is_what_if)
    hands.settle()
    for kind in hands.run.trace.kinds:
        assert hands.run.trace.attention(0, kind).shape[0] == hands.run.trace.head_count
    assert "What if this model had" in hands.band()


def test_a_model_of_one_side_takes_the_field_away_again(hands: Hands, minilm_path: Path) -> None:
    choose(hands, "Decoder → encoder")
    hands.window.open_model(minilm_path)
    hands.until(lambda: hands.run.model.name == "all-MiniLM-L6-v2")
    hands.settle()
    assert not hands.reader.pair.isVisible()
    assert not hands.reader.kinds.isVisible()
    assert " ".join(hands.words()) == "Why not cross the street ?"


def test_csv_from_the_window_holds_the_attention_that_is_shown(hands: Hands, tmp_path: Path) -> None:
    write_pair(hands, PAIR)
    choose(hands, "Decoder → encoder")
    hands.window.export()
    dialog = hands.window.findChildren(ExportDialog)[-1]
    dialog.form_box.setCurrentText("CSV table")
    dialog.numbers_box.setCurrentText("The whole run")
    assert "decoder → encoder" in dialog.message()
    dialog.path_field.setText(str(tmp_path / "x.csv"))
    hands.qtbot.mouseClick(dialog.export_button, LEFT)
    hands.until((tmp_path / "x.csv").exists)
    assert '# attention: "cross"' in (tmp_path / "x.csv").read_text(encoding="utf-8")
    dialog.close()
