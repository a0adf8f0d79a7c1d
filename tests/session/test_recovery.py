"""What is kept of a window that runs: its own process takes it away, any later one can have what a dead one left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attnviz.session.recovery import Keeper, find_lost, recovery_folder
from attnviz.session.saved import SavedModel, read_session, save_session
from attnviz.session.state import Wish

WISH = Wish(Path("/models/tiny"), "the cat sings")
MODEL = SavedModel("tiny")
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of this test alone; it is not there yet."""
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "recovery"


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.attnviz"))


def left_behind(name: str = "left", text: str = "the cat sings", days: float = 0.0) -> Path:
    """A file as a killed process leaves it, with the lock that nobody holds any more."""
    folder = recovery_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.attnviz"
    save_session(path, Wish(WISH.model, text), MODEL)
    path.with_suffix(".lock").touch()
    for one in (path, path.with_suffix(".lock")):
        os.utime(one, (time.time() - days * DAY,) * 2)
    return path


def test_the_newest_wish_is_kept_and_nothing_is_left_of_a_window_that_was_closed(keeper: Keeper, own_folder: Path) -> None:
    assert not keeper.has_kept
    assert not own_folder.exists()
    for text in ("the cat sings", "the dog sings"):
        keeper.keep(Wish(WISH.model, text), MODEL, Path("/lesson.attnviz"))
        (path,) = kept(own_folder)
        found = read_session(path)
        assert (found.wish.text, found.model, found.file) == (text, MODEL, Path("/lesson.attnviz"))
    assert keeper.has_kept
    keeper.close()
    assert list(own_folder.iterdir()) == []
    keeper.close()


@pytest.mark.skipif(os.name != "posix", reason="modes are posix's")
def test_nobody_else_can_look_into_the_folder(keeper: Keeper, own_folder: Path) -> None:
    keeper.keep(WISH, MODEL, None)
    assert own_folder.stat().st_mode & 0o077 == 0
    keeper.close()


def test_a_window_that_runs_is_not_offered(keeper: Keeper) -> None:
    keeper.keep(WISH, MODEL, None)
    assert find_lost() is None
    keeper.close()


def test_what_was_left_is_found_once_at_a_time_until_it_is_forgotten() -> None:
    path = left_behind()
    lost = find_lost()
    assert lost is not None
    assert lost.saved.wish == WISH
    assert not lost.was_closed
    assert find_lost() is None  # another window is offered it
    lost.leave()
    again = find_lost()
    assert again is not None
    again.forget()
    assert not path.exists()
    assert list(recovery_folder().iterdir()) == []
    assert find_lost() is None


def test_the_newest_comes_first_and_the_others_after_it() -> None:
    for name, days in (("a", 5), ("b", 1), ("c", 3)):
        left_behind(name, name, days)
    found = []
    while (lost := find_lost()) is not None:
        found.append(lost.saved.wish.text)
        lost.forget()
    assert found == ["b", "c", "a"]


def test_what_is_older_than_a_month_is_taken_away() -> None:
    old, young = left_behind("old", days=31), left_behind("young", days=29)
    unfinished = recovery_folder() / ".x.attnviz.k2j3"
    unfinished.touch()
    os.utime(unfinished, (time.time() - 31 * DAY,) * 2)
    lost = find_lost()
    assert lost is not None
    lost.leave()
    assert not old.exists()
    assert young.exists()
    assert not unfinished.exists()


def test_a_window_that_runs_for_months_keeps_its_file(keeper: Keeper, own_folder: Path) -> None:
    keeper.keep(WISH, MODEL, None)
    (path,) = kept(own_folder)
    for one in (path, path.with_suffix(".lock")):
        os.utime(one, (time.time() - 90 * DAY,) * 2)
    assert find_lost() is None
    assert path.exists()
    assert path.with_suffix(".lock").exists()
    keeper.close()


def test_changes_that_were_not_saved_stay_for_the_next_window(keeper: Keeper) -> None:
    keeper.keep(WISH, MODEL, Path("/lesson.attnviz"))
    keeper.close(leaves_changes=True)
    lost = find_lost()
    assert lost is not None
    assert lost.was_closed
    assert lost.saved.file == Path("/lesson.attnviz")
    lost.forget()
    assert list(recovery_folder().iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": "attnviz session", "version": 2}'])
def test_one_that_cannot_be_read_is_passed_over(content: bytes) -> None:
    left_behind("whole", days=2)
    broken = left_behind("broken")
    broken.write_bytes(content)
    lost = find_lost()
    assert lost is not None
    assert lost.saved.wish == WISH
    lost.leave()
    assert broken.exists()  # a newer attnviz may read it


def test_without_a_folder_there_is_nothing() -> None:
    assert find_lost() is None
    recovery_folder().parent.mkdir()
    recovery_folder().touch()
    assert find_lost() is None


def test_a_folder_that_cannot_be_written_disturbs_nobody(keeper: Keeper, own_folder: Path) -> None:
    own_folder.parent.mkdir()
    own_folder.touch()
    keeper.keep(WISH, MODEL, None)
    assert not keeper.has_kept
    keeper.close()
    keeper.close(leaves_changes=True)


def test_a_full_disk_disturbs_nobody(keeper: Keeper, own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**how: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as crowded:
        crowded.setattr("tempfile.mkstemp", full)
        keeper.keep(WISH, MODEL, None)
    assert kept(own_folder) == []
    keeper.keep(WISH, MODEL, None)
    assert len(kept(own_folder)) == 1
    keeper.close()


KEEP = """
import sys, time
from pathlib import Path
from attnviz.session.recovery import Keeper
from attnviz.session.saved import SavedModel
from attnviz.session.state import Wish

keeper = Keeper()
keeper.keep(Wish(Path("/models/tiny"), "the cat sings"), SavedModel("tiny"), None)
print("kept", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills as posix does")
def test_a_process_that_is_killed_leaves_it_to_the_next(own_folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-W", "error", "-c", KEEP], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "kept\n"
    assert find_lost() is None  # it runs
    child.send_signal(signal.SIGKILL)
    child.communicate()
    lost = find_lost()
    assert lost is not None
    assert lost.saved.wish == WISH
    lost.forget()
    assert list(own_folder.iterdir()) == []
