"""BERT (Devlin et al. 2018): learned positions and segments, post-norm, biases everywhere, exact GELU.

RoBERTa (Liu et al. 2019) and XLM-RoBERTa differ in the positions, which begin after the padding token's number and leave padding
out; ELECTRA (Clark et al. 2020) in word vectors that may be narrower than the layers. Their layers carry the same names.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from attnviz.engine.config import Looking, ModelConfig, Stack
from attnviz.engine.families.family import Family
from attnviz.engine.families.keys import (
    ACTIVATIONS,
    HARMLESS,
    alike,
    head_width,
    heads_of,
    layers_of,
    one_text_encoder,
    positions_of,
    vocabulary_of,
    width_of,
)
from attnviz.engine.layers import AttentionWeights, Embeddings, FeedForward, Head, Layer, Norm, Norms, StackWeights, Weights

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config_keys import ConfigKeys

WORDS = "embeddings.word_embeddings.weight"
# Heads for other tasks that a checkpoint may carry on top of the encoder, and buffers that hold 0, 1, 2 ….
BESIDE = re.compile(
    r"(^|\.)(pooler|classifier|qa_outputs|lm_head|cls|discriminator_predictions|generator_predictions|generator_lm_head|"
    r"sequence_summary)\.|embeddings\.(position_ids|token_type_ids)$"
)


def read_bert(keys: ConfigKeys) -> ModelConfig:
    config = read_encoder(keys, "bert")
    keys.only("embedding_size", config.d_model)
    keys.finish(HARMLESS)
    return config


def read_roberta(keys: ConfigKeys) -> ModelConfig:
    config = read_encoder(keys, "roberta")
    padding = keys.integer("pad_token_id", 0, config.n_vocab - 1, default=1)
    if config.n_position <= padding + 1:
        raise keys.refuse(f'"max_position_embeddings" {config.n_position} leaves no position after "pad_token_id" {padding}')
    keys.finish(HARMLESS)
    n_position = config.n_position - padding - 1
    # The head's transform is GELU whatever the layers' activation is (transformers, RobertaLMHead; ELECTRA's likewise).
    return replace(config, n_position=n_position, n_trained=n_position, padding_id=padding, head_activation="gelu")


def read_electra(keys: ConfigKeys) -> ModelConfig:
    config = read_encoder(keys, "electra")
    embedding_width = keys.integer("embedding_size", 1, 1_000_000, default=128)
    keys.finish(HARMLESS)
    return replace(config, d_embedding=embedding_width, head_activation="gelu")


def read_encoder(keys: ConfigKeys, family: str) -> ModelConfig:
    """What all of BERT's kin have in common; the caller finishes the keys."""
    d_model, n_head, n_layer = width_of(keys), heads_of(keys), layers_of(keys)
    d_head = head_width(keys, d_model, n_head, name="")
    one_text_encoder(keys)
    return ModelConfig(
        family=family,
        n_vocab=vocabulary_of(keys),
        n_position=positions_of(keys),
        n_segment=keys.integer("type_vocab_size", 1, 1_000),
        d_embedding=d_model,
        head_activation=keys.choice("hidden_act", ACTIVATIONS),
        is_tied=keys.flag("tie_word_embeddings", default=True),
        stack=Stack(
            n_layer=n_layer,
            n_head=n_head,
            n_kv_head=n_head,
            d_head=d_head,
            d_model=d_model,
            d_ff=width_of(keys, "intermediate_size"),
            norm="layer",
            norm_eps=keys.number("layer_norm_eps", 0.0, 1.0, default=1e-12),  # Google's own files do not say it
            activation=keys.choice("hidden_act", ACTIVATIONS),
            looks=alike(n_layer, Looking(1.0 / math.sqrt(d_head), is_causal=False)),
        ),
    )


def read_weights(config: ModelConfig, file: Checkpoint) -> Weights:
    stack = StackWeights(embeddings(config, file), layer=partial(_layer, config, file))
    return Weights(stack, head=masked_head(config, file, _HEADS[config.family]))


