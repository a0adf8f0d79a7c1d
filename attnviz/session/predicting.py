"""What a model predicts for a text: the words behind its masks, or the token that comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.analysis.likeness import probability_changes
from attnviz.analysis.prediction import likeliest, probabilities
from attnviz.session.sight import kind_of

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32
    from attnviz.session.run import Run
    from attnviz.session.view import View

MOST: Final = 8
_AT_ONCE: Final = 1 << 25  # products of numbers, some 5 ms; beyond, a prediction is made elsewhere


@dataclass(frozen=True)
class Guess:
    """A token with its probability, and the one that it has with the model as trained, None where nothing is changed."""

    number: int
    text: str
    probability: float
    before: float | None = None


@dataclass(frozen=True)
class Prediction:
    """What a model predicts at one place. position: among the tokens that the output has a vector for; token: the one that stands
    there; is_next: it is the token behind that one that is predicted. guesses: the likeliest, now or before the changes;
    actual: the token that the text really has there, with its rank from 1, None where the text ends or has a mask."""

    position: int
    token: str
    is_next: bool
    guesses: tuple[Guess, ...]
    actual: Guess | None = None
    rank: int | None = None


def places_of(run: Run, view: View) -> tuple[int, ...]:
    """Where a model predicts for a view: at each mask, else at the token in focus; one that writes, behind the token in focus, else
    behind the last. Nothing for a model without a prediction head."""
    pieces = run.trace.output_pieces
    if not run.model.predicts:
        return ()
    focus = _focus(run, view)
    if run.trace.writes:
        return (len(pieces) - 1 if focus is None else focus,)
    masks = tuple(at for at, piece in enumerate(pieces) if piece.text == run.model.mask)
    return masks or (() if focus is None or pieces[focus].is_special else (focus,))


def is_quick(run: Run, view: View) -> bool:
    """Whether what a view predicts is there, or made in the time of a glance."""
    config = run.model.config
    return len(places_of(run, view)) * config.n_vocab * config.d_model <= _AT_ONCE


def predict(run: Run, view: View, most: int = MOST) -> tuple[Prediction, ...]:
    """What the model predicts at each place that `places_of` names; may run on any thread. Raises InputError for want of memory."""
    places = places_of(run, view)
    logits = run.trace.predictions(places)
    if not places or logits is None:
        return ()
    temperature = view.temperature if run.trace.writes else 1.0
    after = probabilities(logits, temperature)
    before = None
    if run.trace is not run.trained:
        before = probabilities(run.trained.predictions(places), temperature)
    return tuple(_prediction(run, at, after[row], None if before is None else before[row], most) for row, at in enumerate(places))


def _prediction(run: Run, at: int, after: Float32, before: Float32 | None, most: int) -> Prediction:
    pieces, shown = run.trace.output_pieces, run.model.tokenizer.shown
    if before is None:
        guesses = tuple(Guess(number, shown(number), value) for number, value in likeliest(after, most))
    else:
        changes = probability_changes(before, after, most)
        guesses = tuple(Guess(number, shown(number), new, old) for number, old, new in changes)
    real, actual, rank = at + 1 if run.trace.writes else at, None, None
    if real < len(pieces) and pieces[real].text != run.model.mask:
        number = pieces[real].id
        actual = Guess(number, shown(number), float(after[number]), None if before is None else float(before[number]))
        rank = 1 + int(np.count_nonzero(after > after[number]))
    return Prediction(at, pieces[at].shown, run.trace.writes, guesses, actual, rank)


def _focus(run: Run, view: View) -> int | None:
    """The token in focus as a position among those that the output has a vector for."""
    if view.focus is None:
        return None
    kind = kind_of(run.trace, view)
    if run.trace.decoder_encoding is None or kind == "decoder":
        return view.focus
    first = len(run.trace.encoding.tokens)
    return view.focus - first if kind == "cross" and view.focus >= first else None
