"""Session files: what is read is what was saved, and each file that is none is one clear sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz import __version__
from attnviz.engine.changes import Changes, HeadAt
from attnviz.errors import ExportError, InputError, ModelError
from attnviz.session.comparing import kept
from attnviz.session.request import Request
from attnviz.session.saved import LARGEST, Saved, SavedModel, decode, encode, located, read_session, save_session
from attnviz.session.state import Wish
from tests.engine.tiny_bert import write_bert
from tests.session.wishes import PATHS, WISHES

if TYPE_CHECKING:
    from collections.abc import Callable

WISH = Wish(Path("/models/tiny"), "the cat sings")
MODELS = st.builds(SavedModel, st.text(max_size=9), st.none() | st.text("0123456789abcdef", min_size=64, max_size=64))


@given(WISHES, MODELS, st.none() | PATHS)
def test_what_is_read_is_what_was_saved(wish: Wish, model: SavedModel, file: Path | None) -> None:
    whole = Saved(wish, None if wish.model is None else model, file=file)
    assert decode(encode(whole)) == whole


@given(WISHES)
def test_the_same_wish_is_the_same_file(wish: Wish) -> None:
    again = decode(encode(Saved(wish))).wish
    assert encode(Saved(again)) == encode(Saved(wish))


def content(**changed: object) -> dict[str, Any]:
    """The values of a session file, with some changed; "view.layer" and the like by their place."""
    values = json.loads(encode(Saved(WISH, SavedModel("tiny", "0" * 64))))
    for place, value in changed.items():
        *way, last = place.replace("__", ".").split(".")
        inner = values
        for name in way:
            inner = inner[name]
        inner[last] = value
    return values


def refused(path: Path) -> str:
    """The one sentence about a file that cannot be read."""
    with pytest.raises(InputError) as caught:
        read_session(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert sentence.endswith(".")
    assert len(sentence.splitlines()) == 1
    assert ";" in sentence  # what next
    return sentence.removeprefix(f"{path}: ")


@pytest.fixture
def told(tmp_path: Path) -> Callable[[object], str]:
    """The sentence about a file with that content: bytes, text, or values as JSON."""

    def tell(what: object) -> str:
        path = tmp_path / "x.attnviz"
        data = what if isinstance(what, bytes) else (what if isinstance(what, str) else json.dumps(what)).encode()
        path.write_bytes(data)
        return refused(path)

    return tell


def test_a_file_says_what_it_is_and_who_wrote_it(tmp_path: Path) -> None:
    save_session(tmp_path / "x.attnviz", WISH, SavedModel("tiny", "0" * 64))
    values = json.loads((tmp_path / "x.attnviz").read_text(encoding="utf-8"))
    assert (values["format"], values["version"], values["program"]) == ("attnviz session", 1, __version__)
    assert values["model"] == {"path": "/models/tiny", "name": "tiny", "sha256": "0" * 64}
    assert values["text"] == "the cat sings"
    assert (tmp_path / "x.attnviz").stat().st_size < 3_000


def test_what_is_left_out_is_as_at_first() -> None:
    short = {"format": "attnviz session", "version": 1, "model": None, "text": "Cats sleep.", "view": {"layer": 3}}
    wish = decode(json.dumps(short).encode()).wish
    assert wish == replace(Wish(None, "Cats sleep."), view=replace(wish.view, layer=3))


def test_letters_of_all_scripts_are_legible_in_the_file() -> None:
    assert "Café 東京 🦊" in encode(Saved(replace(WISH, text="Café 東京 🦊"))).decode()


def test_a_byte_order_mark_is_read_over() -> None:
    assert decode(b"\xef\xbb\xbf" + encode(Saved(WISH))).wish == WISH


def test_changes_that_are_not_in_order_are_put_in_order() -> None:
    heads = [["encoder", 1, 2], ["encoder", 0, 3]]
    strengths = [[heads[0], 0.5], [heads[1], 1], [heads[0], 0.25]]
    weights = [[[*heads[0], 1, 1], 0.5], [[*heads[1], 0, 0], 1]]
    wish = decode(json.dumps(content(changes={"strengths": strengths, "weights": weights})).encode()).wish
    wanted = Changes().with_strength(HeadAt("encoder", 1, 2), 0.25)
    assert wish.changes.strengths == wanted.strengths
    assert [at.layer for at, _ in wish.changes.weights] == [0, 1]
    assert all(isinstance(value, float) for _, value in wish.changes.weights)


# What cannot be read


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.attnviz") == "no such file; choose a session that is there."
    assert "a folder and no session file" in refused(tmp_path)
    (tmp_path / "file").touch()
    assert "cannot be read (not a directory)" in refused(tmp_path / "file" / "x.attnviz")
    assert "cannot be read (file name too long)" in refused(tmp_path / ("x" * 300 + ".attnviz"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are posix's")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.attnviz")
    assert "not a regular file" in refused(tmp_path / "x.attnviz")


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "x.attnviz").touch()
    monkeypatch.setattr(Path, "read_bytes", denied)
    assert "cannot be read (permission denied)" in refused(tmp_path / "x.attnviz")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "x.attnviz").open("wb") as file:
        file.truncate(LARGEST + 1)
    monkeypatch.delattr(Path, "read_bytes")
    assert "8,388,609 bytes, and no session has more than 8,388,608" in refused(tmp_path / "x.attnviz")


@pytest.mark.parametrize("data", [b"", b" \n\t "])
def test_an_empty_file_is_said_to_be_empty(told: Callable[[object], str], data: bytes) -> None:
    assert told(data) == "the file is empty; save the session again, or take another copy of the file."


def test_a_file_cut_off_anywhere_is_said_to_end_in_the_middle() -> None:
    wish = replace(WISH, text='Café "東京" \\ 🦊\ud83d', seed=12345, view=replace(WISH.view, temperature=1e-30))
    data = encode(Saved(wish, SavedModel("tiny", "0" * 64))).rstrip()
    for n in range(1, len(data)):
        with pytest.raises(InputError, match="ends in the middle"):
            decode(data[:n])


NOT_JSON = (
    b"\x89PNG\r\n\x1a\n",
    b"GGUF\x03\x00",
    "<html>",
    "text",
    "[1, 2",
    "{'a': 'Python'}",
    "[" * 100_000,
    "9" * 5_000,
    b"\xff\xfe",
)


@pytest.mark.parametrize("data", NOT_JSON)
def test_what_is_not_json_is_not_a_session(told: Callable[[object], str], data: object) -> None:
    assert told(data) == "not an attnviz session, nor any JSON; choose a file that attnviz saved."


@pytest.mark.parametrize("values", [1, None, [], {}, {"format": "other"}, {"version": 1}, {"model_type": "bert"}])
def test_other_json_is_not_a_session(told: Callable[[object], str], values: object) -> None:
    assert told(values) == "JSON, but not an attnviz session; choose a file that attnviz saved."


def test_a_session_of_a_newer_version_asks_for_an_update(told: Callable[[object], str]) -> None:
    newer = {"format": "attnviz session", "version": 2, "nobody": "knows"}
    assert told(newer) == "saved by a newer attnviz (version 2 of the format; this one reads 1); update attnviz to open it."


@pytest.mark.parametrize("version", [0, -1, "1", 1.5, None, True, [1]])
def test_a_version_that_never_was_is_said(told: Callable[[object], str], version: object) -> None:
    assert '"version" of the format is' in told(content(version=version))


@pytest.mark.parametrize("name", ["model", "text"])
def test_what_every_session_has_is_missed_by_its_name(told: Callable[[object], str], name: str) -> None:
    values = content()
    del values[name]
    assert told(values).startswith(f'"{name}" is missing')


WRONG = [
    ("text", 1, '"text"'),
    ("text", None, '"text"'),
    ("text", "x" * 100_001, '"length of text" is 100001 and must be 0 to 100,000'),
    ("pair", ["x"], '"pair"'),
    ("pair", "x" * 100_001, '"length of pair"'),
    ("model", "tiny", '"model"'),
    ("model.path", 3, '"model.path"'),
    ("model.name", None, '"model.name"'),
    ("model.sha256", 1, '"model.sha256"'),
    ("program", 1, '"program"'),
    ("file", 1, '"file"'),
    ("head_count", 0, '"head_count" is 0 and must be 1 to'),
    ("head_count", -12, '"head_count" is -12'),
    ("head_count", "4", '"head_count" cannot be used (expected int | null, got str)'),
    ("head_count", 4.5, '"head_count"'),
    ("head_count", True, '"head_count"'),
    ("written", [-1], '"written" is -1'),
    ("written", [1 << 40], '"written"'),
    ("written", ["a"], '"written[0]"'),
    ("n_shown", -1, '"n_shown"'),
    ("seed", -1, '"seed"'),
    ("seed", 1 << 200, '"seed"'),
    ("changes.muted", [["encoder", -1, 0]], '"changes.muted" is -1'),
    ("changes.muted", [["inner", 0, 0]], '"changes.muted[0][0]"'),
    ("changes.muted", [["encoder", 0]], '"changes.muted[0]"'),
    ("changes.muting", "loud", '"changes.muting"'),
    ("changes.strengths", [[["encoder", 0, 0], 2.5]], '"changes.strengths" is 2.5 and must be 0.0 to 2.0'),
    ("changes.strengths", [[["encoder", 0, 0], -0.5]], '"changes.strengths" is -0.5'),
    ("changes.weights", [[["encoder", 0, 0, 1, 1], 1.5]], '"changes.weights" is 1.5 and must be 0.0 to 1.0'),
    ("changes.weights", [[["encoder", 0, 0, -1, 1], 0.5]], '"changes.weights" is -1'),
    ("changes.weights", [[["encoder", 0, 0, 1], 0.5]], '"changes.weights[0][0]"'),
    ("against", {"kind": "kept", "kept": None, "text": ""}, '"against.kept" must be one run by itself'),
    ("against", {"kind": "former"}, '"against.kind"'),
    ("against", {"kind": "kept", "kept": {"model": "/m", "text": "x", "head_count": 0}}, '"against.kept.head_count"'),
    ("against", {"kind": "kept", "kept": {"model": "/m", "text": "x", "writing": {}}}, '"against.kept" must be one run'),
    ("against", {"kind": "kept", "kept": {"text": "x"}}, '"against.kept.model" is missing'),
    ("against", {"kind": "text", "text": "x" * 100_001}, '"length of against.text"'),
    ("view.layer", -1, '"view.layer" is -1'),
    ("view.layer", 1.0, '"view.layer"'),
    ("view.focus", -2, '"view.focus"'),
    ("view.heads", {"heads": [0], "of": 0}, '"view.heads.of" is 0'),
    ("view.heads", {"heads": [12], "of": 12}, '"view.heads" has a head 12 of 12'),
    ("view.heads", {"heads": [-1], "of": 12}, '"view.heads.heads" is -1'),
    ("view.heads", {"heads": [], "of": 1 << 20}, '"view.heads.of"'),
    ("view.threshold", {"kind": "mass", "value": 1.5}, '"view.threshold.value"'),
    ("view.threshold", {"kind": "rank"}, '"view.threshold.kind"'),
    ("view.picture", "film", '"view.picture"'),
    ("view.temperature", -1, '"view.temperature" is -1'),
    ("view.arc", {"query": -1, "key": 0}, '"view.arc.query"'),
    ("view.arc", {"query": 1}, '"view.arc.key" is missing'),
    ("view.sinks", {"kinds": ["verbs"]}, '"view.sinks.kinds[0]"'),
    ("view.grid", {"least": 1e300}, '"view.grid.least"'),
    ("view.colour", "red", '"view.colour" means nothing to this attnviz'),
    ("head_cuont", 4, '"head_cuont" means nothing to this attnviz'),
    ("model.size", 4, '"model.size" means nothing to this attnviz'),
]


@pytest.mark.parametrize(("place", "value", "says"), WRONG)
def test_a_value_that_cannot_be_is_said_by_its_name(told: Callable[[object], str], place: str, value: object, says: str) -> None:
    assert says in told(content(**{place: value}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("place", ["temperature", "least"])
def test_numbers_that_are_none_are_refused(told: Callable[[object], str], number: str, place: str) -> None:
    text = json.dumps(content(**{f"view.{'grid.' if place == 'least' else ''}{place}": "HERE"})).replace('"HERE"', number)
    sentence = told(text)
    assert "nor any JSON" in sentence or f'{place}" is' in sentence


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_whatever_is_in_a_file_there_is_a_sentence_for_it(data: bytes) -> None:
    with pytest.raises(InputError):
        decode(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES = sorted({place for place, *_ in WRONG} | {"view", "changes", "view.grid", "view.sinks.treatment"})


@given(st.sampled_from(PLACES), JSON)
def test_no_value_anywhere_is_a_defect(place: str, value: object) -> None:
    with suppress(InputError):
        again = decode(json.dumps(content(**{place: value})).encode())
        assert decode(encode(again)) == again


# Where it is written, and where its model is


def test_a_place_that_cannot_be_written_is_said_and_what_was_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.attnviz"
    save_session(path, WISH, None)
    before = path.read_bytes()
    with pytest.raises(ExportError, match="cannot be written"):
        save_session(tmp_path / "nowhere" / "x.attnviz", WISH, None)
    with pytest.raises(ExportError, match="cannot be written"):
        save_session(tmp_path, WISH, None)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the program's models, the only ones of this machine."""
    models = tmp_path / "data" / "models"
    models.mkdir(parents=True)
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return models


