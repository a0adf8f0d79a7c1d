"""Work that this machine's processors share. NumPy lets go of the interpreter in its loops and products, so threads serve."""

from __future__ import annotations

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache, partial
from threading import get_native_id, local
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")


@cache
def n_processor() -> int:
    """How many processors work is shared between: the whole ones that this process may use. The second half of a processor that
    runs two threads adds nothing to a product, which keeps the first one's units full."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))


def n_free() -> int:
    """How many processors the caller may share its work between: one within a part of work that is shared already."""
    return 1 if getattr(_here, "is_part", False) else n_processor()


def at_once(tasks: Sequence[Callable[[], None]]) -> None:
    """Have all the tasks done, each once, by this thread and by others that have nothing to do; returns when they are.

    Where the other processors are busy this thread does all of them, so that nothing waits for a thread that does not run. What a
    task raises is raised here.
    """
    if len(tasks) < 2 or n_free() < 2:
        for task in tasks:
            task()
        return
    _pool()  # whose threads begin with the processors of the one that starts them
    with _on_processors_of_their_own():
        _share(tasks)


def all_of(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What each of the tasks gives, in their order, done as by `at_once`."""
    made: dict[int, T] = {}

    def do(number: int) -> None:
        made[number] = tasks[number]()

    at_once([partial(do, number) for number in range(len(tasks))])
    return [made[number] for number in range(len(tasks))]


def in_order(make: Callable[[int], T], n: int, n_worker: int) -> Iterator[T]:
    """What `make` gives for 0 to n - 1, in that order, made on so many threads of its own; those not begun are given up once nobody
    asks for more. For work that waits for no part of itself and may take long; what a call raises is raised here."""
    if n_worker < 2 or n < 2:
        yield from map(make, range(n))
        return
    with ThreadPoolExecutor(min(n, n_worker), thread_name_prefix="attnviz-in-order") as pool:
        futures = [pool.submit(make, number) for number in range(n)]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _share(tasks: Sequence[Callable[[], None]]) -> None:
    left, errors = iter(tasks), np.geterr()
    helpers = [_pool().submit(_help, left, errors) for _ in range(min(n_free(), len(tasks)) - 1)]
    try:
        with _as_part():
            for task in left:
                task()
    finally:
        for _ in left:  # of what is not begun when a task has failed
            pass
        running = [helper for helper in helpers if not helper.cancel()]
        for helper in running:
            helper.exception()  # waits
    for helper in running:
        helper.result()


def _help(left: Iterator[Callable[[], None]], errors: dict[str, str]) -> None:
    with _as_part(), np.errstate(**errors):  # each thread has its own
        for task in left:
            task()


_here = local()


@contextmanager
def _as_part() -> Iterator[None]:
    """What this thread does meanwhile is a part of shared work."""
    _here.is_part = True
    try:
        yield
    finally:
        _here.is_part = False


@cache
def _pool() -> ThreadPoolExecutor:
    pool = ThreadPoolExecutor(n_processor() - 1, "engine-part", lambda: _helpers.append(get_native_id()))
    for _ in range(n_processor() - 1):
        pool.submit(int)
    return pool


_helpers: Final[list[int]] = []  # the system's numbers of the threads that help
_kept_to: Final[dict[int, frozenset[int]]] = {}  # of each, the processors that it may use


@contextmanager
def _on_processors_of_their_own() -> Iterator[None]:
    """Meanwhile the caller stays on its processor, and the threads that help use any other.

    Linux wakes a thread on a processor that rests, if there is one; but in a virtual machine of KVM one that rests long enough is
    given back to the host and does not count, so that both threads shared one: after a pause, as between two keystrokes, 128 tokens
    took 42 ms, longer than on one thread, and 28 so.
    """
    allowed = frozenset() if _processor_here is None else frozenset(os.sched_getaffinity(0))
    own = allowed & {_processor_here()} if len(allowed) > 1 else allowed
    if own == allowed:
        yield
        return
    for helper in tuple(_helpers):
        if _kept_to.get(helper) != allowed - own:
            _kept_to[helper] = allowed - own
            _keep_to(helper, allowed - own)
    _keep_to(0, own)
    try:
        yield
    finally:
        _keep_to(0, allowed)


def _keep_to(thread: int, processors: frozenset[int]) -> None:
    with suppress(OSError):  # the system may have taken a processor away meanwhile
        os.sched_setaffinity(thread, processors)


def _sched_getcpu() -> Callable[[], int] | None:
    """What tells which processor the caller runs on; None where the system tells no such thing."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    return getattr(ctypes.CDLL(None), "sched_getcpu", None)


_processor_here: Final = _sched_getcpu()
