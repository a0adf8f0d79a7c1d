"""Any gestures in any order can be undone to the start and done again to the end, and saved and opened at any moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from attnviz.analysis.edges import Threshold
from attnviz.engine.changes import HeadAt, WeightAt
from attnviz.errors import AttnvizError
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import load_theme
from attnviz.session.comparing import kept, other_text, trained
from attnviz.session.request import Request
from attnviz.session.run import Runner
from attnviz.session.saved import Saved, decode, encode
from attnviz.session.session import Session
from attnviz.session.state import shows_what_is_asked, within
from attnviz.session.view import PICTURE_NAMES, SINK_NAMES, TREATMENT_NAMES, Arc, Arrival, HeadChoice, Sinks
from tests.golden.families_reader import write_model
from tests.scene.pictures import stand_in_measure
from tests.scene.same import same

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.scene.scene import Scene
    from attnviz.session.state import State, Wish

TEXTS = ("Why not?", "Tick tock, tick", "The cat sings.", "Why not, cat?")
HEADS = st.builds(HeadAt, st.just("decoder"), st.integers(0, 1), st.integers(0, 3))
WEIGHTS = st.builds(WeightAt, st.just("decoder"), st.integers(0, 1), st.integers(0, 1), st.integers(1, 4), st.integers(0, 2))
LAYOUT = Layout(700, 420)


class Desk:
    """A session and its worker: the newest request waits for the one that runs."""

    def __init__(self) -> None:
        self.runner = Runner()
        self.running: Request | None = None
        self.waiting: Request | None = None
        self.session = Session(self.post)

    @property
    def state(self) -> State:
        return self.session.state

    def post(self, request: Request) -> None:
        if self.running is None:
            self.running = request
        else:
            self.waiting = request

    def finish(self) -> None:
        """Tell the outcome of what runs; what waits runs next."""
        request, self.running, self.waiting = self.running, self.waiting, None
        try:
            run = self.runner.run(request)
        except AttnvizError as error:
            self.session.fail(request, error)
        else:
            self.session.accept(run)

    def settle(self) -> None:
        while self.running is not None:
            self.finish()
        assert not self.state.busy

    def picture(self) -> Scene | str:
        """The picture, or the sentence that stands for it."""
        try:
            return build_scene(self.state.run, self.state.view, load_theme("light"), LAYOUT, stand_in_measure)
        except AttnvizError as error:
            return str(error)


def reread(wish: Wish) -> Wish:
    """A wish that was saved and read again."""
    return decode(encode(Saved(wish))).wish


def panel_aside(wish: Wish) -> Wish:
    """A wish without the choice of a panel, which nobody wants to undo."""
    return replace(wish, view=replace(wish.view, panel="reading"))


class Gestures(RuleBasedStateMachine):
    """A person at the window, with a model that writes."""

    model: Path

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.has_written = False

    def is_same(self, one: Scene | str, other: Scene | str) -> bool:
        """Whether two pictures are the same: to the last bit, unless the model wrote: rows that are computed one by one differ in
        their last bits from those of a whole text."""
        return same(one, other, 1e-4 if self.has_written else 0.0)

    @property
    def session(self) -> Session:
        return self.desk.session

    @property
    def state(self) -> State:
        return self.desk.state

    @initialize(text=st.sampled_from(TEXTS))
    def begin(self, text: str) -> None:
        self.session.ask(text=text)
        self.session.ask(model=self.model)
        self.desk.settle()
        self.start, self.first_picture = panel_aside(self.session.wish), self.desk.picture()

    # --- what a person does ---------------------------------------------------------------------------------------

    @rule(text=st.sampled_from([*TEXTS, ""]))
    def type_text(self, text: str) -> None:
        self.session.ask(text=text)

    @rule(text=st.sampled_from(TEXTS), layer=st.integers(0, 2))
    def choose_example(self, text: str, layer: int) -> None:
        self.session.ask(text=text, head_count=None, arrival=Arrival(layer, HeadChoice(frozenset({layer}), 4), "cat"))

    @rule(count=st.sampled_from([None, 1, 2, 4, 8, 3]))
    def slide(self, count: int | None) -> None:
        self.session.ask(head_count=count)

    @rule(head=HEADS, is_muted=st.booleans(), muting=st.sampled_from(["zero", "uniform", "frozen"]))
    def mute(self, head: HeadAt, is_muted: bool, muting: str) -> None:
        self.session.ask(changes=self.state.changes.with_muted(head, is_muted).with_muting(muting))

    @rule(head=HEADS, strengths=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=3))
    def fade(self, head: HeadAt, strengths: list[float]) -> None:
        for strength in strengths:
            self.session.ask(changes=self.state.changes.with_strength(head, strength), gesture=("strength", head))

    @rule(at=WEIGHTS, weight=st.sampled_from([None, 0.0, 0.4, 0.7]))
    def set_weight(self, at: WeightAt, weight: float | None) -> None:
        self.session.ask(changes=self.state.changes.with_weight(at, weight))

    @rule(n=st.integers(1, 4), seed=st.integers(0, 3))
    def write(self, n: int, seed: int) -> None:
        self.has_written = True
        self.session.ask(seed=seed)
        self.session.write(n)

    @rule()
    def stop_writing(self) -> None:
        self.session.stop_writing()

    @rule(n=st.none() | st.integers(0, 5))
    def show_so_many(self, n: int | None) -> None:
        self.session.ask(n_shown=n)

    @rule(text=st.sampled_from(TEXTS), which=st.sampled_from(["none", "trained", "kept", "text"]))
    def compare(self, text: str, which: str) -> None:
        choices = {"none": None, "trained": trained(), "kept": kept(self.state.run.request), "text": other_text(text)}
        self.session.ask(against=choices[which])

    @rule(
        changes=st.fixed_dictionaries(
            {},
            optional={
                "layer": st.integers(0, 1),
                "focus": st.none() | st.integers(0, 3),
                "picture": st.sampled_from(sorted(PICTURE_NAMES)),
                "quantity": st.sampled_from(["attention", "rollout", "norms"]),
                "is_mean": st.booleans(),
                "words": st.booleans(),
                "sinks": st.builds(
                    Sinks, st.frozensets(st.sampled_from(sorted(SINK_NAMES))), st.sampled_from(sorted(TREATMENT_NAMES))
                ),
                "threshold": st.builds(Threshold, st.sampled_from(["mass", "weight"]), st.sampled_from([0.1, 0.9])),
                "arc": st.none() | st.builds(Arc, st.integers(0, 3), st.integers(0, 3)),
                "temperature": st.sampled_from([0.0, 0.7, 2.0]),
                "panel": st.sampled_from(["reading", "what_if"]),
            },
        )
    )
    def look(self, changes: dict[str, object]) -> None:
        self.session.show(**changes)

    @rule(heads=st.frozensets(st.integers(0, 3)))
    def choose_heads(self, heads: frozenset[int]) -> None:
        self.session.show_heads(heads & frozenset(range(self.state.run.trace.head_count)))

    @rule()
    def undo(self) -> None:
        self.session.undo()

    @rule()
    def redo(self) -> None:
        self.session.redo()

    @rule()
    def dismiss(self) -> None:
        self.session.dismiss_failure()

    @rule()
    def save_and_open(self) -> None:
        self.session.open(reread(self.session.wish))

    # --- what becomes of it ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.desk.running is not None)
    @rule()
    def finish(self) -> None:
        self.desk.finish()

    @rule()
    def settle(self) -> None:
        self.desk.settle()

    @rule(patient=st.booleans())
    def all_back_and_forth(self, patient: bool) -> None:
        """Do again what was undone, undo everything, and do it all again; patient: each picture is waited for."""
        self.all_again(patient)
        end, picture, is_shown = self.session.wish, self.desk.picture(), shows_what_is_asked(self.state)
        while self.session.can_undo:
            self.session.undo()
            if patient:
                self.desk.settle()
        self.desk.settle()
        assert panel_aside(self.session.wish) == self.start
        assert self.state.failure is None
        assert self.is_same(self.desk.picture(), self.first_picture)
        self.all_again(patient)
        if is_shown:
            assert self.session.wish == end
            assert self.is_same(self.desk.picture(), picture)

    def all_again(self, patient: bool) -> None:
        self.desk.settle()
        while self.session.can_redo:
            self.session.redo()
            if patient:
                self.desk.settle()
        self.desk.settle()

    @rule()
    def opens_elsewhere_as_it_is_here(self) -> None:
        self.desk.settle()
        if not shows_what_is_asked(self.state):
            return
        other = Desk()
        other.session.open(reread(self.session.wish))
        other.settle()
        assert other.state.failure is None
        assert other.session.wish == self.session.wish
        assert self.is_same(other.picture(), self.desk.picture())

    @invariant()
    def a_wish_is_the_same_when_it_was_saved(self) -> None:
        assert reread(self.session.wish) == self.session.wish

    @invariant()
    def the_view_fits_the_picture(self) -> None:
        if self.state.run is not None:
            assert within(self.state.view, self.state.run.trace) == self.state.view


def test_no_gestures_in_any_order_are_lost(tmp_path: Path) -> None:
    machine = type("Machine", (Gestures,), {"model": write_model("llama-gqa", tmp_path / "llama")})
    run_state_machine_as_test(machine, settings=settings(max_examples=20, stateful_step_count=200, deadline=None))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A session with a picture."""
    desk = Desk()
    desk.session.ask(text="Why not?")
    desk.session.ask(model=write_model("llama-gqa", tmp_path / "llama"))
    desk.settle()
    return desk


