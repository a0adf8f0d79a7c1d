"""The session against a stand-in for the worker: newest wins, failures keep the picture, gestures never break it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from attnviz.engine.model import load_model
from attnviz.errors import InputError, ModelError
from attnviz.session.request import Request
from attnviz.session.run import Run
from attnviz.session.session import Session
from attnviz.session.sight import sight_of
from attnviz.session.state import State
from attnviz.session.view import BETWEEN_NAMES, PICTURE_NAMES, SINK_NAMES, TREATMENT_NAMES, Arrival, HeadChoice, Sinks
from tests.engine.tiny_bert import write_bert

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

CAT = "the cat sings"
DOG = "a dog, the cat"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models: the second has one layer and two heads."""
    base = tmp_path_factory.mktemp("models")

    def cut(tensors: dict[str, NDArray]) -> None:
        for name in [name for name in tensors if name.startswith("encoder.layer.1.")]:
            del tensors[name]

    small = {"num_hidden_layers": 1, "num_attention_heads": 2}
    return write_bert(base / "two"), write_bert(base / "one", config=small, change=cut)


@pytest.fixture(scope="module")
def compute(folders: tuple[Path, Path]) -> Callable[[Request], Run]:
    models = {folder: load_model(folder) for folder in folders}

    @cache
    def run(request: Request) -> Run:
        trace = models[request.model].trace(request.text, request.pair, request.head_count)
        return Run(request, models[request.model], trace, 1.0, 0.0, trace, request)

    return run


class Desk:
    """A session with the requests it made."""

    def __init__(self, compute: Callable[[Request], Run], model: Path) -> None:
        self.requests: list[Request] = []
        self.changes: list[tuple[State, State]] = []
        self.session = Session(self.requests.append)
        self.session.subscribe(lambda old, new: self.changes.append((old, new)))
        self._compute = compute
        self.session.ask(model=model, text=CAT)
        self.serve()
        assert self.state.run is not None

    @property
    def state(self) -> State:
        return self.session.state

    def serve(self, request: Request | None = None) -> bool:
        return self.session.accept(self._compute(request or self.requests[-1]))

    def position(self, word: str) -> int:
        return self.state.run.trace.tokens.index(word)


@pytest.fixture
def desk(compute: Callable[[Request], Run], folders: tuple[Path, Path]) -> Desk:
    return Desk(compute, folders[0])


def test_a_text_becomes_a_request_and_the_run_a_picture(desk: Desk, folders: tuple[Path, Path]) -> None:
    assert desk.requests == [Request(folders[0], CAT)]
    assert not desk.state.busy
    desk.session.ask(text=DOG)
    assert desk.state.busy
    assert desk.state.run.request.text == CAT  # the picture stays until the next one is there
    assert desk.serve()
    assert desk.state.run.request.text == DOG
    assert not desk.state.busy


def test_a_text_without_a_model_waits_for_one(folders: tuple[Path, Path]) -> None:
    requests: list[Request] = []
    session = Session(requests.append)
    session.ask(text=CAT)
    assert requests == []
    assert session.state.text == CAT
    session.ask(model=folders[0])
    assert requests == [Request(folders[0], CAT)]


def test_asking_for_the_same_again_computes_nothing(desk: Desk) -> None:
    desk.session.ask(text=CAT)
    desk.session.ask(head_count=None)
    assert len(desk.requests) == 1


def test_an_older_run_is_shown_while_the_newest_is_awaited(desk: Desk) -> None:
    for text in ("a", "ab", "abc"):
        desk.session.ask(text=text)
    assert desk.serve(desk.requests[1])
    assert desk.state.run.request.text == "a"
    assert desk.state.busy
    assert desk.serve()
    assert desk.state.run.request.text == "abc"
    assert not desk.state.busy


def test_an_older_run_never_replaces_the_newest(desk: Desk) -> None:
    for text in ("a", "ab"):
        desk.session.ask(text=text)
    assert desk.serve()
    before = desk.state
    assert not desk.serve(desk.requests[1])
    assert desk.state is before


