"""Tokens set as lines of text: one row where the sentence fits, several where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.tokenizer import Token
    from attnviz.scene.scene import Measure

# Type sizes to try for a sentence on one row, and the one for several rows.
_ONE_ROW_SIZES = (28, 25, 22, 20, 18, 17, 16)
_USUAL_SIZE = 22
_MANY_ROWS_SIZE = 17
_NARROW_SIZE = 15
# Where one token alone is wider than that leaves room for.
_SIZES_FOR_LONG_WORDS = (13, 11, 9)
_WIDEST_STRETCH = 2.0


@dataclass(frozen=True)
class PlacedToken:
    """A token's place: index in the trace, ends of its text, row."""

    index: int
    left: float
    right: float
    row: int


@dataclass(frozen=True)
class Rows:
    """The sentence set into a width: type size, the places in order, the number of rows.

    second_text: the row with which another text begins, 0 for a single text; widths: of the block of rows that each text is set
    into, () where it is as wide as its own rows.
    """

    font_size: int
    places: tuple[PlacedToken, ...]
    n_row: int
    second_text: int = 0
    widths: tuple[float, ...] = ()

    @cached_property
    def extents(self) -> tuple[tuple[range, float], ...]:
        """The rows of each text and how wide they are."""
        texts = (range(self.second_text), range(self.second_text, self.n_row)) if self.second_text else (range(self.n_row),)
        if self.widths:
            return tuple(zip(texts, self.widths, strict=True))
        return tuple((text, max((place.right for place in self.places if place.row in text), default=0.0)) for text in texts)


def set_rows(tokens: Sequence[Token], visible: Sequence[int], width: float, measure: Measure, second_text: int = 0) -> Rows:
    """The `visible` tokens in lines at most `width` wide; one line in the largest size that fits, else several.

    second_text: where another text begins, whose tokens stand on lines of their own below; 0 for a single text.
    """
    return _set_rows(tuple(tokens), tuple(visible), width, measure, second_text)


@lru_cache(maxsize=8)  # a change of layer, heads or weights leaves the text where it is; 4 ms at 64 tokens
def _set_rows(tokens: tuple[Token, ...], visible: tuple[int, ...], width: float, measure: Measure, second_text: int) -> Rows:
    if second_text:
        return _two_texts(tokens, visible, width, measure, second_text)
    for size in _ONE_ROW_SIZES:
        # The largest sizes are for short sentences, which would look lost; a longer one has more use for air than for size.
        room = width if size <= _USUAL_SIZE else 0.5 * width
        rows = _fill(tokens, visible, size, room, measure)
        if rows.n_row == 1 and _fits(rows, room):
            return _airy(tokens, visible, rows, width, measure)
    for size in (_MANY_ROWS_SIZE if width >= 640 else _NARROW_SIZE, *_SIZES_FOR_LONG_WORDS):
        rows = _fill(tokens, visible, size, width, measure)
        if _fits(rows, width):
            break
    return _balanced(tokens, visible, rows, width, measure)


def _two_texts(tokens: Sequence[Token], visible: Sequence[int], width: float, measure: Measure, second_text: int) -> Rows:
    """Each text set by itself in the size that suits both, one below the other."""
    texts = [[i for i in visible if i < second_text], [i for i in visible if i >= second_text]]
    size = min(set_rows(tokens, text, width, measure).font_size for text in texts)
    places: list[PlacedToken] = []
    n_row, begins = 0, 0
    for text in texts:
        begins = n_row
        rows = _fill(tokens, text, size, width, measure)
        if rows.n_row == 1:
            rows = _airy(tokens, text, rows, width, measure)
        places += [PlacedToken(place.index, place.left, place.right, place.row + n_row) for place in rows.places]
        n_row += rows.n_row
    return Rows(size, tuple(places), n_row, begins)


def _balanced(tokens: Sequence[Token], visible: Sequence[int], rows: Rows, width: float, measure: Measure) -> Rows:
    """The same number of rows as narrow as they can be, so that the last one is not left with a word or two."""
    for share in (0.70, 0.76, 0.82, 0.88, 0.94):
        narrower = _fill(tokens, visible, rows.font_size, share * width, measure)
        if narrower.n_row == rows.n_row and _fits(narrower, width):
            return _stretched(narrower, width)
    return rows


def _stretched(rows: Rows, width: float) -> Rows:
    """The same rows with all gaps widened by one factor, until the widest row fills the width or the gaps are wide enough."""
    factor = _WIDEST_STRETCH
    ends: dict[int, tuple[float, float]] = {}  # row -> widths of its text and of its gaps so far
    for place in rows.places:
        text, gaps = ends.get(place.row, (0.0, 0.0))
        ends[place.row] = (text + place.right - place.left, place.right - text - (place.right - place.left))
    for text, gaps in ends.values():
        if gaps > 0:
            factor = min(factor, (width - text) / gaps)
    places, last = [], None
    x = 0.0
    for place in rows.places:
        x = x + factor * (place.left - last.right) if last is not None and last.row == place.row else 0.0
        places.append(PlacedToken(place.index, x, x + place.right - place.left, place.row))
        x += place.right - place.left
        last = place
    return Rows(rows.font_size, tuple(places), rows.n_row)


def _fits(rows: Rows, width: float) -> bool:
    """Whether no token is wider than a whole line."""
    return all(place.right <= width for place in rows.places)


def _airy(tokens: Sequence[Token], visible: Sequence[int], rows: Rows, width: float, measure: Measure) -> Rows:
    """A single row with its gaps widened towards the width, so that arcs have room to part."""
    taken = rows.places[-1].right if rows.places else 0.0
    gaps = taken - sum(place.right - place.left for place in rows.places)
    stretch = 1.0 + 0.85 * max(width - taken, 0.0) / max(gaps, 1.0)
    return _fill(tokens, visible, rows.font_size, width, measure, min(stretch, _WIDEST_STRETCH))


def _fill(tokens: Sequence[Token], visible: Sequence[int], size: int, width: float, measure: Measure, stretch: float = 1.0) -> Rows:
    places: list[PlacedToken] = []
    row, x = 0, 0.0
    for at, index in enumerate(visible):
        token = tokens[index]
        advance = max(measure(token.shown, size, False), 4.0)
        gap = stretch * space_before(tokens, visible[at - 1], index, size) if x else 0.0
        if x and x + gap + advance > width:
            row, x, gap = row + 1, 0.0, 0.0
        places.append(PlacedToken(index, x + gap, x + gap + advance, row))
        x += gap + advance
    return Rows(size, tuple(places), row + 1)


def space_before(tokens: Sequence[Token], before: int, index: int, size: int) -> float:
    """The space before a token: a hair inside a word, little where nothing stood between, wider than a space elsewhere, and
    wider still before another text."""
    token, last = tokens[index], tokens[before]
    if token.sequence != last.sequence:
        return 2.0 * size  # another text
    if token.continues and before == index - 1:
        return 0.2 * size
    if token.span and last.span and token.sequence == last.sequence and token.span[0] == last.span[1]:
        return 0.36 * size
    return 0.78 * size
