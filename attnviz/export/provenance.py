"""Where an exported file's numbers come from: carried by every file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnviz import __version__
from attnviz.session.sight import heads_of, kind_of, sight_of

if TYPE_CHECKING:
    from attnviz.session.run import Run
    from attnviz.session.view import View


def provenance(run: Run) -> dict[str, str | int | float]:
    """Model name and weights' SHA-256, text, head counts, the cosine of a what-if to the trained run, version."""
    trace = run.trace
    facts: dict[str, str | int | float] = {
        "program": f"attnviz {__version__}",
        "model": run.model.name,
        "model_sha256": run.model.sha256,
        "text": trace.text,
        "head_count": trace.head_count,
        "trained_head_count": trace.config.n_head,
    }
    if trace.pair is not None:
        facts["pair"] = trace.pair
    if trace.encoding.left_out:
        facts["tokens_left_out"] = trace.encoding.left_out
    if trace.decoder_encoding is not None and trace.decoder_encoding.left_out:
        facts["decoder_tokens_left_out"] = trace.decoder_encoding.left_out
    if trace.is_what_if:
        facts["what_if"] = f"run with {trace.head_count} heads instead of the trained {trace.config.n_head}"
        facts["cosine_to_trained"] = round(run.cosine_to_trained, 6)
    return facts


def view_facts(run: Run, view: View) -> dict[str, Any]:
    """What of a run a view shows, and the mean shares of the weight that it takes out."""
    trace = run.trace
    facts: dict[str, Any] = {
        "picture": view.picture,
        "attention": kind_of(trace, view),
        "layer": view.layer,
        "heads": heads_of(trace, view),
        "mean_of_heads": view.is_mean,
        "quantity": view.quantity,
        "whole_words": view.words,
        "sinks": {"kinds": sorted(view.sinks.kinds), "treatment": view.sinks.treatment},
        "texts": view.between,
        "focus": view.focus,
        "threshold": {view.threshold.kind: view.threshold.value},
    }
    if view.picture == "grid":
        facts["grid"] = vars(view.grid)
    if view.picture == "matrix":
        facts["is_log"] = view.is_log
    shares = sight_of(trace, view).shares
    facts["shares"] = {"sinks": round(shares.sinks, 6), "other_texts": round(shares.apart, 6), "own_sink": round(shares.learned, 6)}
    return facts
