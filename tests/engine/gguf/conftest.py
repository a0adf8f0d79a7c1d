"""What the tests of whole GGUF models share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tokenizers import Tokenizer

from attnviz.engine.gguf.open import OpenedGguf
from tests.golden.families_reader import TOKENIZERS

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def use_tokenizer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a golden tokenizer in place of the one that a file describes, which has tests of its own."""

    def use(name: str) -> None:
        path = str(TOKENIZERS / f"{name}.json")
        monkeypatch.setattr(OpenedGguf, "tokenizer", property(lambda self: Tokenizer.from_file(path)))

    return use
