"""Changed runs for tests: models, all arrays that a run leaves, the layers that it computes, and random changes that fit it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import numpy as np
from hypothesis import strategies as st

from attnviz import load_model
from attnviz.engine.blas import keep_to_one_thread
from attnviz.engine.changes import NOTHING, Changes, HeadAt, WeightAt
from attnviz.engine.forward import Pass
from tests.golden.families_reader import read_about, write_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest
    from numpy.typing import NDArray

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace

    Opener = Callable[[str], Model]

TEXT: Final = "The animal didn't cross the street because it was tired; why not?"
PAIR: Final = "L'animal n'a pas traversé la rue."
MINILM: Final = "minilm"
TINY: Final = (
    "bert-mlm",
    "modernbert-mlm",
    "llama-gqa",
    "gpt-neox-parallel",
    "gemma2-caps-windows",
    "gpt-oss-windows-yarn",
    "bloom-lm",
    "t5-tied",
    "bart-lm",
)
MODELS: Final = (MINILM, *TINY)
# Where random changes are tried: windows to both sides, grouped keys, windows backwards, with sinks, three kinds of attention.
RANDOM: Final = ("modernbert-mlm", "llama-gqa", "gemma2-caps-windows", "gpt-oss-windows-yarn", "t5-tied")


def opener(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    """The model of a name, opened once. From now on products run on one thread, as in the window: two wait for busy processors."""
    keep_to_one_thread()
    return cache(lambda case: minilm if case == MINILM else load_model(write_model(case, tmp_path_factory.mktemp("model"))))


def run(model: Model, changes: Changes = NOTHING, head_count: int | None = None, **more: Any) -> Trace:
    """TEXT, or TEXT and PAIR, with changes."""
    return model.trace(TEXT, PAIR if model.config.decoder else None, head_count, changes=changes, **more)


def places(trace: Trace) -> list[tuple[int, str]]:
    """Every attention of a run."""
    return [(layer, kind) for kind in trace.kinds for layer in range(trace.n_layer_of(kind))]


def everything(trace: Trace) -> dict[str, NDArray[np.float32]]:
    """All numbers that a run leaves, by name."""
    found = {"hidden": trace.hidden}
    for kind in trace.kinds:
        found |= {f"what enters {kind} {layer}": trace.entering(layer, kind) for layer in range(trace.n_layer_of(kind) + 1)}
    for layer, kind in places(trace):
        found |= {f"{kind} attention {layer}": trace.attention(layer, kind), f"{kind} sink {layer}": trace.sink(layer, kind)}
    found |= {} if trace.decoder_hidden is None else {"decoder hidden": trace.decoder_hidden}
    return found if trace.logits() is None else found | {"logits": trace.logits()}


def assert_same_bits(found: Trace, wanted: Trace) -> None:
    """Every array of both runs is the same, signs of zeros among them."""
    one, other = everything(found), everything(wanted)
    assert one.keys() == other.keys()
    different = [name for name, array in one.items() if not is_same(array, other[name])]
    assert not different, different


def is_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays are the same to the last bit."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


@cache
def _config(case: str) -> dict[str, Any]:
    return read_about(case)["config"]


@contextmanager
def layers_computed() -> Iterator[list[tuple[str, int, int]]]:
    """The layers that are computed, as (side, layer, tokens); the decoder of two sides is "decoder", any other "first"."""
    seen: list[tuple[str, int, int]] = []
    plain = Pass._layer

    def layer(self: Pass, x: NDArray[np.float32], weights: Any, number: int, *rest: Any) -> NDArray[np.float32]:
        seen.append(("decoder" if self._stack.has_cross else "first", number, len(x)))
        return plain(self, x, weights, number, *rest)

    with mock.patch.object(Pass, "_layer", layer):
        yield seen


@dataclass(frozen=True)
class Ground:
    """What random changes may name: of each kind its layers, heads, queries and keys, and which keys a query sees."""

    sizes: dict[str, tuple[int, int, int, int]]
    case: str

    @classmethod
    def of(cls, case: str, trace: Trace) -> Ground:
        """That of a run."""
        kinds = trace.kinds
        sides = {kind: (len(trace.queries(kind)), len(trace.keys(kind))) for kind in kinds}
        return cls({kind: (trace.n_layer_of(kind), trace.head_count_of(kind), *sides[kind]) for kind in kinds}, case)

    def seen(self, kind: str, layer: int, query: int) -> list[int]:
        """The keys that a query sees, by the model's configuration."""
        n_key = self.sizes[kind][3]
        config = {} if self.case == MINILM else _config(self.case)
        types = config.get("layer_types")
        slides = kind != "cross" and types is not None and types[layer] == "sliding_attention"
        far = max(self.sizes[kind][2:])
        back, ahead = far, 0 if kind == "decoder" else far
        if slides and kind == "decoder":
            back = config["sliding_window"] - 1  # the query itself counts
        elif slides:
            back = ahead = config["local_attention"] // 2
        return list(range(max(0, query - back), min(n_key, query + ahead + 1)))


@st.composite
def fitting_changes(draw: st.DrawFn, ground: Ground) -> Changes:
    """Any changes that fit a run: heads muted, strengths, weights of up to three rows."""
    changes = Changes().with_muting(draw(st.sampled_from(["zero", "uniform", "frozen"])))
    for head in draw(st.lists(heads(ground), max_size=3)):
        changes = changes.with_muted(head, True)
    for head in draw(st.lists(heads(ground), max_size=2)):
        changes = changes.with_strength(head, draw(st.floats(0.0, 2.0)))
    for head in draw(st.lists(heads(ground), max_size=3, unique=True)):
        query = draw(st.integers(0, ground.sizes[head.kind][2] - 1))
        for key, weight in draw(row_weights(ground.seen(head.kind, head.layer, query))).items():
            changes = changes.with_weight(WeightAt(*head, query, key), weight)
    return changes


@st.composite
def heads(draw: st.DrawFn, ground: Ground) -> HeadAt:
    """One head of a run."""
    kind = draw(st.sampled_from(sorted(ground.sizes)))
    n_layer, n_head, _, _ = ground.sizes[kind]
    return HeadAt(kind, draw(st.integers(0, n_layer - 1)), draw(st.integers(0, n_head - 1)))


@st.composite
def row_weights(draw: st.DrawFn, seen: list[int]) -> dict[int, float]:
    """Weights of some keys of one row, in 64ths: together 1 at the most, and just 1 where all keys have one."""
    keys = draw(st.lists(st.sampled_from(seen), min_size=1, max_size=3, unique=True))
    left, weights = 64, {}
    for key in keys:
        weights[key] = draw(st.integers(0, left))
        left -= weights[key]
    if len(keys) == len(seen):
        weights[keys[-1]] += left
    return {key: weight / 64 for key, weight in weights.items()}
