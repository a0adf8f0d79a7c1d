"""Grid: 32 layers of 32 heads, from the wish to the settled picture with its survey, and the frames while it is scrolled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from attnviz.engine.model import load_model
from attnviz.ui.start import open_window
from tests.benchmarks.models import Made, another_text, text_of
from tests.benchmarks.rows import Row, row, spread
from tests.benchmarks.sections.picture import close
from tests.benchmarks.sections.window import until

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.ui.pictures.picture_view import PictureView
    from attnviz.ui.window import MainWindow
    from tests.benchmarks.bench import Bench

TITLE: Final = "Grid: 32 layers of 32 heads"
BESIDE: Final = "the worst"
LENGTHS: Final = (64, 512)
STEPS: Final = 40
WIDE: Final = Made(
    "llama-mha",
    {
        "hidden_size": 512,
        "head_dim": 16,
        "intermediate_size": 64,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "max_position_embeddings": 1_024,
    },
)


def measure(bench: Bench) -> list[Row]:
    """The rows of each length."""
    path = WIDE.write(bench.folder / "wide")
    return [one for n in bench.lengths or LENGTHS for one in measure_length(bench, path, n)]


def measure_length(bench: Bench, path: Path, n_token: int) -> list[Row]:
    """Time to appear of several texts, and the frames of scrolling the last one, with their worst."""
    app = QApplication.instance()
    window = open_window(app, path, "a")
    window.resize(1180, 760)
    window.set_reduced_motion(True)
    until(app, lambda: window.isVisible() and not window.session.state.busy)
    text = text_of(load_model(path), n_token)
    times = [_appear(app, window, another_text(text, number)) for number in range(max(2, bench.rounds // 4 + 1))]
    frames = _scroll(app, window)
    close(app, window)
    name = f"{n_token} tokens"
    return [
        row("grid", f"{name}, first", "ms", times[:1]),
        _with_worst(f"{name}, another text", times[1:], n_token == max(LENGTHS)),
        _with_worst(f"{name}, a frame while scrolling", frames, n_token == max(LENGTHS)),
    ]


def _with_worst(what: str, times: list[float], in_page: bool) -> Row:
    return Row("grid", what, "ms", spread(times), spread([max(times)]), in_page=in_page)


def _appear(app: QApplication, window: MainWindow, text: str) -> float:
    """Milliseconds from the wish for the grid of a text that has been read to the picture with all that belongs to it."""
    window.session.show(picture="arcs")
    window.session.ask(text=text)
    until(app, lambda: not window.session.state.busy)
    pictures = window.reader.pictures
    until(app, pictures.is_settled)
    started = time.perf_counter()
    window.session.show(picture="grid")
    until(app, pictures.is_settled)
    pictures.currentWidget().repaint()
    return 1000 * (time.perf_counter() - started)


def _scroll(app: QApplication, window: MainWindow) -> list[float]:
    """Milliseconds of each frame: from a turn of the wheel to the end of the paint event that follows, down and up again."""
    grid = window.reader.pictures.currentWidget()
    return [_turn(app, grid, -120) for _ in range(STEPS)] + [_turn(app, grid, 120) for _ in range(STEPS)]


def _turn(app: QApplication, widget: PictureView, angle: int) -> float:
    painted: list[float] = []

    def note() -> None:
        painted.append(time.perf_counter())

    widget.painted.connect(note)
    at = QPointF(widget.width() / 2, widget.height() / 2)
    none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    turned = QWheelEvent(at, widget.mapToGlobal(at), QPoint(), QPoint(0, angle), none, keys, Qt.ScrollPhase.NoScrollPhase, False)
    started = time.perf_counter()
    app.sendEvent(widget, turned)
    widget.update()  # at the end of the way nothing moves, and a frame is painted all the same
    until(app, lambda: bool(painted))
    widget.painted.disconnect(note)
    return 1000 * (painted[0] - started)
