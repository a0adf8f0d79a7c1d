"""A text with a mask in place of a token, or a token in place of a mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.session.sight import kind_of
from attnviz.session.units import units_of

if TYPE_CHECKING:
    from attnviz.session.predicting import Guess
    from attnviz.session.state import State


@dataclass(frozen=True)
class Texts:
    """The texts to read instead. place: of the token that is new in them, its position among the tokens."""

    text: str
    pair: str | None
    place: int


def masked(state: State, position: int) -> Texts | str:
    """The texts with a mask in place of the word that holds the token at a position of the picture; a sentence that says why there
    can be none. A mask for a piece alone would have the tokenizer cut the rest of the word in another way."""
    run = state.run
    mask = run.model.mask
    if mask is None:
        return f"{run.model.name} was not made to fill in masks; see what it writes next under Prediction."
    if run.trace.text != state.text or (run.trace.pair or None) != (state.pair or None):
        return "The picture is still of another text; mask the token in a moment."
    units = units_of(run.trace, kind_of(run.trace, state.view), words=True)
    unit = units.unit_at(position)
    token = None if unit is None else units.tokens[unit]
    if token is None or token.is_special or token.span is None:
        return "That token is the tokenizer's own, no part of the text; mask a word."
    if token.text == mask:
        return "It is masked already; Ctrl+Z brings the word back."
    return _replaced(state, token.sequence, token.span, mask, units.places[unit].start)


def with_guess(state: State, position: int, guess: Guess) -> Texts | None:
    """The texts with a guess in place of the token at a position; None where that is no part of the text. The run is that of the
    texts."""
    run = state.run
    token = run.trace.pieces[position]
    if token.span is None:
        return None
    start, end = token.span
    text = guess.text
    source = state.text if token.sequence == 0 else state.pair or ""
    if text.startswith("##"):  # a piece that goes on with the word before
        text = text.removeprefix("##")
        start -= len(source[:start]) - len(source[:start].rstrip())
    return _replaced(state, token.sequence, (start, end), text, position)


def _replaced(state: State, sequence: int, span: tuple[int, int], text: str, place: int) -> Texts:
    start, end = span
    if sequence == 0:
        return Texts(state.text[:start] + text + state.text[end:], state.pair, place)
    pair = state.pair or ""
    return Texts(state.text, pair[:start] + text + pair[end:], place)