def test_a_run_of_another_model_is_refused(desk: Desk, folders: tuple[Path, Path]) -> None:
    desk.session.ask(text=DOG)
    desk.session.ask(model=folders[1])
    assert not desk.serve(desk.requests[1])
    assert desk.state.run.request.text == CAT
    assert desk.serve()


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00\x07", "\u200b"])
def test_a_text_that_cannot_be_read_fails_at_once_and_leaves_the_picture(desk: Desk, text: str) -> None:
    run = desk.state.run
    desk.session.ask(text=text)
    assert len(desk.requests) == 1
    assert desk.state.failure
    assert not desk.state.busy
    assert desk.state.run is run


def test_a_run_that_comes_after_its_text_was_deleted_is_refused(desk: Desk) -> None:
    desk.session.ask(text=DOG)
    desk.session.ask(text="")
    assert not desk.serve(desk.requests[1])
    assert desk.state.failure
    assert desk.state.run.request.text == CAT


def test_typing_on_after_a_failure_heals_it(desk: Desk) -> None:
    desk.session.ask(text="")
    desk.session.ask(text=CAT)
    assert desk.state.failure is None
    assert desk.serve()
    assert desk.state.failure is None


def test_a_failure_keeps_the_picture_and_its_sentence(desk: Desk) -> None:
    run = desk.state.run
    desk.session.ask(text=DOG)
    desk.session.fail(desk.requests[-1], ModelError("It is too long."))
    assert (desk.state.failure, desk.state.run, desk.state.busy) == ("It is too long.", run, False)


def test_a_failure_of_an_older_request_is_nobodys_business(desk: Desk) -> None:
    desk.session.ask(text="a")
    desk.session.ask(text="ab")
    desk.session.fail(desk.requests[1], ModelError("old"))
    assert desk.state.failure is None
    assert desk.state.busy


def test_the_same_again_after_a_failure_is_tried_again(desk: Desk) -> None:
    desk.session.ask(text=DOG)
    desk.session.fail(desk.requests[-1], ModelError("No."))
    desk.session.ask(text=DOG)
    assert len(desk.requests) == 3
    assert desk.serve()


def test_a_model_that_does_not_open_leaves_the_one_that_drew_the_picture(desk: Desk, folders: tuple[Path, Path]) -> None:
    desk.session.ask(head_count=2)
    desk.serve()
    desk.session.ask(model=folders[1])
    desk.session.fail(desk.requests[-1], ModelError("Broken."))
    assert desk.state.failure == "Broken."
    assert (desk.state.model, desk.state.head_count) == (folders[0], 2)
    desk.session.ask(text=DOG)
    assert desk.requests[-1] == Request(folders[0], DOG, None, 2)


def test_a_text_typed_while_a_bad_model_was_opened_is_read_with_the_good_one(desk: Desk, folders: tuple[Path, Path]) -> None:
    desk.session.ask(model=folders[1])
    desk.session.ask(text=DOG)
    desk.session.fail(desk.requests[-1], ModelError("Broken."))
    assert desk.state.failure == "Broken."
    assert desk.state.busy
    assert desk.requests[-1] == Request(folders[0], DOG)
    assert desk.serve()
    assert desk.state.run.trace.text == DOG
    assert desk.state.failure == "Broken."
    desk.session.ask(text="cat")
    assert desk.state.failure is None


def test_a_text_that_fails_leaves_the_model(folders: tuple[Path, Path]) -> None:
    requests: list[Request] = []
    session = Session(requests.append)
    session.ask(text=DOG)
    session.ask(model=folders[0])
    session.fail(requests[-1], InputError("It is too long."))
    assert (session.state.model, session.state.failure, session.state.busy) == (folders[0], "It is too long.", False)
    session.ask(text="cat")
    assert requests[-1] == Request(folders[0], "cat")


def test_a_first_model_that_does_not_open_is_no_model(folders: tuple[Path, Path]) -> None:
    requests: list[Request] = []
    session = Session(requests.append)
    session.ask(text=DOG)
    session.ask(model=folders[0])
    session.fail(requests[-1], ModelError("Broken."))
    assert (session.state.model, session.state.failure) == (None, "Broken.")


def test_a_failure_that_is_sent_away_does_not_come_back(desk: Desk) -> None:
    desk.session.ask(text="")
    assert desk.state.failure
    desk.session.dismiss_failure()
    desk.session.show(layer=1)
    assert desk.state.failure is None


