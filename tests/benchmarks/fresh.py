"""Measuring in a fresh process: how long something takes there, and how much memory it holds meanwhile."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class FreshFailed(Exception):
    """The process ended with an error; the message is its last line."""


def fresh(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a module's function gives in a process of its own; arguments and answer go through JSON. Raises FreshFailed."""
    call = json.dumps([function.__module__, function.__name__, arguments])
    done = subprocess.run([sys.executable, "-m", "tests.benchmarks.fresh", call], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FreshFailed((done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def held() -> int:
    """The memory that this process holds now, in bytes."""
    import psutil

    return psutil.Process().memory_info().rss


def forget_peak() -> None:
    """Have `peak` count from now on, where the system lets it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Linux, proc(5): resets the peak of the resident memory
    except OSError:
        return


if __name__ == "__main__":
    module, name, arguments = json.loads(sys.argv[1])
    print(json.dumps(getattr(importlib.import_module(module), name)(*arguments)))