def test_a_model_that_is_where_it_was_is_taken_from_there(only: Path, tmp_path: Path) -> None:
    write_bert(only / "tiny")
    here = write_bert(tmp_path / "here" / "tiny")
    wish = Wish(here, "x", against=kept(Request(here, "y")))
    assert located(Saved(wish, SavedModel("tiny"))) == wish
    assert located(Saved(Wish(None, "x"))) == Wish(None, "x")


@pytest.mark.parametrize("name", ["tiny", "TINY"])
def test_a_model_that_has_moved_is_found_by_its_name(only: Path, name: str) -> None:
    moved = write_bert(only / "owner--tiny")
    old = Path("/not/here/tiny")
    wish = located(Saved(Wish(old, "x", against=kept(Request(old, "y"))), SavedModel(name)))
    assert (wish.model, wish.against.kept.model) == (moved, moved)
    wish = located(Saved(Wish(moved, "x", against=kept(Request(old, "y")))))
    assert (wish.model, wish.against.kept.model) == (moved, moved)


def test_a_model_among_the_recent_ones_is_found(only: Path, tmp_path: Path) -> None:
    moved = write_bert(tmp_path / "elsewhere" / "tiny")
    assert located(Saved(Wish(Path("/not/here/tiny"), "x")), [moved]).model == moved


def test_a_model_that_is_nowhere_is_named(only: Path) -> None:
    write_bert(only / "other")
    for path in (Path("/not/here/tiny"), Path("/" + "x" * 300)):
        with pytest.raises(ModelError) as caught:
            located(Saved(Wish(path, "x"), SavedModel("tiny")))
        assert str(caught.value).startswith(f'"tiny", the model of this session, is neither at {path} nor among')


def test_a_start_does_not_pay_for_msgspec() -> None:
    code = "import sys, attnviz.session.saved, attnviz.session.recovery, attnviz.ui.start; print('msgspec' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
