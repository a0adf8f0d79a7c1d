"""Work that this machine's processors share. NumPy lets go of the interpreter in its loops and products, so threads serve."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from threading import local
from typing import TYPE_CHECKING, TypeVar

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
    return ThreadPoolExecutor(n_processor() - 1, thread_name_prefix="engine-part")
