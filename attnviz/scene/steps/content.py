"""What the picture of the steps shows: whose, in which layer and head, and which keys have a row of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from attnviz.engine.changes import NOTHING, Changes, HeadAt
from attnviz.scene.steps.changed import Changed, changed_of
from attnviz.session.sight import heads_of, kind_of
from attnviz.session.units import tokens_of_kind

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.steps import Steps
    from attnviz.engine.tokenizer import Token
    from attnviz.engine.trace import Trace
    from attnviz.session.view import View

# As many keys are all shown; of more this share, the strongest, the others as one row.
MOST_KEYS: Final = 16
_SHARE: Final = 0.75


@dataclass(frozen=True, eq=False)
class Content:
    """One query's way through one head.

    n_shown_head: of so many shown heads this is the lowest; query, query_position: its row in the attention, and its place among
    the picture's tokens; was_pinned: it was chosen, not taken for want of a choice; vectors: what enters for each key,
    [key, d_model]; shown: the keys with a row of their own, in order; rest: the other keys; n_layer: of the stack;
    changes: all that a person changed in the run; changed: what they made of this attention, None where it is the softmax's.
    """

    steps: Steps
    kind: Kind
    layer: int
    n_layer: int
    head: int
    head_count: int
    n_shown_head: int
    query: int
    query_position: int
    was_pinned: bool
    query_token: Token
    keys: tuple[Token, ...]
    vectors: Float32
    shown: tuple[int, ...]
    rest: tuple[int, ...]
    is_parallel: bool
    residual_is_normed: bool
    changes: Changes = NOTHING
    changed: Changed | None = None

    @property
    def is_cross(self) -> bool:
        """Whether the keys are another text's."""
        return self.kind == "cross"

    @property
    def weights(self) -> Float32:
        """This head's attention, which weighs the values, [key]."""
        return self.by_softmax if self.changed is None else self.changed.weights

    @property
    def by_softmax(self) -> Float32:
        """The softmax's result, in whose place a person may have put other weights, [key]."""
        return self.steps.attention[self.head]

    @property
    def strength(self) -> float:
        """A person's factor on this head's output, 1 where there is none."""
        return 1.0 if self.steps.strength is None else float(self.steps.strength[self.head])

    def is_muted(self, head: int) -> bool:
        """Whether a person muted a head of this layer."""
        return HeadAt(self.kind, self.layer, head) in self.changes.muted

    @property
    def sees(self) -> NDArray[np.bool_]:
        """Which keys the query may look at, bool [key]."""
        return ~self.steps.hidden

    @property
    def group(self) -> tuple[int, ...]:
        """The heads that read the same keys and values as this one, this one alone where each has its own."""
        first, last = self.steps.kv_head, self.steps.kv_last
        same = (first == first[self.head]) & (last == last[self.head])
        return tuple(np.flatnonzero(same).tolist()) if self.steps.n_kv_head < self.steps.n_head else (self.head,)

    @property
    def cosine(self) -> float:
        """The cosine between the query's vector before and behind the attention; 0 where one of them is 0."""
        before, after = (np.asarray(v, np.float64) for v in (self.steps.entering, self.steps.leaving))
        size = float(np.linalg.norm(before) * np.linalg.norm(after))
        return float(before @ after) / size if size else 0.0


def content_of(trace: Trace, view: View, most: int = MOST_KEYS) -> Content | None:
    """The steps that a view asks for: of its token in focus, else of the last token of the text; of the lowest head that is shown,
    None where none is. most: so many keys are all shown. Raises IndexError for a layer that the model does not have."""
    kind = kind_of(trace, view)
    heads = heads_of(trace, view)
    if not heads:
        return None
    head, keys, queries = heads[0], trace.keys(kind), trace.queries(kind)
    first = first_query(trace, kind)
    position, was_pinned = _query(trace, view, kind)
    steps = _steps(trace, kind, view.layer, position - first)
    sink = float(trace.sink(view.layer, kind)[head, position - first])
    changed = changed_of(steps, trace.changes, HeadAt(kind, view.layer, head), position - first, sink)
    shown = _shown(steps.attention[head], changed, steps.hidden, None if first else position, most)
    stack = trace.config.stack_of(kind)
    return Content(
        steps=steps,
        kind=kind,
        layer=view.layer,
        n_layer=stack.n_layer,
        head=head,
        head_count=trace.head_count_of(kind),
        n_shown_head=len(heads),
        query=position - first,
        query_position=position,
        was_pinned=was_pinned,
        query_token=queries[position - first],
        keys=keys,
        vectors=trace.hidden if kind == "cross" else trace.entering(view.layer, kind),
        shown=shown,
        rest=tuple(key for key in range(len(keys)) if key not in set(shown)),
        is_parallel=stack.is_parallel,
        residual_is_normed=stack.residual_is_normed,
        changes=trace.changes,
        changed=changed,
    )


def first_query(trace: Trace, kind: Kind) -> int:
    """The position of the first token that looks among the picture's tokens."""
    return len(trace.keys(kind)) if kind == "cross" else 0


def shown_keys(weights: Float32, hidden: NDArray[np.bool_], always: Collection[int], most: int = MOST_KEYS) -> tuple[int, ...]:
    """The keys with a row of their own: all, or of many the strongest that can be seen, and `always`; in the text's order."""
    if len(weights) <= most:
        return tuple(range(len(weights)))
    order = [int(key) for key in np.argsort(-weights, kind="stable") if not hidden[key]]
    n = max(int(_SHARE * most), len(always))
    others = [key for key in order if key not in always]
    chosen = {*always, *others[: n - len(always)]}
    return tuple(sorted(chosen))


def _shown(
    by_softmax: Float32, changed: Changed | None, hidden: NDArray[np.bool_], query: int | None, most: int
) -> tuple[int, ...]:
    """The keys with a row of their own; of a changed attention those that are strong before or after it, and those set by hand."""
    always = set() if query is None else {query}
    if changed is None:
        return shown_keys(by_softmax, hidden, always, most)
    always |= {int(by_softmax.argmax()), *changed.chosen}  # the largest of the softmax is in its formula
    return shown_keys(np.maximum(by_softmax, changed.weights), hidden, always, most)


def _query(trace: Trace, view: View, kind: Kind) -> tuple[int, bool]:
    """The position of the query among the picture's tokens, and whether it was chosen."""
    tokens, first = tokens_of_kind(trace, kind), first_query(trace, kind)
    if view.focus is not None and first <= view.focus < len(tokens):
        return view.focus, True
    written = [at for at in range(first, len(tokens)) if not tokens[at].is_special]
    return (written[-1] if written else len(tokens) - 1), False


# The newest steps of each trace: a window asks again for another width, theme or head, which change none of them. No more: of a
# long text and a large model they are hundreds of megabytes.
_KEPT: WeakKeyDictionary[Trace, tuple[tuple[Kind, int, int], Steps]] = WeakKeyDictionary()


def _steps(trace: Trace, kind: Kind, layer: int, query: int) -> Steps:
    wanted = (kind, layer, query)
    kept = _KEPT.get(trace)
    if kept is None or kept[0] != wanted:
        kept = (wanted, trace.steps(layer, query, kind))
        _KEPT[trace] = kept
    return kept[1]
