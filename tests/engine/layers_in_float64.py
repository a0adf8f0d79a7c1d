"""The layers of golden models as `attention_in_float64` computes them, from the tensors and configurations that `families_reader`
makes; nothing from attnviz."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tests.engine.attention_in_float64 import Float64, Matrix, Normalise, Part, Turn, gelu, gelu_tanh, relu, silu
from tests.engine.layer_names import LAYERS
from tests.golden.families_reader import read_about, weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Thinking:
    """The feed-forward part of one layer, with its norms."""

    up: Matrix
    down: Matrix
    activation: Callable[[Float64], Float64]
    gate: Matrix | None = None
    before: Normalise | None = None
    output: Normalise | None = None
    after: Normalise | None = None
    residual_is_normed: bool = False
    is_parallel: bool = False

    def following(self, entering: Float64, leaving: Float64) -> Float64:
        """The vector that leaves the layer, from the one that enters it and the one that leaves its attention."""
        read = entering if self.is_parallel else leaving
        inner = read if self.before is None else self.before(read)
        wide = self.up(inner) if self.gate is None else self.activation(self.gate(inner)) * self.up(inner)
        y = self.down(self.activation(wide) if self.gate is None else wide)
        y = y if self.output is None else self.output(y)
        y = y + (inner if self.residual_is_normed else leaving)
        return y if self.after is None else self.after(y)


@dataclass(frozen=True)
class Tensors:
    """The tensors of one layer, in float64."""

    all: Mapping[str, NDArray[np.float32]]
    at: str
    eps: float
    is_rms: bool
    adds_one: bool  # Gemma stores a norm's scale less 1

    def tensor(self, name: str) -> Float64:
        return self.all[self.at + name].astype(np.float64)

    def matrix(self, name: str) -> Matrix:
        bias = self.at + name + ".bias"
        return Matrix(self.tensor(name + ".weight").T, self.tensor(name + ".bias") if bias in self.all else 0.0)

    def norm(self, name: str | None) -> Normalise | None:
        if name is None:
            return None
        shift = self.tensor(name + ".bias") if self.at + name + ".bias" in self.all else 0.0
        return Normalise(self.tensor(name + ".weight") + self.adds_one, shift, self.eps, self.is_rms)

    def fused(self, name: str, n_head: int) -> list[Matrix]:
        """Query, key and value of the first head, then of the next, in one product."""
        both = self.matrix(name)
        weight, bias = both.weight.reshape(len(both.weight), n_head, 3, -1), np.reshape(both.bias, (n_head, 3, -1))
        return [Matrix(weight[:, :, part].reshape(len(weight), -1), bias[:, part].reshape(-1)) for part in range(3)]


_ACTIVATIONS: Final = {"gelu": gelu, "relu": relu, "silu": silu, "swish": silu, "gelu_pytorch_tanh": gelu_tanh}


class LayerInFloat64:
    """One layer of a golden model; n: how many tokens look."""

    def __init__(self, case: str, kind: str, layer: int, n: int) -> None:
        self._case, self._kind, self._layer = case, kind, layer
        self._names = LAYERS[case, kind]
        self._config: dict[str, Any] = read_about(case)["config"]
        self._tensors = self._read()
        self.part = self._part(n)

    def _key(self, *names: str, default: Any = None) -> Any:
        return next((self._config[name] for name in names if self._config.get(name) is not None), default)

    def _read(self) -> Tensors:
        unsaid = 1e-5 if self._case == "marian-mt" else 1e-12  # Marian's and DistilBERT's
        eps = self._key("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", default=unsaid)
        is_rms = "rms_norm_eps" in self._config or self._case == "t5-tied"
        return Tensors(weights(self._case), self._names.at.format(self._layer), eps, is_rms, self._case.startswith("gemma"))

    def _part(self, n: int) -> Part:
        names, tensors = self._names, self._tensors
        n_head = self._key("num_attention_heads", "n_heads", "n_head", "num_heads", "encoder_attention_heads")
        q, k, v = tensors.fused(names.qkv[0], n_head) if len(names.qkv) == 1 else map(tensors.matrix, names.qkv)
        width = q.weight.shape[1] // n_head
        q_norm, k_norm = (tensors.norm(names.head_norms and names.head_norms.format(side)) for side in "qk")
        return Part(
            n_head,
            self._key("num_key_value_heads", default=n_head),
            width,
            q,
            k,
            v,
            tensors.matrix(names.out),
            scale=1.0 if self._case == "t5-tied" else self._key("query_pre_attn_scalar", default=width) ** -0.5,
            before=tensors.norm(names.before),
            output=tensors.norm(names.output),
            after=tensors.norm(names.after),
            q_norm=q_norm,
            k_norm=k_norm,
            turn=self._turn(width),
            bias=self._bias(n_head, n),
            cap=self._key("attn_logit_softcapping"),
            hides=self._hides(),
            sinks=None if names.sinks is None else tensors.tensor(names.sinks),
            residual_is_normed=self._key("apply_residual_connection_post_layernorm", default=False),
        )

    def thinking(self) -> Thinking:
        """The feed-forward part, of a layer that has one without experts."""
        names, tensors = self._names, self._tensors
        activation = self._key("hidden_act", "activation", "activation_function", "hidden_activation", "dense_act_fn")
        before, output, after = map(tensors.norm, names.norms)
        return Thinking(
            tensors.matrix(names.up),
            tensors.matrix(names.down),
            _ACTIVATIONS[activation or "gelu_pytorch_tanh"],  # BLOOM has no key for it
            None if names.gate is None else tensors.matrix(names.gate),
            before,
            output,
            after,
            self._key("apply_residual_connection_post_layernorm", default=False),
            self._key("use_parallel_residual", default=False),
        )

    def _hides(self) -> Callable[[int, int], bool]:
        types = self._key("layer_types")
        slides = types is not None and types[self._layer] == "sliding_attention"
        reach = self._key("sliding_window") if slides else math.inf  # the query itself counts
        if self._kind == "decoder":
            return lambda query, key: key > query or query - key >= reach
        return lambda query, key: False

    def _turn(self, width: int) -> Turn | None:
        rope = self._key("rope_parameters")
        if rope is None:
            return None
        rope = rope.get(self._key("layer_types", default=[None] * 9)[self._layer], rope)
        turning = int(width * rope.get("partial_rotary_factor", 1.0))
        plain = rope["rope_theta"] ** (-np.arange(0, turning, 2) / turning)
        return _STRETCHED[rope["rope_type"]](plain, rope, turning)

    def _bias(self, n_head: int, n: int) -> Float64 | None:
        back = np.arange(n)[:, None] - np.arange(n)[None, :]
        if self._case.startswith("bloom"):
            # Press et al. 2022; written by the key's position, as BLOOM's code does, and not by the distance.
            slopes = [2.0 ** -(2 * i) for i in range(1, 5)] + [2.0**-1, 2.0**-3]
            return np.broadcast_to(np.array(slopes[:n_head])[:, None, None] * np.arange(n), (n_head, n, n))
        if self._case == "t5-tied" and self._kind != "cross":
            table = weights(self._case)[f"{self._kind}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
            far = self._key("relative_attention_max_distance")
            buckets = np.vectorize(lambda one: t5_bucket(int(one), len(table), far, self._kind == "decoder"))(back)
            return table.astype(np.float64)[buckets].transpose(2, 0, 1)
        return None


def t5_bucket(back: int, n: int, far: int, is_causal: bool) -> int:
    """The bucket of a key that stands `back` before the query. Source: Raffel et al. 2020, section 2.1."""
    first = 0
    if not is_causal:
        n //= 2
        first = n if back < 0 else 0
    back = max(back, 0) if is_causal else abs(back)
    if back < n // 2:
        return first + back
    return first + min(n - 1, n // 2 + int(math.log(back / (n // 2)) / math.log(far / (n // 2)) * (n - n // 2)))


def _yarn(plain: Float64, rope: dict[str, Any], width: int) -> Turn:
    """Peng et al. 2023, sections 3.2 and 3.4: r rotations over the original positions decide how much of a frequency is kept."""
    rotations = [rope["beta_fast"], rope["beta_slow"]]
    original, theta = rope["original_max_position_embeddings"], rope["rope_theta"]
    fast, slow = (width * math.log(original / (r * 2 * math.pi)) / (2 * math.log(theta)) for r in rotations)
    fast, slow = max(fast, 0), min(slow, width - 1)
    kept = 1 - np.clip((np.arange(width // 2) - fast) / (slow - fast), 0, 1)
    return Turn(plain * kept + plain / rope["factor"] * (1 - kept), 0.1 * math.log(rope["factor"]) + 1)


def _llama3(plain: Float64, rope: dict[str, Any], width: int) -> Turn:
    """Llama 3.1's release, 2024: long wavelengths divided, short ones kept, a ramp between."""
    turns = rope["original_max_position_embeddings"] * plain / (2 * math.pi)
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return Turn(plain * kept + plain / rope["factor"] * (1 - kept))


_STRETCHED: Final[dict[str, Callable[[Float64, dict[str, Any], int], Turn]]] = {
    "default": lambda plain, rope, width: Turn(plain),
    "linear": lambda plain, rope, width: Turn(plain / rope["factor"]),
    "llama3": _llama3,
    "yarn": _yarn,
}
