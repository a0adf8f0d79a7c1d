"""The numbers that a picture shows, as a file: weights with sinks treated and words merged as the view has them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.errors import ExportError
from attnviz.export.files import write_whole
from attnviz.export.forms import SUFFIXES, csv_bytes, json_bytes, npz_bytes, shortest
from attnviz.export.numbers import CSV_COLUMNS
from attnviz.export.provenance import provenance, view_facts
from attnviz.session.sight import sight_of
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View


def save_shown(run: Run, view: View, path: Path, layers: Sequence[int] | None = None) -> None:
    """Write what the view shows of a run to `path`, with where it comes from. layers: None for the view's own.

    NPZ and JSON hold `weights` [layer, map, query, key], the `heads` of the maps (-1 for the mean of several), the tokens or words
    of the rows and columns with their positions, and `taken_out` [layer, map, query], the share of each row that went to sinks
    which are not shown. CSV has one weight a line; its head is "mean" for the mean.
    Raises ExportError if the ending is not .npz, .json or .csv or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ExportError(f"{path}: the ending says the form; use one of {', '.join(SUFFIXES)}.")
    sights = [sight_of(run.trace, replace(view, layer=layer)) for layer in (layers or [view.layer])]
    facts = {**provenance(run), **view_facts(run, view)}
    if suffix == ".csv":
        write_whole(path, csv_bytes(CSV_COLUMNS, _rows(sights), facts))
    else:
        write_whole(path, (npz_bytes if suffix == ".npz" else json_bytes)(_arrays(sights), facts))


def _arrays(sights: Sequence[Sight]) -> dict[str, Any]:
    one = sights[0]
    rows = [query - one.first_query for query in one.queries]
    taken = [
        sight.taken[:, rows] if sight.sinks.are_taken_out else np.zeros((len(one.heads), len(rows)), np.float32) for sight in sights
    ]
    return {
        "layers": np.array([sight.layer for sight in sights], np.int64),
        "heads": np.array(one.heads, np.int64),
        "query_tokens": np.array([one.tokens[unit].shown for unit in one.queries], np.str_),
        "key_tokens": np.array([one.tokens[unit].shown for unit in one.keys], np.str_),
        "query_positions": np.array([one.position(unit) for unit in one.queries], np.int64),
        "key_positions": np.array([one.position(unit) for unit in one.keys], np.int64),
        "weights": np.stack([_shown(sight) for sight in sights]),
        "taken_out": np.stack(taken),
    }


def _shown(sight: Sight) -> np.ndarray[Any, Any]:
    """The weights of the visible rows and columns, [map, query, key]."""
    rows = [query - sight.first_query for query in sight.queries]
    return sight.weights[:, rows][:, :, list(sight.keys)]


def _rows(sights: Sequence[Sight]) -> Iterator[tuple[Any, ...]]:
    for sight in sights:
        names = ["mean" if head == MEAN else head for head in sight.heads]
        queries = [(sight.position(unit), sight.tokens[unit].shown) for unit in sight.queries]
        keys = [(sight.position(unit), sight.tokens[unit].shown) for unit in sight.keys]
        for (number, row, column), weight in np.ndenumerate(_shown(sight)):
            (query, query_text), (key, key_text) = queries[row], keys[column]
            yield sight.layer, names[number], query, key, query_text, key_text, shortest(weight)
