"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from attnviz.errors import ExportError
from attnviz.library.whole import write_whole

OLD, NEW = b"what was there", b"new " * 100_000


def refused(path: Path) -> str:
    with pytest.raises(ExportError) as caught:
        write_whole(path, NEW)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert len(sentence.splitlines()) == 1
    return sentence


@pytest.mark.parametrize("before", [None, OLD])
def test_the_data_is_in_the_file_and_nothing_beside_it(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "figure.png"
    if before is not None:
        path.write_bytes(before)
    write_whole(path, NEW)
    assert path.read_bytes() == NEW
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["x" * 250 + ".png", "é" * 120 + ".svg", "😀" * 60, " .png", "-o.png"])
def test_any_name_that_the_disk_takes_is_written(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, NEW)
    assert (tmp_path / name).read_bytes() == NEW


@pytest.mark.skipif(os.name != "posix", reason="modes are posix's")
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "ours", NEW)
        assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == 0o666 & ~mask
    finally:
        os.umask(before)


def test_a_folder_in_the_place_of_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert "folder" in refused(tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "nowhere" / "x.png")


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(OLD)
    assert "not a directory" in refused(tmp_path / "file" / "x.png")


def test_a_name_that_is_too_long_is_said(tmp_path: Path) -> None:
    assert "too long" in refused(tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["mkstemp", "chmod", "replace"])
def test_whatever_step_fails_what_was_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "figure.png"
    path.write_bytes(OLD)
    monkeypatch.setattr("tempfile.mkstemp" if step == "mkstemp" else f"pathlib.Path.{step}", denied)
    assert "permission denied" in refused(path)
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from attnviz.errors import ExportError
from attnviz.library.whole import write_whole

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    write_whole(Path(sys.argv[1]), b"x" * 1_000_000)
except ExportError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits are posix's")
def test_on_a_disk_that_fills_up_what_was_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "figure.png"
    path.write_bytes(OLD)
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{path}: cannot be written")
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_a_file_is_written_through_or_replaced_but_never_broken(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(OLD)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole(tmp_path / "link", NEW)
    assert (tmp_path / "link").read_bytes() == NEW
    assert (tmp_path / "real").read_bytes() in (OLD, NEW)
