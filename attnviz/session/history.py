"""What can be undone: the states before each gesture, newest last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T")

_MOST: Final = 1_000  # values that share nearly all of their parts


class History(Generic[T]):
    """Two stacks of values. Gestures of one kind that follow each other count as one, such as the steps of a slider in motion."""

    def __init__(self) -> None:
        self._past: list[T] = []
        self._future: list[T] = []
        self._last: Hashable | None = None

    def remember(self, before: T, kind: Hashable | None = None) -> None:
        """Take note of the value before a gesture; kind: what kind of gesture it is, None for one that counts by itself."""
        self._future.clear()
        if kind is None or kind != self._last or not self._past:
            self._past.append(before)
            del self._past[:-_MOST]
        self._last = kind

    def undo(self, now: T) -> T | None:
        """The value before the last gesture that changed anything; None if there is none. now: the value that it is taken for."""
        return self._move(self._past, self._future, now)

    def redo(self, now: T) -> T | None:
        """The value that was undone last; None if there is none."""
        return self._move(self._future, self._past, now)

    def can_undo(self, now: T) -> bool:
        """Whether there is another value to go back to."""
        return any(value != now for value in self._past)

    def can_redo(self, now: T) -> bool:
        """Whether there is another value to go forward to."""
        return any(value != now for value in self._future)

    def drop_unchanged(self, now: T) -> bool:
        """Forget the last gesture if it has changed nothing yet; whether that was so."""
        is_unchanged = bool(self._past) and self._past[-1] == now
        if is_unchanged:
            self._past.pop()
            self._last = None
        return is_unchanged

    def clear(self) -> None:
        """Forget all."""
        self._past.clear()
        self._future.clear()
        self._last = None

    def _move(self, source: list[T], target: list[T], now: T) -> T | None:
        self._last = None
        while source:
            value = source.pop()
            if value != now:
                target.append(now)
                return value
        return None
