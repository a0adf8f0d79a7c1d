"""The configuration of a GGUF model in the keys of its family's config.json, a row per architecture.

Keys: the gguf library's constants.py. Their defaults, and what the file leaves to the reader (windows that alternate, the scale
of Gemma 2's largest): llama.cpp's load_arch_hparams of each architecture. Where llama.cpp computes otherwise than the model's
own code (GELU by its tanh form in BERT and GPT-NeoX, no windows in Phi-3), the model's own code counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.engine.config_keys import LONGEST, MOST_LAYERS, short
from attnviz.engine.gguf.parts import (
    attention_bias,
    both_ways,
    causal,
    even_heads,
    fixed,
    grouped,
    head_dim,
    layer_norm,
    learned_positions,
    mlp_bias,
    one_rope,
    rms,
    rms_or_usual,
    sizes,
    softcaps,
    tied,
    two_ropes,
    whole_rope,
    windows,
)
from attnviz.engine.gguf.rope_told import rope_of
from attnviz.engine.gguf.told import Told, architecture_of

if TYPE_CHECKING:
    from attnviz.engine.gguf.parts import Part, Values
    from attnviz.engine.gguf.stored import StoredModel

_GELU = "gelu"
_OF_PICTURES = ("vision.", "mm.")  # what a model that also sees has besides, in files that Ollama wrote
_ROBERTAS = ["gpt2", "t5", "llama"]  # tokenizers of RoBERTa and XLM-RoBERTa; BERT's is called as it is
_LEARNED = learned_positions("max_position_embeddings")


def read_config(file: StoredModel) -> Values:
    """The values of config.json. Raises ModelError for an architecture, key or value that is not understood."""
    name = architecture_of(file, ARCHITECTURES)
    told = Told.of(file, name)
    config: Values = {"vocab_size": told.rows("token_embd.weight")}
    for part in ARCHITECTURES[name]:
        config |= part(told)
    told.finish(_OF_PICTURES if name == "gemma3" else ())
    return config


def _llama_or_mixtral(told: Told) -> Values:
    n = told.whole("expert_count", default=0)
    if not n:
        told.only("expert_used_count", 0)
        return {"model_type": "llama", **attention_bias(told), **mlp_bias(told)}
    told.only("expert_gating_func", 1)  # softmax
    return {
        "model_type": "mixtral",
        "num_local_experts": n,
        "num_experts_per_tok": told.size("expert_used_count", n),
        "sliding_window": None,  # the file does not say; the published ones have none
    }


def _phi3(told: Told) -> Values:
    rope = rope_of(told)
    original = rope.get("original_max_position_embeddings")
    return {
        "model_type": "phi3",
        "sliding_window": told.whole("attention.sliding_window", default=0) or None,
        "rope_parameters": rope,
        **({} if original is None else {"original_max_position_embeddings": original}),
    }


def _no_window(told: Told) -> Values:
    """OLMo 2 has none; with one the file is an OLMo 3."""
    told.only("attention.sliding_window", 0)
    return {}


def _gemma_scale(largest: int) -> Part:
    """largest: the layers of the size whose scores are scaled by the width shared out, not by the head's own width."""

    def part(told: Told) -> Values:
        is_largest = told.size("block_count", MOST_LAYERS) == largest
        return {"query_pre_attn_scalar": told.size("embedding_length") // told.n_head if is_largest else told.d_head}

    return part


def _gemma2_rope(told: Told) -> Values:
    rope = rope_of(told)
    told.only("rope.freq_base_swa", rope["rope_theta"])
    return {"rope_parameters": rope}


def _gemma3_ropes(told: Told) -> Values:
    """Ollama's files of the ones that see pictures leave out what those have in common: full layers stretched eightfold.
    Source: Gemma 3 technical report, section 2; convert_gemma3.go of Ollama."""
    return two_ropes(told, base=1_000_000.0, factor=8.0 if told.tells("mm.tokens_per_image") else 1.0)


def _gpt_oss(told: Told) -> Values:
    n = told.size("expert_count", 10_000)
    rope = rope_of(told, truncate=False)  # in the model's own code
    told.only("rope.freq_base_swa", rope["rope_theta"])
    return {
        "model_type": "gpt_oss",
        "intermediate_size": told.size("expert_feed_forward_length"),
        "num_local_experts": n,
        "num_experts_per_tok": told.size("expert_used_count", n),
        "rope_parameters": rope,
    }


def _gpt_neox(told: Told) -> Values:
    return {
        "model_type": "gpt_neox",
        "use_parallel_residual": told.flag("use_parallel_residual", default=True),
        "attention_bias": told.has("blk.0.attn_qkv.bias"),
    }


def _bloom(told: Told) -> Values:
    told.only("attention.max_alibi_bias", 8.0)
    return {"model_type": "bloom", "seq_length": told.size("context_length", LONGEST)}


def _bert(told: Told) -> Values:
    """BERT, or what the converter writes as one: DistilBERT has no segments, RoBERTa's tokenizer is not WordPiece."""
    names = ("dim", "n_layers", "n_heads", "hidden_dim")
    if not told.has("token_types.weight"):
        told.number("attention.layer_norm_epsilon", 0.0, 1e-5)  # fixed in the family's code
        return {
            "model_type": "distilbert",
            "activation": _GELU,
            **sizes(*names)(told),
            **_LEARNED(told),
        }
    common = {
        "type_vocab_size": told.rows("token_types.weight"),
        "hidden_act": _GELU,
        **sizes()(told),
        **layer_norm("layer_norm_eps")(told),
    }
    tokenizer = told.file.metadata.get("tokenizer.ggml.model")
    if not isinstance(tokenizer, str) or tokenizer not in _ROBERTAS:
        return {"model_type": "bert", **common, **_LEARNED(told)}
    padding = told.file.metadata.get("tokenizer.ggml.padding_token_id", 1)
    if type(padding) is not int or not 0 <= padding < 1_000:
        raise told.keys.refuse(f'"tokenizer.ggml.padding_token_id" is {short(padding)}, expected the number of a first token')
    n = told.rows("position_embd.weight") + padding + 1
    return {"model_type": "roberta", **common, "pad_token_id": padding, "max_position_embeddings": n}


def _modernbert(told: Told) -> Values:
    sliding = windows(128, 3, first_is_full=True)(told)
    activation = told.choice("hidden_act|hidden_activation", {"gelu": _GELU, "silu": "silu"}, default=_GELU)
    return {
        "model_type": "modernbert",
        "hidden_activation": activation,
        "local_attention": sliding["sliding_window"] or 1,
        "layer_types": sliding["layer_types"],
        "attention_bias": told.has("blk.0.attn_qkv.bias"),
        "mlp_bias": told.has("blk.0.ffn_up.bias"),
        "norm_bias": told.has("token_embd_norm.bias"),
    }


def _t5(told: Told) -> Values:
    told.number("attention.layer_norm_epsilon", 0.0, 1.0, default=None)
    return {
        "model_type": "t5",
        "d_kv": told.d_head,
        "layer_norm_epsilon": told.number("attention.layer_norm_rms_epsilon", 0.0, 1.0),
        "relative_attention_num_buckets": told.size("attention.relative_buckets_count"),
        "relative_attention_max_distance": 128,  # llama.cpp's fixed one, and that of all published models
        "feed_forward_proj": "gated-gelu" if told.has("enc.blk.0.ffn_gate.weight") else "relu",
    }


def _t5_decoder(told: Told) -> Values:
    n_layer = told.size("block_count", MOST_LAYERS)
    return {
        "num_decoder_layers": told.size("decoder_block_count", MOST_LAYERS, default=n_layer),
        "decoder_start_token_id": told.whole("decoder_start_token_id", default=0),
        **tied(told),
    }


def _t5_heads(told: Told) -> Values:
    told.only("attention.head_count_kv", told.n_head)
    return {}


_DECODER: Final = (sizes(), grouped, head_dim, rms, tied, causal)
_GEMMA: Final = (sizes(), grouped, head_dim, rms_or_usual, tied, attention_bias)
_GEMMA2: Final = (windows(4_096, 2), _gemma2_rope, softcaps(50.0, 30.0), _gemma_scale(46), fixed(model_type="gemma2"))
_GEMMA3: Final = (*_GEMMA, windows(None, 6), _gemma3_ropes, softcaps(None, None), _gemma_scale(62), fixed(model_type="gemma3_text"))
_T5: Final = (sizes("d_model", "num_layers", "num_heads", "d_ff", "n_positions"), _t5_heads, _t5)
_GPT: Final = (even_heads, tied, causal)

ARCHITECTURES: Final[dict[str, tuple[Part, ...]]] = {
    "llama": (*_DECODER, whole_rope, _llama_or_mixtral),
    "qwen2": (*_DECODER, one_rope, fixed(model_type="qwen2")),
    "qwen3": (*_DECODER, one_rope, attention_bias, fixed(model_type="qwen3")),
    "phi3": (*_DECODER, _phi3),
    "olmo2": (*_DECODER, one_rope, attention_bias, _no_window, fixed(model_type="olmo2")),
    "gpt-oss": (*_DECODER, windows(None, 2), attention_bias, _gpt_oss),
    "gemma": (*_GEMMA, causal, one_rope, fixed(model_type="gemma")),
    "gemma2": (*_GEMMA, causal, *_GEMMA2),
    "gemma3": (*_GEMMA3, causal),
    "gemma-embedding": (*_GEMMA3, both_ways, fixed(use_bidirectional_attention=True, architectures=["Gemma3TextModel"])),
    "gpt2": (
        sizes(inner="n_inner"),
        *_GPT,
        _LEARNED,
        layer_norm("layer_norm_epsilon"),
        fixed(model_type="gpt2"),
    ),
    "gptneox": (sizes(), *_GPT, one_rope, layer_norm("layer_norm_eps"), _gpt_neox),
    "bloom": (sizes(inner="n_inner", positions="seq_length"), *_GPT, layer_norm("layer_norm_epsilon"), _bloom),
    "bert": (_bert, even_heads, both_ways),
    "modern-bert": (sizes(), even_heads, both_ways, two_ropes, layer_norm("norm_eps"), _modernbert),
    "t5": (*_T5, _t5_decoder),
    "t5encoder": (*_T5, fixed(is_encoder_decoder=False, architectures=["T5EncoderModel"])),
}
