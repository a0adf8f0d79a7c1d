"""What was measured of a model's heads: it stays with its model, and is told of the heads that it was measured of alone."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.engine.model import load_model
from attnviz.errors import ModelError
from attnviz.session.head_roles import ShownRoles, job_groups, marks_roles, shown_roles, why_no_roles
from attnviz.session.request import Request
from attnviz.session.run import Run, Runner
from attnviz.session.session import Session
from attnviz.session.state import Wish, wish_of
from attnviz.session.view import View
from attnviz.session.weights import MEAN
from tests.engine.tiny_bert import write_bert
from tests.golden.families_reader import write_model
from tests.probing.summaries import role, summary_for

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.probing.summary import RoleSummary

CAT = "the cat sings"
HEADS = {(0, 1): ("obj>", "first"), (1, 3): ("previous", "pronoun", "obj>"), (1, 0): ("first",)}


class Desk:
    """A session whose requests are run when the test says so, each model opened anew for another path."""

    def __init__(self, model: Path) -> None:
        self.requests: list[Request] = []
        self.session = Session(self.requests.append)
        self.runner = Runner()
        self.session.ask(model=model, text=CAT)
        self.serve()

    def serve(self, request: Request | None = None) -> None:
        self.session.accept(self.runner.run(request or self.requests[-1]))

    @property
    def run(self) -> Run:
        assert self.session.state.run is not None
        return self.session.state.run

    @property
    def roles(self) -> RoleSummary | None:
        return self.session.state.roles


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models that differ in their weights alone."""
    base = tmp_path_factory.mktemp("models")
    return write_bert(base / "one"), write_bert(base / "other", seed=1)


@pytest.fixture
def desk(folders: tuple[Path, Path]) -> Desk:
    return Desk(folders[0])


@pytest.fixture
def known(desk: Desk) -> Desk:
    """A desk whose model's roles are known."""
    desk.session.set_roles(summary_for(desk.run, HEADS), desk.run.model)
    return desk


# --- the state --------------------------------------------------------------------------------------------------------


def test_nothing_is_known_at_first(desk: Desk) -> None:
    assert desk.roles is None


def test_roles_outlive_other_texts_views_and_head_counts(known: Desk) -> None:
    before = known.roles
    assert before is not None
    known.session.ask(text="a cat")
    known.session.ask(text="the")
    known.serve(known.requests[-2])  # an older one, while the newest is awaited
    known.serve()
    known.session.ask(head_count=2)
    known.serve()
    known.session.show(layer=1, picture="grid")
    known.session.undo()
    assert known.roles is before


def test_another_model_is_another_models_roles(known: Desk, folders: tuple[Path, Path]) -> None:
    known.session.ask(model=folders[1])
    assert known.roles is not None  # its picture is still there
    known.serve()
    assert known.roles is None


def test_the_same_model_opened_anew_is_asked_for_anew(known: Desk, folders: tuple[Path, Path]) -> None:
    known.session.ask(model=folders[1])
    known.serve()
    known.session.ask(model=folders[0])
    known.serve()
    assert known.roles is None


def test_roles_of_a_model_that_has_gone_are_not_taken_over(desk: Desk, folders: tuple[Path, Path]) -> None:
    gone, roles = desk.run.model, summary_for(desk.run, HEADS)
    desk.session.ask(model=folders[1])
    desk.serve()
    desk.session.set_roles(roles, gone)
    assert desk.roles is None


def test_a_session_without_a_picture_takes_no_roles_over(known: Desk) -> None:
    empty = Session(known.requests.append)
    empty.set_roles(known.roles)
    assert empty.state.roles is None


def test_roles_that_come_while_a_session_file_fails_stay(desk: Desk, folders: tuple[Path, Path]) -> None:
    desk.session.open(Wish(folders[1], CAT))
    desk.session.set_roles(summary_for(desk.run, HEADS))
    desk.session.fail(desk.requests[-1], ModelError("no such model"))
    assert desk.session.state.model == folders[0]
    assert desk.roles is not None


def test_roles_are_no_gesture_and_no_part_of_a_wish(known: Desk) -> None:
    assert not known.session.can_undo
    assert "roles" not in {field.name for field in fields(Wish)}
    assert wish_of(known.session.state) == wish_of(replace(known.session.state, roles=None))


# --- what a picture may tell ------------------------------------------------------------------------------------------


def test_every_head_as_trained_has_its_own_roles(known: Desk) -> None:
    shown = shown_roles(known.run, View(), known.roles)
    assert shown is not None
    for layer in range(2):
        for head in range(4):
            assert tuple(one.key for one in shown.of(layer, head)) == HEADS.get((layer, head), ())
            assert shown.of(layer, head) == known.roles.roles(layer, head)
    assert shown.of(1, MEAN) == ()


def test_a_what_if_has_no_roles(known: Desk) -> None:
    muted = NOTHING.with_muted(HeadAt("encoder", 1, 3), True)
    for changed in ({"head_count": 2}, {"changes": muted}):
        run = known.runner.run(Request(known.run.model.path, CAT, **changed))
        assert why_no_roles(run, View(), known.roles) == "what_if"
        assert shown_roles(run, View(), known.roles) is None


def test_without_a_measuring_nothing_is_told(desk: Desk) -> None:
    assert why_no_roles(desk.run, View(), None) == "not_measured"
    assert shown_roles(desk.run, View(), None) is None


def test_roles_of_other_weights_or_other_heads_are_those_of_another_model(known: Desk) -> None:
    assert known.run.model.sha256 == known.roles.model_sha256  # from here on it is known
    for other in ({"model_sha256": 64 * "1"}, {"n_head": 12}, {"n_layer": 6}, {"kind": "cross"}):
        assert why_no_roles(known.run, View(), msgspec.structs.replace(known.roles, **other)) == "not_measured"


def test_a_sum_that_nobody_read_yet_is_not_read_for_it(known: Desk, folders: tuple[Path, Path]) -> None:
    model = load_model(folders[0])
    trace = model.trace(CAT)
    request = Request(folders[0], CAT)
    run = Run(request, model, trace, 1.0, 0.0, trace, request)
    assert shown_roles(run, View(), known.roles) is not None
    assert "sha256" not in vars(model)


def test_of_an_encoder_decoder_only_the_measured_attention_has_roles(tmp_path: Path) -> None:
    folder = write_model("t5-tied", tmp_path)
    run = Runner().run(Request(folder, "a cat", "the"))
    summary = summary_for(run, {(0, 0): ("obj>",)})
    assert why_no_roles(run, View(kind="encoder"), summary) is None
    for kind in ("decoder", "cross"):
        assert why_no_roles(run, View(kind=kind), summary) == "other_attention"
        assert shown_roles(run, View(kind=kind), summary) is None


def test_only_a_grid_of_single_heads_marks_roles(known: Desk) -> None:
    assert marks_roles(known.run, View(picture="grid"), known.roles)
    for view in (View(), View(picture="grid", is_mean=True), View(picture="grid", quantity="rollout")):
        assert not marks_roles(known.run, view, known.roles)


def test_the_groups_of_a_head_are_those_of_its_jobs_the_clearest_first() -> None:
    roles = [role(key) for key in ("pronoun", "obj>", "nsubj<", "first")]
    assert job_groups(roles) == ("reference", "grammar")
    assert job_groups([role("first")]) == ()


def test_a_head_that_was_not_measured_has_none(known: Desk) -> None:
    assert ShownRoles(known.roles).of(99, 0) == ()
