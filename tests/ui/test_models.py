"""Getting a model, dropping one, and what is no model."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QLineEdit

from attnviz.errors import Cancelled, DownloadError, ModelError
from attnviz.library.discovery import find_models
from attnviz.library.progress import Progress
from attnviz.session import run as run_module
from attnviz.ui import welcome as welcome_page
from attnviz.ui.start import open_window
from tests.engine.tiny_bert import write_bert
from tests.ui.hands import CTRL, LEFT, PATIENCE_MS, SHIFT, Hands
from tests.ui.small_gguf import write_small_gguf

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from attnviz.engine.model import Model
    from attnviz.library.progress import ProgressCallback
    from attnviz.ui.window import MainWindow

T = TypeVar("T")


class Fetch:
    """Stands in for `get_minilm`: goes on step by step as the test lets it."""

    def __init__(self, outcome: Path | Exception, total: int | None = 90_868_376) -> None:
        self.outcome = outcome
        self.total = total
        self.go_on = threading.Event()
        self.started = 0

    def __call__(self, progress: ProgressCallback, cancelled: Callable[[], bool]) -> Path:
        self.started += 1
        progress(Progress("Downloading from the Hugging Face Hub", 30_000_000, self.total))
        while not self.go_on.wait(0.005):
            if cancelled():
                raise Cancelled
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def welcome(qtbot: QtBot, fusion: QApplication, closed_after: Callable[[MainWindow], MainWindow]) -> Hands:
    """The window of a machine without a model."""
    window = closed_after(open_window(fusion, None, None))
    window.set_reduced_motion(True)
    return Hands(qtbot, window)


def start(hands: Hands, monkeypatch: pytest.MonkeyPatch, fetch: Fetch) -> None:
    monkeypatch.setattr(welcome_page, "get_minilm", fetch)
    hands.qtbot.mouseClick(hands.window.welcome.get_button, LEFT)
    hands.until(lambda: "30 of 91 MB" in hands.window.welcome.status() or fetch.total is None)


def test_without_a_model_the_window_says_so_and_offers_one(welcome: Hands) -> None:
    page = welcome.window.welcome
    assert welcome.window.isVisible()
    assert page.isVisible()
    assert not welcome.reader.isVisible()
    assert page.get_button.isEnabled()
    assert not page.bar.isVisible()
    assert not page.cancel_button.isVisible()


OPENS_A_DIALOG = "close open_session open_folder open_file show_models get_from_hub show_keys show_about".split()


def test_nothing_breaks_when_the_readers_keys_are_pressed_on_the_welcome_page(welcome: Hands) -> None:
    for row in welcome.window.actions_by_slot:
        if row not in OPENS_A_DIALOG:
            welcome.window.actions_by_slot[row].trigger()
    assert welcome.window.welcome.isVisible()


def test_a_model_that_arrives_opens_with_the_first_example(
    welcome: Hands, minilm_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Fetch(minilm_path)
    start(welcome, monkeypatch, fetch)
    page = welcome.window.welcome
    assert page.bar.isVisible()
    assert page.bar.value() / page.bar.maximum() == pytest.approx(30_000_000 / 90_868_376, abs=0.01)
    assert not page.get_button.isEnabled()
    fetch.go_on.set()
    welcome.until(welcome.reader.isVisible)
    welcome.settle()
    assert welcome.scene.focus == welcome.position("it")
    assert welcome.reader.model_box.currentText() == "all-MiniLM-L6-v2"


def test_a_cancelled_download_says_that_nothing_was_kept(
    welcome: Hands, minilm_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(welcome, monkeypatch, Fetch(minilm_path))
    page = welcome.window.welcome
    welcome.qtbot.mouseClick(page.cancel_button, LEFT)
    welcome.until(lambda: page.status() == "Stopped; nothing was kept.")
    assert page.get_button.isEnabled()
    assert not page.bar.isVisible()
    assert welcome.state.model is None


def test_after_a_cancel_it_can_be_fetched_again(welcome: Hands, minilm_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = Fetch(minilm_path)
    start(welcome, monkeypatch, fetch)
    page = welcome.window.welcome
    welcome.qtbot.mouseClick(page.cancel_button, LEFT)
    welcome.until(page.get_button.isEnabled)
    fetch.go_on.set()
    welcome.qtbot.mouseClick(page.get_button, LEFT)
    welcome.until(welcome.reader.isVisible)
    assert fetch.started == 2


@pytest.mark.parametrize(
    "error", [DownloadError("The network did not answer; check the connection and try again."), OSError(28, "No space left")]
)
def test_a_failed_download_is_one_sentence_and_can_be_tried_again(
    welcome: Hands, monkeypatch: pytest.MonkeyPatch, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch = Fetch(error)
    start(welcome, monkeypatch, fetch)
    fetch.go_on.set()
    page = welcome.window.welcome
    welcome.until(page.get_button.isEnabled)
    assert page.status() == str(error) or "No space left" in page.status()
    assert page.status().endswith(".")
    assert not page.bar.isVisible()
    capsys.readouterr()


def test_a_download_of_unknown_size_shows_a_busy_bar(welcome: Hands, minilm_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(welcome, monkeypatch, Fetch(minilm_path, total=None))
    page = welcome.window.welcome
    welcome.until(lambda: page.status() == "Downloading from the Hugging Face Hub")
    assert page.bar.maximum() == 0


def test_closing_the_window_calls_a_download_off(welcome: Hands, minilm_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(welcome, monkeypatch, Fetch(minilm_path))
    welcome.window.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "attnviz-download"]


def dropped(*paths: Path) -> QMimeData:
    content = QMimeData()
    content.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return content


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another, very small model."""
    return write_bert(tmp_path / "other-model")


