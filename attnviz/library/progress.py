"""How far a download is, who is told, and who may call it off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attnviz.errors import Cancelled, never


@dataclass(frozen=True)
class Progress:
    """One moment of a download."""

    what: str  # a short sentence, such as "Downloading from the Hugging Face Hub"
    done: int = 0  # bytes
    total: int | None = None  # bytes, or None if nobody knows


ProgressCallback = Callable[[Progress], None]


class Refused(Exception):
    """One way to a model did not work; the text says why in a few words. The next way is tried."""


@dataclass(frozen=True)
class Watch:
    """Tells about one way and stops it when it is called off. Both callbacks run on the calling thread."""

    what: str
    progress: ProgressCallback | None = None
    cancelled: Callable[[], bool] = never

    def tell(self, done: int = 0, total: int | None = None) -> None:
        """Passes on how many bytes are there. Raises Cancelled if the download was called off."""
        if self.cancelled():
            raise Cancelled
        if self.progress is not None:
            self.progress(Progress(self.what, done if total is None else min(done, total), total))
