"""Writing, and what can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QApplication

from attnviz.engine.tokenizer import TEXT_LIMIT
from attnviz.session.examples import load_examples
from attnviz.session.run import Runner
from attnviz.ui.sentence import SentenceField
from tests.ui.hands import CTRL, Hands

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from attnviz.session.state import State

LIGHTHOUSE = (
    "When the old keeper of the lighthouse finally decided to retire, the people of the village who had depended on his light for "
    "forty years gathered on the cliffs and sang to him, although the wind was strong that night."
)


def test_typing_replaces_the_sentence_and_the_picture_follows(hands: Hands) -> None:
    hands.type("Cats sleep.")
    assert hands.state.text == "Cats sleep."
    assert hands.words() == ["Cats", "sleep", "."]
    assert hands.run.trace.tokens == ["[CLS]", "cats", "sleep", ".", "[SEP]"]
    assert "5 tokens" in hands.facts()


def test_each_letter_goes_into_the_picture(hands: Hands) -> None:
    hands.type("cat")
    for text in ("cats", "cats ", "cats r", "cats ru", "cats run"):
        hands.qtbot.keyClicks(hands.reader.sentence, text[-1])
        hands.settle()
        assert hands.run.request.text == text


def test_keys_typed_while_a_run_is_under_way_are_kept(hands: Hands) -> None:
    field = hands.reader.sentence
    hands.type("cats")
    rest = ["un"]

    def type_on(old: State, new: State) -> None:
        if new.busy and rest:
            hands.qtbot.keyClicks(field, rest.pop())

    hands.window.session.subscribe(type_on)
    hands.qtbot.keyClicks(field, " r")
    hands.until(lambda: not rest)
    hands.settle()
    assert field.toPlainText() == "cats run"
    assert hands.words() == ["cats", "run"]


def test_fast_typing_ends_with_the_last_text(hands: Hands) -> None:
    text = "The quick brown fox jumps over the lazy dog, again and again."
    field = hands.reader.sentence
    hands.activate()
    field.setFocus()
    hands.key("a", field, CTRL)
    for letter in text:
        hands.qtbot.keyClicks(field, letter)
        QApplication.processEvents()
    hands.settle()
    assert field.toPlainText() == text
    assert hands.run.trace.text == text
    assert " ".join(hands.words()) == text.replace(",", " ,").replace(".", " .")


def test_a_sentence_of_several_lines_is_read_whole_and_the_field_grows(hands: Hands) -> None:
    field = hands.reader.sentence
    one_line = field.height()
    hands.type("Cats sleep.")
    hands.key(Qt.Key.Key_Return, field)
    hands.qtbot.keyClicks(field, "Dogs bark.")
    hands.settle()
    assert hands.state.text == "Cats sleep.\nDogs bark."
    assert hands.words() == ["Cats", "sleep", ".", "Dogs", "bark", "."]
    assert field.height() > one_line


@pytest.mark.parametrize("n_word", [90, 106])
def test_a_sentence_of_more_lines_than_the_field_has_is_scrolled_up_and_down_alone(
    n_word: int, open_reader: Callable[..., Hands]
) -> None:
    hands = open_reader(" ".join(((LIGHTHOUSE + " ") * 3).split()[:n_word]))
    field = hands.window.reader.sentence
    hands.window.resize(1180, 760)
    hands.until(lambda: field.verticalScrollBar().isVisible())
    hands.settle()
    assert not field.horizontalScrollBar().isVisible()


@pytest.mark.parametrize("comes_first", ["the text", "the window"])
def test_no_line_of_a_long_sentence_ends_under_the_bar(qtbot: QtBot, comes_first: str) -> None:
    field = SentenceField()
    qtbot.addWidget(field)
    field.resize(1040, 40)
    steps = [lambda: field.show_text("The animal did not cross the street. " * 100), field.show]
    for step in steps if comes_first == "the text" else reversed(steps):
        step()
    field.grab()
    lines = field.document().firstBlock().layout()
    assert field.verticalScrollBar().isVisible()
    assert lines.lineCount() > 4
    ends = [lines.lineAt(line).naturalTextRect().right() for line in range(lines.lineCount())]
    assert max(ends) + field.document().documentMargin() <= field.viewport().width()


def test_an_example_is_shown_in_the_view_its_line_speaks_of(hands: Hands) -> None:
    for number, example in enumerate(load_examples()):
        hands.key("-")  # a what-if, which an example leaves
        hands.settle()
        hands.choose_from(hands.reader.examples_button, hands.reader.examples_button.menu(), number)
        hands.settle()
        assert hands.reader.sentence.toPlainText() == example.text == hands.run.trace.text
        assert hands.look() == example.look
        assert hands.state.view.layer == hands.reader.layers.stop() == example.arrival.layer
        assert hands.state.view.heads == example.arrival.heads
        assert hands.state.head_count is None
        focus = example.arrival.focus_word
        assert hands.scene.focus == (None if focus is None else hands.position(focus))
        assert not hands.band()


def test_the_look_line_goes_with_its_sentence(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader(None)
    assert hands.look()
    hands.qtbot.keyClicks(hands.reader.sentence, "!")
    hands.settle()
    assert hands.look() == ""


def test_an_example_can_be_undone(hands: Hands) -> None:
    before = hands.state.text
    hands.choose_from(hands.reader.examples_button, hands.reader.examples_button.menu(), 3)
    hands.settle()
    hands.key("z", hands.reader.sentence, CTRL)
    hands.until(lambda: hands.run.trace.text == before)


@pytest.mark.parametrize("text", ["as", "0", "[", "s-+t="])
def test_letters_that_are_keys_elsewhere_are_text_in_the_sentence(hands: Hands, text: str) -> None:
    before = hands.state
    hands.type("x " + text)
    assert hands.reader.sentence.toPlainText() == "x " + text
    assert hands.run.trace.text == "x " + text
    assert hands.state.view == before.view
    assert hands.state.head_count is None


def test_arrows_in_the_sentence_move_the_cursor_and_no_token(hands: Hands) -> None:
    hands.type("cat")
    hands.key(Qt.Key.Key_Left, hands.reader.sentence)
    hands.key(Qt.Key.Key_Left, hands.reader.sentence)
    hands.qtbot.keyClicks(hands.reader.sentence, "oa")
    hands.settle()
    assert hands.state.text == "coaat"
    assert hands.state.view.focus is None


def test_a_run_that_comes_back_leaves_the_cursor_where_it_is(hands: Hands) -> None:
    field = hands.reader.sentence
    hands.type("cats")
    hands.key(Qt.Key.Key_Home, field)
    hands.key("a", field)
    hands.settle()
    hands.key("[")
    assert field.textCursor().position() == 1


def test_ctrl_l_goes_to_the_sentence_and_selects_it(hands: Hands) -> None:
    hands.key("l", None, CTRL)
    assert hands.window.focusWidget() is hands.reader.sentence
    assert hands.reader.sentence.textCursor().selectedText() == hands.state.text


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "The text is empty"), ("     ", "holds no visible character"), ("\t\n \u200b", "holds no visible character")],
)
def test_a_text_with_nothing_to_read_is_one_sentence_and_the_picture_stays(hands: Hands, text: str, says: str) -> None:
    before = hands.run, hands.words()
    QApplication.clipboard().setText(text)
    hands.key("a", hands.reader.sentence, CTRL)
    hands.key(Qt.Key.Key_Delete if not text else "v", hands.reader.sentence, CTRL if text else Qt.KeyboardModifier.NoModifier)
    hands.until(lambda: says in hands.reader.notice.text())
    assert (hands.run, hands.words()) == before
    assert not hands.state.busy
    hands.type("Cats sleep.")
    assert hands.reader.notice.text() == ""
    assert hands.words() == ["Cats", "sleep", "."]


def test_control_characters_in_a_text_are_read_over(hands: Hands) -> None:
    QApplication.clipboard().setText("Cats\x01 sleep\x07 \x1b[31mhere")
    hands.key("a", hands.reader.sentence, CTRL)
    hands.key("v", hands.reader.sentence, CTRL)
    hands.settle()
    assert hands.words()[:2] == ["Cats", "sleep"]
    assert all(word.isprintable() for word in hands.words())


def test_a_paste_of_a_megabyte_is_refused_with_a_sentence_and_changes_nothing(hands: Hands) -> None:
    before = hands.state
    QApplication.clipboard().setText("word " * 200_000)
    hands.key("v", hands.reader.sentence, CTRL)
    assert f"takes up to {TEXT_LIMIT:,} at a time" in hands.reader.notice.text()
    assert "1,000,0" in hands.reader.notice.text()
    assert hands.reader.sentence.toPlainText() == before.text
    assert hands.state is before


def test_a_paste_in_place_of_the_selection_counts_only_what_is_left(hands: Hands) -> None:
    text = "cat " * (TEXT_LIMIT // 4)
    QApplication.clipboard().setText(text)
    hands.key("a", hands.reader.sentence, CTRL)
    hands.key("v", hands.reader.sentence, CTRL)
    assert hands.reader.sentence.toPlainText() == text
    assert hands.reader.notice.text() == ""
    hands.settle()


def test_a_text_longer_than_the_model_reads_says_how_much_is_left_out(hands: Hands) -> None:
    QApplication.clipboard().setText("cat " * 600)
    hands.key("a", hands.reader.sentence, CTRL)
    hands.key("v", hands.reader.sentence, CTRL)
    hands.settle()
    assert len(hands.run.trace.tokens) == 512
    assert hands.band() == "all-MiniLM-L6-v2 reads 512 tokens at most: the last 90 tokens of the text are left out."


def test_the_close_button_sends_a_sentence_away_for_good(hands: Hands) -> None:
    hands.key("a", hands.reader.sentence, CTRL)
    hands.key(Qt.Key.Key_Backspace, hands.reader.sentence)
    hands.until(lambda: bool(hands.reader.notice.text()))
    hands.qtbot.mouseClick(hands.reader.notice._close, Qt.MouseButton.LeftButton)
    assert hands.reader.notice.text() == ""
    assert hands.state.failure is None
    hands.key("]")
    hands.key("3")
    hands.click_token(4)
    assert hands.state.view.layer == 1
    assert hands.reader.notice.text() == ""


def test_a_text_with_odd_spaces_keeps_the_cursor_while_the_view_changes(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader("Cats\u00a0sleep here.")
    hands.until(lambda: not hands.state.busy)
    field = hands.reader.sentence
    hands.key(Qt.Key.Key_Home, field)
    hands.key("]")
    assert hands.state.view.layer == 1
    assert field.textCursor().position() == 0


def test_text_that_is_dropped_on_the_sentence_is_text(hands: Hands) -> None:
    content = QMimeData()
    content.setText("Dogs bark. ")
    assert hands.drop(hands.reader.sentence.viewport(), content)
    hands.settle()
    assert "Dogs bark." in hands.state.text


def test_a_what_if_is_measured_against_the_same_text(hands: Hands) -> None:
    hands.key("-")
    hands.settle()
    hands.type("Cats sleep.")
    expected = Runner().run(hands.run.request).cosine_to_trained
    assert hands.run.cosine_to_trained == pytest.approx(expected)
    assert f"a cosine of {expected:.2f} to the trained ones" in hands.band()
