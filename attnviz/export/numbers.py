"""A run's numbers as a file: NPZ, JSON or CSV, by the ending of its name."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.errors import ExportError, InputError
from attnviz.export.files import write_whole
from attnviz.export.provenance import provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from attnviz.session.run import Run

CSV_COLUMNS = ("layer", "head", "query", "key", "query_token", "key_token", "weight")


def save_numbers(run: Run, path: Path, layers: Sequence[int] | None = None, with_logits: bool = False) -> None:
    """Write tokens, attention of `layers` (None for all) and final vectors to `path`, with their provenance.

    Raises ExportError if the ending is not .npz, .json or .csv or the file cannot be written, InputError for a layer that the
    model does not have or logits that it cannot give.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise ExportError(f"{path}: the ending says the form; use one of {', '.join(FORMS)}.")
    chosen = list(range(run.trace.n_layer)) if layers is None else list(layers)
    if not chosen:
        raise InputError("No layer is chosen; name at least one, or leave the choice out for all of them.")
    for layer in chosen:
        if not 0 <= layer < run.trace.n_layer:
            raise InputError(f"Layer {layer} does not exist; {run.model.name} has layers 0 to {run.trace.n_layer - 1}.")
    if with_logits and run.trace.logits() is None:
        raise InputError(f"{run.model.name} has no prediction head, so there are no logits to save; leave out --logits.")
    write_whole(path, form(run, chosen, with_logits))


def _arrays(run: Run, layers: list[int], with_logits: bool) -> dict[str, Any]:
    trace = run.trace
    arrays: dict[str, Any] = {
        "tokens": np.array(trace.tokens, dtype=np.str_),
        "ids": np.array(trace.ids, dtype=np.int64),
        "layers": np.array(layers, dtype=np.int64),
        "attention": np.stack([trace.attention(layer) for layer in layers]),
        "hidden": trace.hidden,
    }
    if with_logits:
        arrays["logits"] = trace.logits()
    return arrays


def _npz(run: Run, layers: list[int], with_logits: bool) -> bytes:
    buffer = io.BytesIO()
    facts = json.dumps(provenance(run), ensure_ascii=False)
    np.savez_compressed(buffer, **_arrays(run, layers, with_logits), provenance=np.array(facts))
    return buffer.getvalue()


def _json(run: Run, layers: list[int], with_logits: bool) -> bytes:
    arrays = _arrays(run, layers, with_logits)
    content = {"provenance": provenance(run), **{name: _plain(array) for name, array in arrays.items()}}
    return json.dumps(content, ensure_ascii=False).encode()


def _plain(array: np.ndarray[Any, Any]) -> Any:
    """Nested lists; a float32 is written with the fewest digits that read back as the same float32."""
    if array.dtype != np.float32:
        return array.tolist()
    short = np.array([float(str(value)) for value in array.ravel()], dtype=np.float64)
    return short.reshape(array.shape).tolist()


def _csv(run: Run, layers: list[int], with_logits: bool) -> bytes:
    """Long form, one weight a line. Provenance stands above the header in lines that begin with "# "."""
    del with_logits  # has no place in a table of weights
    text = io.StringIO()
    for name, value in provenance(run).items():
        text.write(f"# {name}: {json.dumps(value, ensure_ascii=False)}\r\n")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    text.write(",".join(CSV_COLUMNS) + "\r\n")
    tokens = run.trace.tokens
    for layer in layers:
        for (head, query, key), weight in np.ndenumerate(run.trace.attention(layer)):
            # A number of its own kind, so that it is written without quotes; str() of a float32 is its shortest form.
            writer.writerow((layer, head, query, key, tokens[query], tokens[key], float(str(weight))))
    return text.getvalue().encode()


FORMS: dict[str, Callable[[Run, list[int], bool], bytes]] = {".npz": _npz, ".json": _json, ".csv": _csv}
