"""The one owner of what the person wants to see and what is there to see."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from attnviz.errors import AttnvizError, InputError, ModelError
from attnviz.session.comparing import kept
from attnviz.session.history import History
from attnviz.session.request import Request, check_text
from attnviz.session.sight import carried_focus, kind_of
from attnviz.session.state import (
    ASKED,
    State,
    Wish,
    asked_of,
    consequences,
    fitted,
    last_token,
    request_of,
    roles_beside,
    wish_of,
    within,
)
from attnviz.session.view import Arrival, HeadChoice, View, gesture_of

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from attnviz.engine.changes import Changes
    from attnviz.engine.model import Model
    from attnviz.probing.summary import RoleSummary
    from attnviz.session.comparing import Against
    from attnviz.session.run import Run
    from attnviz.session.view import ViewChanges


class Keep(Enum):
    """Stands for an argument that leaves things as they are, where None means something."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


class Session:
    """Holds the State, replaces it whole, and tells its observers.

    submit: called with each new Request; its outcome comes back through `accept` or `fail`.
    """

    def __init__(self, submit: Callable[[Request], None]) -> None:
        self.state = State()
        self._submit = submit
        self._observers: list[Callable[[State, State], None]] = []
        self._history: History[Wish] = History()
        self._before_opening: State | None = None

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
        changes: Changes | Keep = KEEP,
        written: tuple[int, ...] | Keep = KEEP,
        n_shown: int | Keep | None = KEEP,
        against: Against | Keep | None = KEEP,
        seed: int | Keep = KEEP,
        arrival: Arrival | None = None,
        gesture: Hashable | None = None,
    ) -> None:
        """Change what is asked for; arrival: how to show a new text; gesture: what kind it is, where several in a row are one.

        Another model runs with its trained heads at first, and reads one text: the pair may be of a kind that it does not take.
        Changes of heads go with their model and head count, weights set by hand and what the model wrote with their text.
        A text that cannot be read fails here and leaves the picture.
        """
        state, given = self.state, locals()
        asked = {name: given[name] for name in ASKED if given[name] is not KEEP}
        wanted = replace(consequences(state, asked), **asked, arrival=state.arrival if text is KEEP else arrival)
        if asked_of(wanted) == asked_of(state) and state.failure is None:
            return
        if gesture is None and set(asked) == {"text"} and arrival is None:
            gesture = ("text", len(wanted.text.split()))  # a word of typing is one gesture
        self._remember(gesture)
        self._ask_for(replace(wanted, to_write=0))

    def show(self, **changes: Unpack[ViewChanges]) -> None:
        """Change some fields of the view."""
        before = self.state.view
        view = replace(before, **changes)
        if self.state.run is not None:
            if "focus" not in changes:
                view = replace(view, focus=carried_focus(self.state.run.trace, before, view))
            if kind_of(self.state.run.trace, view) != kind_of(self.state.run.trace, before):
                view = replace(view, arc=None)
            view = within(view, self.state.run.trace)
        state = self.state
        wanted = replace(state, view=view)
        if isinstance(state.arrival, View):  # positions are of the picture that is there, not of the one to come
            lasting = {name: value for name, value in changes.items() if name not in ("focus", "arc")}
            wanted = replace(wanted, arrival=replace(state.arrival, **lasting))
        if replace(wish_of(wanted).view, panel=before.panel) != replace(self.wish.view, panel=before.panel):
            self._remember(gesture_of(changes))
        if state.to_write and request_of(wanted) != request_of(state):  # the next token is drawn at another temperature
            self._ask_for(wanted, keeps_failure=True)
        else:
            self._set(wanted)

    def write(self, n: int) -> None:
        """Have the model write so many tokens behind the text, one after the other, as far as it is shown."""
        state = self.state
        if n > 0 and state.model is not None and state.run is not None:
            self._remember(None)
            shown = state.written[: state.n_shown]
            self._ask_for(replace(state, written=shown, n_shown=None, to_write=n, arrival=None))

    def write_anew(self, n: int) -> None:
        """Have the model write so many tokens behind the text itself, with other draws than before."""
        state = self.state
        if n > 0 and state.model is not None and state.run is not None:
            self._remember(None)
            self._ask_for(replace(state, written=(), n_shown=None, seed=state.seed + 1, to_write=n, arrival=None))

    def stop_writing(self) -> None:
        """Have the model write no further; the token under way is shown if it still comes."""
        state = self.state
        if state.to_write:
            self._ask_for(replace(state, to_write=0))

    def undo(self) -> None:
        """Go back to before the last gesture; one that nothing has come of yet is given up."""
        if self.state.run is None:  # nobody wants to go back to an empty window
            return
        is_coming = self._is_coming
        self.stop_writing()
        if is_coming and self._history.drop_unchanged(self.wish):
            self._set(replace(self.state, arrival=None))
        else:
            self._return_to(self._history.undo(self.wish))

    def redo(self) -> None:
        """Do again what was undone last."""
        self._return_to(self._history.redo(self.wish))

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return self.state.run is not None and (self._is_coming or self._history.can_undo(self.wish))

    @property
    def can_redo(self) -> bool:
        """Whether there is something to do again."""
        return self._history.can_redo(self.wish)

    @property
    def _is_coming(self) -> bool:
        """Whether there is more to come of a gesture than its wish says."""
        return self.state.to_write > 0 or isinstance(self.state.arrival, Arrival)

    @property
    def wish(self) -> Wish:
        """What is asked for now, and how it is shown."""
        return wish_of(self.state)

    def open(self, wish: Wish) -> None:
        """Show another wish in place of all that is there. If it cannot be had, everything stays as it was, but for the sentence
        that says why."""
        before = self.state
        self._remember(None)
        self._return_to(wish)
        if self.state.failure is not None:
            self._set(replace(before, failure=self.state.failure))
        else:
            self._before_opening = before

    def set_roles(self, roles: RoleSummary | None, model: Model | None = None) -> None:
        """Take over what was measured of the heads of a model, the one on the screen if None is named; nothing where another one
        has come onto the screen meanwhile."""
        run = self.state.run
        if run is not None and model in (None, run.model):
            self._set(replace(self.state, roles=roles))

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
        if state.run is None:  # nobody wants to go back to an empty window
            self._history.clear()
        if run.asked != request_of(state):
            self._set(replace(state, run=run, view=fitted(state, run, is_newest=False), roles=roles_beside(state, run)))
            return True
        self._before_opening = None
        view = fitted(state, run, is_newest=True)
        written, to_write = state.written, 0
        if state.to_write:
            written, to_write = run.request.written, 0 if run.has_ended else state.to_write - 1
            view = replace(view, focus=last_token(run, view))
        roles = roles_beside(state, run)
        state = replace(state, run=run, view=view, written=written, to_write=to_write, busy=to_write > 0, arrival=None, roles=roles)
        self._set(state)
        if to_write and self.state is state:
            self._submit(request_of(state))
        return True

    def fail(self, request: Request, error: AttnvizError) -> None:
        """Take over why a request could not be served; the picture stays, and with it the model that drew it."""
        state = self.state
        if state.model is None or request != request_of(state):
            return
        state = replace(state, failure=str(error), busy=False, arrival=None, to_write=0)
        self._go_back(state, request, isinstance(error, ModelError))

    def call_off(self, request: Request) -> None:
        """Take over that a person called a request off; picture and model are those before it."""
        state = self.state
        if state.model is not None and request == request_of(state):
            self._go_back(replace(state, busy=False, arrival=None, to_write=0), request, model_failed=True)

    def _go_back(self, state: State, request: Request, model_failed: bool) -> None:
        """To the model that drew the picture, if the one of `request` could not be had; to all that was there, if it came from a
        saved session."""
        run, before = state.run, self._before_opening
        if before is not None:
            self._before_opening = None
            before = replace(before, failure=state.failure, roles=roles_beside(state, before.run))
            self._set(replace(before, busy=False))
            if before.busy:  # its own run has been given up for this one
                self._ask_for(before, keeps_failure=True)
        elif not model_failed or (run is not None and run.request.model == request.model and request.against is None):
            self._set(state)
        elif run is None:
            self._set(replace(state, model=None))
        else:
            asked = run.request
            against = state.against
            if against is None or asked.against is None or against.request(asked) != asked.against:
                against = None if asked.against is None else kept(asked.against)
            state = replace(state, model=asked.model, head_count=asked.head_count, pair=asked.pair, changes=asked.changes)
            state = replace(state, against=against, written=asked.written, n_shown=None)
            unread = state.text != run.request.text  # typed while the other model was being opened
            if unread:
                state = replace(state, written=(), changes=state.changes.without_weights())
            self._set(replace(state, busy=unread))
            if unread:
                self._submit(request_of(state))

    def _remember(self, gesture: Hashable | None) -> None:
        """Note what is there before a gesture."""
        self._before_opening = None
        self._history.remember(self.wish, gesture)

    def _return_to(self, wish: Wish | None) -> None:
        """Ask for all of a wish, to be shown as it was."""
        if wish is None:
            return
        self._before_opening = None
        state = self.state
        values = {field.name: getattr(wish, field.name) for field in fields(Wish)}
        wanted = replace(state, **values, to_write=0)
        if wanted.model is not None and state.run is not None and request_of(wanted) == state.run.request:
            view = within(wish.view, state.run.trace)
            self._set(replace(wanted, view=view, failure=None, busy=False, arrival=None))
        else:
            self._ask_for(replace(wanted, view=state.view, arrival=wish.view))

    def _ask_for(self, wanted: State, keeps_failure: bool = False) -> None:
        """Submit what a state asks for."""
        if wanted.model is None:
            self._set(wanted)
            return
        try:
            check_text(wanted.text)
            if wanted.against is not None and wanted.against.kind == "text":
                check_text(wanted.against.text)
        except InputError as error:
            self._set(replace(wanted, head_count=self.state.head_count, failure=str(error), busy=False, to_write=0))
            return
        state = replace(wanted, failure=wanted.failure if keeps_failure else None, busy=True)
        self._set(state)
        if self.state is state:  # an observer may have asked for something else already
            self._submit(request_of(state))

    def _set(self, state: State) -> None:
        old, self.state = self.state, state
        if old != state:
            for observer in self._observers:
                observer(old, state)
