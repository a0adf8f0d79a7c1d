"""From a gesture to the repainted picture, in the real window, offscreen.

Each figure is the wall time from the event's delivery to the end of the canvas's paintEvent that shows its effect. Motion is
reduced, so that it is the final picture that is timed. All heads of the model are on.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from attnviz.session.comparing import other_text
from attnviz.ui.start import open_window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.ui.panels.mixer import Mixer
    from attnviz.ui.pictures.compare_view import CompareView
    from attnviz.ui.pictures.picture_view import PictureView
    from attnviz.ui.window import MainWindow

SENTENCES = {
    15: "The animal didn't cross the street because it was tired.",
    64: (
        "When the old keeper of the lighthouse finally decided to retire, the people of the village who had depended on "
        "his light for forty years gathered on the cliffs and sang to him, although the wind was strong that night "
        "and nobody on the boats below could hear a single word of their slow and beautiful song about home."
    ),
}
_PATIENCE_S = 30.0


def measure_window(app: QApplication, model: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Median and worst milliseconds of each gesture at each length: {"keystroke, 15 tokens": {"median": …, "worst": …}}."""
    figures: dict[str, dict[str, float]] = {}
    for n_token, text in SENTENCES.items():
        window = open_window(app, model, text)
        window.resize(1180, 760)
        window.set_reduced_motion(True)
        until(app, lambda w=window: w.isVisible() and not w.session.state.busy)
        window.view_actions.all_heads()
        QTest.qWait(300)
        assert len(window.session.state.run.trace.tokens) == n_token, len(window.session.state.run.trace.tokens)
        for name, gesture in GESTURES.items():
            _as_trained(app, window)
            times = [gesture(app, window, number) for number in range(rounds + 2)][2:]  # the first two warm the caches
            figures[f"{name}, {n_token} tokens"] = {"median": statistics.median(times), "worst": max(times)}
        window.close()
        window.deleteLater()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return figures


def _as_trained(app: QApplication, window: MainWindow) -> None:
    """All heads of the trained count are on, nothing is in focus, and the window rests."""
    if window.session.state.against is not None:
        window.session.ask(against=None)
        until(app, lambda: not window.session.state.busy)
    window.trained_heads()
    window.view_actions.all_heads()
    window.session.show(focus=None, panel="reading")
    window.what_if_actions.take_all_back()
    until(app, lambda: not window.session.state.busy)
    QTest.qWait(100)


def _keystroke(app: QApplication, window: MainWindow, number: int) -> float:
    """A letter more at the end of the sentence, or, the next time, one less; the pause before a run counts too."""
    field = window.reader.sentence
    before = window.session.state.run
    key = Qt.Key.Key_Backspace if number % 2 else Qt.Key.Key_S

    def act() -> None:
        QTest.keyClick(field, key)

    return timed(app, window, act, lambda: window.session.state.run is not before and not window.session.state.busy)


def _slider_step(app: QApplication, window: MainWindow, number: int) -> float:
    """One stop along 1, 2, 3, 4, 6, 12, 24, 48 heads and back."""
    slider = window.reader.head_counts
    before = window.session.state.run
    last = slider.maximum()
    place = number % (2 * last)
    target = place if place <= last else 2 * last - place
    target = target if target != slider.value() else target - 1 if target else 1

    def act() -> None:
        slider.setValue(target)

    return timed(app, window, act, lambda: window.session.state.run is not before and not window.session.state.busy)


def _hover(app: QApplication, window: MainWindow, number: int) -> float:
    """The pointer moves onto another token."""
    canvas = window.reader.canvas
    boxes = canvas.scene.tokens
    box = boxes[(3 * number + 1) % len(boxes)]
    at = canvas.on_screen(box.middle, (box.top + box.bottom) / 2)

    def act() -> None:
        move = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(at),
            canvas.mapToGlobal(at),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )
        app.sendEvent(canvas, move)

    return timed(app, window, act, lambda: canvas.focus_token == box.index)


