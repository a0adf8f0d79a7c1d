"""Where an exported file's numbers come from: carried by every file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnviz import __version__
from attnviz.engine.tokenizer import readable
from attnviz.scene.steps.content import content_of
from attnviz.scene.what_if import place_name
from attnviz.session.head_roles import marks_roles
from attnviz.session.logarithm import is_logarithmic
from attnviz.session.sight import heads_of, is_one_map, kind_of, sight_of
from attnviz.session.survey import survey_of, survey_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.trace import Trace
    from attnviz.probing.summary import RoleSummary
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.survey import Survey
    from attnviz.session.view import PictureKind, View


def provenance(run: Run) -> dict[str, Any]:
    """Model name and weights' SHA-256, text, head counts, what is changed of the heads, tokens that the model wrote,
    the cosine of a what-if to the trained run, version."""
    trace = run.trace
    facts: dict[str, Any] = {
        "program": f"attnviz {__version__}",
        "model": run.model.name,
        "model_sha256": run.model.sha256,
        "text": readable(run.request.text),
        "head_count": trace.head_count,
        "trained_head_count": trace.config.n_head,
    }
    if run.request.pair is not None:
        facts["pair"] = readable(run.request.pair)
    if trace.encoding.left_out:
        facts["tokens_left_out"] = trace.encoding.left_out
    if trace.decoder_encoding is not None and trace.decoder_encoding.left_out:
        facts["decoder_tokens_left_out"] = trace.decoder_encoding.left_out
    if trace.n_written:
        facts["written"] = [piece.id for piece in trace.output_pieces[-trace.n_written :]]
    if trace.has_other_heads:
        facts["what_if"] = f"run with {trace.head_count} heads instead of the trained {trace.config.n_head}"
    if trace.changes:
        facts["changes"] = _changes_facts(trace)
    if trace.is_what_if:
        facts["cosine_to_trained"] = round(run.cosine_to_trained, 6)
    return facts


def _changes_facts(trace: Trace) -> dict[str, Any]:
    """What is changed of the heads, by their names."""
    changes = trace.changes
    return {
        "muted": [place_name(trace, at) for at in sorted(changes.muted)],
        "muting": changes.muting,
        "strengths": {place_name(trace, at): value for at, value in changes.strengths},
        "weights": [
            {"head": place_name(trace, at), "query": at.query, "key": at.key, "weight": value} for at, value in changes.weights
        ],
    }


def view_facts(run: Run, view: View) -> dict[str, Any]:
    """What of a run the picture of a view shows, as it is: what the view asks for besides, and the picture does not have, is left
    out."""
    return {"picture": view.picture, "attention": kind_of(run.trace, view), **_FACTS[view.picture](run, view)}


def roles_facts(run: Run, view: View, roles: RoleSummary | None) -> dict[str, Any]:
    """Over which corpus the roles were measured that a picture marks; nothing where it marks none."""
    if not marks_roles(run, view, roles):
        return {}
    return {"roles": {"corpus": roles.corpus, "corpus_sha256": roles.corpus_sha256, "sentences": roles.n_sentence}}


def shares_of(sight: Sight | Survey) -> dict[str, float]:
    """The mean shares of the weight that a picture does not show."""
    shares = sight.shares
    return {"sinks": round(shares.sinks, 6), "other_texts": round(shares.apart, 6), "own_sink": round(shares.learned, 6)}


def _weights_facts(run: Run, view: View, sight: Sight) -> dict[str, Any]:
    return {
        "heads": heads_of(run.trace, view),
        "mean_of_heads": is_one_map(run.trace, view),
        "quantity": sight.quantity,
        "whole_words": view.words,
        "sinks": {"kinds": sorted(view.sinks.kinds), "treatment": view.sinks.treatment},
        "texts": sight.between,
    }


def _arcs_facts(run: Run, view: View) -> dict[str, Any]:
    return {**_matrix_facts(run, view), "threshold": {view.threshold.kind: view.threshold.value}}


def _matrix_facts(run: Run, view: View) -> dict[str, Any]:
    sight = sight_of(run.trace, view)
    facts = {"layer": view.layer, **_weights_facts(run, view, sight), "focus": view.focus, "shares": shares_of(sight)}
    return facts | ({"is_log": is_logarithmic(run, view)} if view.picture == "matrix" else {})


def _grid_facts(run: Run, view: View) -> dict[str, Any]:
    sight = sight_of(run.trace, survey_view(run.trace, view, view.layer))
    survey = survey_of(run.trace, view)
    facts = _weights_facts(run, survey_view(run.trace, view, view.layer), sight)
    return {**facts, "grid": vars(view.grid), "shares": shares_of(survey)}


def _steps_facts(run: Run, view: View) -> dict[str, Any]:
    content = content_of(run.trace, view)
    if content is None:
        return {"layer": view.layer, "head": None}
    return {"layer": view.layer, "head": content.head, "query": content.query, "query_token": content.query_token.shown}


_FACTS: dict[PictureKind, Callable[[Run, View], dict[str, Any]]] = {
    "arcs": _arcs_facts,
    "matrix": _matrix_facts,
    "grid": _grid_facts,
    "steps": _steps_facts,
}
