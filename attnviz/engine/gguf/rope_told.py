"""The rotary positions of a GGUF model, as the `rope_parameters` of a Hugging Face configuration.

Defaults and meanings: llama.cpp's load_hparams (llama-model.cpp), llama-context.cpp and rope_yarn (ggml-cpu/ops.cpp).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from attnviz.engine.config_keys import LONGEST

if TYPE_CHECKING:
    from attnviz.engine.gguf.told import Told

FREQS, SHORT, LONG = "rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight"
_TYPES: Final = {name: name for name in ("none", "linear", "yarn", "longrope")}


def rope_of(told: Told, truncate: bool = True, base: float = 10_000.0, factor: float = 1.0) -> dict[str, Any]:
    """`rope_parameters`. truncate: whether yarn's range is in whole numbers, which the file does not say; base, factor: where
    the file does not say."""
    d_head = told.d_head
    width = told.size("rope.dimension_count", d_head, default=d_head)
    kind = told.choice("rope.scaling.type", _TYPES, default="linear")
    factor = told.number("rope.scaling.factor|rope.scale_linear", 0.0, 1e6, default=factor) or 1.0
    told.only("rope.scaling.alpha", 0.0)
    rope: dict[str, Any] = {"rope_theta": told.number("rope.freq_base|rope.global.freq_base", 1.0, 1e12, default=base)}
    # Half a number more, so that what is cut to a whole number is `width` again.
    rope["partial_rotary_factor"] = 1.0 if width == d_head else (width + 0.5) / d_head
    original = told.size("rope.scaling.original_context_length", LONGEST, default=told.size("context_length", LONGEST))
    _refuse_several(told, kind, factor)
    if told.has(SHORT):
        return rope | _longrope(told, width, original)
    if kind == "yarn":
        return rope | _yarn(told, factor, original, truncate)
    told.only("rope.scaling.attn_factor", 1.0)
    if told.has(FREQS):
        return rope | {"rope_type": "divided", "divisors": told.numbers(FREQS, width // 2)}
    if kind == "linear" and factor != 1.0:
        return rope | {"rope_type": "linear", "factor": factor}
    return rope | {"rope_type": "default"}


def _refuse_several(told: Told, kind: str, factor: float) -> None:
    """Raises ModelError where more than one thing would stretch the positions, or the tensors for it are missing."""
    if told.has(SHORT) != told.has(LONG):
        raise told.keys.refuse(f'only one of "{SHORT}" and "{LONG}" is there; the file is not the whole model')
    if kind == "longrope" and not told.has(SHORT):  # Phi-3's converter has the tensors and may name no type
        raise told.keys.refuse(
            f'"{told.name}.rope.scaling.type" is longrope and "{SHORT}" is missing; the file is not the whole model'
        )
    ways = [f'"{tensor}"' for tensor in (SHORT, FREQS) if told.has(tensor)]
    if kind == "yarn":
        ways.append(f'"{told.name}.rope.scaling.type" yarn')
    elif kind != "none" and factor != 1.0:
        ways.append(f'"{told.name}.rope.scaling.factor" {factor:g}')
    if len(ways) > 1:
        raise told.keys.refuse(f"both {ways[0]} and {ways[1]} stretch the positions; attnviz knows one at a time")


def _longrope(told: Told, width: int, original: int) -> dict[str, Any]:
    return {
        "rope_type": "longrope",
        "short_factor": told.numbers(SHORT, width // 2),
        "long_factor": told.numbers(LONG, width // 2),
        "original_max_position_embeddings": original,
        "attention_factor": told.number("rope.scaling.attn_factor", 0.0, 1e3, default=1.0),
    }


def _yarn(told: Told, factor: float, original: int, truncate: bool) -> dict[str, Any]:
    told.only("rope.scaling.yarn_ext_factor", 1.0, -1.0)  # -1: not set
    told.only("rope.scaling.yarn_log_multiplier", 0.0)
    # The converter writes here what config.json calls attention_factor; llama.cpp passes it over, the model's own code does not.
    own = told.number("rope.scaling.yarn_attn_factor", 0.0, 1e3, default=0.1 * math.log(factor) + 1 if factor > 1 else 1.0)
    return {
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": original,
        "attention_factor": own * told.number("rope.scaling.attn_factor", 0.0, 1e3, default=1.0),
        "beta_fast": told.number("rope.scaling.yarn_beta_fast", 1e-6, 1e6, default=32.0),
        "beta_slow": told.number("rope.scaling.yarn_beta_slow", 1e-6, 1e6, default=1.0),
        "truncate": truncate,
    }