def test_nobody_can_undo_into_an_empty_window(tmp_path: Path) -> None:
    desk = Desk()
    desk.session.ask(text="Why not?")
    desk.session.ask(model=write_model("llama-gqa", tmp_path / "llama"))
    desk.session.ask(text="Why not, cat?")
    assert not desk.session.can_undo
    desk.session.undo()
    desk.finish()  # the first text's run, while the second's is awaited
    assert not desk.session.can_undo
    desk.settle()
    desk.session.undo()
    assert desk.state.text == "Why not, cat?"
    assert desk.state.model is not None


def test_undoing_at_once_gives_up_what_the_model_was_to_write(desk: Desk) -> None:
    desk.session.show(layer=1)
    before = desk.session.wish
    desk.session.write(3)
    assert desk.session.can_undo
    desk.session.undo()
    desk.settle()
    assert desk.session.wish == before
    desk.session.undo()
    assert desk.state.view.layer == 0


def test_undoing_while_the_model_writes_goes_back_to_before_it_began(desk: Desk) -> None:
    before = desk.session.wish
    desk.session.write(3)
    desk.finish()
    assert len(desk.state.written) == 1
    desk.session.undo()
    desk.settle()
    assert desk.session.wish == before
    desk.session.redo()
    desk.settle()
    assert len(desk.state.written) == 1


