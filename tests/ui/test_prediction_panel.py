"""Masks, next tokens and what the model writes: through the real window, on tiny models with prediction heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from attnviz.engine.changes import NOTHING, HeadAt, WeightAt
from attnviz.session.state import shows_what_is_asked
from attnviz.ui.panels.bars import ROW
from attnviz.ui.start import open_window
from tests.golden.families_reader import write_model
from tests.ui.hands import LEFT, NO_KEY, Hands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from attnviz.ui.panels.prediction_panel import PredictionPanel
    from attnviz.ui.window import MainWindow

TEXT = "the cat sings in the house"


@pytest.fixture
def open_tiny(
    qtbot: QtBot, fusion: QApplication, tmp_path: Path, closed_after: Callable[[MainWindow], MainWindow]
) -> Callable[..., Hands]:
    """Opens the window on one of the tiny models, with the panel of predictions."""

    def open_it(case: str, text: str = TEXT) -> Hands:
        folder = write_model(case, tmp_path / case)
        window = closed_after(open_window(fusion, folder, text))
        hands = Hands(qtbot, window)
        window.set_reduced_motion(True)
        qtbot.waitUntil(window.isVisible)
        hands.settle()
        hands.window.view_actions.show_prediction()
        hands.settle()
        return hands

    return open_it


def panel_of(hands: Hands) -> PredictionPanel:
    return hands.reader.side.prediction


def wait_until_written(hands: Hands, n: int) -> None:
    hands.until(lambda: len(hands.state.written) == n and not hands.state.busy)


def click_row(hands: Hands, row: int, place: int = 0) -> None:
    hands.qtbot.mouseClick(panel_of(hands).rows.lists()[place], LEFT, NO_KEY, QPoint(30, ROW * row + ROW // 2))
    hands.settle()


def test_a_model_without_a_prediction_head_says_so(hands: Hands) -> None:
    hands.key("p")
    panel = panel_of(hands)
    assert panel.isVisible()
    assert "no prediction head" in panel.hint()
    assert panel.rows.shown() == ()
    assert not panel.one.isVisible()


def test_a_double_click_masks_a_token_and_the_model_fills_it_in(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("bert-mlm")
    at = next(box.index for box in hands.scene.tokens if box.text == "in")
    hands.double_click(hands.canvas, hands.at_token(at))
    hands.settle()
    assert hands.state.text == "the cat sings [MASK] the house"
    assert hands.reader.sentence.toPlainText() == hands.state.text
    (one,) = panel_of(hands).rows.shown()
    assert one.token == "[MASK]"
    assert hands.state.view.focus == one.position
    number = one.guesses[0].number
    assert number == int(hands.run.trace.logits()[one.position].argmax())
    hands.window.session.undo()
    hands.settle()
    assert hands.state.text == TEXT


def test_a_click_on_a_guess_puts_it_in_place_of_the_mask(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("bert-mlm", "the cat [MASK] in the house")
    (one,) = panel_of(hands).rows.shown()
    row = next(row for row, guess in enumerate(one.guesses) if guess.text.isalpha())
    click_row(hands, row)
    assert hands.state.text == f"the cat {one.guesses[row].text} in the house"


def test_a_mask_on_minilm_can_be_set_and_turns_its_vectors(hands: Hands) -> None:
    hands.double_click(hands.canvas, hands.at_token(hands.position("street")))
    hands.settle()
    assert hands.state.text == "The animal didn't cross the [MASK] because it was tired."


def test_the_tokenizers_own_tokens_cannot_be_masked(hands: Hands) -> None:
    hands.key("s")
    hands.settle()
    hands.double_click(hands.canvas, hands.at_token(0))
    assert hands.state.text.startswith("The animal")
    assert "no part of the text" in hands.window.statusBar().currentMessage()


def test_a_causal_model_is_not_masked_but_says_where_to_look(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("gpt2-lm")
    hands.double_click(hands.canvas, hands.at_token(3))
    assert hands.state.text == TEXT
    assert "Prediction" in hands.window.statusBar().currentMessage()


def test_the_next_token_is_written_and_the_timeline_leads_back(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    panel = panel_of(hands)
    hands.window.session.show(temperature=0.0)
    n = len(hands.run.trace.tokens)
    assert not hands.reader.timeline.isVisible()
    hands.qtbot.mouseClick(panel.one, LEFT)
    wait_until_written(hands, 1)
    assert hands.state.view.focus == n  # the new token, with what it looks at
    hands.qtbot.mouseClick(panel.many, LEFT)
    wait_until_written(hands, 21)
    whole = hands.run.trace
    assert whole.n_written == 21
    timeline = hands.reader.timeline
    assert timeline.isVisible()
    assert len(timeline.texts()) == 21
    assert timeline.value() == 21
    hands.key("e", timeline)  # any key that means nothing to it
    timeline.setValue(4)
    hands.settle()
    assert len(hands.run.trace.tokens) == n + 4
    assert np.array_equal(hands.run.trace.hidden, whole.hidden[: n + 4])
    assert len(hands.state.written) == 21  # nothing is lost
    assert hands.facts().split("     ")[1] == "computed before"
    timeline.setValue(0)
    hands.settle()
    assert hands.run.trace.tokens == whole.tokens[:n]


def test_the_timeline_answers_keys_and_wheel(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    hands.window.session.write(4)
    wait_until_written(hands, 4)
    timeline = hands.reader.timeline
    for key, n in ((Qt.Key.Key_Left, 3), (Qt.Key.Key_Home, 0), (Qt.Key.Key_Right, 1), (Qt.Key.Key_End, 4)):
        hands.key(key, timeline)
        hands.settle()
        assert hands.run.trace.n_written == n
    hands.wheel(timeline, timeline.rect().center(), 1)
    hands.settle()
    assert hands.run.trace.n_written == 3
    hands.turn(timeline, timeline.rect().center(), QPoint(0, -60))  # half a notch, as touchpads send it
    assert timeline.value() == 3
    hands.turn(timeline, timeline.rect().center(), QPoint(0, -60))
    assert timeline.value() == 4
    hands.settle()


def test_writing_on_from_an_earlier_place_leaves_what_came_after(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    hands.window.session.show(temperature=0.0)
    hands.window.session.write(4)
    wait_until_written(hands, 4)
    first = hands.state.written
    hands.reader.timeline.setValue(2)
    hands.settle()
    click_row(hands, 3)
    assert hands.state.written[:2] == first[:2]
    assert len(hands.state.written) == 3
    assert hands.state.written != first[:3]
    hands.window.session.undo()
    hands.settle()
    assert hands.state.written == first


def test_a_text_that_changes_has_nothing_written_behind_it(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    hands.window.session.write(2)
    wait_until_written(hands, 2)
    hands.type("the dog")
    assert hands.state.written == ()
    assert not hands.reader.timeline.isVisible()


def test_writing_can_be_stopped(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    hands.window.session.write(500)
    hands.until(lambda: len(hands.state.written) > 2)
    hands.until(panel_of(hands).stop.isVisible)
    hands.qtbot.mouseClick(panel_of(hands).stop, LEFT)
    hands.until(lambda: not hands.state.busy)
    n = len(hands.state.written)
    assert 2 < n < 500
    assert hands.state.to_write == 0
    assert hands.run.trace.n_written == n


def test_again_draws_other_tokens(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    hands.window.session.show(temperature=2.0)
    hands.window.session.write(8)
    wait_until_written(hands, 8)
    first = hands.state.written
    hands.qtbot.mouseClick(panel_of(hands).again, LEFT)
    hands.until(lambda: hands.state.written != first and len(hands.state.written) == 8 and not hands.state.busy)


def test_the_temperature_changes_what_is_likely(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("gpt2-lm")
    panel = panel_of(hands)
    usual = panel.rows.shown()[0].guesses[0].probability
    panel.temperature.setValue(20)
    assert hands.state.view.temperature == pytest.approx(0.2)
    assert panel.rows.shown()[0].guesses[0].probability > usual
    panel.temperature.setValue(0)
    assert panel.rows.shown()[0].guesses[0].probability == 1.0


def test_a_muted_head_shows_each_probability_before_and_after(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    hands.window.session.ask(changes=NOTHING.with_muted(HeadAt("decoder", 0, 0), True))
    hands.settle()
    (one,) = panel_of(hands).rows.shown()
    assert all(guess.before is not None for guess in one.guesses)
    bars = panel_of(hands).rows.lists()[0].bars()
    assert all(bar.note.endswith("%") for bar in bars)
    hands.key("i")
    assert hands.reader.side.what_if.predictions.shown() == (one,)


def test_a_large_vocabulary_is_gone_through_beside_the_window(
    open_tiny: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attnviz.ui.panels.side_panel.is_quick", lambda run, view: False)
    hands = open_tiny("gpt2-lm")
    hands.until(lambda: bool(panel_of(hands).rows.shown()))
    assert panel_of(hands).rows.shown()[0].position == len(hands.run.trace.tokens) - 1
    for position in (2, 4, 1):
        hands.window.session.show(focus=position)
    hands.until(lambda: [one.position for one in panel_of(hands).rows.shown()] == [1])


def test_a_row_of_what_was_there_before_writes_nothing(open_tiny: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch) -> None:
    hands = open_tiny("gpt2-lm")
    (one,) = panel_of(hands).rows.shown()
    monkeypatch.setattr("attnviz.ui.panels.side_panel.is_quick", lambda run, view: False)
    hands.window.session.ask(text="another text")
    panel_of(hands).guessPicked.emit(one, one.guesses[0])  # while the picture is still of the text before
    hands.settle()
    assert (hands.state.text, hands.state.written) == ("another text", ())


def test_what_the_model_writes_is_compared_with_as_much_of_the_trained_one(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    hands.window.session.ask(changes=NOTHING.with_muted(HeadAt("decoder", 0, 0), True))
    for compare in (hands.window.compare_actions.compare_trained, hands.window.compare_actions.compare_kept):
        hands.settle()
        compare()
        hands.settle()
        before = len(hands.run.against.trace.tokens)
        hands.window.session.write(3)
        hands.until(lambda: hands.state.to_write == 0 and not hands.state.busy)
        assert shows_what_is_asked(hands.state)
        is_kept = hands.state.against.kind == "kept"
        assert len(hands.run.against.trace.tokens) == (before if is_kept else len(hands.run.trace.tokens))
        hands.window.session.ask(against=None)


def test_a_weight_of_a_written_token_comes_and_goes_with_it(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    hands.window.session.show(temperature=0.0)
    hands.window.session.write(4)
    wait_until_written(hands, 4)
    last = len(hands.run.trace.tokens) - 1
    hands.window.session.ask(changes=NOTHING.with_weight(WeightAt("decoder", 1, 0, last, 2), 0.4))
    hands.settle()
    assert hands.run.trace.attention(1)[0, last, 2] == pytest.approx(0.4, abs=1e-6)
    hands.reader.timeline.setValue(2)
    hands.settle()
    assert not hands.run.trace.changes
    assert hands.band() == ""
    hands.reader.timeline.setValue(4)
    hands.settle()
    assert hands.run.trace.attention(1)[0, last, 2] == pytest.approx(0.4, abs=1e-6)


def test_the_second_of_two_masks_is_in_focus(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("bert-mlm")
    for piece in ("in", "se"):
        at = next(box.index for box in hands.scene.tokens if box.text == piece)
        hands.double_click(hands.canvas, hands.at_token(at))
        hands.settle()
    assert hands.state.text == "the cat sings [MASK] the [MASK]"  # the whole word, not its first piece
    assert hands.state.view.focus == max(at for at, token in enumerate(hands.run.trace.tokens) if token == "[MASK]")
    assert [one.token for one in panel_of(hands).rows.shown()] == ["[MASK]", "[MASK]"]


def test_writing_behind_an_empty_text_begins_nothing(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    hands.window.session.ask(text="")
    hands.window.session.write(2)
    assert (hands.state.to_write, hands.state.busy) == (0, False)
    assert "empty" in hands.reader.notice.text()


def test_the_rows_can_be_reached_and_opened_by_keys(open_tiny: Callable[..., Hands]) -> None:
    hands = open_tiny("llama-gqa")
    (rows,) = panel_of(hands).rows.lists()
    third = panel_of(hands).rows.shown()[0].guesses[2]
    hands.activate()
    rows.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        hands.qtbot.keyClick(rows, key)
    hands.settle()
    assert hands.state.written == (third.number,)
