"""A run's numbers as a file: NPZ, JSON or CSV, by the ending of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.errors import ExportError, InputError
from attnviz.export.forms import csv_bytes, json_bytes, npz_bytes, shortest
from attnviz.export.provenance import provenance
from attnviz.library.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.run import Run

CSV_COLUMNS = ("layer", "head", "query", "key", "query_token", "key_token", "weight")


def save_numbers(
    run: Run, path: Path, layers: Sequence[int] | None = None, with_logits: bool = False, kind: Kind | None = None
) -> None:
    """Write tokens, attention of `layers` (None for all) and final vectors to `path`, with their provenance.

    Of an encoder-decoder NPZ and JSON hold all three attentions, `layers` meaning those that each has, and CSV the one of `kind`
    (None for the encoder's).

    Raises ExportError if the ending is not .npz, .json or .csv or the file cannot be written, InputError for a layer that the
    model does not have or logits that it cannot give.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise ExportError(f"{path}: the ending says the form; use one of {', '.join(FORMS)}.")
    is_table = path.suffix.lower() == ".csv"
    if is_table and with_logits:
        raise InputError("A CSV file holds weights alone and no logits; write .npz or .json, or leave out --logits.")
    # The other forms hold all attentions, of which some may have more layers.
    n_layer = max(run.trace.n_layer_of(one) for one in ([kind] if is_table else run.trace.kinds))
    chosen = list(range(n_layer)) if layers is None else list(layers)
    if not chosen:
        raise InputError("No layer is chosen; name at least one, or leave the choice out for all of them.")
    for layer in chosen:
        if not 0 <= layer < n_layer:
            raise InputError(f"Layer {layer} does not exist; {run.model.name} has layers 0 to {n_layer - 1}.")
    if with_logits and run.trace.logits() is None:
        raise InputError(f"{run.model.name} has no prediction head, so there are no logits to save; leave out --logits.")
    write_whole(path, form(run, chosen, with_logits, kind))


def _arrays(run: Run, layers: list[int], with_logits: bool) -> dict[str, Any]:
    trace = run.trace
    arrays: dict[str, Any] = {
        "tokens": np.array(trace.tokens, dtype=np.str_),
        "ids": np.array(trace.ids, dtype=np.int64),
        "layers": np.array(layers, dtype=np.int64),
        "attention": _stacked(trace, layers, trace.kinds[0]),
        "hidden": trace.hidden,
    }
    if trace.decoder_encoding is not None:
        arrays |= {
            "decoder_tokens": np.array(trace.decoder_tokens, dtype=np.str_),
            "decoder_ids": np.array(trace.decoder_ids, dtype=np.int64),
            "decoder_attention": _stacked(trace, layers, "decoder"),
            "cross_attention": _stacked(trace, layers, "cross"),
            "decoder_hidden": trace.decoder_hidden,
        }
    if with_logits:
        arrays["logits"] = trace.logits()
    return arrays


def _stacked(trace: Trace, layers: list[int], kind: Kind) -> Float32:
    """Attention of those of the layers that there are, [layer, head, query, key]."""
    there = [layer for layer in layers if layer < trace.n_layer_of(kind)]
    if there:
        return np.stack([trace.attention(layer, kind) for layer in there])
    return np.zeros((0, *trace.attention(0, kind).shape), np.float32)


def _npz(run: Run, layers: list[int], with_logits: bool, kind: Kind | None) -> bytes:
    del kind  # all are in it
    return npz_bytes(_arrays(run, layers, with_logits), provenance(run))


def _json(run: Run, layers: list[int], with_logits: bool, kind: Kind | None) -> bytes:
    del kind  # all are in it
    return json_bytes(_arrays(run, layers, with_logits), provenance(run))


def _csv(run: Run, layers: list[int], with_logits: bool, kind: Kind | None) -> bytes:
    """Long form, one weight a line."""
    del with_logits  # refused before
    trace = run.trace
    facts = provenance(run) | ({"attention": kind or trace.kinds[0]} if len(trace.kinds) > 1 else {})
    return csv_bytes(CSV_COLUMNS, _weights(trace, layers, kind), facts)


def _weights(trace: Trace, layers: list[int], kind: Kind | None) -> Iterator[tuple[Any, ...]]:
    queries, keys = ([token.text for token in tokens] for tokens in (trace.queries(kind), trace.keys(kind)))
    for layer in layers:
        for (head, query, key), weight in np.ndenumerate(trace.attention(layer, kind)):
            yield layer, head, query, key, queries[query], keys[key], shortest(weight)


FORMS: dict[str, Callable[[Run, list[int], bool, Kind | None], bytes]] = {".npz": _npz, ".json": _json, ".csv": _csv}
