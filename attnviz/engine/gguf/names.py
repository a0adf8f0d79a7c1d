"""What a GGUF file calls the tensors of a Hugging Face checkpoint, a table per architecture; # stands for a layer's number.

Source: the gguf library's tensor_mapping.py and constants.py, llama.cpp's conversion/*.py.
"""

from __future__ import annotations

# Name in the file, without .weight or .bias -> name in the checkpoint, and one of the views of tensors.py where the
# converter did more than rename. @ stands for an expert's number.
Names = dict[str, str | tuple[str, str]]


def _decoder(**changes: str | tuple[str, str]) -> Names:
    """LLaMA's names; changes: by the file's name within a layer, "" leaves one out."""
    layer: Names = {
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_norm": "post_attention_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    }
    layer |= changes
    return {
        "token_embd": "model.embed_tokens",
        "output_norm": "model.norm",
        "output": "lm_head",
        **_layers("blk.#.", "model.layers.#.", {name: to for name, to in layer.items() if to}),
    }


def _layers(at: str, to: str, names: Names) -> Names:
    """The names of a layer's tensors with what goes before them on either side."""
    return {at + name: to + hf if isinstance(hf, str) else (to + hf[0], hf[1]) for name, hf in names.items()}


def _less_one(names: Names) -> Names:
    """The same names, with norms that the file has plus 1."""
    return {name: (to, "less_one") if isinstance(to, str) and name.endswith("norm") else to for name, to in names.items()}


_HEAD_NORMS: Names = {"attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"}
_OUTPUT_NORMS: Names = {"post_attention_norm": "post_attention_layernorm", "post_ffw_norm": "post_feedforward_layernorm"}

_LLAMA: Names = _decoder(
    attn_q=("self_attn.q_proj", "unpermuted"),
    attn_k=("self_attn.k_proj", "unpermuted_shared"),
    ffn_gate_inp="block_sparse_moe.gate",
    ffn_gate_exps=("block_sparse_moe.experts.@.w1", "slabs"),
    ffn_down_exps=("block_sparse_moe.experts.@.w2", "slabs"),
    ffn_up_exps=("block_sparse_moe.experts.@.w3", "slabs"),
    # Until 2024 each expert had a tensor of its own.
    **{"ffn_gate.@": "block_sparse_moe.experts.@.w1"},
    **{"ffn_down.@": "block_sparse_moe.experts.@.w2"},
    **{"ffn_up.@": "block_sparse_moe.experts.@.w3"},
)

_GPT_OSS: Names = _decoder(
    ffn_norm="",
    ffn_gate="",
    ffn_up="",
    ffn_down="",
    post_attention_norm="post_attention_layernorm",
    attn_sinks=("self_attn.sinks", "bare"),
    ffn_gate_inp="mlp.router",
    ffn_gate_exps=("mlp.experts.gate_up_proj", "alternating"),
    ffn_up_exps=("mlp.experts.gate_up_proj", "taken"),
    ffn_down_exps=("mlp.experts.down_proj", "stacked"),
)

_GEMMA2: Names = _less_one(_decoder(ffn_norm="pre_feedforward_layernorm", **_OUTPUT_NORMS))
_GEMMA3: Names = _less_one(_decoder(ffn_norm="pre_feedforward_layernorm", **_OUTPUT_NORMS, **_HEAD_NORMS))

_GPT2: Names = {
    "token_embd": "transformer.wte",
    "position_embd": "transformer.wpe",
    "output_norm": "transformer.ln_f",
    "output": "lm_head",
    **_layers(
        "blk.#.",
        "transformer.h.#.",
        {
            "attn_norm": "ln_1",
            "attn_qkv": ("attn.c_attn", "transposed"),
            "attn_output": ("attn.c_proj", "transposed"),
            "ffn_norm": "ln_2",
            "ffn_up": ("mlp.c_fc", "transposed"),
            "ffn_down": ("mlp.c_proj", "transposed"),
        },
    ),
}

_GPT_NEOX: Names = {
    "token_embd": "gpt_neox.embed_in",
    "output_norm": "gpt_neox.final_layer_norm",
    "output": "embed_out",
    **_layers(
        "blk.#.",
        "gpt_neox.layers.#.",
        {
            "attn_norm": "input_layernorm",
            "attn_qkv": ("attention.query_key_value", "by_head"),
            "attn_output": "attention.dense",
            "ffn_norm": "post_attention_layernorm",
            "ffn_up": "mlp.dense_h_to_4h",
            "ffn_down": "mlp.dense_4h_to_h",
        },
    ),
}

_BLOOM: Names = {
    "token_embd": "transformer.word_embeddings",
    "token_embd_norm": "transformer.word_embeddings_layernorm",
    "output_norm": "transformer.ln_f",
    "output": "lm_head",
    **_layers(
        "blk.#.",
        "transformer.h.#.",
        {
            "attn_norm": "input_layernorm",
            "attn_qkv": ("self_attention.query_key_value", "by_head"),
            "attn_output": "self_attention.dense",
            "ffn_norm": "post_attention_layernorm",
            "ffn_up": "mlp.dense_h_to_4h",
            "ffn_down": "mlp.dense_4h_to_h",
        },
    ),
}