@pytest.mark.parametrize("place", ["window", "canvas", "sentence"])
def test_a_folder_that_is_dropped_anywhere_is_opened(hands: Hands, other: Path, place: str) -> None:
    widget = {"window": hands.window, "canvas": hands.canvas, "sentence": hands.reader.sentence.viewport()}[place]
    assert hands.drop(widget, dropped(other))
    hands.until(lambda: hands.run.model.name == "other-model")
    hands.settle()
    assert hands.reader.model_box.currentText() == "other-model"
    assert hands.state.text == hands.reader.sentence.toPlainText()
    assert hands.reader.layers.maximum() == hands.run.trace.n_layer - 1


def test_the_model_box_goes_back_to_a_model(hands: Hands, other: Path, minilm_path: Path) -> None:
    hands.drop(hands.window, dropped(other))
    hands.until(lambda: hands.run.model.name == "other-model")
    box = hands.reader.model_box
    box.setFocus()
    number = next(i for i in range(box.count()) if box.itemText(i) == "all-MiniLM-L6-v2")
    box.setCurrentIndex(number)
    box.activated.emit(number)
    hands.until(lambda: hands.run.model.name == "all-MiniLM-L6-v2")
    hands.settle()
    assert hands.run.trace.head_count == 12


def test_a_folder_dropped_on_the_welcome_page_opens_the_reader(welcome: Hands, minilm_path: Path) -> None:
    assert welcome.drop(welcome.window.welcome, dropped(minilm_path))
    welcome.until(welcome.reader.isVisible)
    welcome.settle()
    assert welcome.words()[0] == "The"


def test_two_folders_or_a_web_address_are_not_taken(hands: Hands, other: Path, minilm_path: Path) -> None:
    assert not hands.drop(hands.canvas, dropped(other, minilm_path))
    address = QMimeData()
    address.setUrls([QUrl("https://huggingface.co/bert-base-uncased")])
    assert not hands.drop(hands.canvas, address)
    assert hands.reader.notice.text() == ""


def no_folder(folder: Path, model: Path) -> Path:
    return folder / "nowhere"


