"""Shared work is done whole, once, and what goes wrong in a part is heard of."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import ThreadpoolController

from attnviz.engine import blas, threads
from attnviz.engine.blas import on_one_thread
from attnviz.engine.threads import all_of, at_once, in_order, n_free


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "n_processor", lambda: 2)


@given(st.integers(0, 30))
def test_each_task_is_done_once(n: int) -> None:
    done: list[int] = []
    at_once([partial(done.append, number) for number in range(n)])
    assert sorted(done) == list(range(n))


@given(st.lists(st.integers(), max_size=9))
def test_what_tasks_give_comes_in_their_order(values: list[int]) -> None:
    assert all_of([partial(int, value) for value in values]) == values


def test_two_tasks_are_done_at_once() -> None:
    meeting = threading.Barrier(2, timeout=30)
    at_once([meeting.wait, meeting.wait])  # each waits for the other


def test_shared_work_may_share_its_parts_again() -> None:
    done: list[int] = []
    at_once([partial(at_once, [partial(done.append, 2 * outer + inner) for inner in range(2)]) for outer in range(4)])
    assert sorted(done) == list(range(8))


HAS_TWO: Final = hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1


@pytest.mark.skipif(not HAS_TWO, reason="no two processors, or none that threads can be kept to")
def test_shared_work_is_on_processors_of_their_own_and_the_caller_free_again_behind_it() -> None:
    meeting = threading.Barrier(2, timeout=30)
    allowed, used = os.sched_getaffinity(0), []

    def task() -> None:
        meeting.wait()
        used.append(os.sched_getaffinity(0))

    at_once([meeting.wait, meeting.wait])  # the threads that help are there
    for _ in range(20):
        used.clear()
        at_once([task, task])
        one, other = used
        assert not one & other
        assert one | other == allowed
        assert os.sched_getaffinity(0) == allowed


@pytest.mark.skipif(not HAS_TWO, reason="no two processors, or none that threads can be kept to")
def test_a_failed_task_leaves_the_caller_all_its_processors() -> None:
    allowed = os.sched_getaffinity(0)
    with pytest.raises(ZeroDivisionError):
        at_once([lambda: 1 / 0, lambda: 1 / 0])
    assert os.sched_getaffinity(0) == allowed


def test_where_processors_cannot_be_chosen_work_is_shared_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_processor_here", None)
    meeting = threading.Barrier(2, timeout=30)
    at_once([meeting.wait, meeting.wait])


def test_a_part_of_shared_work_is_not_shared_out_again_and_what_follows_is() -> None:
    free: list[int] = []
    meeting = threading.Barrier(2, timeout=30)

    def part() -> None:
        meeting.wait()
        free.append(n_free())
        on: set[int] = set()
        at_once([lambda: on.add(threading.get_ident())] * 5)
        assert on == {threading.get_ident()}

    at_once([part, part])
    assert free == [1, 1]
    assert n_free() == 2
    at_once([lambda: free.append(n_free())])  # of one task nothing is shared
    assert free[2:] == [2]


@pytest.mark.parametrize("broken", range(4))
def test_what_a_task_raises_is_raised_when_the_others_have_ended(broken: int) -> None:
    running: list[int] = []

    def task(number: int) -> None:
        running.append(number)
        if number == broken:
            raise ZeroDivisionError(number)
        running.remove(number)

    with pytest.raises(ZeroDivisionError):
        at_once([partial(task, number) for number in range(4)])
    assert running == [broken]


def test_tasks_treat_numbers_that_are_none_as_the_thread_that_shares_them() -> None:
    meeting = threading.Barrier(2, timeout=30)

    def task() -> None:
        meeting.wait()
        np.log(np.zeros(1, np.float32))  # a warning, and with it a failure of this test, unless it is let pass

    with np.errstate(divide="ignore"):
        at_once([task, task])


def test_products_are_back_on_their_threads_when_the_last_of_those_who_wanted_one_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blas, "_one_thread", blas._OneThread())  # that of the program may be wanted for good

    def n_thread() -> set[int]:
        return {library["num_threads"] for library in ThreadpoolController().info() if library["user_api"] == "blas"}

    with ThreadpoolController().limit(limits=2, user_api="blas"):
        before = n_thread()
        with on_one_thread():
            with on_one_thread():
                assert n_thread() <= {1}
            assert n_thread() <= {1}
        assert n_thread() == before


def test_products_keep_to_one_thread_whichever_thread_had_them_do_so_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_one_thread", blas._OneThread())
    found: list[set[int]] = []

    def look() -> None:
        with on_one_thread():
            found.append({library["num_threads"] for library in ThreadpoolController().info() if library["user_api"] == "blas"})

    with ThreadpoolController().limit(limits=2, user_api="blas"):
        blas._let_other_threads_limit()  # this test's own limit
        for _ in range(2):
            look()
            other = threading.Thread(target=look)
            other.start()
            other.join()
        blas._let_other_threads_limit()
    assert len(found) == 4
    assert all(numbers <= {1} for numbers in found)


@pytest.mark.parametrize("n_worker", [1, 2, 5])
def test_what_is_made_in_order_comes_in_order_and_what_is_raised_comes_in_its_place(n_worker: int) -> None:
    assert list(in_order(lambda number: number * number, 7, n_worker)) == [0, 1, 4, 9, 16, 25, 36]
    assert list(in_order(lambda number: number, 0, n_worker)) == []
    found = in_order(lambda number: 6 // (3 - number), 5, n_worker)
    assert [next(found) for _ in range(3)] == [2, 3, 6]
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_what_nobody_asks_for_any_more_is_not_begun() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def make(number: int) -> int:
        begun.append(number)
        if number:
            gate.wait(30)
        return number

    found = in_order(make, 100, 2)
    next(found)
    threading.Timer(0.05, gate.set).start()
    found.close()
    assert len(begun) <= 6
