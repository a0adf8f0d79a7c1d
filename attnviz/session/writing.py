"""How a model goes on with a text: the token that it writes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.analysis.prediction import probabilities, sampled
from attnviz.errors import InputError

if TYPE_CHECKING:
    from attnviz.engine.trace import Trace
    from attnviz.session.request import Writing


def next_token(trace: Trace, writing: Writing) -> int:
    """The number of the token that the model puts behind its last one; the same for the same text and seed.

    Raises InputError for a model that does not write.
    """
    if not trace.writes:
        raise InputError("This model does not write: it has no prediction head, or reads its text both ways; open a decoder.")
    at = len(trace.output_pieces) - 1
    logits = trace.predictions([at])[0]
    if writing.temperature == 0.0:
        return int(logits.argmax())
    return sampled(probabilities(logits, writing.temperature), writing.seed, at)
