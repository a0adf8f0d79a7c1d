"""Every number of one query's attention in one layer, in the order in which the run makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from attnviz.engine.heads import key_columns, products, repeat_heads, scale_of, split_heads
from attnviz.engine.residual import add_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attnviz.engine.config import Looking, Stack
    from attnviz.engine.inside import Inside
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected
    from attnviz.engine.watch import Stage

    Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Steps:
    """What happens to one query in the attention of one layer. H is the run's head count and d the width of such a head; arrays are
    float32 and read-only; None where the layer does not have the step.

    entering: [d_model], the query's vector that enters the layer, of cross-attention what enters that part;
    normed: [d_model], behind the norm before the attention;
    q_projected: [H, d] and k_projected: [H, key, d], behind their projections and biases; keys that heads share are repeated;
    q_normed, k_normed: behind the norm of queries and keys; q_turned, k_turned: behind the turn by their positions;
    q, k: what is multiplied, the last of those;
    products: [H, key], q·k; scale: the factor for this head count; scaled: [H, key], the product of the scaled query and k, as the
    run makes it, so that it differs from products · scale by rounding;
    bias: [H, key], for the positions (ALiBi, T5), averaged over merged heads; capped: [H, key], behind the soft-cap;
    hidden: [key], which keys the query may not look at; scores: [H, key], what softmax sees, -inf where hidden;
    sink_score, sink_share: [H], of a learned key that is not there, in softmax and behind it;
    attention: [H, key], the trace's but for rounding, since one row of products is not rounded as all rows together are;
    changed: [H, key], what a person's changes made of it, which is then the trace's in its place;
    values: [H, key, d], behind their projection and bias; weighted: [H, key, d], attention · values; context: [H, d], their sum
    over keys; strength: [H], a person's factor on that; concatenated: [H·d], the context times it side by side;
    projected: [d_model], behind the output projection and its bias; output_normed: [d_model], behind the norm of the part's output;
    added: [d_model], with the residual, which is `entering` (an option of BLOOM has `normed`). In parallel layers the feed-forward
    part, which does not see this sum, is added as well before the next layer;
    leaving: [d_model], behind the norm of that sum, else the sum;
    next: [d_model], the query's vector that enters the next layer, behind the feed-forward part and with a decoder's own attention
    also behind the cross-attention; for the last layer what leaves it, before the final norm.

    look: how the layer looks; n_head, n_kv_head: the trained heads, of queries and of keys; kv_head: [H], the key head that a head
    reads, perhaps with others; merged heads may read several neighbours, from kv_head to kv_last, [H].
    """

    entering: Float32
    q_projected: Float32
    k_projected: Float32
    q: Float32
    k: Float32
    products: Float32
    scale: float
    scaled: Float32
    hidden: NDArray[np.bool_]
    scores: Float32
    attention: Float32
    values: Float32
    weighted: Float32
    context: Float32
    concatenated: Float32
    projected: Float32
    added: Float32
    leaving: Float32
    next: Float32
    look: Looking
    n_head: int
    n_kv_head: int
    kv_head: NDArray[np.int64]
    kv_last: NDArray[np.int64]
    normed: Float32 | None = None
    q_normed: Float32 | None = None
    k_normed: Float32 | None = None
    q_turned: Float32 | None = None
    k_turned: Float32 | None = None
    bias: Float32 | None = None
    capped: Float32 | None = None
    sink_score: Float32 | None = None
    sink_share: Float32 | None = None
    output_normed: Float32 | None = None
    changed: Float32 | None = None
    strength: Float32 | None = None

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False


@np.errstate(all="ignore")  # as in the run
def steps_of(inside: Inside, query: int, following: Float32) -> Steps:
    """The steps of one query; following: its vector behind the whole layer, [d_model]."""
    stack, look, head_count = inside.projected.stack, inside.projected.look, inside.head_count
    part, rows, seen = inside.part(), slice(query, query + 1), _Seen(stack, head_count, query)

    def attend(y: Float32) -> Float32:
        return part.watched_output(y, y if inside.encoded is None else inside.encoded, head_count, query, seen)

    add_part(inside.entering, attend, inside.norms, stack, rows, seen)
    stages = seen.stages
    attention, values = stages.get("changed", stages["attention"]), stages["values"]
    projected, heads = inside.projected, np.arange(head_count)
    change, strength = projected.change, None
    if change is not None and change.strengths:
        strength = np.ones(head_count, np.float32)
        strength[[head for head, _ in change.strengths]] = [value for _, value in change.strengths]
    mixed = stages.pop("mixed", stages["concatenated"])
    first = heads * stack.n_head // head_count  # of the trained heads that a head is made of
    last = np.maximum(first, (heads + 1) * stack.n_head // head_count - 1)
    return Steps(
        **{"hidden": np.zeros(attention.shape[1], np.bool_), **stages},
        entering=inside.entering[query],
        q=_last(stages, "q"),
        k=_last(stages, "k"),
        products=products(projected.q[rows], key_columns(projected.k, stack, head_count), np.float32(1.0), head_count)[:, 0],
        scale=float(scale_of(stack, look, head_count)),
        weighted=attention[:, :, None] * values,
        context=mixed.reshape(head_count, -1),
        strength=strength,
        next=following,
        look=look,
        n_head=stack.n_head,
        n_kv_head=stack.n_kv_head,
        kv_head=first * stack.n_kv_head // stack.n_head,
        kv_last=last * stack.n_kv_head // stack.n_head,
    )


def steps_bytes(projected: Projected, head_count: int) -> int:
    """What the steps of one query take while they are made, beside the layer."""
    stack, n_query, n_key = projected.stack, len(projected.q), len(projected.k)
    inner, shared = stack.n_head * stack.d_head, stack.n_kv_head * stack.d_head
    turns = projected.look.rope is not None
    of_queries = 2 * stack.d_model + inner + 2 * stack.d_head * turns  # normed, projected, turned by cosines and sines
    # Keys behind their projection, and where they turn perhaps a norm and the turn; values, weighted values, one repetition.
    of_keys = 2 * shared + (3 + (3 if turns else 1)) * inner + 8 * head_count
    return 4 * (n_query * of_queries + n_key * of_keys)


def _last(stages: dict[Stage, Array], side: str) -> Float32:
    """A side's last stage that the layer has."""
    return next(stages[name] for name in (f"{side}_turned", f"{side}_normed", f"{side}_projected") if name in stages)


