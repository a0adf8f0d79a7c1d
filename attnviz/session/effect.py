"""What a what-if did to a model's output, token by token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.analysis.likeness import cosines

if TYPE_CHECKING:
    from attnviz.engine.tokenizer import Token
    from attnviz.session.run import Run


@dataclass(frozen=True)
class Turned:
    """How far a token's final vector has turned: its cosine to that of the run of the model as trained, -1 to 1."""

    token: Token
    position: int
    cosine: float


def turned_tokens(run: Run) -> tuple[Turned, ...]:
    """All tokens that have a final vector, those that turned farthest first; of an encoder-decoder the decoder's."""
    found = cosines(run.trace.output, run.trained.output)
    pieces = run.trace.output_pieces
    tokens = [Turned(token, at, float(cosine)) for at, (token, cosine) in enumerate(zip(pieces, found, strict=True))]
    return tuple(sorted(tokens, key=lambda one: (one.cosine, one.position)))
