"""Sessions in the window: saved, opened, undone, kept; one sentence for what cannot be had, and what was there stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from filelock import FileLock
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QLineEdit

from attnviz.engine.changes import NOTHING, HeadAt, WeightAt
from attnviz.errors import Cancelled
from attnviz.paint.fonts import text_width
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import load_theme
from attnviz.session.opening import read_opening
from attnviz.session.recovery import recovery_folder
from attnviz.session.saved import SavedModel, read_session, save_session
from attnviz.session.settings import load_settings
from attnviz.session.view import HeadChoice, Sinks
from attnviz.ui import recovery_offer
from attnviz.ui.start import open_window
from tests.engine.tiny_bert import write_bert
from tests.scene.same import same
from tests.ui.hands import CTRL, LEFT, SHIFT, Hands

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication, QWidget
    from pytestqt.qtbot import QtBot

    from attnviz.session.state import Wish
    from attnviz.ui.notice import Notice
    from attnviz.ui.window import MainWindow

T = TypeVar("T", bound="QWidget")


# --- what is there ------------------------------------------------------------------------------------------------


def title(hands: Hands) -> str:
    """What a person reads in the title bar."""
    return hands.window.windowTitle().replace("[*]", "*" if hands.window.isWindowModified() else "")


def says(hands: Hands) -> str:
    """The sentence about session files above the page."""
    return hands.window.files.notice("files").text()


def offer(hands: Hands) -> Notice | None:
    return hands.window.files._notices.get("lost")


def recent(hands: Hands) -> list[str]:
    return [action.text() for action in hands.window.files.recent_menu.actions() if action.data() is not None]


def grab(hands: Hands) -> QImage:
    """The picture as it is on the screen."""
    return hands.reader.pictures.grab().toImage()


# --- what a person does -------------------------------------------------------------------------------------------


def dialog_of(hands: Hands, kind: type[T]) -> T:
    """The dialog of that kind, once it is there."""
    hands.until(lambda: any(dialog.isVisible() for dialog in hands.window.findChildren(kind)))
    return next(dialog for dialog in hands.window.findChildren(kind) if dialog.isVisible())


def select(hands: Hands, path: Path) -> None:
    """Choose a path in the file dialog that is open."""
    dialog = dialog_of(hands, QFileDialog)
    dialog.selectFile(str(path))
    dialog.findChild(QLineEdit).setText(str(path))
    dialog.findChild(QDialogButtonBox).buttons()[0].click()
    hands.until(lambda: not dialog.isVisible())


def save_to(hands: Hands, path: Path) -> None:
    hands.key("s", None, CTRL | SHIFT)
    select(hands, path)
    hands.until(lambda: hands.window.files.path == path and not hands.window.isWindowModified())


def save(hands: Hands) -> None:
    hands.key("s", None, CTRL)
    hands.until(lambda: not hands.window.isWindowModified())


def open_in(hands: Hands, path: Path) -> None:
    hands.window.files.open_path(path)
    hands.until(lambda: hands.window.files.path == path and not hands.state.busy)
    hands.settle()


def undo(hands: Hands) -> None:
    hands.key("z", None, CTRL)
    hands.settle()


def redo(hands: Hands) -> None:
    hands.key("z", None, CTRL | SHIFT)
    hands.settle()


def dress(hands: Hands) -> None:
    """Ask for something of everything that a session can hold."""
    session = hands.window.session
    session.show(layer=3, heads=HeadChoice(frozenset({1, 4, 7}), 12), picture="matrix", words=True, is_log=True)
    session.show(sinks=Sinks(frozenset({"special", "punctuation"}), "renormalise"), focus=hands.position("it"))
    changes = hands.state.changes.with_muted(HeadAt("encoder", 2, 5), True).with_strength(HeadAt("encoder", 1, 3), 0.4)
    session.ask(changes=changes.with_weight(WeightAt("encoder", 3, 1, hands.position("it"), hands.position("street")), 0.6))
    hands.settle()


@pytest.fixture
def dressed(hands: Hands, tmp_path: Path) -> Path:
    """A session of the window with something of everything, saved."""
    dress(hands)
    save_to(hands, tmp_path / "dressed.attnviz")
    return tmp_path / "dressed.attnviz"


@pytest.fixture
def saved(hands: Hands, tmp_path: Path) -> Callable[..., Path]:
    """Writes a session of the real model with some of its wish changed."""

    def save_it(name: str = "x", mark: SavedModel | None = None, **changes: Any) -> Path:
        path = tmp_path / f"{name}.attnviz"
        wish = replace(hands.window.session.wish, **changes)
        save_session(path, wish, mark or SavedModel("all-MiniLM-L6-v2", hands.run.model.sha256))
        return path

    return save_it


# --- saving and opening -------------------------------------------------------------------------------------------


def test_a_session_that_was_saved_gives_the_same_pixels_in_another_window(
    hands: Hands, dressed: Path, open_reader: Callable[..., Hands]
) -> None:
    other = open_reader("Cats sleep.")
    assert grab(other) != grab(hands)
    open_in(other, dressed)
    assert other.window.session.wish == hands.window.session.wish
    assert other.reader.sentence.toPlainText() == hands.reader.sentence.toPlainText()
    assert grab(other) == grab(hands)
    scenes = [build_scene(one.run, one.state.view, load_theme("light"), Layout(700, 500), text_width) for one in (hands, other)]
    assert same(*scenes)
    assert other.run.trace.is_what_if


@pytest.mark.parametrize("picture", ["arcs", "grid", "steps"])
def test_each_picture_comes_back_pixel_for_pixel(
    hands: Hands, open_reader: Callable[..., Hands], tmp_path: Path, picture: str
) -> None:
    dress(hands)
    hands.window.session.show(picture=picture)
    hands.settle()
    save_to(hands, tmp_path / "x.attnviz")
    other = open_reader("Cats sleep.")
    open_in(other, tmp_path / "x.attnviz")
    hands.until(lambda: grab(other) == grab(hands))


def test_the_theme_is_the_windows_own(hands: Hands, dressed: Path, open_reader: Callable[..., Hands]) -> None:
    other = open_reader("Cats sleep.")
    other.window.go_dark()
    open_in(other, dressed)
    assert other.window.appearance.theme.name == "dark"
    hands.window.go_dark()
    hands.settle()
    other.settle()
    assert grab(other) == grab(hands)


def test_the_file_names_the_model_with_the_sum_of_its_weights(dressed: Path, hands: Hands) -> None:
    values = json.loads(dressed.read_text(encoding="utf-8"))
    assert values["model"] == {
        "path": str(hands.state.model),
        "name": "all-MiniLM-L6-v2",
        "sha256": hands.run.model.sha256,
    }


def test_the_first_save_asks_for_a_file_and_the_next_ones_do_not(hands: Hands, tmp_path: Path) -> None:
    assert title(hands) == "attnviz"
    hands.key("s", None, CTRL)
    dialog = dialog_of(hands, QFileDialog)
    assert dialog.findChild(QLineEdit).text() == "The animal didnt cross the"
    select(hands, tmp_path / "lesson")
    hands.until(lambda: title(hands) == "lesson – attnviz")
    hands.key("]")
    assert title(hands) == "lesson* – attnviz"
    save(hands)
    assert title(hands) == "lesson – attnviz"
    assert read_session(tmp_path / "lesson.attnviz").wish.view.layer == 1
    assert recent(hands) == ["lesson"]


def test_the_asterisk_goes_with_what_was_changed(hands: Hands, dressed: Path) -> None:
    assert title(hands) == "dressed – attnviz"
    hands.key("[")
    assert title(hands) == "dressed* – attnviz"
    hands.key("]")
    assert title(hands) == "dressed – attnviz"
    hands.type("Cats sleep.")
    assert title(hands) == "dressed* – attnviz"
    while title(hands) != "dressed – attnviz":
        undo(hands)
    assert hands.state.text.startswith("The animal")


def test_a_name_with_another_ending_gets_the_right_one(hands: Hands, tmp_path: Path) -> None:
    path = tmp_path / "lesson.txt.attnviz"
    dialog_named = hands.window.files._on_save_selected  # which of other endings Qt's dialog lets through is up to its system
    dialog_named(str(tmp_path / "lesson.txt"))
    hands.until(lambda: hands.window.files.path == path)
    before = path.read_bytes()
    hands.key("]")
    dialog_named(str(tmp_path / "lesson.txt"))
    assert says(hands) == f"{path}: is there already; save under another name, or choose that file."
    assert path.read_bytes() == before


def test_saving_can_be_called_off(hands: Hands, tmp_path: Path) -> None:
    hands.key("s", None, CTRL)
    dialog_of(hands, QFileDialog).reject()
    assert title(hands) == "attnviz"
    assert not list(tmp_path.glob("*.attnviz"))


def test_a_place_that_cannot_be_written_is_one_sentence(hands: Hands, dressed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**how: object) -> None:
        raise OSError(28, "No space left on device")

    before = dressed.read_bytes()
    hands.key("[")
    with monkeypatch.context() as crowded:
        crowded.setattr("tempfile.mkstemp", full)
        hands.key("s", None, CTRL)
        hands.until(lambda: bool(says(hands)))
    assert says(hands) == f"{dressed}: cannot be written (no space left on device); choose another place."
    assert title(hands) == "dressed* – attnviz"
    assert dressed.read_bytes() == before
    save(hands)
    assert says(hands) == ""


def test_what_could_not_be_had_is_not_saved(hands: Hands, dressed: Path) -> None:
    before = dressed.read_bytes()
    hands.key("a", hands.reader.sentence, CTRL)
    hands.key(Qt.Key.Key_Delete, hands.reader.sentence)
    hands.until(lambda: bool(hands.reader.notice.text()))
    hands.key("s", None, CTRL)
    assert says(hands).startswith("The session is not saved: The text is empty")
    hands.key("s", None, CTRL | SHIFT)
    assert not [dialog for dialog in hands.window.findChildren(QFileDialog) if dialog.isVisible()]
    assert dressed.read_bytes() == before


def test_a_session_is_saved_at_once_however_long_the_weights_take_to_read(
    hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_sum(model: object, cancelled: Callable[[], bool]) -> str:
        while not cancelled():
            time.sleep(0.01)
        raise Cancelled

    monkeypatch.setattr(type(hands.run.model), "read_sum", read_sum)
    hands.key("s", None, CTRL)
    select(hands, tmp_path / "x")
    path = tmp_path / "x.attnviz"
    hands.until(path.exists)
    assert read_session(path).wish == hands.window.session.wish
    hands.window.close()  # which does not wait for the weights
    assert read_session(path).model == SavedModel("all-MiniLM-L6-v2")


def test_a_save_that_ends_after_another_session_was_opened_leaves_that_ones_name(
    hands: Hands, dressed: Path, saved: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    other, go_on = saved("other", text="Cats sleep.", changes=NOTHING), threading.Event()
    monkeypatch.setattr(type(hands.run.model), "read_sum", lambda model, cancelled: str(go_on.wait(20)))
    hands.key("[")
    hands.key("s", None, CTRL)
    open_in(hands, other)
    go_on.set()
    hands.until(lambda: hands.window.statusBar().currentMessage() == "Saved dressed.attnviz.")
    assert title(hands) == "other – attnviz"
    hands.key("]")
    save(hands)
    assert read_session(other).wish == hands.window.session.wish
    assert read_session(dressed).wish.text.startswith("The animal")


def test_several_saves_in_a_row_end_with_the_newest(hands: Hands, dressed: Path) -> None:
    for _ in range(4):
        hands.key("[")
        hands.key("s", None, CTRL)
    hands.until(lambda: title(hands) == "dressed – attnviz")
    assert read_session(dressed).wish.view.layer == 0


def test_open_session_asks_for_a_file(hands: Hands, saved: Callable[..., Path]) -> None:
    path = saved(text="Cats sleep.")
    hands.key("o", None, CTRL)
    select(hands, path)
    hands.until(lambda: hands.run.trace.text == "Cats sleep.")
    assert title(hands) == "x – attnviz"
    assert not hands.window.isWindowModified()


def test_a_session_can_be_dropped_on_the_window(hands: Hands, saved: Callable[..., Path]) -> None:
    path = saved(text="Cats sleep.")
    content = QMimeData()
    content.setUrls([QUrl.fromLocalFile(str(path))])
    for widget in (hands.canvas, hands.reader.sentence.viewport()):
        hands.window.session.ask(text="Dogs bark.")
        hands.settle()
        assert hands.drop(widget, content)
        hands.until(lambda: hands.run.trace.text == "Cats sleep.")
    assert title(hands) == "x – attnviz"


def test_an_opening_can_be_undone_with_the_name_in_the_title(hands: Hands, dressed: Path, saved: Callable[..., Path]) -> None:
    path = saved("other", text="Cats sleep.", changes=NOTHING)
    open_in(hands, path)
    assert title(hands) == "other – attnviz"
    hands.key("]")
    undo(hands)
    undo(hands)
    assert title(hands) == "dressed – attnviz"
    assert hands.run.trace.text.startswith("The animal")
    redo(hands)
    assert title(hands) == "other – attnviz"
    redo(hands)
    assert title(hands) == "other* – attnviz"
    assert hands.run.trace.text == "Cats sleep."


def test_a_session_saved_under_another_name_keeps_it_while_undoing(hands: Hands, dressed: Path, tmp_path: Path) -> None:
    open_in(hands, dressed)
    hands.key("[")
    save_to(hands, tmp_path / "copy.attnviz")
    undo(hands)
    assert title(hands) == "copy* – attnviz"


# --- recent sessions ----------------------------------------------------------------------------------------------


def test_the_last_eight_sessions_are_offered_newest_first_and_kept(
    hands: Hands, saved: Callable[..., Path], open_reader: Callable[..., Hands]
) -> None:
    assert not hands.window.files.recent_menu.menuAction().isEnabled()
    paths = [saved(f"lesson {number}") for number in range(10)]
    for path in paths:
        open_in(hands, path)
    assert recent(hands) == [f"lesson {number}" for number in (9, 8, 7, 6, 5, 4, 3, 2)]
    open_in(hands, paths[5])
    names = [f"lesson {number}" for number in (5, 9, 8, 7, 6, 4, 3, 2)]
    assert recent(hands) == names
    tips = [action.toolTip() for action in hands.window.files.recent_menu.actions() if action.data()]
    assert tips[0] == str(paths[5])
    assert recent(open_reader()) == names


def test_a_recent_session_opens(hands: Hands, saved: Callable[..., Path]) -> None:
    path = saved(text="Cats sleep.")
    hands.window.files.recent_menu.add(path)
    hands.window.files.recent_menu.actions()[0].trigger()
    hands.until(lambda: hands.run.trace.text == "Cats sleep.")


def test_a_recent_session_that_has_gone_is_left_out_with_a_sentence(hands: Hands, saved: Callable[..., Path]) -> None:
    paths = [saved("gone"), saved("here")]
    for path in paths:
        open_in(hands, path)
    before = hands.state
    paths[0].unlink()
    hands.window.files.recent_menu.actions()[1].trigger()
    hands.until(lambda: bool(says(hands)))
    assert says(hands) == f"{paths[0]}: no such file; choose a session that is there."
    assert recent(hands) == ["here"]
    assert load_settings().sessions == [str(paths[1])]
    assert hands.state == before


def test_the_list_of_recent_sessions_can_be_cleared(hands: Hands, saved: Callable[..., Path]) -> None:
    open_in(hands, saved())
    hands.window.files.recent_menu.actions()[-1].trigger()
    assert recent(hands) == []
    assert load_settings().sessions == []
    assert not hands.window.files.recent_menu.menuAction().isEnabled()


def test_recent_sessions_of_one_name_are_told_apart_by_their_folders(hands: Hands, tmp_path: Path) -> None:
    menu = hands.window.files.recent_menu
    menu.add(tmp_path / "one" / "x.attnviz")
    menu.add(tmp_path / "two" / "x.attnviz")
    menu.add(tmp_path / "salt & pepper.attnviz")
    assert recent(hands) == ["salt && pepper", "x, two", "x, one"]


# --- what cannot be opened ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "the file is empty"),
        ('{"format": "attnviz session", "ver', "ends in the middle"),
        ('{"format": "attnviz session", "version": 2}', "saved by a newer attnviz"),
        ("{}", "not an attnviz session"),
    ],
)
def test_a_file_that_is_no_session_is_one_sentence_and_nothing_changes(
    hands: Hands, dressed: Path, tmp_path: Path, content: str, sentence: str
) -> None:
    path = tmp_path / "bad.attnviz"
    path.write_text(content)
    before = hands.state
    hands.window.files.open_path(path)
    hands.until(lambda: bool(says(hands)))
    assert sentence in says(hands)
    assert says(hands).startswith(f"{path}: ")
    assert hands.state == before
    assert title(hands) == "dressed – attnviz"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text": ""}, "The text is empty"),
        ({"text": " \n"}, "no visible character"),
        ({"head_count": 5}, "5"),
        ({"written": (5,)}, "does not write"),
    ],
)
def test_a_session_that_cannot_be_had_leaves_everything_as_it_was(
    hands: Hands, dressed: Path, saved: Callable[..., Path], changes: dict[str, Any], sentence: str
) -> None:
    before, picture = hands.window.session.wish, grab(hands)
    path = saved(**changes)
    hands.window.files.open_path(path)
    hands.until(lambda: bool(hands.reader.notice.text()))
    hands.settle()
    assert sentence in hands.reader.notice.text()
    assert hands.window.session.wish == before
    assert hands.reader.sentence.toPlainText() == before.text
    assert title(hands) == "dressed – attnviz"
    assert path.stem not in recent(hands)
    hands.qtbot.mouseClick(hands.reader.notice._close, LEFT)
    hands.until(lambda: grab(hands) == picture)


def test_a_session_of_a_model_that_does_not_open_leaves_everything_as_it_was(
    hands: Hands, dressed: Path, saved: Callable[..., Path], tmp_path: Path
) -> None:
    broken = write_bert(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no weights")
    before = hands.window.session.wish
    hands.window.files.open_path(saved("broken", SavedModel("broken"), model=broken))
    hands.until(lambda: bool(hands.reader.notice.text()))
    hands.settle()
    assert hands.window.session.wish == before
    assert hands.reader.model_box.currentText() == "all-MiniLM-L6-v2"


def test_a_session_of_a_model_that_is_not_here_names_it(hands: Hands, tmp_path: Path) -> None:
    before = hands.state
    path = tmp_path / "x.attnviz"
    save_session(path, replace(hands.window.session.wish, model=Path("/not/here/gpt-9")), SavedModel("gpt-9"))
    hands.window.files.open_path(path)
    hands.until(lambda: bool(says(hands)))
    assert says(hands).startswith('"gpt-9", the model of this session, is neither at /not/here/gpt-9 nor')
    assert hands.state == before


def test_a_model_that_has_moved_is_found_by_its_name(hands: Hands, tmp_path: Path) -> None:
    path = tmp_path / "x.attnviz"
    wish = replace(hands.window.session.wish, model=Path("/not/here/all-MiniLM-L6-v2"), text="Cats sleep.")
    save_session(path, wish, SavedModel("all-MiniLM-L6-v2", hands.run.model.sha256))
    open_in(hands, path)
    assert hands.run.trace.text == "Cats sleep."
    assert hands.run.model.name == "all-MiniLM-L6-v2"
    assert not hands.window.isWindowModified()


def test_other_weights_than_those_it_was_saved_with_are_said_quietly(hands: Hands, saved: Callable[..., Path]) -> None:
    notice = hands.window.files.notice("weights", "what_if")
    open_in(hands, saved("same"))
    hands.window.files._sum_job.finish()
    assert notice.text() == ""
    open_in(hands, saved("other", SavedModel("all-MiniLM-L6-v2", "0" * 64)))
    hands.until(lambda: bool(notice.text()))
    assert notice.text().startswith("all-MiniLM-L6-v2 has other weights here than when this session was saved")
    assert hands.state.failure is None
    assert not hands.window.isWindowModified()
    open_in(hands, saved("same"))
    assert notice.text() == ""


# --- undoing ------------------------------------------------------------------------------------------------------


def test_undo_and_redo_are_offered_only_where_there_is_something(hands: Hands) -> None:
    undo_action, redo_action = (hands.window.actions_by_slot[slot] for slot in ("undo", "redo"))
    assert (undo_action.isEnabled(), redo_action.isEnabled()) == (False, False)
    hands.key("]")
    assert (undo_action.isEnabled(), redo_action.isEnabled()) == (True, False)
    hands.choose_menu("undo")
    assert hands.state.view.layer == 0
    assert (undo_action.isEnabled(), redo_action.isEnabled()) == (False, True)
    hands.choose_menu("redo")
    assert hands.state.view.layer == 1
    assert (undo_action.isEnabled(), redo_action.isEnabled()) == (True, False)


@pytest.mark.parametrize("again", [("z", CTRL | SHIFT), ("y", CTRL)])
def test_undo_works_from_within_the_sentence(hands: Hands, again: tuple[str, Qt.KeyboardModifier]) -> None:
    hands.key("-")
    hands.settle()
    assert hands.run.trace.head_count < 12
    field = hands.reader.sentence
    hands.key("z", field, CTRL)
    hands.settle()
    assert hands.run.trace.head_count == 12
    assert hands.window.focusWidget() is field
    hands.key(again[0], field, again[1])
    hands.settle()
    assert hands.run.trace.head_count < 12


def test_typing_is_undone_word_by_word_and_the_cursor_stays_at_the_end(hands: Hands) -> None:
    field = hands.reader.sentence
    hands.type("Cats")
    for letters in (" sleep", " here"):
        for letter in letters:
            hands.qtbot.keyClicks(field, letter)
            hands.settle()
    hands.key("z", field, CTRL)
    hands.settle()
    assert field.toPlainText().startswith("Cats sleep")
    assert "here" not in field.toPlainText()
    hands.qtbot.keyClicks(field, "!")
    hands.settle()
    assert hands.run.trace.text.endswith("!")
    for _ in range(12):
        hands.key("z", field, CTRL)
    hands.settle()
    assert hands.run.trace.text == "The animal didn't cross the street because it was tired."


def test_letters_typed_a_moment_before_are_what_is_undone(hands: Hands) -> None:
    field = hands.reader.sentence
    hands.type("Cats sleep")
    hands.qtbot.keyClicks(field, " here")
    hands.key("z", field, CTRL)
    hands.settle()
    assert field.toPlainText() == "Cats sleep"


def test_everything_can_be_undone_to_the_first_picture_and_done_again(hands: Hands, tmp_path: Path) -> None:
    start, end = grab(hands), None
    dress(hands)
    hands.type("Cats sleep.")
    hands.window.session.show(picture="grid")
    hands.settle()
    end = grab(hands)
    while hands.window.actions_by_slot["undo"].isEnabled():
        undo(hands)
    hands.until(lambda: grab(hands) == start)
    while hands.window.actions_by_slot["redo"].isEnabled():
        redo(hands)
    hands.until(lambda: grab(hands) == end)


# --- what is kept against a crash ---------------------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown is kept at once."""
    monkeypatch.setattr(recovery_offer, "_PAUSE_MS", 1)


