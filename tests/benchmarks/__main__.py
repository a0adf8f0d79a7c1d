"""`python -m tests.benchmarks`: how quickly the program answers, measured, not asserted.

With --peers also how quickly transformers and BertViz do, in turns with it, and the ratio.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attnviz.library.discovery import default_model
from tests.benchmarks import machine
from tests.benchmarks.bench import Bench, ModelMissing
from tests.benchmarks.peers.browser import browser_version
from tests.benchmarks.peers.peer import Peer, PeersMissing
from tests.benchmarks.table import markdown_table, put_in_page, text_table
from tests.benchmarks.targets import is_met, target_of

if TYPE_CHECKING:
    from tests.benchmarks.rows import Row

# By the names that --section takes, in the order in which they are measured: those without a window first.
SECTIONS: Final = {
    "engine": "engine",
    "typing": "typing",
    "length": "length",
    "start": "start",
    "picture": "picture",
    "grid": "grid",
    "window": "gestures",
    "size": "size",
}


def main() -> int:
    """Print the figures as a table, and write them as JSON or Markdown; the exit status."""
    options = make_parser().parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_LOGGING_RULES"] = "qt.qpa.*=false"
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            model = default_model()  # before its folder is another one
            os.environ["ATTNVIZ_DATA"] = str(_own_data(folder))
            peer = stack.enter_context(Peer(options.peers)) if options.peers else None
            return _measure(options, Bench(options.rounds, folder, peer, model, options.tokens))
    except (PeersMissing, ModelMissing) as error:
        print(error, file=sys.stderr)
        return 2


def _measure(options: argparse.Namespace, bench: Bench) -> int:
    about = machine.facts(bench.peer.versions | browser_version() if bench.peer else None)
    print(machine.line(about), flush=True)
    names = options.section or [name for name in SECTIONS if name != "size" or options.large]
    app, measured = None, []
    for name in names:
        if name in ("picture", "grid", "window") and app is None:
            app = _application()
        section = importlib.import_module(f"tests.benchmarks.sections.{SECTIONS[name]}")
        rows = section.measure(bench)
        beside = section.BESIDE if any(row.beside or row.beside_word for row in rows) else ""
        measured.append((section.TITLE, beside, rows))
        print("\n" + text_table(section.TITLE, beside, rows), flush=True)
    if options.json is not None:
        content = {"machine": about, "rows": [_as_json(row) for _, _, rows in measured for row in rows]}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if options.markdown is not None:
        page = options.markdown.read_text(encoding="utf-8") if options.markdown.exists() else ""
        written = put_in_page(page, f"{markdown_table(measured)}\n\nOn {machine.line(about)}.\n")
        options.markdown.write_text(written, encoding="utf-8")
    return 0


def make_parser() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="measurements of each figure (default: 10)")
    parser.add_argument(
        "--section", type=_sections, metavar="A,B", help=f"only these: {', '.join(SECTIONS)} (default: all but size)"
    )
    parser.add_argument("--tokens", type=_lengths, metavar="N,M", help="only texts of so many tokens")
    parser.add_argument("--large", action="store_true", help="also the section size, a model of 1.1 billion parameters")
    parser.add_argument(
        "--peers",
        metavar="PYTHON",
        nargs="?",
        const=sys.executable,
        help="measure transformers and BertViz beside it, in this interpreter or the one named",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures as JSON")
    parser.add_argument(
        "--markdown", metavar="FILE", type=Path, help="also write the rows that README shows, into its place if FILE has one"
    )
    return parser


def _sections(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return names


def _lengths(text: str) -> tuple[int, ...]:
    lengths = tuple(int(word) for word in text.split(","))
    if not all(length > 1 for length in lengths):
        raise ValueError("a text has tokens")
    return lengths


def _own_data(folder: Path) -> Path:
    """A folder for settings, so that those of whoever runs this stay as they are."""
    data = folder / "data"
    data.mkdir()
    return data


def _application() -> Any:
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    qInstallMessageHandler(_say_unless_offscreen)
    app = QApplication([])
    app.setStyle("Fusion")
    return app


def _say_unless_offscreen(_kind: object, _context: object, message: str) -> None:
    """Pass on what Qt says, but for what the offscreen platform says of each window that it shows."""
    if not message.startswith("This plugin does not support"):
        print(message, file=sys.stderr)


def _as_json(row: Row) -> dict[str, Any]:
    target = target_of(row)
    return asdict(row) | {"target": None if target is None else asdict(target), "is_met": is_met(row)}


if __name__ == "__main__":
    raise SystemExit(main())
