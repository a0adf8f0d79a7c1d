"""Picture: the arcs of one layer, all heads, threshold off, special tokens shown, in the real window offscreen, against BertViz's
head view of the same layer in headless Chromium.

Each figure is the time from the gesture to the end of the paint event after which the picture is whole; in the browser up to the
frame that shows it, without the filling of its pixels. "first frame" is the first paint event, which has the strongest arcs.
"repaint" paints everything anew, as after a change of zoom; "a new text" is the pass and its picture here, and there the pass, the
making of the page and its opening in a browser that runs.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from attnviz.analysis.edges import Threshold
from attnviz.engine.model import load_model
from attnviz.session.view import HeadChoice, Sinks
from attnviz.ui.start import open_window
from tests.benchmarks.models import another_text, text_of
from tests.benchmarks.peers.head_view import HeadView
from tests.benchmarks.rows import Row, row
from tests.benchmarks.sections.views import hover_once
from tests.benchmarks.sections.window import timed, until
from tests.benchmarks.timing import alternate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from attnviz.ui.window import MainWindow
    from tests.benchmarks.bench import Bench

    Act = Callable[[], tuple[float, float]]  # gives milliseconds to the first frame and to the whole picture

TITLE: Final = "Picture: the arcs of a layer, threshold off"
BESIDE: Final = "BertViz"
LENGTHS: Final = (15, 128, 512)
COMPARED: Final = (15, 64, 128)  # its page holds every weight of every layer as text, and is not drawn in minutes at 512
LAYER: Final = 4
WORDS: Final = {"hover": "hover a token", "head": "toggle a head", "layer": "change the layer"}
_ROUNDS_OF_PAGE: Final = 5


def measure(bench: Bench) -> list[Row]:
    """The rows of each length."""
    app = QApplication.instance()
    lengths = bench.lengths or (LENGTHS if bench.peer is None else tuple(sorted({*LENGTHS, *COMPARED})))
    return [one for n in lengths for one in measure_length(bench, app, bench.model(), n)]


def measure_length(bench: Bench, app: QApplication, model: Path, n_token: int) -> list[Row]:
    """The rows of a text of so many tokens."""
    window = window_of(app, model, n_token)
    canvas, trace = window.reader.canvas, window.session.state.run.trace
    name, in_page = f"{n_token} tokens", n_token in LENGTHS
    n_weight = trace.head_count * len(trace.tokens) ** 2
    rows = [row("picture", f"{name}, arcs drawn, of {n_weight:,} weights", "count", [len(canvas.scene.arcs)], in_page=in_page)]
    with ExitStack() as stack:
        page: HeadView | None = None
        if bench.peer is not None and n_token in COMPARED:
            folder = bench.folder / f"page-{n_token}"
            page = stack.enter_context(HeadView(bench.peer, model, trace.ids, trace.tokens, LAYER, folder))
            rows += page.rows
        repaints = [_repaint(app, window) for _ in range(bench.rounds)]
        rows.append(row("picture", f"{name}, repaint", "ms", [whole for _, whole in repaints]))
        for gesture, act in _gestures(app, window).items():
            first, own, beside = _side_by_side(gesture, act, page, bench.rounds)
            rows.append(row("picture", f"{name}, {WORDS[gesture]}", "ms", own, beside, in_page))
            if gesture != "hover":  # an overlay, whole at once
                rows.append(row("picture", f"{name}, {WORDS[gesture]}, first frame", "ms", first))
        if page is not None:
            rows += page.last_rows()
    text = window.session.state.text
    texts = [_read(app, window, another_text(text, number)) for number in range(bench.rounds)]
    whole = None if page is None or page.whole is None else [page.whole]
    rows.append(row("picture", f"{name}, a new text", "ms", texts, whole, in_page))
    close(app, window)
    return rows


def _side_by_side(gesture: str, act: Act, page: HeadView | None, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of a gesture up to the first frame and to the whole picture here, and in the page, in turns; the first one,
    which fills caches, is not counted."""
    firsts: list[float] = []

    def turn() -> list[float]:
        first, whole = act()
        firsts.append(first)
        return [whole]

    turns: dict[str, Callable[[], list[float]]] = {"own": turn}
    if page is not None and page.is_open:
        turns["page"] = lambda: page.do(gesture)
        rounds = min(rounds, _ROUNDS_OF_PAGE)
    times = alternate(turns, rounds + 1)
    return firsts[1:], times["own"][1:], times.get("page", [])[1:]


