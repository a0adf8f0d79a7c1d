"""Many texts in one run: their tokens are one long block of rows, and each text attends to itself alone.

All of a layer but its attention works on rows, so texts of any lengths share one product with each matrix, without padding, and a
model that is larger than the caches is read once for all of them. The numbers are those of a run of each text alone, but for the
last bits, as products of other sizes add up in another order.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.changes import NOTHING, differing_layers
from attnviz.engine.forward import Beginning, Pass, embed
from attnviz.engine.layer_change import layer_change

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.changes import Changes
    from attnviz.engine.config import ModelConfig
    from attnviz.engine.layer_change import LayerChange
    from attnviz.engine.layers import StackWeights
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected
    from attnviz.engine.tokenizer import Encoding

    # (number of the text, layer, attention [head, query, key]): called for each, texts within layers, both in their order.
    See = Callable[[int, int, Float32], None]


@dataclass(frozen=True)
class Packed:
    """What a run of many texts left behind.

    entering: the vectors that enter each layer, then those that leave the last one, [row, d_model] each; hidden: the final vectors,
    [row, width]; rows: of each text, its rows; is_whole: no head was muted.
    """

    texts: tuple[Encoding, ...]
    rows: tuple[slice, ...]
    entering: tuple[Float32, ...]
    hidden: Float32
    is_whole: bool = True

    def is_of(self, texts: Sequence[Encoding]) -> bool:
        """Whether it is a run of just these texts with all heads, which another run may go on from."""
        same = len(self.texts) == len(texts) and all(own is text for own, text in zip(self.texts, texts, strict=True))
        return same and self.is_whole


def run_packed(
    config: ModelConfig,
    weights: StackWeights,
    texts: Sequence[Encoding],
    see: See | None,
    changes: Changes,
    like: Packed | None,
    cancelled: Callable[[], bool],
) -> Packed:
    """One run of the first stack over `texts` with its trained heads; like: one of the same texts without changes, from which the
    layers below the first change are taken over: `see` is not called for those. Raises Cancelled between layers."""
    if like is not None and not like.is_of(texts):
        like = None
    stack, kind = config.stack, config.kinds[0]
    lengths = [len(text.tokens) for text in texts]
    rows = tuple(slice(start, stop) for start, stop in pairwise(accumulate(lengths, initial=0)))
    first = 0 if like is None else differing_layers(changes, NOTHING).get(kind, stack.n_layer)
    entering: list[Float32] = [] if like is None else list(like.entering[:first])
    if first == stack.n_layer and like is not None:
        return like
    seen = 0

    def keep(is_cross: bool, enters: Float32, projected: Projected, attention: Float32, sink: Float32 | None) -> None:
        nonlocal seen
        layer, text = divmod(seen, len(texts))
        seen += 1
        if text == 0:
            entering.append(enters)
        if see is not None:
            see(text, first + layer, attention)

    def change(is_cross: bool, layer: int) -> LayerChange | None:
        return layer_change(changes, kind, layer, None)

    passing = Pass(stack, weights, stack.n_head, keep, _no_step, cancelled, beginning=Beginning(first, change=change), rows=rows)
    x = like.entering[first] if like is not None else np.concatenate([embed(config, stack, weights, text) for text in texts])
    leaving = passing.run(x)
    return Packed(tuple(texts), rows, (*entering, leaving), passing.final(leaving), not changes)


def _no_step() -> None:
    """The progress of a run that is too short to watch."""
