"""One value that is wanted, made off the GUI thread: the newest counts, whatever becomes of those before."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject

from attnviz.errors import Cancelled, InputError
from attnviz.ui.newest import Newest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def newest(qtbot: QtBot) -> Iterator[Newest]:
    parent = QObject()
    made = Newest("attnviz-test", parent)
    yield made
    made.stop()
    parent.deleteLater()


@pytest.fixture
def told(newest: Newest) -> list[object]:
    """All that it told, failures as their sentences."""
    told: list[object] = []
    newest.arrived.connect(told.append)
    newest.failed.connect(told.append)
    return told


def value(what: object) -> Callable[[Callable[[], bool]], object]:
    return lambda cancelled: what


def failing(sentence: str) -> Callable[[Callable[[], bool]], object]:
    def fail(cancelled: Callable[[], bool]) -> object:
        raise InputError(sentence)

    return fail


def test_a_quick_value_comes_at_once_and_a_slow_one_later(qtbot: QtBot, newest: Newest, told: list[object]) -> None:
    newest.ask("a", value(1), is_quick=True)
    assert told == [1]
    newest.ask("b", value(2), is_quick=False)
    qtbot.waitUntil(lambda: told == [1, 2])
    newest.ask("b", failing("is kept"), is_quick=False)
    assert told == [1, 2, 2]
    assert newest.has("b")


@pytest.mark.parametrize("first_fails", [True, False])
def test_what_becomes_of_a_value_that_nobody_wants_any_more_is_not_told(
    qtbot: QtBot, newest: Newest, told: list[object], first_fails: bool
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def first(cancelled: Callable[[], bool]) -> object:
        began.set()
        assert go_on.wait(10)
        if first_fails:
            raise InputError("old")
        return "old"

    newest.ask("a", first, is_quick=False)
    assert began.wait(10)
    newest.ask("b", value("new"), is_quick=False)
    go_on.set()
    qtbot.waitUntil(lambda: told == ["new"])
    assert not newest.is_making


def test_the_one_before_is_called_off(qtbot: QtBot, newest: Newest, told: list[object]) -> None:
    began = threading.Event()

    def first(cancelled: Callable[[], bool]) -> object:
        began.set()
        while not cancelled():
            pass
        raise Cancelled

    newest.ask("a", first, is_quick=False)
    assert began.wait(10)
    newest.ask("b", value("new"), is_quick=False)
    qtbot.waitUntil(lambda: told == ["new"])


@pytest.mark.parametrize("is_quick", [True, False])
def test_a_failure_is_a_sentence_and_the_next_value_comes(qtbot: QtBot, newest: Newest, told: list[object], is_quick: bool) -> None:
    newest.ask("a", failing("No."), is_quick=is_quick)
    qtbot.waitUntil(lambda: told == ["No."])
    newest.ask("b", value(2), is_quick=False)
    qtbot.waitUntil(lambda: told == ["No.", 2])


def test_what_is_forgotten_is_made_again(newest: Newest, told: list[object]) -> None:
    newest.ask("a", value(1), is_quick=True)
    newest.forget()
    assert not newest.has("a")
    newest.ask("a", value(2), is_quick=True)
    assert told == [1, 2]