class _Seen:
    """A watch that keeps what concerns one query of each stage, in the shape that Steps has it."""

    def __init__(self, stack: Stack, head_count: int, query: int) -> None:
        self.stages: dict[Stage, Array] = {}
        self._stack = stack
        self._head_count = head_count
        self._query = query

    def __call__(self, stage: Stage, numbers: Array) -> None:
        self.stages[stage] = _LAYOUT[stage](self, numbers).copy()

    def row(self, numbers: Array) -> Array:  # [token, d_model] -> [d_model]
        return numbers[self._query]

    def only_row(self, numbers: Array) -> Array:  # [1, …] -> […]
        return numbers[0]

    def query_heads(self, numbers: Array) -> Array:  # [token, n_head·d_head] -> [H, d]
        return numbers[self._query].reshape(self._head_count, -1)

    def key_heads(self, numbers: Array) -> Array:  # [key, n_kv_head·d_head] -> [H, key, d]
        return split_heads(repeat_heads(numbers, self._stack), self._head_count)

    def per_key(self, numbers: Array) -> Array:  # [H, 1, key] -> [H, key]; the sinks' share: [H, 1] -> [H]
        return numbers[:, 0]

    def as_is(self, numbers: Array) -> Array:
        return numbers


_LAYOUT: Final[dict[Stage, Callable[[_Seen, Array], Array]]] = {
    "normed": _Seen.row,
    "q_projected": _Seen.query_heads,
    "q_normed": _Seen.query_heads,
    "q_turned": _Seen.query_heads,
    "k_projected": _Seen.key_heads,
    "k_normed": _Seen.key_heads,
    "k_turned": _Seen.key_heads,
    "scaled": _Seen.per_key,
    "bias": _Seen.per_key,
    "capped": _Seen.per_key,
    "hidden": _Seen.only_row,
    "scores": _Seen.per_key,
    "sink_score": _Seen.as_is,
    "sink_share": _Seen.per_key,
    "attention": _Seen.per_key,
    "changed": _Seen.per_key,
    "values": _Seen.key_heads,
    "mixed": _Seen.only_row,
    "concatenated": _Seen.only_row,
    "projected": _Seen.only_row,
    "output_normed": _Seen.only_row,
    "added": _Seen.only_row,
    "leaving": _Seen.only_row,
}
