"""BERT (Devlin et al. 2018): learned positions and segments, post-norm, biases everywhere, exact GELU."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.config import ConfigKeys, ModelConfig
from attnviz.engine.layers import EmbeddingWeights, LayerWeights, Norm, Weights
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from attnviz.engine.weights import TensorFile

# Keys that change training, labels or bookkeeping, never the attention of a forward pass.
HARMLESS = frozenset(
    """_name_or_path architectures attention_probs_dropout_prob bos_token_id classifier_dropout
    chunk_size_feed_forward directionality dtype eos_token_id finetuning_task gradient_checkpointing hidden_dropout_prob
    id2label initializer_range label2id language model_type name_or_path num_labels output_attentions output_hidden_states
    output_past pad_token_id pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head
    pooler_type problem_type return_dict sep_token_id tie_word_embeddings torch_dtype torchscript
    transformers_version use_cache""".split()
)
ACTIVATION_NAMES = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
# Heads that a checkpoint may carry on top of the encoder, and buffers that hold 0, 1, 2 ….
_BESIDE_THE_ENCODER = re.compile(r"(pooler|cls|classifier|qa_outputs|lm_head)\.|embeddings\.(position_ids|token_type_ids)$")


def read_config(keys: ConfigKeys) -> ModelConfig:
    """The ModelConfig of a BERT config.json. Raises ModelError for a key or value that is not understood."""
    config = ModelConfig(
        family="bert",
        n_layer=keys.integer("num_hidden_layers", 1, 1_000),
        n_head=keys.integer("num_attention_heads", 1, 1_000),
        d_model=keys.integer("hidden_size", 1, 100_000),
        d_ff=keys.integer("intermediate_size", 1, 1_000_000),
        n_vocab=keys.integer("vocab_size", 1, 10_000_000),
        n_position=keys.integer("max_position_embeddings", 2, 1_000_000),
        n_segment=keys.integer("type_vocab_size", 1, 1_000),
        norm_eps=keys.number("layer_norm_eps", 0.0, 1.0),
        activation=keys.choice("hidden_act", ACTIVATION_NAMES),
    )
    if config.d_model % config.n_head:
        raise keys.refuse(f'"hidden_size" {config.d_model} is not a multiple of "num_attention_heads" {config.n_head}')
    keys.only("position_embedding_type", "absolute")
    keys.only("is_decoder", False)
    keys.only("add_cross_attention", False)
    keys.only("is_encoder_decoder", False)
    keys.only("pruned_heads", {})
    keys.only("embedding_size", config.d_model)
    keys.finish(HARMLESS)
    return config


def read_weights(config: ModelConfig, file: TensorFile) -> Weights:
    """All tensors of the encoder. Raises ModelError if one is missing, of a wrong shape, or unknown."""
    reader = _Reader(config, file)
    weights = Weights(embeddings=reader.embeddings(), layers=tuple(reader.layer(number) for number in range(config.n_layer)))
    reader.refuse_unknown()
    return weights


class _Reader:
    """Maps the checkpoint's names, with or without the `bert.` prefix and the old gamma/beta, to ours."""

    def __init__(self, config: ModelConfig, file: TensorFile) -> None:
        self._config = config
        self._file = file
        self._prefix = "bert." if any(name.startswith("bert.embeddings.") for name in file.names) else ""
        self._read: set[str] = set()

    def embeddings(self) -> EmbeddingWeights:
        c = self._config
        return EmbeddingWeights(
            word=self._tensor("embeddings.word_embeddings.weight", (c.n_vocab, c.d_model)),
            position=self._tensor("embeddings.position_embeddings.weight", (c.n_position, c.d_model)),
            segment=self._tensor("embeddings.token_type_embeddings.weight", (c.n_segment, c.d_model)),
            norm=self._norm("embeddings.LayerNorm"),
        )

    def layer(self, number: int) -> LayerWeights:
        c = self._config
        at = f"encoder.layer.{number}."
        q, q_bias = self._linear(at + "attention.self.query", c.d_model, c.d_model)
        k, k_bias = self._linear(at + "attention.self.key", c.d_model, c.d_model)
        v, v_bias = self._linear(at + "attention.self.value", c.d_model, c.d_model)
        out, out_bias = self._linear(at + "attention.output.dense", c.d_model, c.d_model)
        up, up_bias = self._linear(at + "intermediate.dense", c.d_model, c.d_ff)
        down, down_bias = self._linear(at + "output.dense", c.d_ff, c.d_model)
        return LayerWeights(
            qk=np.concatenate([q, k]).T,
            qk_bias=np.concatenate([q_bias, k_bias]),
            v=v.T,
            v_bias=v_bias,
            out=out.T,
            out_bias=out_bias,
            attention_norm=self._norm(at + "attention.output.LayerNorm"),
            up=up.T,
            up_bias=up_bias,
            down=down.T,
            down_bias=down_bias,
            output_norm=self._norm(at + "output.LayerNorm"),
        )

    def refuse_unknown(self) -> None:
        extra = sorted(
            name for name in self._file.names - self._read if not _BESIDE_THE_ENCODER.match(name.removeprefix(self._prefix))
        )
        if extra:
            raise ModelError(f'The weights hold "{extra[0]}", which a BERT encoder does not have; this is another kind of model.')

    def _linear(self, name: str, d_in: int, d_out: int):  # -> [out, in], [out]
        return self._tensor(name + ".weight", (d_out, d_in)), self._tensor(name + ".bias", (d_out,))

    def _norm(self, name: str) -> Norm:
        old = self._prefix + name + ".gamma" in self._file.names
        scale, shift = (".gamma", ".beta") if old else (".weight", ".bias")
        width = (self._config.d_model,)
        return Norm(self._tensor(name + scale, width), self._tensor(name + shift, width))

    def _tensor(self, name: str, shape: tuple[int, ...]):
        self._read.add(self._prefix + name)
        return self._file.read(self._prefix + name, shape)
