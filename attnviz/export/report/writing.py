"""Writing a report: HTML or PDF, by the ending of its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from attnviz.export.figure import Paper, svg_bytes
from attnviz.export.report.forms import check_report_path
from attnviz.export.report.html import html_bytes
from attnviz.export.report.pdf import pdf_bytes
from attnviz.library.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.export.report.document import Document
    from attnviz.scene.scene import Scene


def write_report(document: Document, path: Path) -> None:
    """Write a report to `path`. Needs Qt ready to paint. The same document gives the same bytes.

    Raises ExportError if the ending is not .html or .pdf, or the file cannot be written; then nothing has changed.
    """
    check_report_path(path)
    write_whole(path, _FORMS[path.suffix.lower()](document))


def _html(document: Document) -> bytes:
    return html_bytes(document, _svg)


def _svg(scene: Scene) -> bytes:
    return svg_bytes(scene, Paper(background="transparent"), json.dumps({}))


_FORMS: Final[dict[str, Callable[[Document], bytes]]] = {".html": _html, ".pdf": pdf_bytes}
