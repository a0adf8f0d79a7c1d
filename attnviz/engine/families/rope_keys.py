"""Reading rotary positions: `rope_parameters` as transformers 5 writes them, or the `rope_theta` and `rope_scaling` of before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from attnviz.engine.config_keys import LONGEST
from attnviz.engine.rope import Rope, yarn_attention_factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attnviz.engine.config_keys import ConfigKeys


def read_rope(
    keys: ConfigKeys,
    d_head: int,
    n_position: int,
    base: float,
    share: float | None = None,
    original: int | None = None,
    base_name: str = "rope_theta",
    share_name: str = "partial_rotary_factor",
) -> Rope:
    """The rotary positions of a model whose layers share them: `rope_parameters` as transformers 5 writes them, or the earlier
    `rope_theta` and `rope_scaling`.

    base, share, original: the family's own, where nothing is given; share: the part of a head that turns, None for a family that
    turns all of it; base_name, share_name: how the family spells the keys of the two.
    """
    base = keys.number(base_name, 1.0, 1e12, default=base)
    share = _share(keys, share_name, share)
    part = keys.part("rope_parameters|rope_scaling")
    original = keys.integer("original_max_position_embeddings", 1, LONGEST, default=original)
    return rope_from(part, keys, d_head, n_position, base, share, original)


def rope_from(
    part: ConfigKeys | None,
    keys: ConfigKeys,
    d_head: int,
    n_position: int,
    base: float,
    share: float | None = None,
    original: int | None = None,
) -> Rope:
    """One set of rotary positions. part: its own keys, which go before `base` and `share`; `original` goes before its own."""
    if part is None:
        return Rope(_turning(keys, d_head, share), base)
    base = part.number("rope_theta", 1.0, 1e12, default=base)
    share = _share(part, "partial_rotary_factor", share)
    kind = part.choice("rope_type|type", _KINDS, default="default")
    width = _turning(keys, d_head, share)
    if width % 2 and kind not in _ODD_KINDS:
        raise keys.refuse(f'{width} of {d_head} numbers of a head would turn; "rope_type" {kind} takes an even number')
    rope = _STRETCHED[kind](part, width, base, n_position, original)
    part.finish(())
    return rope


def _share(keys: ConfigKeys, name: str, default: float | None) -> float | None:
    """The part of a head that turns; None in a family that turns all of it, whatever a configuration says besides."""
    if default is not None:
        return keys.number(name, 0.0, 1.0, default=default)
    keys.only(name, 1, 1.0)
    return None


def _turning(keys: ConfigKeys, d_head: int, share: float | None) -> int:
    """How many numbers of a head turn. Of an odd number the next one turns along, by transformers' way of pairing them."""
    width = d_head if share is None else int(d_head * share)
    if width < 1 or width + width % 2 > d_head:
        raise keys.refuse(f"{width} of {d_head} numbers of a head would turn with the position; they turn in pairs")
    return width


def _factor(part: ConfigKeys, default: Any = None) -> float:
    return part.number("factor", 1e-3, 1e6) if default is None else part.number("factor", 1e-3, 1e6, default=default)


def _original(part: ConfigKeys, fallback: int) -> int:
    return part.integer("original_max_position_embeddings", 1, LONGEST, default=fallback)


def _default(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    part.only("factor", 1, 1.0)
    return Rope(width, base)


def _linear(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    return Rope(width, base, "linear", _factor(part))


def _dynamic(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    if width <= 2:
        raise part.refuse('"rope_type" dynamic needs heads of which more than two numbers turn')
    part.integer("original_max_position_embeddings", 1, LONGEST, default=None)  # transformers goes by max_position_embeddings
    return Rope(width, base, "dynamic", _factor(part), n_position)


def _yarn(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    original = original or _original(part, n_position)
    factor = _factor(part, n_position / original)
    mscale, mscale_all = (part.number(name, 0.0, 100.0, default=None) for name in ("mscale", "mscale_all_dim"))
    return Rope(
        width,
        base,
        "yarn",
        factor,
        original,
        part.number("attention_factor", 0.0, 1e3, default=yarn_attention_factor(factor, mscale, mscale_all)),
        low=part.number("beta_slow", 1e-6, 1e6, default=1.0),
        high=part.number("beta_fast", 1e-6, 1e6, default=32.0),
        truncate=part.flag("truncate", default=True),
    )


def _llama3(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    low, high = part.number("low_freq_factor", 1e-6, 1e6), part.number("high_freq_factor", 1e-6, 1e6)
    if high <= low:
        raise part.refuse(f'"high_freq_factor" {high} must be more than "low_freq_factor" {low}')
    return Rope(width, base, "llama3", _factor(part), original or _original(part, n_position), low=low, high=high)


def _longrope(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    original = original or _original(part, n_position)
    part.integer("original_max_position_embeddings", 1, LONGEST, default=None)
    factor = _factor(part, n_position / original)
    grown = math.sqrt(1 + math.log(factor) / math.log(original)) if factor > 1 and original > 1 else 1.0
    return Rope(
        width,
        base,
        "longrope",
        factor,
        original,
        part.number("attention_factor", 0.0, 1e3, default=grown),
        short=part.numbers("short_factor", width // 2),
        long=part.numbers("long_factor", width // 2),
    )


def _divided(part: ConfigKeys, width: int, base: float, n_position: int, original: int | None) -> Rope:
    return Rope(width, base, "divided", short=part.numbers("divisors", width // 2))


_STRETCHED = {
    "default": _default,
    "linear": _linear,
    "dynamic": _dynamic,
    "yarn": _yarn,
    "llama3": _llama3,
    "longrope": _longrope,
    "divided": _divided,  # attnviz's own word for the divisors that a GGUF file carries
}
_KINDS: Mapping[str, str] = {**{kind: kind for kind in _STRETCHED}, "su": "longrope"}
# Those whose formula is of the frequencies alone, not of a list or a ramp with one number for each pair.
_ODD_KINDS = ("default", "linear", "dynamic", "llama3")
