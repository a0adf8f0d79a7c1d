"""Timing several contestants side by side, in turns."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Threads of a matrix product spin for some 30 ms after it (OpenBLAS: 2^26 ticks), and would take the next one's processor.
REST_S: Final = 0.1
PASSES: Final = 3


def alternate(turns: Mapping[str, Callable[[], Sequence[float]]], rounds: int, rest: float = REST_S) -> dict[str, list[float]]:
    """Of each contestant its values round by round, A B C A B C …: the median of what each of its turns gives; nothing
    of a turn that gives nothing."""
    values: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            time.sleep(rest)
            found = turn()
            if len(found):
                values[name].append(statistics.median(found))
    return values


def passes(work: Callable[[], object], n: int = PASSES) -> list[float]:
    """Milliseconds of each of `n` passes, after one that is not counted: it brings weights and buffers back into the caches."""
    work()
    return [milliseconds(work) for _ in range(n)]


def milliseconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)
