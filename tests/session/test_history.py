"""What can be undone: everything, in order, and gestures of one kind in a row as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from attnviz.session.history import History

if TYPE_CHECKING:
    from collections.abc import Sequence

# A gesture: what kind it is, and the value after it.
GESTURES = st.lists(st.tuples(st.sampled_from([None, None, "slide", "type"]), st.integers(0, 3)), max_size=40)


def played(gestures: Sequence[tuple[str | None, int]]) -> tuple[History[int], int, list[int]]:
    """A history after gestures that begin at 0, the value by then, and the values that undoing should go through."""
    history: History[int] = History()
    now, stops, last = 0, [0], None
    for kind, value in gestures:
        history.remember(now, kind)
        if kind is None or kind != last:
            stops.append(now)
        now, last = value, kind
    return history, now, [*stops[1:], now]


def undone(history: History[int], now: int) -> tuple[int, list[int]]:
    """The value when nothing is left to undo, and all on the way."""
    way = [now]
    while history.can_undo(now):
        value = history.undo(now)
        assert value is not None
        now = value
        way.append(now)
    assert history.undo(now) is None
    return now, way


def redone(history: History[int], now: int) -> tuple[int, list[int]]:
    way = [now]
    while history.can_redo(now):
        value = history.redo(now)
        assert value is not None
        now = value
        way.append(now)
    assert history.redo(now) is None
    return now, way


def without_repeats(values: Sequence[int]) -> list[int]:
    return [value for at, value in enumerate(values) if at == 0 or values[at - 1] != value]


@given(GESTURES)
def test_undoing_all_goes_back_through_what_was_there_to_the_start(gestures: list[tuple[str | None, int]]) -> None:
    history, now, stops = played(gestures)
    start, way = undone(history, now)
    assert start == 0
    assert way == without_repeats(stops[::-1])


@given(GESTURES)
def test_redoing_all_goes_the_same_way_forward_to_the_end(gestures: list[tuple[str | None, int]]) -> None:
    history, now, _ = played(gestures)
    start, back = undone(history, now)
    end, way = redone(history, start)
    assert end == now
    assert way == back[::-1]


@given(GESTURES, GESTURES, st.integers(0, 10))
def test_a_gesture_after_undoing_ends_what_could_be_done_again(
    before: list[tuple[str | None, int]], after: list[tuple[str | None, int]], n: int
) -> None:
    history, now, _ = played(before)
    for _ in range(n):
        value = history.undo(now)
        now = now if value is None else value
    for kind, value in after:
        history.remember(now, kind)
        now = value
        assert not history.can_redo(now)
    assert undone(history, now)[0] == 0


def test_steps_of_one_slide_are_one_gesture() -> None:
    history: History[int] = History()
    for value in range(5):
        history.remember(value, "slide")
    assert history.undo(5) == 0
    assert history.redo(0) == 5


def test_a_slide_after_an_undo_is_a_new_gesture() -> None:
    history: History[int] = History()
    history.remember(0, "slide")
    assert history.undo(1) == 0
    history.remember(0, "slide")
    history.remember(1, "slide")
    assert history.undo(2) == 0
    assert not history.can_undo(0)


def test_a_gesture_between_two_slides_parts_them() -> None:
    history: History[int] = History()
    for before, kind in enumerate(["slide", "slide", None, "slide", "slide"]):
        history.remember(before, kind)
    assert undone(history, 5)[1] == [5, 3, 2, 0]


def test_gestures_that_changed_nothing_are_passed_over() -> None:
    history: History[int] = History()
    for _ in range(3):
        history.remember(7)
    assert not history.can_undo(7)
    assert history.undo(7) is None


def test_what_is_forgotten_does_not_come_back() -> None:
    history: History[int] = History()
    history.remember(0)
    history.undo(1)
    history.remember(0)
    history.clear()
    assert not history.can_undo(1)
    assert not history.can_redo(1)


def test_it_holds_no_more_than_a_thousand_gestures() -> None:
    history: History[int] = History()
    for value in range(1_500):
        history.remember(value)
    start, way = undone(history, 1_500)
    assert start == 500
    assert len(way) == 1_001


def test_a_gesture_that_nothing_has_come_of_can_be_dropped() -> None:
    history: History[int] = History()
    history.remember(0)
    history.remember(1)
    assert history.drop_unchanged(1)
    assert not history.drop_unchanged(1)
    assert history.undo(1) == 0
