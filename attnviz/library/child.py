"""A command that fills a folder, watched from outside.

Both ways over the network run in a process of their own. It can be stopped at any moment, even while it waits for a
name server; its settings, warnings and open sockets are not ours; and the size of the folder says how far it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from attnviz.library.progress import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from attnviz.library.progress import Watch

LOOK_EVERY = 0.1  # seconds between two looks at the folder and the cancel button
NOTES = 4096  # bytes; huggingface_hub writes some 200 before the first answer, and they are no sign of life


def python_command(*arguments: str) -> list[str]:
    """The command that runs this Python with `arguments`, the current folder kept out of its module path.

    Raises Refused where there is no interpreter to run: in a frozen program sys.executable is the program itself.
    """
    if getattr(sys, "frozen", False) or not sys.executable:
        raise Refused("needs a Python interpreter")
    return [sys.executable, "-P", *arguments]


def run_watched(
    command: Sequence[str],
    folder: Path,
    watch: Watch,
    *,
    total: int | None = None,
    patience: float,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Runs `command` to its end and tells how many bytes lie in `folder` meanwhile.

    patience: seconds to wait for the first bytes; later silence is for the command's own time limits.
    Raises Refused with the last line of its stderr if it fails, Cancelled if it is called off. It never outlives the
    call.
    """
    log = folder.with_name(f"{folder.name}.log")
    with log.open("wb") as words, _start(command, words, environment) as process:
        deadline, before = time.monotonic() + patience, bytes_in(folder)
        try:
            while not _has_ended(process):
                done = bytes_in(folder)
                watch.tell(done, total)
                if done <= before + NOTES and time.monotonic() > deadline:
                    raise Refused(f"no answer within {patience:g} s")
        finally:
            process.kill()
    if process.returncode:
        raise Refused(_last_words(log))


def bytes_in(folder: Path) -> int:
    """The size of all files below `folder`, while another process is at work there."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size
            except OSError:  # moved or removed since the folder was listed
                continue
    return total


def _start(command: Sequence[str], words: BinaryIO, environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=words,
        env={**os.environ, **(environment or {})},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows would open a console
    )


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(LOOK_EVERY)
    except subprocess.TimeoutExpired:
        return False
    return True


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if any("connection broken by" in line for line in lines):  # pip's last line would be "No matching distribution"
        return "no connection"
    return lines[-1].removeprefix("ERROR: ")[:200] if lines else "failed without a word"
