"""All that a window shows at one moment, what of it a person has asked for, and what a change of one part means for the others."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attnviz.engine.changes import NOTHING, Changes
from attnviz.session.comparing import Against
from attnviz.session.leaving_out import has_two_texts
from attnviz.session.request import Request, Writing
from attnviz.session.sight import kind_of, tokens_of
from attnviz.session.view import Arrival, View

if TYPE_CHECKING:
    from attnviz.engine.trace import Trace
    from attnviz.probing.summary import RoleSummary
    from attnviz.session.run import Run


@dataclass(frozen=True)
class Wish:
    """What a person has asked for and how to show it, which is what can be undone and saved.

    model, text, pair, head_count, changes: what is asked for (pair: what the decoder of an encoder-decoder reads; head_count None:
    the trained one); written: the tokens that the model wrote behind the text, of which n_shown are read, None for all;
    against: what the run is compared with; seed: of the tokens that are drawn; view: how it is shown.
    """

    model: Path | None
    text: str
    pair: str | None = None
    head_count: int | None = None
    changes: Changes = NOTHING
    written: tuple[int, ...] = ()
    n_shown: int | None = None
    against: Against | None = None
    seed: int = 0
    view: View = field(default_factory=View)


@dataclass(frozen=True)
class State(Wish):
    """Everything the window shows, at one moment: the wish, and what has come of it.

    run: the newest picture's numbers, kept while newer ones are computed or fail; failure: the sentence to show, if the last
    request could not be served; busy: whether a request is under way; to_write: how many tokens the model is still to write;
    arrival: how to show what the request brings; roles: what was measured of the heads of the run's model, None where nothing is
    known.
    """

    model: Path | None = None
    text: str = ""
    run: Run | None = None
    failure: str | None = None
    busy: bool = False
    to_write: int = 0
    arrival: Arrival | View | None = None
    roles: RoleSummary | None = None


ASKED: Final = ("model", "text", "pair", "head_count", "changes", "written", "n_shown", "against", "seed")


def consequences(state: State, asked: dict[str, Any]) -> State:
    """The state without what does not outlive a change of what it was said of."""
    new = {name for name, value in asked.items() if value != getattr(state, name)}
    if "model" in new:
        state = replace(state, head_count=None, pair=None)
    if new & {"model", "head_count"}:
        state = replace(state, changes=NOTHING.with_muting(state.changes.muting))
    if new & {"text", "pair"}:
        state = replace(state, changes=state.changes.without_weights())
    if new & {"model", "text", "pair"}:
        state = replace(state, written=(), n_shown=None)
    return state


def wish_of(state: State) -> Wish:
    """What a state asks for, and how it is shown, or will be once it is there."""
    wish = Wish(**{field.name: getattr(state, field.name) for field in fields(Wish)})
    return replace(wish, view=state.arrival) if isinstance(state.arrival, View) else wish


def asking(wish: Wish, **asked: Any) -> Wish:
    """The wish with some of what it asks for changed, and without what does not outlive that."""
    state = State(**{field.name: getattr(wish, field.name) for field in fields(Wish)})
    return wish_of(replace(consequences(state, asked), **asked))


def request_of(state: State) -> Request:
    """The run that a state asks for; it has a model."""
    assert state.model is not None
    writing, against = None, state.against
    if state.to_write:
        writing = Writing(state.view.temperature, state.seed, takes_along=against is not None and against.kind == "trained")
    shown = state.written[: state.n_shown]
    changes = _within_reach(state, len(shown)).effective()
    request = Request(state.model, state.text, state.pair, state.head_count, changes, shown, writing)
    return request if state.against is None else replace(request, against=state.against.request(request))


def _within_reach(state: State, n_shown: int) -> Changes:
    """The changes without weights of tokens that the model wrote and that are not read now; they are there again with them."""
    changes, run = state.changes, state.run
    if not changes.weights or not state.written or run is None or run.request.text != state.text:
        return changes
    n = len(run.trace.output_pieces) - run.trace.n_written + n_shown
    for at, _ in changes.weights:
        if at.kind != "encoder" and (at.query >= n or (at.kind == "decoder" and at.key >= n)):
            changes = changes.with_weight(at, None)
    return changes


def shows_what_is_asked(state: State) -> bool:
    """Whether the picture is that of all that is asked for: nothing is still to come, nothing could not be had."""
    return state.run is not None and not state.busy and state.model is not None and state.run.request == request_of(state)


def roles_beside(state: State, run: Run | None) -> RoleSummary | None:
    """The roles that a state still knows once another run is on the screen: those of the same model, opened once."""
    is_same = run is not None and state.run is not None and state.run.model is run.model
    return state.roles if is_same else None


def asked_of(state: State) -> tuple[object, ...]:
    """What a request depends on, and how its outcome is to be shown."""
    return *(getattr(state, name) for name in ASKED), state.arrival


def last_token(run: Run, view: View) -> int | None:
    """The position on the picture of the last token that the model wrote."""
    tokens = tokens_of(run.trace, view)
    return len(tokens) - 1 if kind_of(run.trace, view) != "encoder" else view.focus


def fitted(state: State, run: Run, is_newest: bool) -> View:
    """The view made valid for a new run: as its arrival says, the layer exists, the pinned token is still the same word."""
    if is_newest and isinstance(state.arrival, View):
        return within(state.arrival, run.trace)
    view = state.view if has_two_texts(run.trace) else replace(state.view, between="all")
    if is_newest and state.arrival is not None:
        words = [piece.text for piece in run.trace.pieces]
        word, focus = state.arrival.focus_word, state.arrival.focus
        if focus is None and word in words:
            focus = words.index(word)
        layer = min(state.arrival.layer, run.trace.n_layer - 1)
        return replace(view, layer=layer, kind=None, heads=state.arrival.heads, focus=focus, arc=None)
    pieces = tokens_of(run.trace, view)
    focus, arc = view.focus, view.arc
    before = () if state.run is None else tokens_of(state.run.trace, view)
    ids = [piece.id for piece in pieces]
    if state.run is not None and [piece.id for piece in before] != ids:
        if focus is not None:
            word = before[focus].text if focus < len(before) else None
            same = [i for i, piece in enumerate(pieces) if piece.text == word]
            focus = min(same, key=lambda i: abs(i - focus)) if same else None
        if [piece.id for piece in before] != ids[: len(before)]:  # the model has not just gone on with it
            arc = None
    return within(replace(view, focus=focus, arc=arc), run.trace)


def within(view: View, trace: Trace) -> View:
    """The view with a layer and tokens that are there."""
    layer = min(view.layer, trace.n_layer_of(kind_of(trace, view)) - 1)
    n = len(tokens_of(trace, view))
    focus = view.focus if view.focus is None or view.focus < n else None
    arc = view.arc if view.arc is None or max(view.arc.query, view.arc.key) < n else None
    return replace(view, layer=layer, focus=focus, arc=arc)
