"""From the start of a process to the first arcs painted, and its memory by then."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Runs in the child: the program as it is, with one observer that reports the first painted arcs and ends it.
_CHILD = """
import json, resource, sys, time
from attnviz.ui.pictures.canvas import Canvas

def report(canvas):
    if canvas.scene is not None and len(canvas.scene.arcs):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"at": time.time(), "peak_mib": peak}), flush=True)
        canvas.window().close()

whole = Canvas.paintEvent
def paint(self, event):
    whole(self, event)
    report(self)
Canvas.paintEvent = paint

from attnviz.cli import main
sys.exit(main(["--model", sys.argv[1]]))
"""


def measure_start(model: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Median and worst milliseconds to the first arcs, and MiB of resident memory by then; the first run is not counted."""
    times, peaks = [], []
    for _ in range(rounds + 1):
        started = time.time()
        child = subprocess.run([sys.executable, "-c", _CHILD, str(model)], capture_output=True, text=True, check=True)
        facts = json.loads(child.stdout.splitlines()[0])
        times.append(1000 * (facts["at"] - started))
        peaks.append(facts["peak_mib"])
    return {
        "start to first arcs": {"median": statistics.median(times[1:]), "worst": max(times[1:])},
        "memory by then, MiB": {"median": statistics.median(peaks[1:]), "worst": max(peaks[1:])},
    }
