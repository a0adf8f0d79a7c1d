"""The session on encoder-decoders: each attention has layers and heads of its own, and a pair belongs to its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attnviz.errors import ModelError
from attnviz.session.request import Request
from attnviz.session.run import Runner
from attnviz.session.session import Session
from tests.golden.families_reader import CASES, read_about, write_model

if TYPE_CHECKING:
    from pathlib import Path

TEXT, PAIR = "Why not?", "The fox."


def uneven() -> str:
    """A golden model whose decoder has another number of heads than its encoder."""
    for case in CASES:
        config = read_about(case)["config"]
        if config.get("encoder_attention_heads") != config.get("decoder_attention_heads"):
            return case
    raise AssertionError("no golden case has sides of unlike heads")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(uneven(), tmp_path_factory.mktemp("two-sides"))


@pytest.fixture
def session(folder: Path) -> Session:
    """A session that has read both texts."""
    requests: list[Request] = []
    session, runner = Session(requests.append), Runner()
    session.ask(model=folder)
    session.ask(text=TEXT)
    session.ask(pair=PAIR)
    assert session.accept(runner.run(requests[-1]))
    return session


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_each_head_of_an_attention_can_be_shown_alone(session: Session, kind: str) -> None:
    session.show(kind=kind)
    run = session.state.run
    n_head = run.trace.attention(0, kind).shape[0]
    assert run.trace.head_count_of(kind) == n_head
    for head in range(n_head):
        session.show_heads(frozenset({head}))
        assert session.state.view.shown_heads(n_head) == {head}
    session.show_heads(frozenset(range(n_head)))
    assert session.state.view.heads is None


def test_another_model_is_not_given_the_decoders_text(session: Session, tmp_path: Path) -> None:
    session.ask(model=tmp_path / "other")
    assert session.state.pair is None


def test_a_model_that_does_not_open_leaves_the_decoders_text(session: Session, tmp_path: Path) -> None:
    session.ask(model=tmp_path / "other")
    session.fail(Request(tmp_path / "other", TEXT), ModelError("It is broken."))
    assert session.state.pair == PAIR
    assert session.state.model == session.state.run.request.model


def test_the_trained_count_said_in_numbers_is_the_trained_model(folder: Path) -> None:
    from attnviz import load_model

    model = load_model(folder)
    said, unsaid = (model.trace(TEXT, PAIR, count) for count in (model.config.n_head, None))
    for kind in model.config.kinds:
        assert (said.attention(0, kind) == unsaid.attention(0, kind)).all()
