"""Ctrl+C during long work is heard, twice ends it, and leaves things as they were."""

from __future__ import annotations

import signal

import pytest

from attnviz.cli.interrupt import interruptible


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_pressed_once_it_is_told_to_who_asks() -> None:
    with interruptible() as cancelled:
        assert not cancelled()
        press()
        assert cancelled()
        assert cancelled()


def test_pressed_twice_it_ends_the_work() -> None:
    with interruptible() as cancelled:
        press()
        with pytest.raises(KeyboardInterrupt):
            press()
        assert cancelled()


@pytest.mark.parametrize("times", [0, 1])
def test_afterwards_it_is_as_it_was(times: int) -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptible():
        for _ in range(times):
            press()
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        press()


def test_where_it_is_ignored_it_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible() as cancelled:
            press()
            assert not cancelled()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
