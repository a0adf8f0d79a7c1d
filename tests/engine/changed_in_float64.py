"""Changed runs computed a second time: float64, plain loops, what a change means as its paper has it; nothing from attnviz.engine
but the names of changes.

- zero (Michel et al. 2019, section 2.3): the head's output times 0; a strength s: times s;
- uniform (Kovaleva et al. 2019): each of the L keys that the query may see has weight 1/L, and a learned sink none;
- frozen (Olsson et al. 2022, pattern-preserving): all attention is that of the run without changes, outputs of muted heads times 0;
- a weight w set by hand: the rest of the row, with the share of a sink, is scaled to 1 - w.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from safetensors.numpy import load_file

from tests.engine.attention_in_float64 import Float64, Matrix, Normalise, Part, gelu
from tests.engine.layer_names import LAYERS
from tests.engine.layers_in_float64 import LayerInFloat64, Thinking
from tests.golden.families_reader import weights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from attnviz.engine.changes import Changes
    from attnviz.engine.trace import Trace

Place = tuple[str, int]


@dataclass
class Run64:
    """Of each attention its weights [head, query, key], what goes to its sinks [head, query] and the vectors that enter it; of each
    kind the vectors that leave its last layer and the final ones."""

    attention: dict[Place, Float64] = field(default_factory=dict)
    shares: dict[Place, Float64] = field(default_factory=dict)
    entering: dict[Place, Float64] = field(default_factory=dict)
    leaving: dict[str, Float64] = field(default_factory=dict)
    hidden: dict[str, Float64] = field(default_factory=dict)


@dataclass(frozen=True)
class Meaning:
    """What changes mean in one attention. frozen: its weights and sinks' shares in the run without changes."""

    factors: dict[int, float] = field(default_factory=dict)
    uniform: frozenset[int] = frozenset()
    rows: dict[tuple[int, int], dict[int, float]] = field(default_factory=dict)
    frozen: tuple[Float64, Float64] | None = None

    @classmethod
    def of(cls, changes: Changes, place: Place, unchanged: Run64 | None) -> Meaning:
        """That of a whole run's changes."""
        muted = {at.head for at in changes.muted if (at.kind, at.layer) == place}
        factors = {at.head: strength for at, strength in changes.strengths if (at.kind, at.layer) == place}
        if changes.muting != "uniform":
            factors |= dict.fromkeys(muted, 0.0)
        rows: dict[tuple[int, int], dict[int, float]] = {}
        for at, weight in changes.weights:
            if (at.kind, at.layer) == place:
                rows.setdefault((at.head, at.query), {})[at.key] = weight
        is_frozen = changes.muting == "frozen" and len(changes.muted) > 0
        frozen = (unchanged.attention[place], unchanged.shares[place]) if is_frozen else None
        return cls(factors, frozenset(muted if changes.muting == "uniform" else ()), rows, frozen)

    def row(self, head: int, query: int, own: Float64, share: float, hidden: NDArray[np.bool_]) -> tuple[Float64, float]:
        """One row of attention, [key], and its sink's share, as they become."""
        row = own.copy()
        if self.frozen is not None:
            row, share = self.frozen[0][head, query].copy(), self.frozen[1][head, query]
        if head in self.uniform:
            row, share = np.where(hidden, 0.0, 1.0 / np.count_nonzero(~hidden)), 0.0
        chosen = self.rows.get((head, query))
        if chosen is not None:
            others = [key for key in range(len(row)) if key not in chosen]
            rest = sum(row[key] for key in others) + share
            scale = (1.0 - sum(chosen.values())) / rest if rest else 0.0
            row[others] *= scale
            share *= scale
            for key, weight in chosen.items():
                row[key] = weight
        return row, share

    def whole(self, own: Float64, hidden: NDArray[np.bool_]) -> Float64:
        """All rows of an attention without sinks, [head, query, key]."""
        n_head, n_query, _ = own.shape
        return np.array([[self.row(h, q, own[h, q], 0.0, hidden[q])[0] for q in range(n_query)] for h in range(n_head)])

    def strengthened(self, context: Float64, head_count: int) -> Float64:
        """The heads' outputs side by side, [..., head_count·d], times their factors."""
        d = context.shape[-1] // head_count
        context = context.copy()
        for head, factor in self.factors.items():
            context[..., head * d : (head + 1) * d] *= factor
        return context


