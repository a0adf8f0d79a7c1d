"""BERT (Devlin et al. 2018): learned positions and segments, post-norm, biases everywhere, exact GELU.

RoBERTa (Liu et al. 2019) and XLM-RoBERTa differ in the positions, which begin after the padding token's number and leave padding
out; ELECTRA (Clark et al. 2020) in word vectors that may be narrower than the layers. Their layers carry the same names.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
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
    return replace(config, n_position=n_position, n_trained=n_position, padding_id=padding)


def read_electra(keys: ConfigKeys) -> ModelConfig:
    config = read_encoder(keys, "electra")
    embedding_width = keys.integer("embedding_size", 1, 1_000_000, default=128)
    keys.finish(HARMLESS)
    return replace(config, d_embedding=embedding_width)


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
    return Weights(stack, head=_HEADS[config.family](config, file))


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


def masked_head(
    config: ModelConfig, file: Checkpoint, *, dense: str, norm_name: str, output: str, bias: str, words: str, prefixed: bool = False
) -> Head | None:
    """The prediction head of a masked language model, or None where the checkpoint has none.

    The output matrix is its own where the checkpoint has one, else the word vectors', whose name is `words`; so is the output's
    bias, else the one called `bias`. Source: transformers 5, which ties two tensors only if the file does not hold both apart.
    """
    if not file.has(f"{dense}.weight", prefixed):
        return None
    width = config.d_embedding
    is_own = file.has(f"{output}.weight", prefixed) or not config.is_tied
    return Head(
        output=file.table(f"{output}.weight" if is_own else words, (config.n_vocab, width), prefixed or not is_own),
        bias=file.tensor(f"{output}.bias" if file.has(f"{output}.bias", prefixed) else bias, (config.n_vocab,), prefixed),
        transform=file.linear(dense, config.d_model, width, prefixed=prefixed),
        norm=norm(file, norm_name, width, prefixed),
    )


_WORDS = "embeddings.word_embeddings.weight"


def _bert_head(config: ModelConfig, file: Checkpoint) -> Head | None:
    return masked_head(
        config,
        file,
        dense="cls.predictions.transform.dense",
        norm_name="cls.predictions.transform.LayerNorm",
        output="cls.predictions.decoder",
        bias="cls.predictions.bias",
        words=_WORDS,
    )


def _roberta_head(config: ModelConfig, file: Checkpoint) -> Head | None:
    # RoBERTa's transform is GELU whatever the layers' activation is (transformers, RobertaLMHead).
    return masked_head(
        config,
        file,
        dense="lm_head.dense",
        norm_name="lm_head.layer_norm",
        output="lm_head.decoder",
        bias="lm_head.bias",
        words=_WORDS,
    )


def _electra_head(config: ModelConfig, file: Checkpoint) -> Head | None:
    return masked_head(
        config,
        file,
        dense="generator_predictions.dense",
        norm_name="generator_predictions.LayerNorm",
        output="generator_lm_head",
        bias="generator_lm_head.bias",
        words=_WORDS,
    )


_HEADS = {"bert": _bert_head, "roberta": _roberta_head, "electra": _electra_head}

BERT = Family(read_bert, read_weights, _WORDS, ("bert.", ""), BESIDE)
ROBERTA = Family(lambda keys: replace(read_roberta(keys), head_activation="gelu"), read_weights, _WORDS, ("roberta.", ""), BESIDE)
ELECTRA = Family(lambda keys: replace(read_electra(keys), head_activation="gelu"), read_weights, _WORDS, ("electra.", ""), BESIDE)