def test_a_head_count_asked_for_beside_an_unreadable_text_is_not_kept(desk: Desk) -> None:
    desk.session.ask(text="")
    desk.session.ask(head_count=2)
    assert desk.state.head_count is None
    assert desk.state.failure


def test_another_model_runs_with_its_trained_heads(desk: Desk, folders: tuple[Path, Path]) -> None:
    desk.session.ask(head_count=1)
    desk.serve()
    desk.session.ask(model=folders[1])
    assert desk.requests[-1] == Request(folders[1], CAT, None, None)


def test_another_model_may_have_fewer_layers(desk: Desk, folders: tuple[Path, Path]) -> None:
    desk.session.show(layer=1)
    desk.session.ask(model=folders[1])
    desk.serve()
    assert desk.state.view.layer == 0


def test_the_pinned_token_stays_the_same_word(desk: Desk) -> None:
    desk.session.show(focus=desk.position("cat"))
    desk.session.ask(text="oh, the cat sings")
    desk.serve()
    assert desk.state.view.focus == desk.position("cat")


def test_of_several_same_words_the_nearest_is_pinned(desk: Desk) -> None:
    desk.session.ask(text="cat a b cat")
    desk.serve()
    desk.session.show(focus=4)
    desk.session.ask(text="cat a b c cat")
    desk.serve()
    assert desk.state.view.focus == 5


def test_a_pinned_word_that_is_gone_is_let_go(desk: Desk) -> None:
    desk.session.show(focus=desk.position("cat"))
    desk.session.ask(text="a b")
    desk.serve()
    assert desk.state.view.focus is None


def test_a_what_if_keeps_the_pinned_token(desk: Desk) -> None:
    desk.session.show(focus=3)
    desk.session.ask(head_count=1)
    desk.serve()
    assert desk.state.view.focus == 3


def test_a_text_arrives_as_it_was_meant_to_be_shown(desk: Desk) -> None:
    choice = HeadChoice(frozenset({1}), 4)
    desk.session.ask(text=DOG, arrival=Arrival(7, choice, "cat"))
    assert desk.state.view.layer == 0  # not before it is there
    desk.serve()
    assert (desk.state.view.layer, desk.state.view.heads) == (1, choice)
    assert desk.state.view.focus == desk.position("cat")
    assert desk.state.arrival is None


def test_typing_after_choosing_an_example_forgets_how_it_was_to_be_shown(desk: Desk) -> None:
    desk.session.ask(text=DOG, arrival=Arrival(1))
    desk.session.ask(text=DOG + "s")
    desk.serve()
    assert desk.state.view.layer == 0


def test_all_heads_chosen_is_remembered_as_all(desk: Desk) -> None:
    desk.session.show_heads(frozenset({0, 2}))
    assert desk.state.view.heads == HeadChoice(frozenset({0, 2}), 4)
    desk.session.show_heads(frozenset(range(4)))
    assert desk.state.view.heads is None


def test_an_observer_sees_each_change_once_and_without_gaps(desk: Desk) -> None:
    desk.session.show(layer=1)
    desk.session.show(layer=1)
    desk.session.ask(text=DOG)
    desk.serve()
    assert desk.changes[0][0] == State()
    for (_, new), (old, _) in zip(desk.changes, desk.changes[1:], strict=False):
        assert new == old
    assert all(old != new for old, new in desk.changes)
    assert desk.changes[-1][1] is desk.state


