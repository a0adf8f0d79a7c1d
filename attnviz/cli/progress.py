"""One line on stderr that is written over as work goes on."""

from __future__ import annotations

import sys


class ProgressLine:
    """What is being done. Where stderr is no terminal, what stands is not written over but followed by the next line."""

    def __init__(self) -> None:
        self._last = ""

    @property
    def is_live(self) -> bool:
        """Whether somebody may be looking at a terminal."""
        return sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Say what is being done now."""
        if text != self._last:
            self._last = text
            start, end = ("\r\x1b[K", "") if self.is_live else ("", "\n")
            print(start + text, end=end, file=sys.stderr, flush=True)

    def leave(self) -> None:
        """Let what was said last stand."""
        if self._last and self.is_live:
            print(file=sys.stderr)

    def clear(self) -> None:
        """Take away what was said last, from a terminal."""
        if self._last and self.is_live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
