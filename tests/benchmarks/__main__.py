"""`python -m tests.benchmarks`: how quickly the program answers, measured, not asserted."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Print the figures as a table, or as JSON for a history."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="measurements of each figure (default: 20)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures as JSON")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    os.environ["QT_LOGGING_RULES"] = "qt.qpa.*=false"
    from PySide6.QtWidgets import QApplication

    from attnviz.library.discovery import default_model
    from tests.benchmarks.start import measure_start
    from tests.benchmarks.views import measure_views, measure_wide_grid
    from tests.benchmarks.window import measure_window

    model = default_model()
    if model is None:
        print("The benchmarks need the default model; get it with: attnviz get minilm", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as nobody:
        os.environ["ATTNVIZ_DATA"] = nobody  # the settings of whoever runs this stay as they are
        figures = measure_start(model, max(3, options.rounds // 4))
        app = QApplication([])
        app.setStyle("Fusion")
        figures |= measure_window(app, model, options.rounds)
        figures |= measure_views(app, model, options.rounds)
        figures |= measure_wide_grid(app, options.rounds)
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, {app.platformName()}"
    print(f"{'milliseconds unless said':<36}{'median':>10}{'worst':>10}\n{machine}")
    for name, figure in figures.items():
        print(f"{name:<36}{figure['median']:>10.1f}{figure['worst']:>10.1f}")
    if options.json is not None:
        options.json.write_text(json.dumps({"machine": machine, "figures": figures}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
