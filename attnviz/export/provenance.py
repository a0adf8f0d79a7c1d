"""Where an exported file's numbers come from: carried by every file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz import __version__

if TYPE_CHECKING:
    from attnviz.session.run import Run


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