class BertInFloat64:
    """A BERT encoder read from a folder."""

    def __init__(self, folder: Path) -> None:
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.tensors = {name: tensor.astype(np.float64) for name, tensor in load_file(folder / "model.safetensors").items()}

    def run(self, ids: list[int], changes: Changes, head_count: int, unchanged: Run64 | None = None) -> Run64:
        """The run of a text with changes; unchanged: the one without, where attention is frozen."""
        tensors, found = self.tensors, Run64()
        words, positions = tensors["embeddings.word_embeddings.weight"], tensors["embeddings.position_embeddings.weight"]
        x = words[ids] + positions[: len(ids)] + tensors["embeddings.token_type_embeddings.weight"][0]
        x = self._norm("embeddings.LayerNorm", x)
        for layer in range(self.config["num_hidden_layers"]):
            place, at = ("encoder", layer), f"encoder.layer.{layer}."
            meaning = Meaning.of(changes, place, unchanged)
            found.entering[place] = x
            q, k, v = (self._linear(at + f"attention.self.{side}", x) for side in ("query", "key", "value"))
            own = self._own_attention(q, k, head_count)
            attention = found.attention[place] = meaning.whole(own, np.zeros((len(ids), len(ids)), bool))
            found.shares[place] = np.zeros(attention.shape[:2])
            mixed = np.hstack([weights @ part for weights, part in zip(attention, np.hsplit(v, head_count), strict=True)])
            context = meaning.strengthened(mixed, head_count)
            x = self._norm(at + "attention.output.LayerNorm", x + self._linear(at + "attention.output.dense", context))
            inner = gelu(self._linear(at + "intermediate.dense", x))
            x = self._norm(at + "output.LayerNorm", x + self._linear(at + "output.dense", inner))
        found.leaving["encoder"] = found.hidden["encoder"] = x
        return found

    def _own_attention(self, q: Float64, k: Float64, head_count: int) -> Float64:
        n_head = self.config["num_attention_heads"]
        scale = math.sqrt(n_head / q.shape[1]) * math.sqrt(head_count / n_head)
        both = zip(np.hsplit(q, head_count), np.hsplit(k, head_count), strict=True)
        grown = [np.exp(scale * one @ other.T) for one, other in both]
        return np.array([one / one.sum(axis=1, keepdims=True) for one in grown])

    def _linear(self, name: str, x: Float64) -> Float64:
        return x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"]

    def _norm(self, name: str, x: Float64) -> Float64:
        scale, shift = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        return Normalise(scale, shift, self.config["layer_norm_eps"], is_rms=False)(x)


@dataclass(frozen=True)
class ChangedPart(Part):
    """An attention part of which something is changed."""

    meaning: Meaning = field(default_factory=Meaning)

    def _scores(self, q: Float64, k: Float64, query: int) -> dict[str, Any]:
        found = super()._scores(q, k, query)
        shares = np.zeros(len(q)) if found["sink_share"] is None else found["sink_share"]
        rows = [
            self.meaning.row(head, query, own, share, found["hidden"])
            for head, (own, share) in enumerate(zip(found["attention"], shares, strict=True))
        ]
        attention, shares = zip(*rows, strict=True)
        return found | {"attention": np.array(attention), "sink_share": np.array(shares)}


@dataclass(frozen=True)
class StrengthenedOutput:
    """An output projection behind heads with factors."""

    plain: Matrix
    meaning: Meaning
    head_count: int

    def __call__(self, context: Float64) -> Float64:
        return self.plain(self.meaning.strengthened(context, self.head_count))


