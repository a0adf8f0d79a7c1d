"""Window: each gesture and each picture, in the real window, offscreen; nothing is held against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QApplication

from tests.benchmarks.rows import Row, Spread, spread
from tests.benchmarks.sections.views import measure_views
from tests.benchmarks.sections.window import measure_window

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

TITLE: Final = "Window: from each gesture to the picture that shows it"
BESIDE: Final = "the worst"


def measure(bench: Bench) -> list[Row]:
    """Median and worst milliseconds of each gesture at each length, and of each switch of each picture."""
    app = QApplication.instance()
    figures = measure_window(app, bench.model(), bench.rounds) | measure_views(app, bench.model(), bench.rounds)
    return [
        Row(
            "window",
            name,
            "ms",
            Spread(one["median"], one["median"], one["median"], one["worst"], bench.rounds),
            spread([one["worst"]]),
            in_page=name.startswith(("keystroke", "slider")),
        )
        for name, one in figures.items()
    ]
