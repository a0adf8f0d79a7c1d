"""Start: from the start of a process to the first arcs painted, and its memory by then, against a fresh process that imports torch
and transformers, opens the same model and has the attention of the same sentence, but draws nothing."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from tests.benchmarks.peers.once import peak as peak_of_program
from tests.benchmarks.rows import Row, row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.bench import Bench

TITLE: Final = "Start: a new process, up to the first picture here, up to the attention there"
BESIDE: Final = "transformers"
SENTENCE: Final = "The animal didn't cross the street because it was tired."
_MIB: Final = 1 << 20

# The highest resident memory of a process. Linux's ru_maxrss begins with that of whoever started it, at the moment of the fork.
_PEAK: Final = inspect.getsource(peak_of_program)
# Runs in the child: the program as it is, with one observer that reports the first painted arcs and ends it.
_CHILD: Final = (
    _PEAK
    + """
import json, sys, time
from attnviz.ui.pictures.canvas import Canvas

def report(canvas):
    if canvas.scene is not None and len(canvas.scene.arcs):
        print(json.dumps({"at": time.time(), "peak": peak()}), flush=True)
        canvas.window().close()

whole = Canvas.paintEvent
def paint(self, event):
    whole(self, event)
    report(self)
Canvas.paintEvent = paint

from attnviz.cli import main
sys.exit(main(["--model", sys.argv[1], "--text", sys.argv[2]]))
"""
)


def measure(bench: Bench) -> list[Row]:
    """Time and memory, of both in turns; the first start of each, which reads files into the cache, is not counted."""
    model, peer = bench.model(), bench.peer
    own, theirs = [], []
    for number in range(max(3, bench.rounds // 2) + 1):
        facts = [_own_start(model)]
        if peer is not None:
            facts.append(_peer_start(bench, model))
        if number:
            own.append(facts[0])
            theirs += facts[1:]
    names = {"time to the first picture": ("ms", 0), "memory by then": ("MiB", 1)}
    return [
        row("start", name, unit, [one[at] for one in own], [one[at] for one in theirs], in_page=True)
        for name, (unit, at) in names.items()
    ]


def _own_start(model: Path) -> tuple[float, float]:
    """Milliseconds and MiB."""
    started = time.time()
    command = [sys.executable, "-c", _CHILD, str(model), SENTENCE]
    return _figures(started, subprocess.run(command, capture_output=True, text=True, check=True))


def _peer_start(bench: Bench, model: Path) -> tuple[float, float]:
    started = time.time()
    done = bench.peer.once(model, SENTENCE)
    done.check_returncode()
    return _figures(started, done)


def _figures(started: float, done: subprocess.CompletedProcess[str]) -> tuple[float, float]:
    facts = json.loads(done.stdout.splitlines()[0])
    return 1000 * (facts["at"] - started), facts["peak"] / _MIB
