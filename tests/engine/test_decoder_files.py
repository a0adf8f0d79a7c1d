"""Decoders in the forms that their files come in: experts one by one or stacked, an output matrix of its own or none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz import load_model
from attnviz.engine.config_keys import LONGEST
from attnviz.engine.mxfp4 import unpack_mxfp4
from attnviz.errors import ModelError
from tests.golden.families_reader import weights, write_model, write_weights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Tensors = dict[str, NDArray[Any]]

TEXT = "Why not? The animal was tired."
MIXTRAL, TIED, UNTIED, MXFP4 = "mixtral-two-of-four", "llama-head-dim-tied", "llama-gqa", "gpt-oss-mxfp4"


def write_other(case: str, folder: Path, tensors: Tensors, **changes: Any) -> Path:
    """The golden model with other tensors and a changed configuration."""
    write_model(case, folder)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    write_weights({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, folder)
    return folder


def assert_same(one: Path, other: Path) -> None:
    """Both folders hold the same model: as near as float32 comes, since some processors round a product by how its factors lie
    in memory."""
    a, b = load_model(one).trace(TEXT), load_model(other).trace(TEXT)
    for layer in range(a.n_layer):
        assert np.allclose(a.attention(layer), b.attention(layer), rtol=0, atol=1e-6)
    assert np.allclose(a.logits(), b.logits(), rtol=0, atol=1e-5 * np.abs(b.logits()).max())


def stacked_experts(tensors: Tensors) -> Tensors:
    """Mixtral's tensors with the experts of a layer in one, as transformers 5 holds them."""
    published = ".block_sparse_moe."
    stacked = {name.replace(f"{published}gate.", ".mlp.gate."): t for name, t in tensors.items() if ".experts." not in name}
    layers = sorted({name.split(published)[0] for name in tensors if published in name})
    for layer in layers:
        at = f"{layer}{published}experts."
        n = len([name for name in tensors if name.startswith(at) and name.endswith(".w1.weight")])
        gate, down, up = (np.stack([tensors[f"{at}{i}.w{part}.weight"] for i in range(n)]) for part in (1, 2, 3))
        stacked[f"{layer}.mlp.experts.gate_up_proj"] = np.concatenate([gate, up], axis=1)
        stacked[f"{layer}.mlp.experts.down_proj"] = down
    return stacked


def test_experts_one_by_one_and_stacked_are_the_same_model(tmp_path: Path) -> None:
    stacked = write_other(MIXTRAL, tmp_path / "stacked", stacked_experts(weights(MIXTRAL)))
    assert_same(write_model(MIXTRAL, tmp_path / "published"), stacked)


def test_packed_experts_are_the_model_that_their_numbers_make(tmp_path: Path) -> None:
    tensors = weights(MXFP4)
    plain = {name: tensor for name, tensor in tensors.items() if tensor.dtype == np.float32}
    for name in [name.removesuffix("_blocks") for name in tensors if name.endswith("_blocks")]:
        experts = zip(tensors[f"{name}_blocks"], tensors[f"{name}_scales"], strict=True)
        plain[name] = np.stack([unpack_mxfp4(blocks, scales).T for blocks, scales in experts])
    written = write_other(MXFP4, tmp_path / "plain", plain, quantization_config=None)
    assert_same(write_model(MXFP4, tmp_path / "packed"), written)


def test_a_files_own_output_matrix_goes_before_tied_word_vectors(tmp_path: Path) -> None:
    tensors = weights(TIED)
    words = tensors["model.embed_tokens.weight"]
    assert "lm_head.weight" not in tensors
    both = write_other(TIED, tmp_path / "both", {**tensors, "lm_head.weight": words[::-1]})
    tied, own = load_model(write_model(TIED, tmp_path / "tied")).trace(TEXT), load_model(both).trace(TEXT)
    assert np.array_equal(own.attention(1), tied.attention(1))
    np.testing.assert_allclose(own.logits()[:, ::-1], tied.logits(), rtol=0, atol=1e-5)


def test_a_language_model_without_its_output_matrix_is_refused_by_the_name(tmp_path: Path) -> None:
    tensors = {name: tensor for name, tensor in weights(UNTIED).items() if name != "lm_head.weight"}
    with pytest.raises(ModelError, match=r'"lm_head\.weight" is missing'):
        load_model(write_other(UNTIED, tmp_path, tensors))


def test_a_classifier_of_the_same_layers_predicts_no_tokens(tmp_path: Path) -> None:
    tensors = {name: tensor for name, tensor in weights(UNTIED).items() if name != "lm_head.weight"}
    tensors["score.weight"] = tensors["model.norm.weight"][None]
    folder = write_other(UNTIED, tmp_path / "classifier", tensors, architectures=["LlamaForSequenceClassification"])
    trace = load_model(folder).trace(TEXT)
    assert trace.logits() is None
    assert np.array_equal(trace.hidden, load_model(write_model(UNTIED, tmp_path / "whole")).trace(TEXT).hidden)


@pytest.mark.parametrize(
    ("case", "made_for"),
    [
        ("llama-rope-linear", {"max_position_embeddings": 16}),
        ("gpt-neox-parallel", {"max_position_embeddings": 16}),
        ("gemma2-caps-windows", {"max_position_embeddings": 16}),
        ("gpt-oss-mxfp4", {"max_position_embeddings": 16}),
        ("bloom-lm", {"seq_length": 16}),
    ],
)
def test_a_text_longer_than_a_model_was_made_for_is_read_whole(case: str, made_for: dict[str, int], tmp_path: Path) -> None:
    model = load_model(write_other(case, tmp_path, weights(case), **made_for))
    assert (model.config.n_trained, model.config.n_position) == (16, LONGEST)
    trace = model.trace(TEXT * 9)
    assert trace.encoding.left_out == 0
    assert len(trace.tokens) > 64
    np.testing.assert_allclose(trace.attention(0)[:, :6, :6], model.trace(TEXT).attention(0)[:, :6, :6], rtol=0, atol=1e-5)


@pytest.mark.parametrize("case", ["gpt2-lm", "opt-lm"])
def test_a_text_longer_than_a_table_of_positions_is_cut(case: str, tmp_path: Path) -> None:
    model = load_model(write_model(case, tmp_path))
    assert model.config.n_trained == model.config.n_position
    trace = model.trace(TEXT * 9)
    assert len(trace.tokens) == model.config.n_position
    assert trace.encoding.left_out > 0
