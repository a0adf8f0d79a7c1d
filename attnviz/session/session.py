"""The one owner of what the person wants to see and what is there to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from attnviz.errors import AttnvizError, InputError, ModelError
from attnviz.session.leaving_out import has_two_texts
from attnviz.session.request import Request, check_text
from attnviz.session.sight import carried_focus, kind_of, tokens_of
from attnviz.session.view import Arrival, HeadChoice, View

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from attnviz.engine.trace import Trace
    from attnviz.session.run import Run
    from attnviz.session.view import ViewChanges


class Keep(Enum):
    """Stands for an argument that leaves things as they are, where None means something."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


@dataclass(frozen=True)
class State:
    """Everything the window shows, at one moment.

    model, text, pair, head_count: what is asked for (pair: what the decoder of an encoder-decoder reads; head_count None: the
    trained one); view: how it is shown;
    run: the newest picture's numbers, kept while newer ones are computed or fail; failure: the sentence to show, if the last
    request could not be served; busy: whether a request is under way; arrival: how to show what it brings.
    """

    model: Path | None = None
    text: str = ""
    pair: str | None = None
    head_count: int | None = None
    view: View = field(default_factory=View)
    run: Run | None = None
    failure: str | None = None
    busy: bool = False
    arrival: Arrival | None = None


class Session:
    """Holds the State, replaces it whole, and tells its observers.

    submit: called with each new Request; its outcome comes back through `accept` or `fail`.
    """

    def __init__(self, submit: Callable[[Request], None]) -> None:
        self.state = State()
        self._submit = submit
        self._observers: list[Callable[[State, State], None]] = []

    def subscribe(self, observer: Callable[[State, State], None]) -> None:
        """Have `observer(old, new)` called after each change."""
        self._observers.append(observer)

    def ask(
        self,
        *,
        model: Path | Keep = KEEP,
        text: str | Keep = KEEP,
        pair: str | Keep | None = KEEP,
        head_count: int | Keep | None = KEEP,
        arrival: Arrival | None = None,
    ) -> None:
        """Change what is asked for; arrival: how to show a new text. Another model runs with its trained heads at first, and reads
        one text: the pair may be of a kind that it does not take.

        A text that cannot be read fails here and leaves the picture.
        """
        state = self.state
        if model is not KEEP and model != state.model:
            head_count = None if head_count is KEEP else head_count
            pair = None if pair is KEEP else pair
        wanted = replace(
            state,
            model=state.model if model is KEEP else model,
            text=state.text if text is KEEP else text,
            pair=state.pair if pair is KEEP else pair,
            head_count=state.head_count if head_count is KEEP else head_count,
            arrival=state.arrival if text is KEEP else arrival,
        )
        if _asked(wanted) == _asked(state) and state.failure is None:
            return
        if wanted.model is None:
            self._set(wanted)
            return
        try:
            check_text(wanted.text)
        except InputError as error:
            self._set(replace(wanted, head_count=state.head_count, failure=str(error), busy=False))
            return
        self._set(replace(wanted, failure=None, busy=True))
        self._submit(_request(wanted))

    def show(self, **changes: Unpack[ViewChanges]) -> None:
        """Change some fields of the view."""
        before = self.state.view
        view = replace(before, **changes)
        if self.state.run is not None:
            if "focus" not in changes:
                view = replace(view, focus=carried_focus(self.state.run.trace, before, view))
            view = _within(view, self.state.run.trace)
        self._set(replace(self.state, view=view))

    def dismiss_failure(self) -> None:
        """Forget the sentence about what went wrong."""
        self._set(replace(self.state, failure=None))

    def show_heads(self, heads: frozenset[int]) -> None:
        """Draw just `heads` of the heads that the picture has; all of them is remembered as "all"."""
        run = self.state.run
        if run is not None:
            count = run.trace.head_count_of(kind_of(run.trace, self.state.view))
            self.show(heads=None if len(heads) == count else HeadChoice(heads, count))

    def accept(self, run: Run) -> bool:
        """Take over a run; False if it is stale: of another model, or for a text that has meanwhile been refused.

        A sentence about a model that did not open stays while the text is read with the one before.
        """
        state = self.state
        if run.request.model != state.model or not state.busy:
            return False
        newest = run.request == _request(state)
        arrival = None if newest else state.arrival
        self._set(replace(state, run=run, view=_fitted(state, run, newest), busy=not newest, arrival=arrival))
        return True

    def fail(self, request: Request, error: AttnvizError) -> None:
        """Take over why a request could not be served; the picture stays, and with it the model that drew it."""
        state = self.state
        if state.model is None or request != _request(state):
            return
        state = replace(state, failure=str(error), busy=False, arrival=None)
        self._go_back(state, request, isinstance(error, ModelError))

    def call_off(self, request: Request) -> None:
        """Take over that a person called a request off; picture and model are those before it."""
        state = self.state
        if state.model is not None and request == _request(state):
            self._go_back(replace(state, busy=False, arrival=None), request, model_failed=True)

    def _go_back(self, state: State, request: Request, model_failed: bool) -> None:
        """To the model that drew the picture, if the one of `request` could not be had."""
        run = state.run
        if not model_failed or (run is not None and run.request.model == request.model):
            self._set(state)
        elif run is None:
            self._set(replace(state, model=None))
        else:
            asked = run.request
            state = replace(state, model=asked.model, head_count=asked.head_count, pair=asked.pair)
            unread = state.text != run.request.text  # typed while the other model was being opened
            self._set(replace(state, busy=unread))
            if unread:
                self._submit(_request(state))

    def _set(self, state: State) -> None:
        old, self.state = self.state, state
        if old != state:
            for observer in self._observers:
                observer(old, state)


def _request(state: State) -> Request:
    assert state.model is not None
    return Request(state.model, state.text, state.pair, state.head_count)


def _asked(state: State) -> tuple[object, ...]:
    return state.model, state.text, state.pair, state.head_count, state.arrival


def _fitted(state: State, run: Run, newest: bool) -> View:
    """The view made valid for a new run: as its arrival says, the layer exists, the pinned token is still the same word."""
    view = state.view if has_two_texts(run.trace) else replace(state.view, between="all")
    if newest and state.arrival is not None:
        words = [piece.text for piece in run.trace.pieces]
        word = state.arrival.focus_word
        focus = words.index(word) if word in words else None
        layer = min(state.arrival.layer, run.trace.n_layer - 1)
        return replace(view, layer=layer, kind=None, heads=state.arrival.heads, focus=focus)
    pieces = tokens_of(run.trace, view)
    focus = view.focus
    before = () if state.run is None else tokens_of(state.run.trace, view)
    if focus is not None and state.run is not None and [piece.id for piece in before] != [piece.id for piece in pieces]:
        word = before[focus].text if focus < len(before) else None
        same = [i for i, piece in enumerate(pieces) if piece.text == word]
        focus = min(same, key=lambda i: abs(i - focus)) if same else None
    return _within(replace(view, focus=focus), run.trace)


def _within(view: View, trace: Trace) -> View:
    """The view with a layer and a token that are there."""
    layer = min(view.layer, trace.n_layer_of(kind_of(trace, view)) - 1)
    focus = view.focus if view.focus is None or view.focus < len(tokens_of(trace, view)) else None
    return replace(view, layer=layer, focus=focus)
