"""Between which numbers the seeded weights of a golden case lie: sharp attention, tame activations.

Part of `make_families`. A matrix gets the range that keeps the variance of what it is applied to, times a gain: more
than 1 for queries and keys, less for what is added to the residual stream.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.golden.families_row import Row

# First match counts: a part of the name -> low and high.
_FIXED: Final[tuple[tuple[str, tuple[float, float]], ...]] = (
    (r"_blocks$", (0, 256)),  # pairs of 4-bit floats
    (r"_scales$", (122, 125)),  # exponents: 2^-5 to 2^-3
    (r"sinks$", (-1.0, 2.0)),
    (r"relative_attention_bias", (-2.0, 2.0)),
    (r"(bias|_b)$|final_logits_bias", (-0.3, 0.3)),
    (r"position_embeddings|embed_positions|\bwpe\b", (-0.8, 0.8)),
    (r"token_type_embeddings", (-0.5, 0.5)),
    (r"embed|shared\.weight|\bwte\b", (-1.5, 1.5)),
)
# First match counts: a part of the name -> gain of a matrix.
_GAINS: Final[tuple[tuple[str, float], ...]] = (
    (r"embedding_hidden_mapping|embeddings_project|project_(in|out)", 1.0),
    (r"(query|key|q_proj|k_proj|q_lin|k_lin|\.q|\.k)\.weight$", 1.6),
    (r"c_attn|qkv|Wqkv|query_key_value", 1.5),
    (r"(router|gate)\.weight$", 1.5),
    (r"(o_proj|c_proj|out_proj|down_proj|\.o|wo|w2|fc2|dense_4h_to_h|Wo|out_lin|lin2)(\.weight)?$", 0.8),
)


def range_of(row: Row, name: str, shape: list[int]) -> list[float]:
    """low, high of a tensor, and its dtype if it is not float32."""
    gemma = row.name.startswith("gemma")  # its norms multiply by 1 + weight
    if re.search(r"(q_norm|k_norm)\.weight$", name):
        return [0.2, 1.2] if gemma else [1.2, 2.2]
    if len(shape) == 1 and name.endswith("weight"):
        return [-0.5, 0.5] if gemma else [0.5, 1.5]
    for pattern, (low, high) in _FIXED:
        if re.search(pattern, name):
            return [low, high, "uint8"] if high > 100 else [low, high]
    gain = next((gain for pattern, gain in _GAINS if re.search(pattern, name)), 1.0)
    if gain > 1:
        gain *= row.gain
    inputs_first = row.name.startswith("gpt2") and name.split(".")[-2] in ("c_attn", "c_proj", "c_fc")
    fan_in = shape[-2] if inputs_first or "experts.gate_up_proj" in name or "experts.down_proj" in name else shape[-1]
    bound = round(gain * (3 / fan_in) ** 0.5, 4)
    return [-bound, bound]
