"""One layer's attention of one query, computed a second time: float64, plain NumPy, formulas as papers and the design have them,
weights as they stand in the file; nothing from attnviz.

With N trained heads of width w and H asked for, the N·w numbers of a query are read as H heads of N·w/H; scores are scaled by
s·√(H/N), what a trained head has besides (biases, sinks) is averaged over a merged group and repeated for slices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Matrix:
    """weight: [in, out]; bias: [out] or 0."""

    weight: Float64
    bias: Float64 | float = 0.0

    def __call__(self, x: Float64) -> Float64:
        return x @ self.weight + self.bias


@dataclass(frozen=True)
class Normalise:
    """Mean 0 and variance 1, or with `is_rms` mean square 1, over groups as wide as the scale."""

    scale: Float64
    shift: Float64 | float
    eps: float
    is_rms: bool

    def __call__(self, x: Float64) -> Float64:
        grouped = x.reshape(*x.shape[:-1], -1, len(self.scale))
        if not self.is_rms:
            grouped = grouped - grouped.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((grouped**2).mean(axis=-1, keepdims=True) + self.eps)
        return (grouped / deviation * self.scale + self.shift).reshape(x.shape)


@dataclass(frozen=True)
class Turn:
    """Angles per position, [pair], and the factor on cosine and sine; the numbers i and i + pairs of a head turn together."""

    angles: Float64
    factor: float = 1.0

    def __call__(self, x: Float64, width: int) -> Float64:
        pairs = len(self.angles)
        turned = x.copy()
        for position in range(len(x)):
            cos, sin = (self.factor * turn(position * self.angles) for turn in (np.cos, np.sin))
            for start in range(0, x.shape[1], width):
                left, right = x[position, start : start + pairs], x[position, start + pairs : start + 2 * pairs]
                turned[position, start : start + pairs] = left * cos - right * sin
                turned[position, start + pairs : start + 2 * pairs] = right * cos + left * sin
        return turned


@dataclass(frozen=True)
class Part:
    """The attention part of one layer. bias: [trained head, query, key]; hides(query, key): whether the key is out of sight;
    sinks: [trained head]."""

    n_head: int
    n_kv_head: int
    width: int
    q: Matrix
    k: Matrix
    v: Matrix
    out: Matrix
    scale: float
    before: Normalise | None = None
    output: Normalise | None = None
    after: Normalise | None = None
    q_norm: Normalise | None = None
    k_norm: Normalise | None = None
    turn: Turn | None = None
    bias: Float64 | None = None
    cap: float | None = None
    hides: Callable[[int, int], bool] = lambda query, key: False
    sinks: Float64 | None = None
    residual_is_normed: bool = False

    def steps(self, x: Float64, encoded: Float64 | None, query: int, head_count: int) -> dict[str, Any]:
        """The fields of Steps, but for those that do not depend on this part alone; x: what enters, [token, d_model]; encoded: the
        encoder's vectors for cross-attention."""
        inner = x if self.before is None else self.before(x)
        seen = inner if encoded is None else encoded
        found = {
            "entering": x[query],
            "normed": None if self.before is None else inner[query],
            **self._side("q", inner, self.q, self.q_norm, lambda y: self._query(y[query], head_count)),
            **self._side("k", seen, self.k, self.k_norm, lambda y: self._keys(y, head_count)),
            "values": self._keys(self.v(seen), head_count),
        }
        found |= self._scores(found["q"], found["k"], query)
        weighted = found["attention"][:, :, None] * found["values"]
        context = weighted.sum(axis=1)
        projected = self.out(context.reshape(-1))
        output = projected if self.output is None else self.output(projected)
        added = output + (inner if self.residual_is_normed else x)[query]
        return found | {
            "weighted": weighted,
            "context": context,
            "concatenated": context.reshape(-1),
            "projected": projected,
            "output_normed": None if self.output is None else output,
            "added": added,
            "leaving": added if self.after is None else self.after(added),
            "kv_head": np.array([min(self._trained_keys(h, head_count)) for h in range(head_count)]),
            "kv_last": np.array([max(self._trained_keys(h, head_count)) for h in range(head_count)]),
            "n_head": self.n_head,
            "n_kv_head": self.n_kv_head,
        }

    def value_vectors(self, x: Float64, encoded: Float64 | None, head_count: int) -> Float64:
        """[head, key, d_model]: each key's value times the rows of the output projection that belong to the head."""
        inner = x if self.before is None else self.before(x)
        values = self._keys(self.v(inner if encoded is None else encoded), head_count)
        d = values.shape[2]
        return np.stack([value @ self.out.weight[h * d : (h + 1) * d] for h, value in enumerate(values)])

    def _side(
        self, name: str, x: Float64, matrix: Matrix, norm: Normalise | None, shown: Callable[[Float64], Float64]
    ) -> dict[str, Float64 | None]:
        projected = matrix(x)
        normed = projected if norm is None else norm(projected)
        turned = normed if self.turn is None else self.turn(normed, self.width)
        return {
            f"{name}_projected": shown(projected),
            f"{name}_normed": None if norm is None else shown(normed),
            f"{name}_turned": None if self.turn is None else shown(turned),
            name: shown(turned),
        }

    def _scores(self, q: Float64, k: Float64, query: int) -> dict[str, Any]:
        head_count, n_key = k.shape[:2]
        products = np.array([[q[h] @ k[h, key] for key in range(n_key)] for h in range(head_count)])
        scale = self.scale * math.sqrt(head_count / self.n_head)
        bias = None if self.bias is None else self._averaged(self.bias[:, query], head_count)
        scores = products * scale + (0.0 if bias is None else bias)
        capped = None if self.cap is None else self.cap * np.tanh(scores / self.cap)
        hidden = np.array([self.hides(query, key) for key in range(n_key)])
        scores = np.where(hidden, -np.inf, scores if capped is None else capped)
        sinks = None if self.sinks is None else self._averaged(self.sinks, head_count)
        grown = np.exp(scores)
        total = grown.sum(axis=1) + (0.0 if sinks is None else np.exp(sinks))
        return {
            "products": products,
            "scale": scale,
            "scaled": products * scale,
            "bias": bias,
            "capped": capped,
            "hidden": hidden,
            "scores": scores,
            "attention": grown / total[:, None],
            "sink_score": sinks,
            "sink_share": None if sinks is None else np.exp(sinks) / total,
        }

    def _query(self, numbers: Float64, head_count: int) -> Float64:  # [N·w] -> [H, d]
        return np.stack(np.split(numbers, head_count))

    def _keys(self, numbers: Float64, head_count: int) -> Float64:  # [key, n_kv·w] -> [H, key, d]
        width, all_columns = self.width, range(self.n_head * self.width)
        columns = [self._key_head(column // width) * width + column % width for column in all_columns]
        return np.stack(np.split(numbers[:, columns], head_count, axis=1))

    def _key_head(self, head: int) -> int:
        return head // (self.n_head // self.n_kv_head)

    def _trained(self, head: int, head_count: int) -> list[int]:
        """The trained heads whose numbers a head has."""
        d = self.n_head * self.width // head_count
        return sorted({column // self.width for column in range(head * d, (head + 1) * d)})

    def _trained_keys(self, head: int, head_count: int) -> list[int]:
        return [self._key_head(trained) for trained in self._trained(head, head_count)]

    def _averaged(self, values: Float64, head_count: int) -> Float64:
        return np.stack([values[self._trained(head, head_count)].mean(axis=0) for head in range(head_count)])


def gelu(x: Float64) -> Float64:
    return x * 0.5 * (1 + np.frompyfunc(math.erf, 1, 1)(x / math.sqrt(2)).astype(np.float64))


def gelu_tanh(x: Float64) -> Float64:
    return x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def silu(x: Float64) -> Float64:
    return x / (1 + np.exp(-x))


def relu(x: Float64) -> Float64:
    return np.maximum(x, 0)