def kept_files() -> list[Path]:
    return sorted(recovery_folder().glob("*.attnviz"))


def leave_behind(wish: Wish, name: str = "0123", days: float = 0, file: Path | None = None) -> Path:
    """What a process that was killed leaves."""
    recovery_folder().mkdir(exist_ok=True)
    path = recovery_folder() / f"{name}.attnviz"
    save_session(path, wish, SavedModel("all-MiniLM-L6-v2"), file)
    path.with_suffix(".lock").touch()
    written = time.time() - days * 24 * 3600
    os.utime(path, (written, written))
    return path


@pytest.mark.usefixtures("soon")
def test_what_is_there_is_kept_while_the_window_is_open_and_gone_when_it_is_closed(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader()
    assert not recovery_folder().exists()  # nothing was done yet
    hands.key("]")
    hands.until(lambda: len(kept_files()) == 1)
    hands.until(lambda: read_session(kept_files()[0]).wish == hands.window.session.wish)
    hands.key("]")
    hands.until(lambda: read_session(kept_files()[0]).wish == hands.window.session.wish)
    with pytest.raises(TimeoutError):
        FileLock(kept_files()[0].with_suffix(".lock"), timeout=0).acquire()
    hands.window.close()
    assert list(recovery_folder().iterdir()) == []


def test_what_a_killed_window_left_is_offered_and_restored(open_reader: Callable[..., Hands], hands: Hands) -> None:
    dress(hands)
    wish = hands.window.session.wish
    path = leave_behind(wish)
    other = open_reader("Cats sleep.")
    other.until(lambda: offer(other) is not None)
    assert offer(other).text() == "attnviz did not close properly last time."
    assert other.run.trace.text == "Cats sleep."  # it starts as usual
    other.qtbot.mouseClick(offer(other)._action, LEFT)
    other.until(lambda: other.window.session.wish == wish)
    other.settle()
    assert grab(other) == grab(hands)
    assert offer(other).text() == ""
    assert title(other) == "attnviz"
    assert not path.exists()
    (kept,) = kept_files()  # what was restored is this window's now
    assert read_session(kept).wish == wish
    undo(other)
    assert other.run.trace.text == "Cats sleep."


def test_what_nobody_wants_back_is_not_offered_again(open_reader: Callable[..., Hands], hands: Hands) -> None:
    leave_behind(hands.window.session.wish)
    other = open_reader()
    other.until(lambda: offer(other) is not None)
    other.qtbot.mouseClick(offer(other)._close, LEFT)
    assert offer(other).text() == ""
    assert list(recovery_folder().iterdir()) == []


def test_an_offer_that_was_not_answered_is_made_again(open_reader: Callable[..., Hands], hands: Hands) -> None:
    path = leave_behind(hands.window.session.wish)
    for _ in range(2):
        other = open_reader()
        other.until(lambda other=other: offer(other) is not None)
        other.window.close()
        assert path.exists()


def test_only_the_newest_is_offered_and_what_is_too_old_is_taken_away(open_reader: Callable[..., Hands], hands: Hands) -> None:
    wish = hands.window.session.wish
    old = leave_behind(wish, "old", days=31)
    middle = leave_behind(replace(wish, text="Dogs bark."), "middle", days=3)
    leave_behind(replace(wish, text="Birds sing."), "newest", days=1)
    other = open_reader()
    other.until(lambda: offer(other) is not None)
    other.qtbot.mouseClick(offer(other)._action, LEFT)
    other.until(lambda: other.run.trace.text == "Birds sing.")
    assert not old.exists()
    assert middle.exists()


@pytest.mark.usefixtures("soon")
def test_two_windows_do_not_offer_each_other_nor_the_same(open_reader: Callable[..., Hands]) -> None:
    first = open_reader()
    first.key("]")
    first.until(lambda: len(kept_files()) == 1)
    leave_behind(first.window.session.wish, "left")
    second = open_reader()
    second.until(lambda: offer(second) is not None)
    third = open_reader()
    third.window.files.recovery._find_job.wait()
    third.qtbot.wait(50)
    assert offer(third) is None


def test_what_cannot_be_restored_is_one_sentence_and_stays_for_later(open_reader: Callable[..., Hands], hands: Hands) -> None:
    path = leave_behind(replace(hands.window.session.wish, model=Path("/not/here/gpt-9")))
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"model": content["model"] | {"name": "gpt-9"}}))
    other = open_reader()
    other.until(lambda: offer(other) is not None)
    before = other.state
    other.qtbot.mouseClick(offer(other)._action, LEFT)
    other.until(lambda: bool(says(other)))
    assert "gpt-9" in says(other)
    assert other.state == before
    other.window.close()
    assert path.exists()


