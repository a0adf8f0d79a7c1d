"""What each section is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.peers.peer import Peer


@dataclass(frozen=True)
class Bench:
    """rounds: measurements of each figure; folder: for files that go at the end; peer: None where nothing is compared;
    default: the default model, None where it is not on this machine; lengths: of
    texts, in tokens, None for those of each section."""

    rounds: int
    folder: Path
    peer: Peer | None = None
    default: Path | None = None
    lengths: tuple[int, ...] | None = None

    def model(self) -> Path:
        """The default model. Raises ModelMissing with how to get it."""
        if self.default is None:
            raise ModelMissing("The benchmarks need the default model; get it with: attnviz get minilm")
        return self.default


class ModelMissing(Exception):
    """The default model is not on this machine."""
