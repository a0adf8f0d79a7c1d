"""A session that is opened with another model or text than its own, as the command line can ask for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from attnviz.engine.changes import NOTHING, HeadAt, WeightAt
from attnviz.errors import InputError, ModelError
from attnviz.session.comparing import kept
from attnviz.session.opening import read_opening, recovered
from attnviz.session.request import Request
from attnviz.session.saved import Saved, SavedModel, save_session
from attnviz.session.settings import Settings, load_settings, save_settings, settings_path
from attnviz.session.state import Wish
from tests.engine.tiny_bert import write_bert

CHANGES = NOTHING.with_muted(HeadAt("encoder", 0, 1), True).with_muting("uniform").with_weight(WeightAt("encoder", 0, 1, 1, 2), 0.5)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of this test alone."""
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_bert(tmp_path / "tiny")


@pytest.fixture
def wish(tiny: Path) -> Wish:
    return Wish(tiny, "the cat sings", head_count=2, changes=CHANGES, against=kept(Request(tiny, "a dog")))


@pytest.fixture
def path(wish: Wish, tmp_path: Path) -> Path:
    save_session(tmp_path / "x.attnviz", wish, SavedModel("tiny", "0" * 64))
    return tmp_path / "x.attnviz"


def test_a_session_is_shown_as_it_is(path: Path, wish: Wish) -> None:
    opening = read_opening(path)
    assert (opening.path, opening.wish, opening.held, opening.sha256) == (path, wish, wish, "0" * 64)


def test_another_text_takes_what_was_said_of_the_old_one_with_it(path: Path, wish: Wish) -> None:
    opening = read_opening(path, text="a dog")
    assert opening.held == wish
    assert opening.wish == replace(wish, text="a dog", changes=CHANGES.without_weights())


def test_the_same_model_at_another_place_changes_nothing(path: Path, wish: Wish, tmp_path: Path) -> None:
    moved = write_bert(tmp_path / "moved" / "tiny")
    opening = read_opening(path, moved)
    assert opening.wish == opening.held == replace(wish, model=moved, against=kept(Request(moved, "a dog")))
    assert opening.sha256 == "0" * 64


def test_another_model_runs_as_trained(path: Path, wish: Wish, tmp_path: Path) -> None:
    other = write_bert(tmp_path / "other")
    opening = read_opening(path, other)
    assert opening.wish == replace(wish, model=other, head_count=None, changes=NOTHING.with_muting("uniform"))
    assert opening.held == wish
    assert opening.sha256 is None


def test_a_model_opened_lately_is_found_by_its_name(path: Path, tiny: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "tiny"
    moved.parent.mkdir()
    tiny.rename(moved)
    with pytest.raises(ModelError, match='"tiny", the model of this session, is neither at'):
        read_opening(path)
    save_settings(Settings(recent=[str(moved)]))
    assert read_opening(path).wish.model == moved


def test_what_was_left_behind_belongs_to_its_file_and_differs_from_it(wish: Wish) -> None:
    opening = recovered(Saved(wish, SavedModel("tiny"), file=Path("/lesson.attnviz")))
    assert (opening.path, opening.wish, opening.held) == (Path("/lesson.attnviz"), wish, None)


def test_what_is_no_session_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_opening(tmp_path / "gone.attnviz")


def test_recent_sessions_are_remembered_and_nonsense_is_not() -> None:
    save_settings(Settings(sessions=["/a.attnviz", "/b.attnviz"]))
    assert load_settings().sessions == ["/a.attnviz", "/b.attnviz"]
    settings_path().write_text(json.dumps({"sessions": ["/a", 3], "recent": "x", "width": 900}))
    assert load_settings() == Settings(width=900)


def test_settings_are_written_whole(own_folder: Path) -> None:
    save_settings(Settings(width=900))
    assert [path.name for path in own_folder.iterdir()] == ["settings.json"]
    save_settings(Settings(width=901))
    assert load_settings().width == 901