def test_an_example_of_the_same_text_can_be_undone_before_it_is_there(desk: Desk) -> None:
    before = desk.session.wish
    desk.session.ask(text="Why not?", arrival=Arrival(1))
    desk.session.undo()
    desk.settle()
    assert desk.session.wish == before


def test_the_temperature_can_be_changed_while_the_model_writes(desk: Desk) -> None:
    desk.session.write(3)
    desk.session.show(temperature=0.0)
    desk.settle()
    assert len(desk.state.written) == 3


def test_a_view_that_is_changed_while_an_undo_is_under_way_stays_changed(desk: Desk) -> None:
    desk.session.ask(head_count=2)
    desk.settle()
    desk.session.undo()
    desk.session.show(layer=1)
    desk.settle()
    assert (desk.state.view.layer, desk.state.head_count) == (1, None)
    desk.session.undo()
    assert desk.state.view.layer == 0


def test_several_undos_in_a_row_need_not_wait_for_each_other(desk: Desk) -> None:
    wishes = [desk.session.wish]
    for layer, count in ((1, 2), (0, 1), (1, 8)):
        desk.session.ask(head_count=count)
        desk.settle()
        desk.session.show(layer=layer)
        wishes += [desk.session.wish]
    for _ in range(6):
        desk.session.undo()
    desk.settle()
    assert desk.session.wish == wishes[0]
    for wish in wishes[1:]:
        desk.session.redo()
        desk.session.redo()
        desk.settle()
        assert desk.session.wish == wish


def test_a_session_that_cannot_be_had_leaves_everything_as_it_was(desk: Desk) -> None:
    desk.session.show(layer=1)
    before = desk.state
    desk.session.open(replace(desk.session.wish, text="Tick tock, tick", head_count=3))
    desk.settle()
    assert "3" in desk.state.failure
    assert replace(desk.state, failure=None) == before
