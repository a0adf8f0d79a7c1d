"""A GGUF file as a model folder would be: a configuration, tensors and a tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attnviz.engine.gguf.config import read_config
from attnviz.engine.gguf.stored import open_stored
from attnviz.engine.gguf.tensors import GgufSource

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from attnviz.engine.gguf.stored import StoredModel


@dataclass(frozen=True)
class OpenedGguf:
    """config: as the family's config.json would have it; tensors: as its checkpoint would; files: one, or the parts."""

    config: dict[str, Any]
    tensors: GgufSource
    stored: StoredModel

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the model is in."""
        return self.stored.files

    @property
    def title(self) -> str:
        """What the file calls itself, "" if it does not."""
        title = self.stored.metadata.get("general.name")
        return " ".join(title.split())[:60] if isinstance(title, str) else ""

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that the file names as the end of a text or of a turn."""
        named = [self.stored.metadata.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot")]
        return frozenset(int(number) for number in named if isinstance(number, int))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that the file describes. Raises ModelError for one that is not understood."""
        from attnviz.engine.gguf.tokenizer import build_tokenizer

        return build_tokenizer(self.stored.metadata, str(self.stored.path))


def open_gguf(path: Path) -> OpenedGguf:
    """The model in the GGUF file at `path`. Raises ModelError for a file that is damaged or a model that is not understood; no
    weight is read yet."""
    stored = open_stored(path)
    config = read_config(stored)
    return OpenedGguf(config, GgufSource(stored, config), stored)
