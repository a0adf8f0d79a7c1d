"""The window of head roles on a model whose heads are wired by hand, over a corpus of a few sentences."""

from __future__ import annotations

import json
import shutil
import threading
import time
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Final

import pytest

from attnviz.corpus.opening import open_corpus
from attnviz.engine.model import load_model
from attnviz.probing import numbers
from attnviz.probing import plan as plan_module
from attnviz.probing.kept import shelves_folder
from attnviz.probing.roles import measure_heads
from attnviz.ui.appearance import Appearance
from attnviz.ui.roles import corpus_box, roles_work
from attnviz.ui.roles.atlas_page import AtlasPage
from attnviz.ui.roles.roles_window import RolesWindow
from attnviz.ui.start import open_window
from tests.probing.wired import Duplicate, First, Next, Pairs, Previous, Random, Same, Uniform, write_wired
from tests.ui.roles.roles_hands import PageHands, RolesHands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from attnviz.engine.model import Model
    from attnviz.probing.roles import HeadRoles
    from attnviz.ui.window import MainWindow

WHO: Final = ("dog", "cat", "queen", "farmer", "sailor")
WHAT: Final = ("house", "boat", "garden", "letter", "bridge")
HOW: Final = ("small", "old", "quiet")
DETERMINERS: Final = Pairs({"the": WHO, "a": WHAT})
# L0.H1 alone does what grammar says; L0.H2 does nothing.
HEADS: Final = ((Previous(), DETERMINERS, Uniform(), Duplicate()), (First(), Next(), Random(1), Same()))
TEXT: Final = "The dog sees a house ."
N_SENTENCE: Final = 25


def sentences(n: int = N_SENTENCE) -> list[dict[str, object]]:
    """ "The old dog sees a quiet boat .", with and without its adjectives, so that no fixed offset finds the nouns."""
    made = []
    for number, (who, what) in enumerate(list(product(WHO, WHAT))[:n]):
        first, second = (HOW[(number + turn) % 3 : (number + turn) % 3 + 1] if number >> turn & 1 else () for turn in (0, 1))
        words = ("The", *first, who, "sees", "a", *second, what, ".")
        dog, house = words.index(who), words.index(what)
        pairs = [["det", 0, dog], ["det", words.index("a"), house], ["nsubj", dog, dog + 1], ["obj", house, dog + 1]]
        made.append({"id": f"s{number:02d}", "text": " ".join(words), "words": words, "pairs": pairs})
    return made


def write_corpus(path: Path, n: int = N_SENTENCE, name: str = "templates") -> Path:
    """A corpus of the first n sentences."""
    lines = [{"format": "attnviz-corpus", "version": 1, "name": name}, *sentences(n)]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def wired_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model."""
    words = sorted({str(word) for sentence in sentences() for word in sentence["words"]})
    return write_wired(tmp_path_factory.mktemp("models") / "wired", HEADS, words, causal=False)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the corpus."""
    return write_corpus(tmp_path_factory.mktemp("corpora") / "templates.jsonl")


@pytest.fixture(autouse=True)
def small_bundle(templates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus that comes with the program is the small one here, so that a measuring takes no time."""
    corpus = open_corpus(templates)
    for module in (plan_module, corpus_box):
        monkeypatch.setattr(module, "bundled_corpus", lambda: corpus)
    monkeypatch.setattr(roles_work, "open_corpus", lambda source: corpus if source is None else open_corpus(source))


@pytest.fixture(scope="session")
def once_measured(wired_path: Path, templates: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[HeadRoles, Path]:
    """The roles of the model over the corpus, and the folder of what is kept of that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATTNVIZ_DATA", str(tmp_path_factory.mktemp("data")))
        corpus = open_corpus(templates)
        patch.setattr(plan_module, "bundled_corpus", lambda: corpus)
        return measure_heads(_loaded(wired_path), corpus), shelves_folder()


@pytest.fixture
def page_hands(once_measured: tuple[HeadRoles, Path], wired_path: Path, fusion: QApplication, qtbot: QtBot) -> Iterator[PageHands]:
    """What was measured, without a window round it."""
    appearance = Appearance(fusion)
    appearance.choose("light")
    page = AtlasPage(appearance)
    page.resize(1100, 700)
    page.show()
    page.show_roles(_loaded(wired_path), once_measured[0])
    hands = PageHands(qtbot, page, appearance)
    hands.settle()
    yield hands
    page.stop()
    page.close()
    page.deleteLater()


@cache
def _loaded(path: Path) -> Model:
    return load_model(path)


@pytest.fixture
def kept(once_measured: tuple[HeadRoles, Path], own_folders: Path) -> HeadRoles:
    """The roles, which are kept on the disk of this test."""
    roles, folder = once_measured
    shutil.copytree(folder, own_folders / folder.name)
    return roles


@pytest.fixture
def open_roles(
    qtbot: QtBot, fusion: QApplication, wired_path: Path, closed_after: Callable[[MainWindow], MainWindow]
) -> Callable[..., RolesHands]:
    """Opens the main window on a model, None for the wired one, and in front of it the window of head roles."""

    def open_it(path: Path | None = None) -> RolesHands:
        window = closed_after(open_window(fusion, path or wired_path, TEXT))
        window.set_reduced_motion(True)
        hands = RolesHands(qtbot, window)
        hands.until(lambda: window.session.state.run is not None and not window.session.state.busy)
        window.show_roles()
        hands.settle()
        return hands

    return open_it


@pytest.fixture
def alone(fusion: QApplication, qtbot: QtBot, wired_path: Path, tmp_path: Path) -> Iterator[Callable[[], RolesHands]]:
    """Opens the window of head roles on the wired model, with no main window beside it."""
    windows: list[RolesWindow] = []

    def open_it() -> RolesHands:
        window = RolesWindow(Appearance(fusion), tmp_path)
        windows.append(window)
        window.resize(1100, 760)
        window.follow(_loaded(wired_path))
        window.show()
        hands = RolesHands(qtbot, None, window)
        hands.settle()
        return hands

    yield open_it
    for window in windows:
        window.stop()
        window.deleteLater()


@pytest.fixture
def shown_alone(kept: HeadRoles, alone: Callable[[], RolesHands]) -> RolesHands:
    """The same with what was measured."""
    del kept
    return alone()


@pytest.fixture
def shown(kept: HeadRoles, open_roles: Callable[..., RolesHands]) -> RolesHands:
    """The window with what was measured."""
    del kept
    return open_roles()


class Gate:
    """Holds a measuring up at one of its steps until it is opened, or the measuring is called off."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def open(self) -> None:
        self._open.set()

    def hold(self, cancelled: Callable[[], bool]) -> None:
        self.reached.set()
        while not (self._open.is_set() or cancelled()):
            time.sleep(0.002)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Measurings wait before the heads of the last layer are muted."""
    made, mute_layer = Gate(), numbers._mute_layer

    def held(model: Model, asked: object, layer: int, base: object, cancelled: Callable[[], bool]) -> object:
        if layer == len(HEADS) - 1:
            made.hold(cancelled)
        return mute_layer(model, asked, layer, base, cancelled)

    monkeypatch.setattr(numbers, "_mute_layer", held)
    return made
