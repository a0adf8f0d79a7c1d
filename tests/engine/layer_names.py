"""What the parts of a layer are called in the files of golden models: a row for each attention that is computed a second time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Names:
    """What a layer's parts are called in the file, with the layer's number left open; parts that it does not have are None."""

    at: str
    qkv: tuple[str, ...]  # three names, or one of a fused product
    out: str
    before: str | None = None
    output: str | None = None
    after: str | None = None
    head_norms: str | None = None
    sinks: str | None = None
    up: str | None = None
    down: str | None = None
    gate: str | None = None
    norms: tuple[str | None, str | None, str | None] = (None, None, None)  # of the feed-forward part


_BERT: Final = Names(
    "bert.encoder.layer.{}.",
    ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention.output.dense",
    after="attention.output.LayerNorm",
    up="intermediate.dense",
    down="output.dense",
    norms=(None, None, "output.LayerNorm"),
)
_DISTILBERT: Final = Names(
    "transformer.layer.{}.",
    ("attention.q_lin", "attention.k_lin", "attention.v_lin"),
    "attention.out_lin",
    after="sa_layer_norm",
    up="ffn.lin1",
    down="ffn.lin2",
    norms=(None, None, "output_layer_norm"),
)
_LLAMA: Final = Names(
    "model.layers.{}.",
    ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attn.o_proj",
    before="input_layernorm",
    up="mlp.up_proj",
    down="mlp.down_proj",
    gate="mlp.gate_proj",
    norms=("post_attention_layernorm", None, None),
)
_GEMMA: Final = replace(
    _LLAMA, output="post_attention_layernorm", norms=("pre_feedforward_layernorm", "post_feedforward_layernorm", None)
)
_OLMO2: Final = replace(
    _LLAMA,
    before=None,
    output="post_attention_layernorm",
    head_norms="self_attn.{}_norm",
    norms=(None, "post_feedforward_layernorm", None),
)
_GPT_OSS: Final = replace(_LLAMA, sinks="self_attn.sinks", up=None)
_NEOX: Final = Names(
    "gpt_neox.layers.{}.",
    ("attention.query_key_value",),
    "attention.dense",
    before="input_layernorm",
    up="mlp.dense_h_to_4h",
    down="mlp.dense_4h_to_h",
    norms=("post_attention_layernorm", None, None),
)
_BLOOM: Final = replace(_NEOX, at="transformer.h.{}.", qkv=("self_attention.query_key_value",), out="self_attention.dense")


def _t5(side: str, sublayer: int, kind: str) -> Names:
    of = f"layer.{sublayer}.{kind}."
    last = 1 if side == "encoder" else 2
    return Names(
        side + ".block.{}.",
        (of + "q", of + "k", of + "v"),
        of + "o",
        before=f"layer.{sublayer}.layer_norm",
        up=f"layer.{last}.DenseReluDense.wi",
        down=f"layer.{last}.DenseReluDense.wo",
        norms=(f"layer.{last}.layer_norm", None, None),
    )


def _marian(side: str, of: str) -> Names:
    return Names(
        f"model.{side}.layers.{{}}.",
        (f"{of}.q_proj", f"{of}.k_proj", f"{of}.v_proj"),
        f"{of}.out_proj",
        after=f"{of}_layer_norm",
        up="fc1",
        down="fc2",
        norms=(None, None, "final_layer_norm"),
    )


# The golden model and the kind of attention -> names.
LAYERS: Final[dict[tuple[str, str], Names]] = {
    ("bert-mlm", "encoder"): _BERT,
    ("distilbert-sinusoidal-bare", "encoder"): _DISTILBERT,
    ("marian-mt", "encoder"): _marian("encoder", "self_attn"),
    ("marian-mt", "decoder"): _marian("decoder", "self_attn"),
    ("marian-mt", "cross"): _marian("decoder", "encoder_attn"),
    ("llama-gqa", "decoder"): _LLAMA,
    ("llama-rope-llama3", "decoder"): _LLAMA,
    ("qwen3-head-dim-tied", "decoder"): replace(_LLAMA, head_norms="self_attn.{}_norm"),
    ("gemma2-caps-windows", "decoder"): _GEMMA,
    ("gemma3-two-bases", "decoder"): replace(_GEMMA, head_norms="self_attn.{}_norm"),
    ("olmo2-lm", "decoder"): _OLMO2,
    ("gpt-oss-windows-yarn", "decoder"): _GPT_OSS,
    ("gpt-neox-parallel", "decoder"): _NEOX,
    ("bloom-lm", "decoder"): _BLOOM,
    ("bloom-six-heads-normed-residual", "decoder"): _BLOOM,
    ("t5-tied", "encoder"): _t5("encoder", 0, "SelfAttention"),
    ("t5-tied", "decoder"): _t5("decoder", 0, "SelfAttention"),
    ("t5-tied", "cross"): _t5("decoder", 1, "EncDecAttention"),
}
