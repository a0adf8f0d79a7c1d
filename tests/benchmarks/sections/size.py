"""Size: a model of 1.1 billion parameters in bfloat16, 2.1 GiB, opened and run in a fresh process that has imported what it needs.

Held to a memory, a process has so much address space (RLIMIT_AS), which also counts what it maps without touching it: the file, and
the libraries with what they set aside for their threads. In float32 the peer needs more than 3 GiB however it is counted; in
bfloat16, which rounds what it computes, its resident memory would be less, so that is measured without a limit.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from tests.benchmarks.fresh import FreshFailed, fresh
from tests.benchmarks.large import GIB, TEXT, make_safetensors, measure_folder
from tests.benchmarks.rows import Row, row, spread

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.bench import Bench

TITLE: Final = "Size: 1.1 billion parameters, 2.1 GiB in bfloat16, to the first attention"
BESIDE: Final = "transformers"
LIMIT: Final = 3 * GIB
_ROUNDS: Final = 3


def measure(bench: Bench) -> list[Row]:
    """Time and memory of both, free and held to 3 GiB."""
    folder = bench.folder / "large"
    folder.mkdir()
    make_safetensors(folder)
    os.sync()  # else the first to read the file would wait for it to be written
    held = _own(folder, LIMIT)
    refused = None if bench.peer is None else _peer(bench, folder, "float32", LIMIT)
    own, theirs = [], []
    for _ in range(max(1, min(bench.rounds, _ROUNDS))):
        own.append(_own(folder, None))
        if bench.peer is not None:
            theirs.append(_peer(bench, folder, "float32", None))
    rows = [
        row("size", "float32, time to the first attention", "s", [one[0] for one in own], [one[0] for one in theirs], in_page=True),
        row("size", "float32, memory at the most", "GiB", [one[1] for one in own], [one[1] for one in theirs], in_page=True),
    ]
    if refused is None:
        return [*rows, row("size", "in 3 GiB of address space, float32: time", "s", [held[0]], in_page=True)]
    rows.append(_held_row(held[0], refused))
    half = _peer(bench, folder, "bfloat16", None)
    for what, unit, at in (("time", "s", 0), ("memory at the most", "GiB", 1)):
        rows.append(row("size", f"attnviz in 3 GiB, bfloat16 there without a limit: {what}", unit, [held[at]], [half[at]], True))
    return rows


def _held_row(own: float, found: tuple[float, float] | str) -> Row:
    what = "both in 3 GiB of address space, float32: time"
    if isinstance(found, str):
        return Row("size", what, "s", spread([own]), beside_word=found, in_page=True)
    return Row("size", what, "s", spread([own]), spread([found[0]]), in_page=True)


def _own(folder: Path, limit: int | None) -> tuple[float, float]:
    """Seconds to the first attention, and GiB at the most."""
    found = fresh(measure_folder, str(folder), limit)
    return found["open"] + found["attention"], found["peak"] / GIB


def _peer(bench: Bench, folder: Path, dtype: str, limit: int | None) -> tuple[float, float] | str:
    """The same of transformers, or that it fails."""
    done = bench.peer.once(folder, TEXT, "--dtype", dtype, *(() if limit is None else ("--limit", str(limit))))
    if done.returncode:
        if limit is None:
            raise FreshFailed(f"transformers did not run the large model: {done.stderr.strip().splitlines()[-1]}")
        return "does not run"
    found = json.loads(done.stdout.splitlines()[-1])
    return found["open"] + found["attention"], found["peak"] / GIB