def embeddings(config: ModelConfig, file: Checkpoint) -> Embeddings:
    """Word, position and segment vectors with their norm, and ELECTRA's projection to the width of the layers."""
    width = config.d_embedding
    rows = config.n_position if config.padding_id is None else config.n_position + config.padding_id + 1
    projection = None
    if config.family == "electra" and width != config.d_model:
        projection = file.linear("embeddings_project", width, config.d_model)
    return Embeddings(
        word=file.table("embeddings.word_embeddings.weight", (config.n_vocab, width)),
        position=file.table("embeddings.position_embeddings.weight", (rows, width)),
        segment=file.table("embeddings.token_type_embeddings.weight", (config.n_segment, width)),
        norm=norm(file, "embeddings.LayerNorm", width),
        projection=projection,
    )


def norm(file: Checkpoint, name: str, width: int, prefixed: bool = True) -> Norm:
    """A norm under its name, or the old gamma and beta that the first conversions from TensorFlow left."""
    if not file.has(f"{name}.gamma", prefixed):
        return file.norm(name, width, prefixed=prefixed)
    return Norm(file.tensor(f"{name}.gamma", (width,), prefixed), file.tensor(f"{name}.beta", (width,), prefixed))


def _layer(config: ModelConfig, file: Checkpoint, number: int) -> Layer:
    d, d_ff = config.d_model, config.stack.d_ff
    at = f"encoder.layer.{number}."
    return Layer(
        attention=AttentionWeights(
            q=file.linear(at + "attention.self.query", d, d),
            k=file.linear(at + "attention.self.key", d, d),
            v=file.linear(at + "attention.self.value", d, d),
            out=file.linear(at + "attention.output.dense", d, d),
        ),
        attention_norms=Norms(after=norm(file, at + "attention.output.LayerNorm", d)),
        feed_forward=FeedForward(
            up=file.linear(at + "intermediate.dense", d, d_ff),
            down=file.linear(at + "output.dense", d_ff, d),
        ),
        feed_forward_norms=Norms(after=norm(file, at + "output.LayerNorm", d)),
    )


@dataclass(frozen=True)
class HeadNames:
    """Where a checkpoint has the parts of its prediction head; bias: the output's, where it is not `output`.bias."""

    dense: str
    norm: str
    output: str
    bias: str


def masked_head(config: ModelConfig, file: Checkpoint, names: HeadNames) -> Head | None:
    """The prediction head of a masked language model, or None where the checkpoint has none.

    The output matrix is its own where the checkpoint has one, else the word vectors'; so is the output's bias, else the one of
    another name. Source: transformers 5, which ties two tensors only if the file does not hold both apart.
    """
    if not file.has(f"{names.dense}.weight", prefixed=False):
        return None
    width = config.d_embedding
    is_own = file.has(f"{names.output}.weight", prefixed=False) or not config.is_tied
    bias = f"{names.output}.bias" if file.has(f"{names.output}.bias", prefixed=False) else names.bias
    return Head(
        output=file.table(f"{names.output}.weight" if is_own else WORDS, (config.n_vocab, width), prefixed=not is_own),
        bias=file.tensor(bias, (config.n_vocab,), prefixed=False),
        transform=file.linear(names.dense, config.d_model, width, prefixed=False),
        norm=norm(file, names.norm, width, prefixed=False),
    )


_HEADS = {
    "bert": HeadNames(
        "cls.predictions.transform.dense",
        "cls.predictions.transform.LayerNorm",
        "cls.predictions.decoder",
        "cls.predictions.bias",
    ),
    "roberta": HeadNames("lm_head.dense", "lm_head.layer_norm", "lm_head.decoder", "lm_head.bias"),
    "electra": HeadNames(
        "generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head", "generator_lm_head.bias"
    ),
}

BERT = Family(read_bert, read_weights, WORDS, ("bert.", ""), BESIDE)
ROBERTA = Family(read_roberta, read_weights, WORDS, ("roberta.", ""), BESIDE)
ELECTRA = Family(read_electra, read_weights, WORDS, ("electra.", ""), BESIDE)
