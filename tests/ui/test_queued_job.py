"""Work that comes faster than it is done: the newest waits its turn, and is done even when the window closes."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject

from attnviz.errors import Cancelled, InputError
from attnviz.ui.job import QueuedJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def job(qtbot: QtBot) -> Iterator[QueuedJob]:
    parent = QObject()
    made = QueuedJob("attnviz-test", parent)
    yield made
    made.finish()
    parent.deleteLater()


class Gate:
    """Work that notes when it is done, and waits until it may be."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.open = threading.Event()

    def work(self, number: int, error: Exception | None = None) -> int:
        assert self.open.wait(20)
        if error is not None:
            raise error
        self.done.append(number)
        return number


@pytest.mark.parametrize("error", [None, InputError("No."), Cancelled()])
def test_the_newest_is_done_next_and_those_before_it_not_at_all(qtbot: QtBot, job: QueuedJob, error: Exception | None) -> None:
    gate, told = Gate(), []
    job.done.connect(told.append)
    job.begin(partial(gate.work, 0, error))
    for number in (1, 2, 3):
        job.begin(partial(gate.work, number))
    gate.open.set()
    qtbot.waitUntil(lambda: 3 in told)
    assert gate.done == ([0, 3] if error is None else [3])
    assert job.outcome == 3


def test_finishing_does_what_still_waits(job: QueuedJob) -> None:
    gate = Gate()
    job.begin(partial(gate.work, 0))
    job.begin(partial(gate.work, 1))
    gate.open.set()
    job.finish()
    assert gate.done == [0, 1]
    assert job.outcome == 1
    assert not job.is_running


def test_what_is_begun_just_after_the_end_of_the_work_before_takes_the_place_of_what_waits(qtbot: QtBot, job: QueuedJob) -> None:
    gate = Gate()
    for number in (0, 1):
        job.begin(partial(gate.work, number))
    gate.open.set()
    while job.is_running:  # it has ended, and nobody has heard of it
        pass
    job.begin(partial(gate.work, 2))
    qtbot.waitUntil(lambda: 2 in gate.done)
    job.finish()
    assert gate.done == [0, 2]
