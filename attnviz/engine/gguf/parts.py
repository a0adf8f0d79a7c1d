"""What many architectures tell in the same way, as keys of config.json: functions from what is told to values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnviz.engine.config_keys import LONGEST, MOST_HEADS, MOST_LAYERS
from attnviz.engine.gguf.rope_told import rope_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.gguf.told import Told

    Values = dict[str, Any]
    Part = Callable[[Told], Values]


def fixed(**values: Any) -> Part:
    return lambda told: values


def sizes(
    width: str = "hidden_size",
    layers: str = "num_hidden_layers",
    heads: str = "num_attention_heads",
    inner: str = "intermediate_size",
    positions: str = "max_position_embeddings",
) -> Part:
    """What every model tells; names: the family's."""
    return lambda told: {
        width: told.size("embedding_length"),
        layers: told.size("block_count", MOST_LAYERS),
        heads: told.n_head,
        inner: told.size("feed_forward_length"),
        positions: told.size("context_length", LONGEST),
    }


def learned_positions(name: str) -> Part:
    """As many positions as there are vectors for."""
    return lambda told: {name: told.rows("position_embd.weight")}


def grouped(told: Told) -> Values:
    return {"num_key_value_heads": told.size("attention.head_count_kv", MOST_HEADS, default=told.n_head)}


def head_dim(told: Told) -> Values:
    return {"head_dim": told.d_head}


def even_heads(told: Told) -> Values:
    """Heads that share the model's width, each with its own keys."""
    told.only("attention.head_count_kv", told.n_head)
    even = told.size("embedding_length") // told.n_head
    told.only("attention.key_length", even)
    told.only("attention.value_length", even)
    return {}


def rms(told: Told) -> Values:
    return {"rms_norm_eps": told.number("attention.layer_norm_rms_epsilon", 0.0, 1.0)}


def rms_or_usual(told: Told) -> Values:
    """Gemma's, which not every converter writes."""
    return {"rms_norm_eps": told.number("attention.layer_norm_rms_epsilon", 0.0, 1.0, default=1e-6)}


def layer_norm(name: str) -> Part:
    return lambda told: {name: told.number("attention.layer_norm_epsilon", 0.0, 1.0)}


def tied(told: Told) -> Values:
    return {"tie_word_embeddings": not told.has("output.weight")}


def causal(told: Told) -> Values:
    told.only("attention.causal", True)
    return {}


def both_ways(told: Told) -> Values:
    told.only("attention.causal", False)
    return {}


def one_rope(told: Told) -> Values:
    return {"rope_parameters": rope_of(told)}


def whole_rope(told: Told) -> Values:
    """LLaMA's, whose queries and keys the file has in an order that only makes sense if the whole head turns."""
    told.only("rope.dimension_count", told.d_head)
    return one_rope(told)


def attention_bias(told: Told) -> Values:
    return {
        "attention_bias": told.any(*(f"blk.0.{name}.bias" for name in ("attn_q", "attn_k", "attn_v", "attn_qkv", "attn_output")))
    }


def mlp_bias(told: Told) -> Values:
    return {"mlp_bias": told.any(*(f"blk.0.ffn_{name}.bias" for name in ("gate", "up", "down")))}


def windows(default: int | None, every: int, first_is_full: bool = False) -> Part:
    """Layers with a window and without in turns: of `every` layers one has none, the last or the first."""

    def part(told: Told) -> Values:
        n_layer = told.size("block_count", MOST_LAYERS)
        window = told.whole("attention.sliding_window", default=default) or None
        pattern = told.pattern("attention.sliding_window_pattern", n_layer)
        if not isinstance(pattern, list):
            period, full = pattern or every, 0 if first_is_full else (pattern or every) - 1
            pattern = [number % period != full for number in range(n_layer)]
        slides = [window is not None and sliding for sliding in pattern]
        return {"sliding_window": window, "layer_types": ["sliding_attention" if one else "full_attention" for one in slides]}

    return part


def softcaps(attention: float | None, final: float | None) -> Part:
    return lambda told: {
        f"{name}_logit_softcapping": told.number(f"{name}_logit_softcapping", 0.0, 1e6, default=default) or None
        for name, default in (("attn", attention), ("final", final))
    }


def two_ropes(told: Told, base: float = 10_000.0, factor: float = 1.0) -> Values:
    """Of the layers that look everywhere, and of those with a window; base, factor: of the first, where the file says nothing."""
    local = told.number("rope.freq_base_swa|rope.local.freq_base", 1.0, 1e12, default=10_000.0)
    full = rope_of(told, base=base, factor=factor)
    return {"rope_parameters": {"full_attention": full, "sliding_attention": {"rope_type": "default", "rope_theta": local}}}
