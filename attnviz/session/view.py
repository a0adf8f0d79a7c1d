"""How a trace is shown, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from attnviz.analysis.edges import Threshold

if TYPE_CHECKING:
    from attnviz.engine.config import Kind


@dataclass(frozen=True)
class HeadChoice:
    """Heads that were chosen while the model ran with `of` heads.

    Kept in those terms, so that a choice survives a what-if: head 1 of 12 is shown inside head 0 of 6, and again as head 1
    when the slider comes back.
    """

    heads: frozenset[int]
    of: int

    def at(self, head_count: int) -> frozenset[int]:
        """The heads among `head_count` that share numbers with a chosen one."""
        return frozenset(
            head
            for head in range(head_count)
            if any(head * self.of < (c + 1) * head_count and c * head_count < (head + 1) * self.of for c in self.heads)
        )


@dataclass(frozen=True)
class View:
    """What is on the picture.

    kind: which attention of an encoder-decoder, None for the first that the model has; heads: None for all;
    focus: the pinned token, by its position; hide_specials: leave out the tokens the tokenizer added.
    """

    layer: int = 0
    heads: HeadChoice | None = None
    focus: int | None = None
    threshold: Threshold = field(default_factory=Threshold)
    hide_specials: bool = True
    kind: Kind | None = None

    def shown_heads(self, head_count: int) -> frozenset[int]:
        """The heads that are drawn when the model runs with `head_count` of them."""
        if self.heads is None:
            return frozenset(range(head_count))
        return self.heads.at(head_count)


@dataclass(frozen=True)
class Arrival:
    """How a text that is being read shall be shown once it is there: layer, heads, and the word to pin by its text."""

    layer: int
    heads: HeadChoice | None = None
    focus_word: str | None = None