def empty_folder(folder: Path, model: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def pickle(folder: Path, model: Path) -> Path:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04K\x01.")
    return folder / "pytorch_model.bin"


def folder_of_a_pickle(folder: Path, model: Path) -> Path:
    place = copied(folder / "pickled", model)
    (place / "model.safetensors").unlink()
    (place / "pytorch_model.bin").write_bytes(b"\x80\x04K\x01.")
    return place


def truncated(folder: Path, model: Path) -> Path:
    place = copied(folder / "truncated", model)
    whole = (place / "model.safetensors").read_bytes()
    (place / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    return place


def copied(place: Path, model: Path) -> Path:
    return Path(shutil.copytree(model, place))


BAD = [no_folder, empty_folder, pickle, folder_of_a_pickle, truncated]


@pytest.mark.parametrize("make", BAD)
def test_what_is_no_model_is_one_sentence_and_picture_and_model_stay(
    hands: Hands, other: Path, tmp_path: Path, make: Callable[[Path, Path], Path]
) -> None:
    before = hands.run, hands.words(), hands.reader.model_box.currentText()
    hands.drop(hands.window, dropped(make(tmp_path, other)))
    hands.until(lambda: bool(hands.reader.notice.text()))
    assert str(tmp_path) in hands.reader.notice.text()
    assert hands.reader.notice.text().endswith(".")
    assert (hands.run, hands.words(), hands.reader.model_box.currentText()) == before
    hands.type("Cats sleep.")
    assert hands.words() == ["Cats", "sleep", "."]
    assert hands.reader.notice.text() == ""


@pytest.mark.parametrize("make", BAD)
def test_what_is_no_model_is_one_sentence_on_the_welcome_page(
    welcome: Hands, other: Path, tmp_path: Path, make: Callable[[Path, Path], Path]
) -> None:
    path = make(tmp_path, other)
    welcome.drop(welcome.window.welcome, dropped(path))
    page = welcome.window.welcome
    welcome.until(lambda: str(path) in page.status())
    welcome.until(page.isVisible)
    assert page.get_button.isEnabled()


def test_a_what_if_survives_a_folder_that_is_no_model(hands: Hands, tmp_path: Path) -> None:
    hands.key("-")
    hands.settle()
    hands.drop(hands.window, dropped(tmp_path / "nowhere"))
    hands.until(lambda: bool(hands.reader.notice.text()))
    assert hands.reader.head_counts.stop() == hands.run.trace.head_count == 6


def dialog_of(hands: Hands, kind: type[T]) -> T:
    """The dialog of that kind, once it is there."""
    hands.until(lambda: any(dialog.isVisible() for dialog in hands.window.findChildren(kind)))
    return next(dialog for dialog in hands.window.findChildren(kind) if dialog.isVisible())


def select(hands: Hands, path: Path) -> None:
    """Choose a path in the file dialog that is open."""
    dialog = dialog_of(hands, QFileDialog)
    dialog.selectFile(str(path))
    dialog.findChild(QLineEdit).setText(str(path))
    hands.until(lambda: [Path(name) for name in dialog.selectedFiles()] == [path])
    dialog.findChild(QDialogButtonBox).buttons()[0].click()


def test_open_a_folder_asks_for_one(hands: Hands, other: Path) -> None:
    hands.key("o", None, CTRL | SHIFT)
    select(hands, other)
    hands.until(lambda: hands.run.model.name == "other-model")


def test_open_a_folder_can_be_called_off(hands: Hands) -> None:
    before = hands.state
    hands.key("o", None, CTRL | SHIFT)
    dialog_of(hands, QFileDialog).reject()
    assert hands.state == before
    assert hands.reader.model_box.currentText() == "all-MiniLM-L6-v2"


def test_open_a_file_asks_for_a_gguf_file(hands: Hands, tmp_path: Path) -> None:
    path = write_small_gguf(tmp_path / "small.gguf")
    hands.choose_menu("open_file")
    select(hands, path)
    hands.until(lambda: hands.run.model.name == "small")
    hands.settle()
    assert hands.reader.model_box.currentText() == "small"


def test_a_gguf_file_can_be_dropped(hands: Hands, tmp_path: Path) -> None:
    path = write_small_gguf(tmp_path / "small.gguf")
    assert hands.drop(hands.canvas, dropped(path))
    hands.until(lambda: hands.run.model.name == "small")


def test_the_welcome_pages_other_button_asks_for_a_folder(welcome: Hands, minilm_path: Path) -> None:
    welcome.qtbot.mouseClick(welcome.window.welcome.open_button, LEFT)
    select(welcome, minilm_path)
    welcome.qtbot.waitUntil(welcome.reader.isVisible, timeout=PATIENCE_MS)
    welcome.settle()


def test_a_text_typed_while_a_bad_model_is_opened_is_read_with_the_good_one(
    hands: Hands, other: Path, minilm: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, go_on = threading.Event(), threading.Event()

    def load(path: Path, **how: Any) -> Model:
        if path == minilm.path:
            return minilm
        opening.set()
        go_on.wait(20)
        raise ModelError("It is broken.")

    monkeypatch.setattr(run_module, "load_model", load)
    hands.drop(hands.window, dropped(other))
    hands.until(opening.is_set)
    hands.qtbot.keyClicks(hands.reader.sentence, " Yes.")
    hands.until(lambda: hands.state.text.endswith(" Yes."))
    go_on.set()
    hands.until(lambda: hands.run.request.text == hands.state.text)
    assert hands.reader.notice.text() == "It is broken."
    assert hands.words()[-2:] == ["Yes", "."]
    assert hands.run.model is minilm
    assert hands.reader.model_box.currentText() == "all-MiniLM-L6-v2"


def test_a_text_that_another_model_cannot_read_leaves_that_model(
    hands: Hands, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trace(*args: object, **how: object) -> None:
        raise MemoryError

    before = hands.words()
    with monkeypatch.context() as crowded:
        crowded.setattr(type(hands.run.model), "trace", trace)
        hands.drop(hands.window, dropped(other))
        hands.until(lambda: "not enough memory" in hands.reader.notice.text())
    assert hands.words() == before
    assert hands.reader.model_box.currentText() == "other-model"
    hands.type("cat")
    assert hands.run.model.name == "other-model"


def names(hands: Hands) -> set[str]:
    """The models that the box offers."""
    hands.until(lambda: not hands.window.models.is_searching)
    box = hands.reader.model_box
    return {box.itemText(i) for i in range(box.count()) if box.itemData(i) is not None}


def test_the_model_box_offers_only_what_the_engine_runs(own_folders: Path, open_reader: Callable[..., Hands]) -> None:
    write_bert(own_folders / "models" / "mine")
    foreign = write_bert(own_folders / "models" / "foreign")
    config = json.loads((foreign / "config.json").read_text())
    (foreign / "config.json").write_text(json.dumps(config | {"model_type": "mamba"}))
    assert "foreign" in {model.name for model in find_models()}
    assert names(open_reader()) == {"all-MiniLM-L6-v2", "mine"}


def test_the_same_name_in_two_places_is_told_apart_by_the_place(own_folders: Path, open_reader: Callable[..., Hands]) -> None:
    write_bert(own_folders / "models" / "mine")
    cache = Path.home() / ".cache" / "huggingface" / "hub"
    write_bert(cache / "models--someone--mine" / "snapshots" / "abc")
    assert names(open_reader()) == {"all-MiniLM-L6-v2", "mine, attnviz", "mine, Hugging Face cache"}


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_file_of_a_model_opens_its_folder(hands: Hands, other: Path, name: str) -> None:
    hands.drop(hands.window, dropped(other / name))
    hands.until(lambda: hands.run.model.name == "other-model")
    assert hands.state.model == other
