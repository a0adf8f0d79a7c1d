"""The tokens of a picture and who looks at whom among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.tokenizer import Token
    from attnviz.engine.trace import Trace
    from attnviz.session.view import View

# The attentions of an encoder-decoder as a person reads them.
KIND_NAMES: Final[dict[Kind, str]] = {
    "encoder": "Encoder",
    "decoder": "Decoder",
    "cross": "Decoder \N{RIGHTWARDS ARROW} encoder",
}


@dataclass(frozen=True)
class Sight:
    """One layer's attention as a picture shows it.

    tokens: of the picture, in order; those from `first_query` on look, those before `n_key` are looked at. In most pictures each
    token does both. Where a decoder looks at an encoder's tokens, the encoder's stand first and the decoder's follow.
    attention: [head, query, key]; is_causal: whether tokens see only themselves and what is before them.
    """

    kind: Kind
    layer: int
    tokens: tuple[Token, ...]
    first_query: int
    n_key: int
    attention: Float32
    is_causal: bool

    def is_query(self, token: int) -> bool:
        """Whether a token of the picture looks at others."""
        return token >= self.first_query

    def is_key(self, token: int) -> bool:
        """Whether a token of the picture can be looked at."""
        return token < self.n_key


def kind_of(trace: Trace, view: View) -> Kind:
    """The kind of attention that a view shows of a trace: the one it names if the model has it, else the model's first."""
    return view.kind if view.kind in trace.kinds else trace.kinds[0]


def tokens_of(trace: Trace, view: View) -> tuple[Token, ...]:
    """The tokens of a picture, in order."""
    kind = kind_of(trace, view)
    return trace.keys(kind) + trace.queries(kind) if kind == "cross" else trace.queries(kind)


def sight_of(trace: Trace, view: View) -> Sight:
    """What a view shows of a trace. Raises IndexError for a layer that the model does not have."""
    kind = kind_of(trace, view)
    look = trace.config.stack_of(kind).looks[0]
    return Sight(
        kind=kind,
        layer=view.layer,
        tokens=tokens_of(trace, view),
        first_query=len(trace.keys(kind)) if kind == "cross" else 0,
        n_key=len(trace.keys(kind)),
        attention=trace.attention(view.layer, kind),
        is_causal=look.is_causal and kind != "cross",
    )
