"""What the engine must compute, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from unicodedata import category

from attnviz.engine.changes import NOTHING, Changes
from attnviz.errors import InputError


@dataclass(frozen=True)
class Writing:
    """How the next token is chosen: drawn from the model's probabilities at a temperature, the likeliest at 0. seed: which draw;
    takes_along: the run that it is compared with, the model's as trained, reads the new token too."""

    temperature: float = 1.0
    seed: int = 0
    takes_along: bool = False


@dataclass(frozen=True)
class Request:
    """One run: model is a path; head_count is None for the trained one; changes: of its heads; written: tokens that the model wrote
    behind the text, by their numbers; writing: have it write one more; against: a run to compare it with, which has no other."""

    model: Path
    text: str
    pair: str | None = None
    head_count: int | None = None
    changes: Changes = NOTHING
    written: tuple[int, ...] = ()
    writing: Writing | None = None
    against: Request | None = None

    def as_trained(self) -> Request:
        """The same text with the model as it is."""
        return replace(self, head_count=None, changes=NOTHING, writing=None, against=None)

    def alone(self) -> Request:
        """The same without a comparison, and without a token still to be written."""
        return replace(self, writing=None, against=None)


def check_text(text: str) -> None:
    """Raises InputError for a text in which there is nothing to read."""
    if not text:
        raise InputError("The text is empty; type a sentence, or choose one of the examples.")
    # A letter, digit, punctuation mark or symbol: by their first letters the other categories are marks, blanks, controls.
    if not any(category(char)[0] in "LNPS" for char in text):
        raise InputError("The text holds no visible character; type a sentence, or choose one of the examples.")