@pytest.mark.parametrize("content", ["", "{}", '{"format": "attnviz session", "version": 2}'])
def test_a_kept_file_that_cannot_be_read_disturbs_nobody(open_reader: Callable[..., Hands], content: str) -> None:
    recovery_folder().mkdir()
    (recovery_folder() / "x.attnviz").write_text(content)
    hands = open_reader()
    hands.window.files.recovery._find_job.wait()
    hands.qtbot.wait(50)
    assert offer(hands) is None
    assert says(hands) == ""


@pytest.mark.usefixtures("soon")
def test_a_data_folder_that_cannot_be_written_disturbs_nobody(open_reader: Callable[..., Hands], own_folders: Path) -> None:
    (own_folders / "recovery").write_text("a file is in the way")
    hands = open_reader()
    for _ in range(3):
        hands.key("]")
        hands.qtbot.wait(20)
    assert hands.state.view.layer == 3
    assert says(hands) == ""
    hands.window.close()


@pytest.mark.usefixtures("soon")
def test_what_could_not_be_had_is_not_kept(hands: Hands) -> None:
    hands.key("]")
    hands.until(lambda: len(kept_files()) == 1)
    wish = hands.window.session.wish
    hands.key("a", hands.reader.sentence, CTRL)
    hands.key(Qt.Key.Key_Delete, hands.reader.sentence)
    hands.until(lambda: bool(hands.reader.notice.text()))
    hands.qtbot.wait(50)
    assert read_session(kept_files()[0]).wish == wish


