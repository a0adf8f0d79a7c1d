"""Makes the pictures of README.md, from the program as it is: `python -m tests.pictures.make_pictures`.

The window is built as `attnviz` builds it, only without a display. The figure comes from the command line. Needs the
default model; run it again when something that is seen has changed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from attnviz.corpus.opening import bundled_corpus
from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.library.discovery import resolve_model
from attnviz.library.minilm import MINILM
from attnviz.library.places import DATA_VARIABLE, models_folder
from attnviz.probing.roles import measure_heads

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from attnviz.ui.window import MainWindow

FOLDER = Path(__file__).parent
TEXT = "The animal didn't cross the street because it was tired."
COMPARED = "The boy who studied hard passed the exam."
SIZE = (1080, 660)  # logical pixels
# A page shows the window some 820 px wide, so this is two pixels for each of the page's; twice SIZE is too many bytes.
SCALE = "1.5"
MOST_BYTES = 400_000  # of each picture: a README must open at once
_SETTLED_MS = 400  # longer than any motion of the window


def main() -> None:
    """Make all pictures anew."""
    model = resolve_model(MINILM.name)
    make_figure(model, FOLDER / "figure.png", "--heads", "0-3", "--width", "5.5in", "--dpi", "200")
    make_figure(model, FOLDER / "steps.png", "--heads", "1", "--view", "steps", "--width", "12in", "--dpi", "144")
    make_figure(model, FOLDER / "matrix.png", "--heads", "1", "--view", "matrix", "--width", "5.5in", "--dpi", "150")
    make_comparison(model, FOLDER / "compare.png")
    with tempfile.TemporaryDirectory() as data:  # the window as it is at first, and nobody's settings touched
        os.environ.update({DATA_VARIABLE: data, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": SCALE})
        models_folder().mkdir()
        (models_folder() / MINILM.folder).symlink_to(model)
        make_windows(resolve_model(MINILM.name))
    for picture in sorted(FOLDER.glob("*.png")):
        print(f"{picture.name}: {picture.stat().st_size:,} bytes")
        if picture.stat().st_size > MOST_BYTES:
            raise SystemExit(f"{picture.name} is larger than {MOST_BYTES:,} bytes")


def make_figure(model: Path, path: Path, *options: str) -> None:
    """An exported figure of "it" in layer 3: what `attnviz render` writes."""
    _attnviz(*("render", "--model", str(model), "--text", TEXT, "--layer", "3", "--focus", "it"), *options, *("-o", str(path)))


def make_comparison(model: Path, path: Path) -> None:
    """One head against all: what `attnviz compare` writes."""
    _attnviz(
        *("compare", "--model", str(model), "--text", COMPARED, "--head-count", "1", "--with-trained", "--layer", "0"),
        *("--min-weight", "0.15", "--width", "5.5in", "--dpi", "130", "-o", str(path)),
    )


def make_windows(model: Path) -> None:
    """The window as it opens, with the grid, with a head muted, and in the dark with another head count."""
    from PySide6.QtWidgets import QApplication

    from attnviz.ui.start import open_window

    app = QApplication(["attnviz"])
    app.setStyle("Fusion")
    window = open_window(app, model, None)  # the first example, in the view that shows it
    window.go_light()
    _take(app, window, FOLDER / "window.png")
    window.view_actions.show_grid()
    _take(app, window, FOLDER / "window-grid.png")
    window.view_actions.show_arcs()
    window.session.show(panel="what_if")
    window.session.ask(changes=NOTHING.with_muted(HeadAt("encoder", 2, 4), True).with_strength(HeadAt("encoder", 3, 6), 1.5))
    _take(app, window, FOLDER / "window-what-if.png")
    window.session.ask(changes=NOTHING)
    window.session.show(panel="reading")
    _take_roles(window, FOLDER / "window-roles.png")
    window.go_dark()
    window.view_actions.all_heads()
    window.session.ask(head_count=4)
    _take(app, window, FOLDER / "window-dark.png")
    window.close()


def _take_roles(window: MainWindow, path: Path) -> None:
    """The head roles window, after measuring, with the head that finds antecedents."""
    run = window.session.state.run
    measure_heads(run.model, bundled_corpus())  # kept, so that the window finds it
    window.show_roles(3, 1)
    roles = window.roles_actions.window
    roles.resize(*SIZE)
    while roles.roles is None or not roles.is_settled():
        _pause(_SETTLED_MS)
    roles.choose_head(3, 1)
    _pause(_SETTLED_MS)
    while not roles.is_settled():
        _pause(_SETTLED_MS)
    if not roles.grab().save(str(path), "PNG", 0):
        raise SystemExit(f"{path} cannot be written")
    roles.close()


def _take(app: QApplication, window: MainWindow, path: Path) -> None:
    window.resize(*SIZE)
    _settle(app, window)  # a window that has another size draws its picture anew a moment later
    window.reader.pictures.currentWidget().setFocus()
    app.processEvents()
    if not window.grab().save(str(path), "PNG", 0):  # 0: the smallest file
        raise SystemExit(f"{path} cannot be written")


def _settle(app: QApplication, window: MainWindow) -> None:
    """Let the window run until it has the picture that was asked for, and no motion is left in it."""
    from PySide6.QtCore import QEventLoop

    while window.session.state.busy or window.session.state.run is None:
        if window.session.state.failure:
            raise SystemExit(window.session.state.failure)
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    _pause(_SETTLED_MS)


def _pause(milliseconds: int) -> None:
    """Let windows and threads run for a while."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def _attnviz(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "attnviz", *arguments], check=True)


if __name__ == "__main__":
    main()
