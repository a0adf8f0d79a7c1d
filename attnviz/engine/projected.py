"""What a run keeps of one layer's attention: enough to make it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.heads import attend
from attnviz.engine.watch import EVERY, Watch, unwatched

if TYPE_CHECKING:
    from attnviz.engine.config import Looking, Stack
    from attnviz.engine.ops import Float32


@dataclass(frozen=True)
class Projected:
    """One layer's queries and keys, after position encoding, with how they look at each other.

    q: [query, n_head·d_head]; k: [key, n_kv_head·d_head]; bias: [n_head, 1 or query, key]; sinks: [n_head].
    """

    q: Float32
    k: Float32
    stack: Stack
    look: Looking
    bias: Float32 | None = None
    sinks: Float32 | None = None

    @np.errstate(all="ignore")  # a product beyond float32 is infinity, which a soft-cap brings back
    def attention(self, head_count: int, rows: slice = EVERY, watch: Watch = unwatched) -> tuple[Float32, Float32 | None]:
        """Attention [head, query, key] and the sinks' share [head, query], or None without sinks; rows: those queries alone."""
        return attend(self.q, self.k, self.stack, self.look, head_count, self.bias, self.sinks, rows, watch)
