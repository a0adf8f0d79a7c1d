"""The bar above the picture: each of its controls changes the picture as it says, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

from attnviz.session.view import QUANTITY_NAMES
from tests.ui.hands import LEFT

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QComboBox

    from tests.ui.hands import Hands

LONG_WORD = "Unbelievably, it overslept."


def choose(hands: Hands, box: QComboBox, value: str) -> None:
    """Choose an entry with the keys, as a person may."""
    hands.activate()
    box.setFocus()
    for _ in range(box.count()):
        hands.qtbot.keyClick(box, Qt.Key.Key_Up)
    while box.currentData() != value:
        before = box.currentIndex()
        hands.qtbot.keyClick(box, Qt.Key.Key_Down)
        assert box.currentIndex() > before, f"{value} cannot be reached"


def test_whole_words_are_one_text_each_and_back(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader(LONG_WORD)
    pieces = hands.words()
    hands.qtbot.mouseClick(hands.reader.bar.words, LEFT, pos=hands.reader.bar.words.rect().center())
    assert hands.words() == ["Unbelievably", ",", "it", "overslept", "."]
    hands.key("W")
    assert hands.words() == pieces
    assert not hands.reader.bar.words.isChecked()


def test_a_pinned_piece_stays_pinned_as_the_word_that_holds_it(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader(LONG_WORD)
    last = max(i for i, piece in enumerate(hands.run.trace.pieces) if piece.continues and i < hands.position(","))
    hands.click_token(last)
    hands.key("W")
    assert hands.reader.panel.title() == "Unbelievably"
    assert hands.scene.token_at(hands.scene.focus).text == "Unbelievably"
    hands.key("W")
    assert hands.scene.focus == last


def test_every_other_token_can_be_pinned_while_words_are_whole(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader(LONG_WORD)
    hands.key("W")
    for box in hands.scene.tokens:
        hands.click_token(box.index)
        assert hands.scene.focus == box.index
        assert hands.reader.panel.title() == box.text


@pytest.mark.parametrize(
    ("treatment", "says"), [("show", None), ("dim", "dimmed: "), ("hide", "hidden: "), ("renormalise", "taken out: ")]
)
def test_each_treatment_of_sinks_is_said_on_the_picture(hands: Hands, treatment: str, says: str | None) -> None:
    sinks = hands.reader.bar.sinks
    hands.qtbot.mouseClick(sinks, LEFT)
    hands.until(sinks.popup.isVisible)
    hands.qtbot.mouseClick(
        sinks.boxes["punctuation"],
        LEFT,
        pos=sinks.boxes["punctuation"].rect().center() - sinks.boxes["punctuation"].rect().center() / 2,
    )
    hands.qtbot.mouseClick(sinks.treatments[treatment], LEFT, pos=sinks.treatments[treatment].rect().center() / 2)
    assert hands.state.view.sinks.treatment == treatment
    assert "punctuation" in hands.state.view.sinks.kinds
    lines = [line for line in hands.sentences() if line.startswith(("dimmed", "hidden", "taken out", "drawn"))]
    assert lines[0].startswith("drawn: " if says is None else says + "[CLS] ' . [SEP], mean")
    share = round(100 * hands.run.trace.attention(0)[:, 1:-1][:, :, [0, 4, 13, 14]].sum(-1).mean())
    if says in ("hidden: ", "taken out: "):
        assert f"mean {share} %" in lines[0]
        assert f"they have {share} %" in sinks.share()
    assert ("[CLS]" in hands.words()) == (treatment in ("show", "dim"))
    assert "." in hands.words()  # a part of the sentence, whatever is shown of it
    sinks.popup.close()


def test_the_mean_of_the_shown_heads_is_one_arc_per_pair(hands: Hands) -> None:
    hands.qtbot.mouseClick(hands.reader.chips.mean_chip, LEFT)
    arcs = hands.scene.arcs
    assert set(arcs.head.tolist()) == {-1}
    mean = hands.run.trace.attention(0).mean(axis=0)
    assert np.allclose(arcs.weight, mean[arcs.query, arcs.key], atol=1e-6)
    hands.key("M")
    assert set(hands.scene.arcs.head.tolist()) == set(range(12))
    assert not hands.reader.chips.mean_chip.isChecked()


@pytest.mark.parametrize("quantity", list(QUANTITY_NAMES))
def test_each_quantity_says_what_it_is(hands: Hands, quantity: str) -> None:
    choose(hands, hands.reader.bar.quantities, quantity)
    says = {"attention": "the attention", "norms": "Kobayashi et al. 2020", "rollout": "Abnar & Zuidema 2020"}[quantity]
    assert hands.state.view.quantity == quantity
    assert any(says in line for line in hands.sentences())


def test_the_second_text_opens_is_read_and_goes_again(hands: Hands) -> None:
    reader = hands.reader
    assert not reader.pair.isVisible()
    assert not reader.bar.texts.isVisible()
    hands.qtbot.mouseClick(reader.pair_button, LEFT)
    assert reader.pair.isVisible()
    hands.qtbot.keyClicks(reader.pair, "It slept.")
    hands.until(lambda: hands.run.trace.pair == "It slept.")
    hands.settle()
    assert reader.bar.texts.isVisible()
    assert hands.words()[-3:] == ["It", "slept", "."]
    hands.qtbot.mouseClick(reader.pair_button, LEFT)
    hands.until(lambda: hands.run.trace.pair is None)
    hands.settle()
    assert not reader.pair.isVisible()
    assert not reader.bar.texts.isVisible()


def test_arcs_between_two_texts_run_just_the_way_that_was_chosen(hands: Hands) -> None:
    hands.qtbot.mouseClick(hands.reader.pair_button, LEFT)
    hands.qtbot.keyClicks(hands.reader.pair, "It slept.")
    hands.until(lambda: hands.run.trace.pair == "It slept.")
    hands.settle()
    text = np.array([piece.sequence for piece in hands.run.trace.pieces])
    for between, ways in {
        "first_to_second": {(0, 1)},
        "second_to_first": {(1, 0)},
        "across": {(0, 1), (1, 0)},
        "within": {(0, 0), (1, 1)},
    }.items():
        choose(hands, hands.reader.bar.texts, between)
        arcs = hands.scene.arcs
        assert set(zip(text[arcs.query].tolist(), text[arcs.key].tolist(), strict=True)) == ways


def test_the_choice_of_sinks_shows_all_of_its_text_on_a_small_screen(hands: Hands) -> None:
    sinks = hands.reader.bar.sinks
    hands.qtbot.mouseClick(sinks, LEFT)
    hands.until(sinks.popup.isVisible)
    assert sinks.popup.height() >= sinks.popup.sizeHint().height()
    sinks.popup.close()