_BERT_OUTSIDE: Names = {
    "token_embd": "embeddings.word_embeddings",
    "position_embd": "embeddings.position_embeddings",
    "token_types": "embeddings.token_type_embeddings",
    "token_embd_norm": "embeddings.LayerNorm",
    "cls": "classifier.dense",  # a head for another task
    "cls.output": "classifier.out_proj",
}

_BERT: Names = {
    **_BERT_OUTSIDE,
    **_layers(
        "blk.#.",
        "encoder.layer.#.",
        {
            "attn_q": "attention.self.query",
            "attn_k": "attention.self.key",
            "attn_v": "attention.self.value",
            "attn_output": "attention.output.dense",
            "attn_output_norm": "attention.output.LayerNorm",
            "ffn_up": "intermediate.dense",
            "ffn_down": "output.dense",
            "layer_output_norm": "output.LayerNorm",
        },
    ),
}

_DISTILBERT: Names = {
    **_BERT_OUTSIDE,
    **_layers(
        "blk.#.",
        "transformer.layer.#.",
        {
            "attn_q": "attention.q_lin",
            "attn_k": "attention.k_lin",
            "attn_v": "attention.v_lin",
            "attn_output": "attention.out_lin",
            "attn_output_norm": "sa_layer_norm",
            "ffn_up": "ffn.lin1",
            "ffn_down": "ffn.lin2",
            "layer_output_norm": "output_layer_norm",
        },
    ),
}

_MODERNBERT: Names = {
    "token_embd": "model.embeddings.tok_embeddings",
    "token_embd_norm": "model.embeddings.norm",
    "output_norm": "model.final_norm",
    "cls": "classifier.dense",  # without the words' biases it predicts none
    "cls.norm": "classifier.norm",
    "cls.output": "classifier.out_proj",
    **_layers(
        "blk.#.",
        "model.layers.#.",
        {
            "attn_norm": "attn_norm",
            "attn_qkv": "attn.Wqkv",
            "attn_output": "attn.Wo",
            "ffn_norm": "mlp_norm",
            "ffn_up": "mlp.Wi",
            "ffn_down": "mlp.Wo",
        },
    ),
}


def _t5_side(at: str, to: str, n_part: int) -> Names:
    """One side of a T5. n_part: the feed-forward part's number within a layer."""
    layer: Names = {
        "attn_norm": "layer.0.layer_norm",
        "attn_rel_b": "layer.0.SelfAttention.relative_attention_bias",
        "cross_attn_norm": "layer.1.layer_norm",
        "cross_attn_rel_b": "layer.1.EncDecAttention.relative_attention_bias",
        "ffn_norm": f"layer.{n_part}.layer_norm",
        "ffn_gate": f"layer.{n_part}.DenseReluDense.wi_0",
        "ffn_up": (f"layer.{n_part}.DenseReluDense.wi", "gated_or_not"),
        "ffn_down": f"layer.{n_part}.DenseReluDense.wo",
    }
    layer |= {f"attn_{name}": f"layer.0.SelfAttention.{name}" for name in "qkvo"}
    layer |= {f"cross_attn_{name}": f"layer.1.EncDecAttention.{name}" for name in "qkvo"}
    return _layers(at, to, layer)


_T5: Names = {
    "token_embd": "shared",
    "output": "lm_head",
    "enc.output_norm": "encoder.final_layer_norm",
    "dec.output_norm": "decoder.final_layer_norm",
    **_t5_side("enc.blk.#.", "encoder.block.#.", 1),
    **_t5_side("dec.blk.#.", "decoder.block.#.", 2),
}

# By the `model_type` that the configuration reader found.
TABLES: dict[str, Names] = {
    "llama": _LLAMA,
    "mixtral": _LLAMA,
    "qwen2": _decoder(),
    "qwen3": _decoder(**_HEAD_NORMS),
    "gemma": _less_one(_decoder()),
    "gemma2": _GEMMA2,
    "gemma3_text": _GEMMA3,
    "phi3": _decoder(attn_q="", attn_k="", attn_v="", ffn_gate="", attn_qkv="self_attn.qkv_proj", ffn_up="mlp.gate_up_proj"),
    "olmo2": _decoder(attn_norm="", ffn_norm="", **_HEAD_NORMS, **_OUTPUT_NORMS),
    "gpt_oss": _GPT_OSS,
    "gpt2": _GPT2,
    "gpt_neox": _GPT_NEOX,
    "bloom": _BLOOM,
    "bert": _BERT,
    "roberta": {**_BERT, "position_embd": ("embeddings.position_embeddings", "after_padding")},
    "distilbert": _DISTILBERT,
    "modernbert": _MODERNBERT,
    "t5": _T5,
}
