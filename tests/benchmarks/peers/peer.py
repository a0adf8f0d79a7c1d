"""transformers and BertViz in a process that stays, so that its imports are not timed where only a pass counts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tests.benchmarks.products import n_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PROGRAM: Final = Path(__file__).with_name("program.py")
ONCE: Final = Path(__file__).with_name("once.py")


class PeersMissing(Exception):
    """The interpreter lacks a peer; the message says which, and how to get it."""


class Peer:
    """The peers of one interpreter. Use it as a context; it ends with it.

    Raises PeersMissing if the interpreter does not run or lacks one of them.
    """

    def __init__(self, python: str) -> None:
        self.python = python
        try:
            # -P: the folder of the program must not be looked for modules in.
            self._process = subprocess.Popen(
                [python, "-P", str(PROGRAM), str(n_thread())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self._has = self._read()
        except (OSError, ValueError, RuntimeError) as error:
            raise PeersMissing(
                f"--peers: {python} does not run the peers ({error}); name an interpreter of Python 3.11 or newer."
            ) from error
        if self._has["missing"]:
            self.__exit__()
            raise PeersMissing(
                f"--peers compares with torch, transformers and bertviz, and {python} has no {', no '.join(self._has['missing'])}; "
                f"install them with: {python} -m pip install torch transformers bertviz"
            )

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    @property
    def versions(self) -> dict[str, str]:
        """Of each peer its version."""
        return self._has["versions"]

    def ask(self, do: str, model: Path, **more: Any) -> dict[str, Any]:
        """The answer to a request (see program.py). Raises RuntimeError if the process has ended instead."""
        self._process.stdin.write(json.dumps({"do": do, "model": str(model), **more}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def passes(self, model: Path, ids: Sequence[int], n: int) -> list[float]:
        """Milliseconds of `n` passes with all attention, after one that is not counted."""
        return self.ask("passes", model, ids=list(map(int, ids)), n=n)["ms"]

    def attention(self, model: Path, ids: Sequence[int], to: Path) -> NDArray[np.float32]:
        """All attention of a text, [layer, head, query, key], by way of the file `to`."""
        self.ask("attention", model, ids=list(map(int, ids)), to=str(to))
        return np.load(to)

    def once(self, folder: Path, text: str, *more: str) -> subprocess.CompletedProcess[str]:
        """A fresh process of transformers that has the attention of one text (see once.py)."""
        command = [self.python, "-P", str(ONCE), str(folder), text, "--threads", str(n_thread()), *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peers' process ended with status {self._process.wait()}")
        return json.loads(line)