def test_changes_of_a_session_that_were_not_saved_are_offered_by_the_next_window(
    hands: Hands, dressed: Path, open_reader: Callable[..., Hands]
) -> None:
    before = dressed.read_bytes()
    hands.key("[")
    wish = hands.window.session.wish
    hands.window.close()  # asks nothing
    assert dressed.read_bytes() == before
    other = open_reader()
    other.until(lambda: offer(other) is not None)
    assert offer(other).text() == "dressed has changes from last time that were not saved."
    other.qtbot.mouseClick(offer(other)._action, LEFT)
    other.until(lambda: title(other) == "dressed* – attnviz")
    assert other.window.session.wish == wish
    save(other)
    assert read_session(dressed).wish == wish
    other.window.close()
    assert list(recovery_folder().iterdir()) == []


def test_a_session_that_was_saved_leaves_nothing_behind(hands: Hands, dressed: Path) -> None:
    hands.key("[")
    hands.key("s", None, CTRL)
    hands.window.close()
    assert read_session(dressed).wish.view.layer == 2
    assert not recovery_folder().exists() or list(recovery_folder().iterdir()) == []


# --- at the start -------------------------------------------------------------------------------------------------


@pytest.fixture
def start(
    qtbot: QtBot, fusion: QApplication, minilm_path: Path, closed_after: Callable[[MainWindow], MainWindow]
) -> Callable[..., Hands]:
    """Opens the window on a session, as the command line does."""

    def start_it(path: Path, text: str | None = None, instead: Path | None = minilm_path) -> Hands:
        hands = Hands(qtbot, closed_after(open_window(fusion, instead, None, read_opening(path, None, text))))
        hands.window.set_reduced_motion(True)
        qtbot.waitUntil(hands.window.isVisible)
        return hands

    return start_it