class Gestures(RuleBasedStateMachine):
    """A person at the window and a worker with a mailbox of depth one, in any order."""

    compute: Callable[[Request], Run]
    folders: tuple[Path, Path]

    def __init__(self) -> None:
        super().__init__()
        self.running: Request | None = None
        self.waiting: Request | None = None
        self.session = Session(self.post)
        self.pictures = 0

    @property
    def state(self) -> State:
        return self.session.state

    def post(self, request: Request) -> None:
        if self.running is None:
            self.running = request
        else:
            self.waiting = request

    @rule(text=st.sampled_from(["", " ", CAT, DOG, "cat", "a cat", "the cat the cat"]))
    def type_text(self, text: str) -> None:
        self.session.ask(text=text)

    @rule(text=st.sampled_from([CAT, DOG]), layer=st.integers(0, 9), word=st.sampled_from([None, "cat", "dog"]))
    def choose_example(self, text: str, layer: int, word: str | None) -> None:
        self.session.ask(text=text, arrival=Arrival(layer, HeadChoice(frozenset({layer % 4}), 4), word))

    @rule(which=st.integers(0, 1))
    def choose_model(self, which: int) -> None:
        self.session.ask(model=self.folders[which])

    @rule(count=st.sampled_from([None, 1, 2, 4]))
    def slide(self, count: int | None) -> None:
        self.session.ask(head_count=count)

    @precondition(lambda self: self.state.run is not None)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        trace = self.state.run.trace
        self.session.show(layer=data.draw(st.integers(0, trace.n_layer - 1)))
        self.session.show(focus=data.draw(st.none() | st.integers(0, len(trace.ids) - 1)))
        self.session.show_heads(data.draw(st.frozensets(st.integers(0, trace.head_count - 1))))

    @rule(
        changes=st.fixed_dictionaries(
            {},
            optional={
                "picture": st.sampled_from(sorted(PICTURE_NAMES)),
                "quantity": st.sampled_from(["attention", "rollout", "norms"]),
                "is_mean": st.booleans(),
                "words": st.booleans(),
                "sinks": st.builds(
                    Sinks,
                    st.frozensets(st.sampled_from(sorted(SINK_NAMES))),
                    st.sampled_from(sorted(TREATMENT_NAMES)),
                ),
                "between": st.sampled_from(sorted(BETWEEN_NAMES)),
                "kind": st.sampled_from([None, "encoder", "decoder", "cross"]),
            },
        )
    )
    def change_the_view(self, changes: dict[str, object]) -> None:
        self.session.show(**changes)

    @rule(pair=st.sampled_from([None, DOG]))
    def type_pair(self, pair: str | None) -> None:
        self.session.ask(pair=pair)

    @precondition(lambda self: self.running is not None)
    @rule(fails=st.booleans())
    def finish(self, fails: bool) -> None:
        request, self.running, self.waiting = self.running, self.waiting, None
        if fails:
            self.session.fail(request, ModelError("No."))
        elif self.session.accept(type(self).compute(request)):
            self.pictures += 1

    @invariant()
    def the_picture_can_be_seen(self) -> None:
        if self.state.run is None:
            return
        trace, view = self.state.run.trace, self.state.view
        sight = sight_of(trace, view)
        assert sight.weights.shape == (len(sight.heads), len(sight.units.query_groups), sight.units.n_key)
        assert sight.in_focus(view.focus) is None or sight.units.unit_at(view.focus) in sight.visible
        assert trace.pair is not None or sight.between == "all"

    @invariant()
    def the_view_fits_the_picture(self) -> None:
        run, view = self.state.run, self.state.view
        if run is not None:
            assert 0 <= view.layer < run.trace.n_layer
            assert view.focus is None or 0 <= view.focus < len(run.trace.ids)
            assert view.shown_heads(run.trace.head_count) <= set(range(run.trace.head_count))

    @invariant()
    def a_picture_never_goes_away(self) -> None:
        assert (self.state.run is not None) == (self.pictures > 0)

    @invariant()
    def who_is_busy_is_waiting_for_what_was_asked_last(self) -> None:
        state = self.state
        if state.busy:
            assert (self.waiting or self.running) == Request(state.model, state.text, state.pair, state.head_count)

    @invariant()
    def who_rests_shows_what_was_asked_or_says_why_not(self) -> None:
        state = self.state
        if state.model is not None and not state.busy and state.failure is None:
            assert state.run.request == Request(state.model, state.text, state.pair, state.head_count)


def test_no_gestures_in_any_order_break_the_session(compute: Callable[[Request], Run], folders: tuple[Path, Path]) -> None:
    machine = type("Machine", (Gestures,), {"compute": staticmethod(compute), "folders": folders})
    run_state_machine_as_test(machine, settings=settings(max_examples=150, stateful_step_count=30, deadline=None))
