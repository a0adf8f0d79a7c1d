"""Reading rotary positions: `rope_parameters` as transformers 5 writes them, or the `rope_theta` and `rope_scaling` of before."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from attnviz.engine.config_keys import LONGEST, REQUIRED
from attnviz.engine.rope import Rope, yarn_attention_factor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attnviz.engine.config_keys import ConfigKeys


@dataclass(frozen=True)
class Usual:
    """A family's heads, and how it turns them where a configuration does not say.

    base: of the wavelengths; share: the part of a head that turns, None for a family that turns all of it; original: positions
    before any stretching; base_name, share_name: how the family spells the keys of the two.
    """

    d_head: int
    n_position: int
    base: float
    share: float | None = None
    original: int | None = None
    base_name: str = "rope_theta"
    share_name: str = "partial_rotary_factor"


def read_rope(keys: ConfigKeys, usual: Usual) -> Rope:
    """The rotary positions of a model whose layers share them: `rope_parameters` as transformers 5 writes them, or the earlier
    `rope_theta` and `rope_scaling`."""
    parts = (keys.part("rope_parameters"), keys.part("rope_scaling"))
    original = keys.integer("original_max_position_embeddings", 1, LONGEST, default=usual.original)
    return rope_of_all(parts, keys, replace(usual, original=original))


def rope_of_all(parts: Iterable[ConfigKeys | None], keys: ConfigKeys, usual: Usual) -> Rope:
    """One set of rotary positions that a configuration may describe twice.

    parts: its keys by either spelling, None for one that is not there. Raises ModelError if the two differ.
    """
    given = [part for part in parts if part is not None] or [None]
    ropes = [rope_from(part, keys, usual) for part in given]
    if any(rope != ropes[0] for rope in ropes):
        raise keys.refuse('"rope_parameters" and "rope_scaling" are two spellings of one key and differ; correct the wrong one')
    return ropes[0]


def rope_from(part: ConfigKeys | None, keys: ConfigKeys, usual: Usual) -> Rope:
    """One set of rotary positions. part: its own keys; the usual base and share hold where neither those nor the keys beside them
    say otherwise, the usual original goes before its own."""
    base = _base(part, keys, usual)
    width = _turning(keys, usual.d_head, _share(part, keys, usual))
    if part is None:
        return Rope(width, base)
    kind = part.choice("rope_type|type", _KINDS, default="default")
    if width % 2 and kind not in _ODD_KINDS:
        raise keys.refuse(f'{width} of {usual.d_head} numbers of a head would turn; "rope_type" {kind} takes an even number')
    rope = _STRETCHED[kind](part, width, base, usual.n_position, usual.original)
    part.finish(())
    return rope


def _base(part: ConfigKeys | None, keys: ConfigKeys, usual: Usual) -> float:
    beside = keys.number(usual.base_name, 1.0, 1e12, default=None)
    own = None if part is None else part.number("rope_theta", 1.0, 1e12, default=None)
    return _agreed(keys, usual.base_name, beside, "rope_theta", own, usual.base)


def _share(part: ConfigKeys | None, keys: ConfigKeys, usual: Usual) -> float | None:
    """The part of a head that turns; None in a family that turns all of it, whatever a configuration says besides."""
    name, inner = usual.share_name, "partial_rotary_factor"
    if usual.share is None:
        keys.only(name, 1, 1.0)
        if part is not None:
            part.only(inner, 1, 1.0)
        return None
    beside = keys.number(name, 0.0, 1.0, default=None)
    own = None if part is None else part.number(inner, 0.0, 1.0, default=None)
    return _agreed(keys, name, beside, inner, own, usual.share)


def _agreed(keys: ConfigKeys, name: str, beside: float | None, inner: str, own: float | None, default: float) -> float:
    """What is told of one thing beside the part and in it. Raises ModelError if the two differ: transformers before 5 and since
    go by different ones."""
    if beside is not None and own is not None and beside != own:
        name = keys.first(*name.split("|"))
        raise keys.refuse(f'"{name}" is {beside:g} and "{inner}" of its rotary positions is {own:g}; correct the wrong one')
    told = own if beside is None else beside
    return default if told is None else told


def _turning(keys: ConfigKeys, d_head: int, share: float | None) -> int:
    """How many numbers of a head turn. Of an odd number the next one turns along, by transformers' way of pairing them."""
    width = d_head if share is None else int(d_head * share)
    if width < 1 or width + width % 2 > d_head:
        raise keys.refuse(f"{width} of {d_head} numbers of a head would turn with the position; they turn in pairs")
    return width


def _factor(part: ConfigKeys, default: Any = REQUIRED) -> float:
    return part.number("factor", 1e-3, 1e6, default)


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
    if base <= 1:
        raise part.refuse(f'"rope_type" yarn needs a "rope_theta" of more than 1, and it is {base:g}')
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