def test_the_window_starts_with_a_session(hands: Hands, dressed: Path, start: Callable[..., Hands]) -> None:
    other = start(dressed)
    other.settle()
    assert title(other) == "dressed – attnviz"
    assert other.window.session.wish == hands.window.session.wish
    assert not other.window.actions_by_slot["undo"].isEnabled()


def test_a_text_given_with_a_session_takes_the_place_of_its_own(dressed: Path, start: Callable[..., Hands]) -> None:
    other = start(dressed, "Cats sleep.")
    other.settle()
    assert title(other) == "dressed* – attnviz"
    assert other.run.trace.text == "Cats sleep."
    assert other.state.changes.muted
    assert not other.state.changes.weights


def test_a_start_with_a_session_that_cannot_be_had_shows_the_example_and_says_why(
    saved: Callable[..., Path], start: Callable[..., Hands]
) -> None:
    other = start(saved(head_count=5))
    other.settle()
    assert "5" in says(other)
    assert other.run.trace.text.startswith("The animal")
    assert title(other) == "attnviz"


def test_without_a_model_to_begin_with_the_welcome_page_says_why(saved: Callable[..., Path], start: Callable[..., Hands]) -> None:
    other = start(saved(head_count=5), instead=None)
    other.until(lambda: bool(other.window.welcome.status()))
    assert "5" in other.window.welcome.status()
    assert other.window.welcome.isVisible()


