"""Two runs that are compared, as arrays under their names and as the rows of a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.errors import InputError
from attnviz.export.forms import shortest
from attnviz.export.provenance import provenance, shares_of
from attnviz.session.comparison import comparison_of
from attnviz.session.layer_cosines import layer_cosines
from attnviz.session.measures import LayerMeasures, measures, measures_by_layer
from attnviz.session.sight import heads_of
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.session.comparison import Comparison
    from attnviz.session.layer_cosines import LayerCosines
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View

    Arrays = dict[str, np.ndarray[Any, Any]]

COLUMNS = ("part", "name", "layer", "head", "query", "key", "query_token", "key_token", "value")
_BY_LAYER = tuple(LayerMeasures.__dataclass_fields__)


def compared_arrays(run: Run, view: View) -> Arrays:
    """Both runs as a view shows them, in one layer each, their difference and their measures.

    Of A `weights_a` [map, query, key] with `heads_a` (-1 for one of several) and the tokens and positions of rows and columns, and
    so on for B. `difference` [map, query, key] on A's tokens that have a counterpart, its other names after `difference_`; left out
    where it is not defined. `measure_names`, with A's and B's values in the view's layer, `measures` [measure, run], and over all
    layers, `measures_mean` [measure, run]; layer by layer `by_layer_a` and `by_layer_b` [measure, layer] of `by_layer_names`.
    `layer_cosines` [layer + 1] and `output_cosine`, where the models are alike: of the token in focus, or the mean of all that both
    have.
    """
    comparison = _side_by_side(run, view)
    arrays: Arrays = {"layers": np.array([side.view.layer for side in comparison.sides], np.int64)}
    for letter, side in zip("ab", comparison.sides, strict=True):
        arrays |= _weights(side.sight, f"weights_{letter}", f"_{letter}")
    difference = _difference(run, view)
    if difference is not None:
        arrays |= {
            name if name == "difference" else f"difference_{name}": array
            for name, array in _weights(difference, "difference", "").items()
        }
    rows = measures(run, view)
    arrays["measure_names"] = np.array([row.name for row in rows], np.str_)
    arrays["measures"] = np.array([row.layer for row in rows], np.float32)
    arrays["measures_mean"] = np.array([row.mean for row in rows], np.float32)
    arrays["by_layer_names"] = np.array(_BY_LAYER, np.str_)
    for letter, side in zip("ab", comparison.sides, strict=True):
        of_layers = measures_by_layer(side.run.trace, view)
        arrays[f"by_layer_{letter}"] = np.stack([getattr(of_layers, name) for name in _BY_LAYER])
    cosines = _cosines(comparison)
    if cosines is not None:
        arrays["layer_cosines"] = cosines.by_layer
        arrays["output_cosine"] = np.array(cosines.output, np.float32)
    return arrays


def compared_rows(run: Run, view: View) -> Iterator[tuple[Any, ...]]:
    """The same in long form, a value a row: its part, what it is, and where, as far as it has such a place.

    "weight": of a query and a key by their positions; a measure: of a layer, or "mean" over all of them; "layer_cosine": entering a
    layer, or in the row after the last one leaving that; "output_cosine".
    """
    comparison = _side_by_side(run, view)
    difference = _difference(run, view)
    parts = [
        ("A", comparison.a.sight),
        ("B", comparison.b.sight),
        *([("difference", difference)] if difference is not None else []),
    ]
    for part, sight in parts:
        yield from _weight_rows(part, sight)
    for row in measures(run, view):
        for place, (part, side) in enumerate(zip("AB", comparison.sides, strict=True)):
            for layer, value in ((side.view.layer, row.layer[place]), ("mean", row.mean[place])):
                if value == value:
                    yield part, row.name, layer, "", "", "", "", "", shortest(np.float32(value))
    cosines = _cosines(comparison)
    if cosines is not None:
        tokens = cosines.texts or ("", "")
        for layer, value in enumerate(cosines.by_layer):
            yield "A and B", "layer_cosine", layer, "", "", "", *tokens, shortest(value)
        yield "A and B", "output_cosine", "", "", "", "", *tokens, shortest(np.float32(cosines.output))


def compared_facts(run: Run, view: View) -> dict[str, Any]:
    """How two runs are compared: where B's numbers come from, in which layer and heads it is shown, what their difference leaves
    out."""
    assert run.against is not None
    comparison = _side_by_side(run, view)
    b = comparison.b
    cosines = _cosines(comparison)
    facts: dict[str, Any] = {
        "setting": view.setting,
        "against": {
            **provenance(run.against),
            "layer": b.view.layer,
            "heads": heads_of(run.against.trace, b.view),
            "focus": b.view.focus,
            "shares": shares_of(b.sight),
        },
        "aligned": len(comparison.alignment.pairs),
    }
    if cosines is not None:
        facts["layer_cosines_of"] = list(cosines.texts) if cosines.texts else f"mean of {cosines.n_unit} tokens"
    try:
        found = comparison_of(run, replace(view, setting="difference"))
    except InputError:
        return facts
    if found is not None and found.difference is not None:
        left_out = found.difference.left_out
        facts["difference"] = {
            "mean_of_heads": found.difference.are_means or bool(found.a.view.is_mean),
            "left_out": {"a": round(left_out[0], 6), "b": round(left_out[1], 6)},
        }
    return facts


def _side_by_side(run: Run, view: View) -> Comparison:
    comparison = comparison_of(run, replace(view, setting="side"))
    assert comparison is not None
    return comparison


def _difference(run: Run, view: View) -> Sight | None:
    """The sight of the difference; None where the two have none."""
    try:
        comparison = comparison_of(run, replace(view, setting="difference"))
    except InputError:
        return None
    return None if comparison is None or comparison.difference is None else comparison.difference.sight


def _cosines(comparison: Comparison) -> LayerCosines | None:
    try:
        return layer_cosines(comparison)
    except InputError:
        return None


def _weights(sight: Sight, name: str, after: str) -> Arrays:
    """The weights under a name, and what belongs to them under names that end in `after`."""
    return {
        name: sight.shown,
        f"heads{after}": np.array(sight.heads, np.int64),
        f"query_tokens{after}": np.array([sight.tokens[unit].shown for unit in sight.queries], np.str_),
        f"key_tokens{after}": np.array([sight.tokens[unit].shown for unit in sight.keys], np.str_),
        f"query_positions{after}": np.array([_query_position(sight, unit) for unit in sight.queries], np.int64),
        f"key_positions{after}": np.array([sight.position(unit) for unit in sight.keys], np.int64),
    }


def _query_position(sight: Sight, unit: int) -> int:
    """The position of a query's first token in its own text."""
    return sight.position(unit) - sight.position(sight.first_query)


def _weight_rows(part: str, sight: Sight) -> Iterator[tuple[Any, ...]]:
    queries = [(_query_position(sight, unit), sight.tokens[unit].shown) for unit in sight.queries]
    keys = [(sight.position(unit), sight.tokens[unit].shown) for unit in sight.keys]
    for (number, row, column), weight in np.ndenumerate(sight.shown):
        head = sight.heads[number]
        (query, query_token), (key, key_token) = queries[row], keys[column]
        yield part, "weight", sight.layer, "mean" if head == MEAN else head, query, key, query_token, key_token, shortest(weight)
