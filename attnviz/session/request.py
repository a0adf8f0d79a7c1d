"""What the engine must compute, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from unicodedata import category

from attnviz.errors import InputError


@dataclass(frozen=True)
class Request:
    """One run: model is a path; head_count is None for the trained one."""

    model: Path
    text: str
    pair: str | None = None
    head_count: int | None = None


def check_text(text: str) -> None:
    """Raises InputError for a text in which there is nothing to read."""
    if not text:
        raise InputError("The text is empty; type a sentence, or choose one of the examples.")
    # A letter, digit, punctuation mark or symbol: by their first letters the other categories are marks, blanks, controls.
    if not any(category(char)[0] in "LNPS" for char in text):
        raise InputError("The text holds no visible character; type a sentence, or choose one of the examples.")