def test_saving_on_the_welcome_page_says_that_there_is_nothing(closed_after: Callable[..., Any], fusion: QApplication) -> None:
    window = closed_after(open_window(fusion, None, None))
    for slot in ("save_session", "save_session_as"):
        window.actions_by_slot[slot].trigger()
        assert window.statusBar().currentMessage() == "There is no session to save yet."


# --- a real crash -------------------------------------------------------------------------------------------------

CRASH = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from attnviz.ui import recovery_offer
recovery_offer._PAUSE_MS = 1
from attnviz.ui.start import open_window

app = QApplication([])
window = open_window(app, Path(sys.argv[1]), "Cats sleep.")

def change(old, new):
    if new.run is not None and new.view.layer != 3:
        window.session.show(layer=3)

window.session.subscribe(change)
app.exec()
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills as posix does")
def test_a_window_that_is_killed_can_be_restored(open_reader: Callable[..., Hands], minilm_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CRASH, str(minilm_path)], stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not kept_files():
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        early = open_reader()
        early.window.files.recovery._find_job.wait()
        early.qtbot.wait(50)
        assert offer(early) is None  # it is still running
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    hands = open_reader()
    hands.until(lambda: offer(hands) is not None)
    hands.qtbot.mouseClick(offer(hands)._action, LEFT)
    hands.until(lambda: hands.run.trace.text == "Cats sleep.")
    assert hands.state.view.layer == 3