def attend(part: Part, x: Float64, encoded: Float64 | None, head_count: int, meaning: Meaning) -> tuple[Float64, Float64, Float64]:
    """Of all tokens: attention [head, query, key], sinks' shares [head, query] and what leaves the part, [token, d_model]."""
    out: Any = StrengthenedOutput(part.out, meaning, head_count)
    changed = ChangedPart(**{**vars(part), "out": out}, meaning=meaning)
    steps = [changed.steps(x, encoded, query, head_count) for query in range(len(x))]
    attention, shares = (np.stack([step[name] for step in steps], axis=1) for name in ("attention", "sink_share"))
    return attention, shares, np.stack([step["leaving"] for step in steps])


# The norm of the final vectors in the files of golden models; post-norm layers need none.
_FINAL: Final[dict[tuple[str, str], str | None]] = {
    ("bert-mlm", "encoder"): None,
    ("llama-gqa", "decoder"): "model.norm",
    ("gemma2-caps-windows", "decoder"): "model.norm",
    ("gpt-neox-parallel", "decoder"): "gpt_neox.final_layer_norm",
    ("bloom-lm", "decoder"): "transformer.ln_f",
    ("t5-tied", "encoder"): "encoder.final_layer_norm",
    ("t5-tied", "decoder"): "decoder.final_layer_norm",
    ("marian-mt", "encoder"): None,
    ("marian-mt", "decoder"): None,
}
WHOLE: Final = tuple(dict.fromkeys(case for case, _ in _FINAL))


@cache
def layer_of(case: str, kind: str, layer: int, n: int) -> tuple[Part, Thinking | None]:
    """The parts of a golden model's layer, for so many tokens."""
    made = LayerInFloat64(case, kind, layer, n)
    return made.part, made.thinking() if LAYERS[case, kind].up else None


class TinyInFloat64:
    """A golden model of WHOLE, from the vectors that enter its first layers on, which no change alters."""

    def __init__(self, case: str) -> None:
        self._case = case

    def run(self, like: Trace, changes: Changes, unchanged: Run64 | None = None) -> Run64:
        """The run of another run's text with its head count; unchanged: the one without changes, where attention is frozen."""
        found = Run64()
        for side in ("encoder", "decoder") if "cross" in like.kinds else like.kinds:
            x = like.entering(0, side).astype(np.float64)
            of_layer = (side, "cross") if side == "decoder" and "cross" in like.kinds else (side,)
            for layer in range(like.n_layer_of(side)):
                entering = x
                for kind in of_layer:
                    encoded = found.hidden["encoder"] if kind == "cross" else None
                    x = self._attend(found, (kind, layer), x, encoded, like.head_count_of(kind), changes, unchanged)
                _, thinking = layer_of(self._case, of_layer[-1], layer, len(x))
                x = np.stack([thinking.following(*both) for both in zip(entering, x, strict=True)])
            found.leaving[side], found.hidden[side] = x, self._final(side, x)
        return found

    def _attend(
        self,
        found: Run64,
        place: Place,
        x: Float64,
        encoded: Float64 | None,
        head_count: int,
        changes: Changes,
        unchanged: Run64 | None,
    ) -> Float64:
        part, _ = layer_of(self._case, *place, len(x))
        made = attend(part, x, encoded, head_count, Meaning.of(changes, place, unchanged))
        found.entering[place] = x
        found.attention[place], found.shares[place], leaving = made
        return leaving

    def _final(self, kind: str, x: Float64) -> Float64:
        name = _FINAL[self._case, kind]
        if name is None:
            return x
        tensors, (part, thinking) = weights(self._case), layer_of(self._case, kind, 0, len(x))
        like = part.before or thinking.before
        shift = tensors[f"{name}.bias"].astype(np.float64) if f"{name}.bias" in tensors else 0.0
        scale = tensors[f"{name}.weight"].astype(np.float64) + self._case.startswith("gemma")
        return replace(like, scale=scale, shift=shift)(x)
