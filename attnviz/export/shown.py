"""The numbers that a picture shows, as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.errors import ExportError
from attnviz.export.compared import COLUMNS, compared_arrays, compared_facts, compared_rows
from attnviz.export.forms import SUFFIXES, csv_bytes, json_bytes, npz_bytes
from attnviz.export.provenance import provenance, view_facts
from attnviz.export.tables import TABLES
from attnviz.library.whole import write_whole
from attnviz.scene.pictures import COMPARED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from attnviz.session.run import Run
    from attnviz.session.view import View


def save_shown(run: Run, view: View, path: Path, layers: Sequence[int] | None = None) -> None:
    """Write what the picture of a view shows of a run to `path`, with where it comes from: the weights of arcs and matrix, of
    `layers` or of the view's own (None), the summaries of a grid's heads, every array of the steps (export/tables.py). For a run
    that is compared with another, arcs and matrix write both, in one layer (export/compared.py).

    Raises ExportError if the ending is not .npz, .json or .csv or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ExportError(f"{path}: the ending says the form; use one of {', '.join(SUFFIXES)}.")
    if run.against is not None and view.picture in COMPARED:
        _save_compared(run, view, path)
        return
    table = TABLES[view.picture](run, view, layers or [view.layer])
    facts = {**provenance(run), **view_facts(run, view), **table.facts}
    if suffix == ".csv":
        write_whole(path, csv_bytes(table.columns, table.rows(), facts))
    else:
        write_whole(path, (npz_bytes if suffix == ".npz" else json_bytes)(table.arrays, facts))


def _save_compared(run: Run, view: View, path: Path) -> None:
    facts = {**provenance(run), **view_facts(run, view), **compared_facts(run, view)}
    if path.suffix.lower() == ".csv":
        write_whole(path, csv_bytes(COLUMNS, compared_rows(run, view), facts))
    else:
        form = npz_bytes if path.suffix.lower() == ".npz" else json_bytes
        write_whole(path, form(compared_arrays(run, view), facts))
