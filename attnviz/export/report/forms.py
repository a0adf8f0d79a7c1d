"""What a report can be written as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.errors import ExportError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES: Final = (".html", ".pdf")


def check_report_path(path: Path) -> None:
    """Raises ExportError for a path that no report can be written to, by its ending or for want of its folder."""
    if path.suffix.lower() not in SUFFIXES:
        raise ExportError(f"{path}: the ending says the form; use one of {', '.join(SUFFIXES)}.")
    if not path.parent.is_dir():
        raise ExportError(f"{path.parent}: there is no such folder; make it or choose another.")
