"""A sentence's gold words laid over a model's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.analysis.words import word_groups

if TYPE_CHECKING:
    from attnviz.corpus.corpus import Sentence
    from attnviz.engine.tokenizer import Encoding


@dataclass(frozen=True)
class Aligned:
    """Units are what both sides can tell apart: gold words, those that share a token joined to one.

    first: the place of the first token that is text; groups: of each unit, its tokens, counted from there; unit_of: of each gold
    word its unit, None where the tokenizer left nothing of it; words: of each unit, its gold words.
    """

    first: int
    groups: tuple[range, ...]
    unit_of: tuple[int | None, ...]
    words: tuple[tuple[int, ...], ...]

    @property
    def n_token(self) -> int:
        """The tokens of the text."""
        return self.groups[-1].stop if self.groups else 0


def align(sentence: Sentence, encoding: Encoding) -> Aligned:
    """Which tokens each gold word has. A token of nothing but blanks goes to the word before it, at the start to the one behind."""
    text = [at for at, token in enumerate(encoding.tokens) if not token.is_special]
    if not text:
        return Aligned(0, (), (None,) * len(sentence.words), ())
    first, tokens = text[0], encoding.tokens[text[0] : text[-1] + 1]
    touched = [_touched(sentence, token.span) for token in tokens]
    begins, reached = [], -1
    for words in touched:
        is_new = bool(words) and words[0] > reached and reached >= 0
        begins.append(is_new)
        reached = max(reached, *words) if words else reached
    groups = word_groups([not begin for begin in begins])
    unit_of: list[int | None] = [None] * len(sentence.words)
    for unit, group in enumerate(groups):
        for at in group:
            for word in touched[at]:
                unit_of[word] = unit
    words = tuple(tuple(word for word, own in enumerate(unit_of) if own == unit) for unit in range(len(groups)))
    return Aligned(first, groups, tuple(unit_of), words)


def _touched(sentence: Sentence, span: tuple[int, int] | None) -> list[int]:
    """The gold words that share a letter with a token, in their order."""
    if span is None:
        return []
    start, stop = span
    return [word for word, (begin, end) in enumerate(sentence.spans) if begin < stop and start < end]