def _layer_step(app: QApplication, window: MainWindow, number: int) -> float:
    """The next layer, round and round."""
    slider = window.reader.layers
    target = (slider.value() + 1) % (slider.maximum() + 1)

    def act() -> None:
        slider.setValue(target)

    return timed(app, window, act, lambda: window.session.state.view.layer == target)


def _compared_layer_step(app: QApplication, window: MainWindow, number: int) -> float:
    """The next layer of two texts, one above the other."""
    view = _compared(app, window)
    target = (window.reader.layers.value() + 1) % (window.reader.layers.maximum() + 1)

    def act() -> None:
        window.reader.layers.setValue(target)

    return timed(app, window, act, lambda: window.session.state.view.layer == target, view.views()[1])


def _compared_pin(app: QApplication, window: MainWindow, number: int) -> float:
    """Another token pinned, and its counterpart."""
    view = _compared(app, window)
    boxes = view.scene.tokens
    token = boxes[(3 * number + 1) % len(boxes)].index

    def act() -> None:
        window.session.show(focus=token)

    return timed(app, window, act, lambda: view.scene.focus == token, view.views()[1])


def _compared(app: QApplication, window: MainWindow) -> CompareView:
    """The pictures of the text and of the same one with another last word."""
    if window.session.state.against is None:
        text = window.session.state.text
        window.session.ask(against=other_text(text.removesuffix(text.split()[-1]) + "late."))
        until(app, lambda: window.session.state.run.against is not None and not window.session.state.busy)
        QTest.qWait(300)
    return window.reader.pictures.currentWidget()


def _mute(app: QApplication, window: MainWindow, number: int) -> float:
    """A head in the middle of the model is muted, or heard again, on the panel of what-ifs."""
    return _changed(app, window, lambda: _desk(window).row(1).mute.click())


def _strength(app: QApplication, window: MainWindow, number: int) -> float:
    """The fader of such a head moves by a step."""
    fader = _desk(window).row(1).fader
    key = Qt.Key.Key_Left if number % 20 < 10 else Qt.Key.Key_Right
    return _changed(app, window, lambda: QTest.keyClick(fader, key))


def _desk(window: MainWindow) -> Mixer:
    """The heads of layer 3 on the panel of what-ifs."""
    if window.session.state.view.panel != "what_if":
        window.session.show(panel="what_if", layer=3)
        QTest.qWait(100)
    return window.reader.side.what_if.mixer


def _changed(app: QApplication, window: MainWindow, act: Callable[[], None]) -> float:
    before = window.session.state.run
    return timed(app, window, act, lambda: window.session.state.run is not before and not window.session.state.busy)


GESTURES: dict[str, Callable[[QApplication, MainWindow, int], float]] = {
    "keystroke": _keystroke,
    "slider step": _slider_step,
    "layer step": _layer_step,
    "hover": _hover,
    "compare: layer step": _compared_layer_step,
    "compare: pin": _compared_pin,
    "mute": _mute,
    "strength": _strength,
}


def timed(
    app: QApplication,
    window: MainWindow,
    act: Callable[[], None],
    done: Callable[[], bool],
    canvas: PictureView | None = None,
) -> float:
    """Milliseconds from `act` to the first repaint, of the picture of one run if no other is told, after which `done` holds."""
    canvas = window.reader.canvas if canvas is None else canvas
    painted: list[float] = []

    def note() -> None:
        if done():
            painted.append(time.perf_counter())

    canvas.painted.connect(note)
    started = time.perf_counter()
    act()
    until(app, lambda: bool(painted))
    canvas.painted.disconnect(note)
    QTest.qWait(20)
    return 1000 * (painted[0] - started)


def until(app: QApplication, condition: Callable[[], bool]) -> None:
    stop = time.perf_counter() + _PATIENCE_S
    while not condition():
        app.processEvents()
        time.sleep(0.0003)  # as an event loop rests: one that spins holds the lock that the engine's thread needs
        if time.perf_counter() > stop:
            raise TimeoutError("the window did not repaint")
