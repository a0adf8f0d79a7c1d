"""The small parts: places, checksums, the watched process."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from attnviz.engine.checksum import sha256_of
from attnviz.errors import Cancelled
from attnviz.library.child import python_command, run_watched
from attnviz.library.places import data_folder, hugging_face_cache, models_folder
from attnviz.library.progress import Progress, Refused, Watch

FOREVER = "import threading; threading.Event().wait()"


def test_the_data_folder_is_moved_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTNVIZ_DATA", "~/somewhere")
    assert models_folder() == Path.home() / "somewhere" / "models"
    monkeypatch.delenv("ATTNVIZ_DATA")
    assert "attnviz" in str(data_folder())


def test_the_cache_is_where_huggingface_hub_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    order = ("XDG_CACHE_HOME", "HF_HOME", "HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE")
    for name in order:
        monkeypatch.delenv(name, raising=False)
    assert hugging_face_cache() == Path.home() / ".cache" / "huggingface" / "hub"
    for name, below in zip(order, ("huggingface/hub", "hub", "", ""), strict=True):  # each goes before the last
        monkeypatch.setenv(name, str(tmp_path / name))
        assert hugging_face_cache() == tmp_path / name / below


def test_a_checksum_is_that_of_the_content_also_after_a_change(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (b"one", b"another"):
        file.write_bytes(content)
        assert sha256_of(file) == sha256_of(str(file)) == hashlib.sha256(content).hexdigest()


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    first = sha256_of(file)
    monkeypatch.setattr("hashlib.file_digest", None)
    assert sha256_of(file) == first


def test_a_checksum_can_be_called_off_and_taken_later(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 1_000_000)
    asked: list[int] = []
    with pytest.raises(Cancelled):
        sha256_of(file, cancelled=lambda: len(asked) > 1 or asked.append(1) is not None)
    assert sha256_of(file) == hashlib.sha256(b"x" * 1_000_000).hexdigest()
    assert sha256_of(file, cancelled=lambda: True) == sha256_of(file)  # known by now


def test_a_silent_command_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with pytest.raises(Refused, match="no answer within 0 s"):
        run_watched(python_command("-c", FOREVER), tmp_path / "work", Watch("Waiting"), patience=0)


def test_a_silent_command_can_be_called_off(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    seen: list[Progress] = []
    watch = Watch("Waiting", seen.append, lambda: len(seen) == 2)
    with pytest.raises(Cancelled):
        run_watched(python_command("-c", FOREVER), tmp_path / "work", watch, patience=600)
    assert seen == [Progress("Waiting")] * 2


def test_the_last_words_of_a_failing_command_are_the_reason(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    command = python_command("-c", "import sys; print('first', file=sys.stderr); sys.exit('ERROR: the disk is full')")
    with pytest.raises(Refused, match=r"^the disk is full$"):
        run_watched(command, tmp_path / "work", Watch("Working"), patience=600)


def test_a_command_that_succeeds_is_quiet(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    run_watched([sys.executable, "-c", ""], tmp_path / "work", Watch("Working"), patience=600)
