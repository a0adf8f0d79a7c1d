"""What each head makes of each key's value behind the output projection: the vectors that attention adds up.

Source: Kobayashi et al. 2020, "Attention is Not Only a Weight", section 3: the output of an attention is the sum over heads and
keys of attention times f(x), plus the bias of the output projection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.heads import repeat_heads, split_heads
from attnviz.engine.products import apply
from attnviz.engine.residual import normed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.inside import Inside
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected

_BESIDES = 1 << 14


@np.errstate(all="ignore")  # as in the run
def value_vectors(inside: Inside, keys: slice, heads: Sequence[int] | None = None) -> Float32:
    """The vectors of some keys and heads, [head, key, d_model], without the output projection's bias and before a norm of the
    output."""
    stack = inside.projected.stack
    own = inside.encoded is None
    seen = normed(inside.entering[keys], inside.norms.before, stack) if own else inside.encoded[keys]
    values = split_heads(repeat_heads(apply(seen, inside.weights.v), stack), inside.head_count)
    if inside.projected.change is not None:
        for head, strength in inside.projected.change.strengths:
            values[head] *= np.float32(strength)
    rows = inside.weights.out.weight.reshape(inside.head_count, values.shape[2], -1)
    if heads is not None:
        values, rows = values[list(heads)], rows[list(heads)]
    vectors = np.matmul(values, rows)
    vectors.flags.writeable = False
    return vectors


def value_bytes(projected: Projected, head_count: int, n_key: int) -> int:
    """What the vectors of so many keys take while they are made, beside the layer."""
    stack = projected.stack
    shared = stack.n_kv_head * stack.d_head
    repeated = 0 if stack.n_kv_head == stack.n_head else stack.n_head * stack.d_head
    # The vectors, and the normed ones that are read; a norm's sums, and the objects themselves.
    return 4 * n_key * ((head_count + 1) * stack.d_model + shared + repeated + 1) + _BESIDES
