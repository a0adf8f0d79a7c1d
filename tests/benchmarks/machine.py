"""The machine that something was measured on, and the versions of what was."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil

ROOT: Final = Path(__file__).parents[2]


def facts(peers: dict[str, str] | None = None) -> dict[str, Any]:
    """The machine, the date, the versions and the commit, for a history."""
    return {
        "processor": processor(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "system": platform.system(),
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("attnviz", "numpy", "PySide6-Essentials", "tokenizers")} | (peers or {}),
        "commit": commit(),
    }


def line(about: dict[str, Any]) -> str:
    """The same as one line to read."""
    versions = {name: number for name, number in about["versions"].items() if name not in ("attnviz", "tokenizers")}
    return (
        f"{about['processor']}, {about['processors']} processors, {about['memory_gib']:.0f} GiB, {about['system']}, "
        f"Python {about['python']}, {', '.join(f'{name} {number}' for name, number in versions.items())}, {about['date']}"
    )


def processor() -> str:
    """The processor's name as the system tells it, at least its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next((name for name in names if name and name != "unknown"), platform.processor() or platform.machine())


def commit() -> str | None:
    """The commit that was measured, with a + where files have changed since; None without git."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        return name + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True).stdout.strip()
