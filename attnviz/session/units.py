"""What a picture has a place for: tokens, or the words that they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from attnviz.analysis.words import word_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.config import Kind
    from attnviz.engine.tokenizer import Token
    from attnviz.engine.trace import Trace


@dataclass(frozen=True)
class Units:
    """The units of a picture in order: the keys' and the queries', which are the same unless a decoder looks at an encoder, when
    the encoder's stand first.

    tokens: each unit as a token, a word with the text of all its pieces; places: of each, the positions among the picture's
    tokens that it holds. Units from `first_query` on look, those before `n_key` are looked at.
    """

    tokens: tuple[Token, ...]
    places: tuple[range, ...]
    first_query: int
    n_key: int

    @property
    def query_groups(self) -> tuple[range, ...]:
        """The rows of an attention that each unit that looks holds."""
        start = self.places[self.first_query].start if self.first_query < len(self.places) else 0
        return tuple(range(p.start - start, p.stop - start) for p in self.places[self.first_query :])

    @property
    def key_groups(self) -> tuple[range, ...]:
        """The columns of an attention that each unit that is looked at holds."""
        return self.places[: self.n_key]

    @property
    def are_words(self) -> bool:
        """Whether any unit holds more than one token."""
        return any(len(place) > 1 for place in self.places)

    def unit_at(self, position: int) -> int | None:
        """The unit that holds a token, by its position among the picture's tokens."""
        return next((i for i, place in enumerate(self.places) if position in place), None)


def tokens_of_kind(trace: Trace, kind: Kind) -> tuple[Token, ...]:
    """The tokens of a picture of that kind of attention, in order."""
    return trace.keys(kind) + trace.queries(kind) if kind == "cross" else trace.queries(kind)


def units_of(trace: Trace, kind: Kind, words: bool) -> Units:
    """The units of a picture of that kind of attention; words: pieces of one word are one unit."""
    tokens = tokens_of_kind(trace, kind)
    begin = len(trace.keys(kind)) if kind == "cross" else 0
    if not words:
        return Units(tokens, tuple(range(i, i + 1) for i in range(len(tokens))), begin, begin or len(tokens))
    # The second text's first token never goes on with the first text's last one.
    goes_on = [at != begin and (token.continues or _is_inside(trace, kind, tokens, at, begin)) for at, token in enumerate(tokens)]
    places = word_groups(goes_on)
    first_query = sum(place.start < begin for place in places)
    merged = tuple(_word(tokens[p.start : p.stop], _source(trace, kind, p.start, begin)) for p in places)
    return Units(merged, places, first_query, first_query or len(places))


# Signs that stand inside a word or a number rather than between two: don't, 3.14, 1,000.
_INSIDE_WORDS, _INSIDE_NUMBERS = "'\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}", ".,"


def _is_inside(trace: Trace, kind: Kind, tokens: Sequence[Token], at: int, begin: int) -> bool:
    """Whether a token goes on with the one before across a sign that stands inside a word or a number."""
    token, before = tokens[at], tokens[at - 1]
    if not at or token.span is None or before.span is None or token.sequence != before.sequence or before.span[1] != token.span[0]:
        return False
    text = _source(trace, kind, at, begin)[token.sequence]
    start = token.span[0]
    return any(_joins(text, place) for place in (start - 1, start))


def _joins(text: str, place: int) -> bool:
    """Whether the sign at that place of a text has a letter on both sides, or a point or comma a digit."""
    around = text[max(place - 1, 0) : place + 2]
    if len(around) < 3 or place < 1:
        return False
    sign, sides = around[1], around[0] + around[2]
    return (sign in _INSIDE_WORDS and sides.isalpha()) or (sign in _INSIDE_NUMBERS and sides.isdecimal())


def _source(trace: Trace, kind: Kind, position: int, begin: int) -> tuple[str, str]:
    """The two texts that the spans of a token at that position refer to."""
    of_decoder = trace.decoder_encoding is not None and (kind == "decoder" or (kind == "cross" and position >= begin))
    return (trace.pair or "", "") if of_decoder else (trace.text, trace.pair or "")


def _word(pieces: Sequence[Token], source: tuple[str, str]) -> Token:
    """The pieces of one word as one token, shown as it was written."""
    first = pieces[0]
    if len(pieces) == 1 or first.span is None:
        return first
    spans = [piece.span for piece in pieces if piece.span is not None]
    written = source[first.sequence][min(start for start, _ in spans) : max(end for _, end in spans)]
    visible = "".join(char for char in written if char.isprintable()).strip()
    shown = visible or "".join(piece.shown for piece in pieces)
    span = (spans[0][0], max(end for _, end in spans))
    return replace(first, text=" ".join(piece.text for piece in pieces), shown=shown, span=span)
