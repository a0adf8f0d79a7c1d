"""The real window with the real model, offscreen; nobody's own settings touched, and nothing left running or lying about."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from attnviz.engine.model import load_model
from attnviz.session import run as run_module
from attnviz.ui.start import open_window
from tests.ui.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from attnviz.engine.model import Model
    from attnviz.ui.window import MainWindow

ANIMAL = "The animal didn't cross the street because it was tired."


@pytest.fixture(scope="session")
def fusion(qapp: QApplication) -> QApplication:
    """The application as `run_window` sets it up."""
    qapp.setApplicationName("attnviz")
    qapp.setStyle("Fusion")
    return qapp


@pytest.fixture(autouse=True)
def nothing_left(fusion: QApplication) -> Iterator[None]:
    """Fails a test that leaves a thread, a window or a switched-off garbage collector behind."""
    before = set(fusion.topLevelWidgets())
    yield
    fusion.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("attnviz-")]
    assert not threads, f"still running: {threads}"
    left = [widget for widget in fusion.topLevelWidgets() if widget not in before]
    assert not left, f"still there: {left}"
    assert gc.isenabled()


@pytest.fixture(autouse=True)
def own_folders(nothing_left: None, tmp_path: Path, minilm_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, data and home of this test alone; the model is where it was."""
    data = tmp_path / "data"
    (data / "models").mkdir(parents=True)
    (data / "models" / minilm_path.name).symlink_to(minilm_path, target_is_directory=True)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ATTNVIZ_DATA", str(data))
    monkeypatch.setenv("HOME", str(home))
    return data


@pytest.fixture(autouse=True)
def read_once(own_folders: Path, minilm: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real model's weights are taken from the disk once for all tests; any other model is opened as ever."""
    del own_folders
    monkeypatch.setattr(run_module, "load_model", lambda path, **how: minilm if path == minilm.path else load_model(path, **how))


@pytest.fixture
def closed_after(qtbot: QtBot) -> Iterator[Callable[[MainWindow], MainWindow]]:
    """Takes windows that are closed and deleted when the test is over."""
    del qtbot
    windows: list[MainWindow] = []

    def keep(window: MainWindow) -> MainWindow:
        windows.append(window)
        return window

    yield keep
    for window in windows:
        window.close()
        window.deleteLater()


@pytest.fixture
def open_reader(
    qtbot: QtBot, fusion: QApplication, minilm_path: Path, closed_after: Callable[[MainWindow], MainWindow]
) -> Callable[..., Hands]:
    """Opens the window on a text (None: the first example) and waits for its picture. still: without motion."""

    def open_it(text: str | None = ANIMAL, still: bool = True) -> Hands:
        window = closed_after(open_window(fusion, minilm_path, text))
        hands = Hands(qtbot, window)
        window.set_reduced_motion(still)
        qtbot.waitUntil(window.isVisible)
        hands.settle()
        return hands

    return open_it


@pytest.fixture
def hands(open_reader: Callable[..., Hands]) -> Hands:
    """A window that has read the sentence of the animal, layer 0, all heads, nothing pinned."""
    return open_reader()
