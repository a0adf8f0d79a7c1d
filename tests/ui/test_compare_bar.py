"""The field of the other text, while two texts are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from attnviz.session.comparing import Against
from tests.ui.hands import CTRL

if TYPE_CHECKING:
    from tests.ui.hands import Hands

OTHER = "The old keeper of the lighthouse finally decided to retire."


def test_what_is_typed_stays_while_pictures_of_it_arrive(hands: Hands) -> None:
    hands.choose_menu("compare_text")
    hands.settle()
    field = hands.reader.compare_bar.text
    hands.key("a", field, CTRL)
    hands.qtbot.keyClicks(field, OTHER, delay=7)  # about as fast as pictures come
    assert field.toPlainText() == OTHER
    hands.until(lambda: hands.state.against == Against("text", text=OTHER))
    hands.settle()
    assert field.toPlainText() == OTHER
    assert hands.run.against.trace.text == OTHER


def test_asking_for_another_text_again_keeps_the_one_that_is_there(hands: Hands) -> None:
    hands.window.session.ask(against=Against("text", text=OTHER))
    hands.settle()
    hands.choose_menu("compare_text")
    hands.settle()
    assert hands.state.against.text == OTHER
    assert hands.reader.compare_bar.text.hasFocus()


def test_undo_goes_back_in_the_other_text_too(hands: Hands) -> None:
    hands.window.session.ask(against=Against("text", text=OTHER))
    hands.settle()
    field = hands.reader.compare_bar.text
    hands.key(Qt.Key.Key_End, field)
    hands.qtbot.keyClicks(field, " Soon")
    hands.window.undo()
    hands.settle()
    assert field.toPlainText() == OTHER
