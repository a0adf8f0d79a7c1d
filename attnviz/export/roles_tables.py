"""What was measured of a model's heads, as the rows of a table and as one JSON object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from attnviz import __version__
from attnviz.analysis.bootstrap import DRAWS, LEVEL
from attnviz.errors import ExportError
from attnviz.export.forms import csv_bytes, shortest
from attnviz.library.whole import write_whole
from attnviz.probing.measures import LEAST_CASES, LEAST_TEXTS, MARGIN
from attnviz.probing.roles import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np

    from attnviz.engine.ops import Float32
    from attnviz.probing.roles import HeadRoles, Importance, Role
    from attnviz.probing.scores import Measured

    Row = tuple[Any, ...]

COLUMNS: Final = (
    *("layer", "head", "measure", "title", "group", "role", "score", "low", "high"),
    *("baseline", "baseline_name", "cases", "texts", "unit", "threshold", "source"),
)
IMPORTANCE: Final = "importance"
_IMPORTANCE_TITLE: Final = "change of the final vectors when muted"
_IMPORTANCE_SOURCE: Final = 'after Michel et al. 2019, "Are Sixteen Heads Really Better than One?"'


def save_roles(roles: HeadRoles, path: Path) -> None:
    """Write all scores to `path`, with what they were measured of. The same measurement gives the same bytes.

    Raises ExportError if the ending is not .csv or .json or the file cannot be written.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise ExportError(f"{path}: the ending says the form; use one of {', '.join(FORMS)}.")
    write_whole(path, form(roles))


def roles_provenance(roles: HeadRoles) -> dict[str, Any]:
    """Where the scores come from: program, model and weights, which attention, corpus, what of it could not be asked, and what a
    role asks for."""
    corpus, left_out = roles.corpus, roles.plan.left_out
    return {
        "program": f"attnviz {__version__}",
        "model": roles.model,
        "model_sha256": roles.model_sha256,
        "attention": roles.kind,
        "n_layer": roles.n_layer,
        "n_head": roles.n_head,
        "corpus": corpus.name,
        "corpus_sha256": corpus.sha256,
        "sentences": len(corpus.sentences),
        "sentences_too_long": list(roles.plan.too_long),
        "pairs_left_out": {
            "words_not_told_apart": left_out.words,
            "example": left_out.example,
            "looks_ahead": left_out.ahead,
            "at_a_resting_place": left_out.rest,
        },
        "settings": {
            "margin": MARGIN,
            "least_cases": LEAST_CASES,
            "least_texts": LEAST_TEXTS,
            "interval_level": LEVEL,
            "draws": DRAWS,
        },
    }


def role_rows(roles: HeadRoles) -> Iterator[Row]:
    """The table of COLUMNS: a row for each measure that has cases and each head, then one for the importance of each head. An empty
    cell: there is none."""
    for measured in roles.measured:
        if measured.n_case:
            yield from _measured_rows(measured)
    if roles.importance is not None:
        yield from _importance_rows(roles.importance)


def _measured_rows(measured: Measured) -> Iterator[Row]:
    measure, baseline = measured.measure, measured.baseline
    guessed = ("", "") if baseline is None else (baseline.score, baseline.name)
    threshold = "" if measure.threshold is None else measure.threshold
    has_role = holds(measured)
    for at, score in _entries(measured.score):
        figures = (_cell(score), _cell(measured.low[at]), _cell(measured.high[at]), *guessed, measured.n_case, measured.n_text)
        names = (measure.key, measure.title, measure.group, bool(has_role[at]))
        yield (*at, *names, *figures, measure.unit, threshold, measure.source)


def _importance_rows(importance: Importance) -> Iterator[Row]:
    names = (IMPORTANCE, _IMPORTANCE_TITLE, "", False)
    n = importance.n_text
    for at, score in _entries(importance.score):
        figures = (_cell(score), _cell(importance.low[at]), _cell(importance.high[at]), "", "", n, n)
        yield (*at, *names, *figures, "1 - cosine", "", _IMPORTANCE_SOURCE)


def roles_object(roles: HeadRoles) -> dict[str, Any]:
    """All of it: `provenance`; `measures`, each with `score`, `low` and `high` [layer][head], all its baselines, and why it has no
    case, where it has none; `heads` that have a role, jobs before resting places, the clearest first; `importance` or null."""
    every = ((layer, head) for layer in range(roles.n_layer) for head in range(roles.n_head))
    return {
        "provenance": roles_provenance(roles),
        "measures": [_measured_object(measured) for measured in roles.measured],
        "heads": [
            {"layer": at[0], "head": at[1], "roles": [_role_object(role) for role in roles.roles(*at)]}
            for at in every
            if roles.roles(*at)
        ],
        "importance": None if roles.importance is None else _importance_object(roles.importance),
    }


def _measured_object(measured: Measured) -> dict[str, Any]:
    measure, baseline = measured.measure, measured.baseline
    told = {name: getattr(measure, name) for name in ("key", "title", "group", "unit", "counts", "source", "threshold", "is_role")}
    scores = {name: _nested(getattr(measured, name)) for name in ("score", "low", "high")} if measured.n_case else {}
    return {
        **told,
        "cases": measured.n_case,
        "texts": measured.n_text,
        "why_none": measured.why_none,
        "baseline": None if baseline is None else baseline.name,
        "baselines": {} if baseline is None else dict(baseline.all),
        **scores,
    }


def _role_object(role: Role) -> dict[str, Any]:
    measure, at = role.measure, (role.layer, role.head)
    scores = {name: shortest(getattr(role.measured, name)[at]) for name in ("score", "low", "high")}
    told = {"measure": measure.key, "title": measure.title, "group": measure.group}
    baseline = role.measured.baseline
    assert baseline is not None  # what has none is no role
    guessed = {"baseline": baseline.score, "baseline_name": baseline.name}
    return {**told, **scores, **guessed, "cases": role.measured.n_case}


def _importance_object(importance: Importance) -> dict[str, Any]:
    scores = {name: _nested(getattr(importance, name)) for name in ("score", "low", "high")}
    return {"title": _IMPORTANCE_TITLE, "source": _IMPORTANCE_SOURCE, "texts": importance.n_text, **scores}


def _entries(array: Float32) -> Iterator[tuple[tuple[int, int], np.float32]]:
    """The places [layer, head] with their numbers."""
    n_layer, n_head = array.shape
    return (((layer, head), array[layer, head]) for layer in range(n_layer) for head in range(n_head))


def _cell(value: np.float32) -> float | str:
    """A number for a table; what is none, "" there."""
    return shortest(value) if value == value else ""


def _nested(array: Float32) -> list[list[float | None]]:
    """[layer][head]; what is no number, null there."""
    return [[shortest(value) if value == value else None for value in row] for row in array]


def _csv(roles: HeadRoles) -> bytes:
    none = {measured.measure.key: measured.why_none for measured in roles.measured if not measured.n_case}
    return csv_bytes(COLUMNS, role_rows(roles), {**roles_provenance(roles), "not_measured": none})


def _json(roles: HeadRoles) -> bytes:
    return json.dumps(roles_object(roles), ensure_ascii=False, allow_nan=False).encode()


FORMS: Final[dict[str, Callable[[HeadRoles], bytes]]] = {".csv": _csv, ".json": _json}
