"""The library that makes NumPy's matrix products: how many threads it uses, and what it is good at."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Final

from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Iterator

# OpenBLAS's kernels for processors with AVX-512. Source: OpenBLAS, kernel/x86_64, *_small_kernel_* of SKYLAKEX and what follows it.
_WITH_SMALL_KERNELS: Final = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})


@cache
def keep_to_one_thread() -> None:
    """Have this process's matrix products run on one thread from now on.

    OpenBLAS's threads wait for each other by spinning, and where other programs use the processors too they wait long: on two
    cores with two busy ones beside it a run of 15 tokens took 864 ms on two threads and 9 on one, one of 500 tokens 2,212 and
    243. The engine shares a run's products between threads of its own, which sleep while they wait.
    """
    _one_thread.enter()


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Have each of this process's matrix products run on one thread for a while, and then as before."""
    _one_thread.enter()
    try:
        yield
    finally:
        _one_thread.leave()


@cache
def has_small_kernels() -> bool:
    """Whether a product of few numbers (a million multiplications at most) is done without the copies that a large one begins
    with, which take longer than itself."""
    return any(
        found["internal_api"] == "openblas" and found.get("architecture") in _WITH_SMALL_KERNELS for found in _controller().info()
    )


class _OneThread:
    """Counts who wants one thread, as runs on several threads may at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._n = 0
        self._limit = None

    def enter(self) -> None:
        with self._lock:
            if self._n == 0:
                self._limit = _controller().limit(limits=1, user_api="blas")
                _let_other_threads_limit()
            self._n += 1

    def leave(self) -> None:
        with self._lock:
            self._n -= 1
            if self._n == 0:
                self._limit.restore_original_limits()
                self._limit = None
                _let_other_threads_limit()


def _let_other_threads_limit() -> None:
    """Since version 3.8 of threadpoolctl the first thread that sets a limit is the only one that can, until it ends: after a run on
    the main thread those of the window's own thread would be on all processors."""
    for library in _controller().lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear()


_one_thread: Final = _OneThread()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
