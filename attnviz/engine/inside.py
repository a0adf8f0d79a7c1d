"""One attention of a run, opened again: what entered it, what it looked at and what it is made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.engine.attention import AttentionPart

if TYPE_CHECKING:
    from attnviz.engine.layers import AttentionWeights, Layer, Norms
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected


@dataclass(frozen=True)
class Inside:
    """entering: the vectors that entered the part, [token, d_model]; encoded: of cross-attention the encoder's final vectors,
    [key, d_model]; head_count: the run's."""

    entering: Float32
    encoded: Float32 | None
    layer: Layer
    projected: Projected
    head_count: int

    @property
    def weights(self) -> AttentionWeights:
        """The weights of the part."""
        return self.layer.attention if self.encoded is None else self.layer.cross

    @property
    def norms(self) -> Norms:
        """The norms around the part."""
        return self.layer.attention_norms if self.encoded is None else self.layer.cross_norms

    def part(self) -> AttentionPart:
        """The part as the run had it."""
        look = self.projected.look
        rope = None if look.rope is None else look.rope.table(len(self.entering))
        return AttentionPart(self.weights, self.projected.stack, look, rope, self.projected.bias, self.projected.change)