def window_of(app: QApplication, model: Path, n_token: int) -> MainWindow:
    """A window at rest with the arcs of a text of so many tokens: all weights of all heads."""
    window = open_window(app, model, text_of(load_model(model), n_token))
    window.resize(1180, 760)
    window.set_reduced_motion(True)
    until(app, lambda: window.isVisible() and not window.session.state.busy)
    window.view_actions.all_heads()
    window.session.show(threshold=Threshold("weight", 0.0), sinks=Sinks(treatment="show"), layer=LAYER)
    until(app, window.reader.pictures.is_settled)
    QTest.qWait(500)
    return window


def close(app: QApplication, window: MainWindow) -> None:
    """Close a window and let go of it."""
    window.close()
    window.deleteLater()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _gestures(app: QApplication, window: MainWindow) -> dict[str, Act]:
    """Each gesture, which gives its milliseconds; the next time it goes to another token, or back."""
    session, canvas = window.session, window.reader.canvas
    tokens = _tokens(window)
    every = window.session.state.run.trace.head_count
    heads = cycle([HeadChoice(frozenset(range(every)) - {3}, every), HeadChoice(frozenset(range(every)), every)])
    layers = cycle([LAYER - 1, LAYER])
    return {
        "hover": lambda: (hover_once(app, canvas, next(tokens)),) * 2,
        "head": lambda: _frames(app, window, lambda: session.show(heads=next(heads))),
        "layer": lambda: _frames(app, window, lambda: session.show(layer=next(layers))),
    }


def _tokens(window: MainWindow) -> Iterator[Any]:
    """Places in the picture, each on another token that can be seen."""
    canvas, number = window.reader.canvas, 0
    while True:
        boxes = canvas.scene.tokens
        number += 1
        box = boxes[(3 * number + 1) % len(boxes)]
        at = canvas.on_screen(box.middle, (box.top + box.bottom) / 2)
        if canvas.rect().contains(at.toPoint()):
            yield at


def _frames(app: QApplication, window: MainWindow, act: Callable[[], None]) -> tuple[float, float]:
    """Milliseconds from `act` to the end of the first paint event, and of the one after which the picture is whole."""
    canvas, pictures = window.reader.canvas, window.reader.pictures
    first: list[float] = []
    whole: list[float] = []

    def note() -> None:
        first.append(time.perf_counter())
        if canvas.is_complete and pictures.is_settled():
            whole.append(first[-1])

    canvas.painted.connect(note)
    started = time.perf_counter()
    act()
    canvas.update()  # a picture that did not change is painted all the same
    until(app, lambda: bool(whole))
    canvas.painted.disconnect(note)
    QTest.qWait(20)
    return 1000 * (first[0] - started), 1000 * (whole[0] - started)


def _repaint(app: QApplication, window: MainWindow) -> tuple[float, float]:
    return _frames(app, window, window.reader.canvas.moved)  # what was painted is of no use any more


def _read(app: QApplication, window: MainWindow, text: str) -> float:
    """Milliseconds from asking for a text to its whole picture."""
    session, before, canvas = window.session, window.session.state.run, window.reader.canvas

    def is_there() -> bool:
        return session.state.run is not before and not session.state.busy and canvas.is_complete

    return timed(app, window, lambda: session.ask(text=text), is_there)
