"""Numbers that are none (NaN, infinity) never leave the engine: a run that meets them is refused in one sentence."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz.engine.checkpoint import Checkpoint
from attnviz.engine.model import Model, load_model
from attnviz.engine.ops import layer_norm, rms_norm
from attnviz.engine.safetensors_source import SafetensorsSource
from attnviz.errors import InputError, ModelError
from tests.engine.larger_models import write_larger
from tests.engine.tiny_bert import VOCABULARY, write_bert
from tests.golden.families_reader import weights, write_model, write_weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = "the cat"


def damaged(case: str, folder: Path, name: str, change: Callable[[Any], None]) -> Model:
    """The golden case's model with one tensor changed, by the end of its name."""
    write_model(case, folder)
    tensors = weights(case)
    change(next(tensor for full, tensor in tensors.items() if full.endswith(name)))
    write_weights(tensors, folder)
    return load_model(folder)


def put(value: float) -> Callable[[Any], None]:
    def change(tensor: Any) -> None:
        tensor.flat[tensor.size // 2] = value

    return change


def fill(value: float) -> Callable[[Any], None]:
    def change(tensor: Any) -> None:
        tensor[...] = value

    return change


def grow(tensor: Any) -> None:
    tensor *= np.float32(1e25)


def refused(model: Model, work: Callable[[], object]) -> None:
    with pytest.raises(ModelError) as caught:
        work()
    assert str(caught.value).startswith(f"{model.path}: the run gave numbers that are none")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("bert-mlm", "layer.0.attention.self.query.weight"),
        ("bert-mlm", "layer.0.attention.output.dense.bias"),
        ("bert-mlm", "embeddings.LayerNorm.weight"),
        ("bert-mlm", "layer.1.output.LayerNorm.bias"),
        ("llama-gqa", "layers.0.self_attn.k_proj.weight"),
        ("llama-gqa", "layers.0.self_attn.v_proj.weight"),
        ("llama-gqa", "layers.1.mlp.down_proj.weight"),
        ("llama-gqa", "model.norm.weight"),
        ("gpt-neox-parallel", "layers.0.mlp.dense_h_to_4h.weight"),
        ("bloom-lm", "h.0.self_attention.query_key_value.weight"),
        ("mixtral-two-of-four", "layers.1.post_attention_layernorm.weight"),
        ("gpt-oss-windows-yarn", "layers.0.self_attn.o_proj.weight"),
        ("gemma2-caps-windows", "layers.0.self_attn.q_proj.weight"),
        ("t5-tied", "encoder.block.0.layer.0.SelfAttention.o.weight"),
        ("t5-tied", "decoder.block.1.layer.1.EncDecAttention.v.weight"),
    ],
)
def test_one_damaged_number_is_refused(case: str, name: str, value: float, tmp_path: Path) -> None:
    model = damaged(case, tmp_path, name, put(value))
    refused(model, lambda: model.trace(TEXT, TEXT if model.config.decoder else None))


@pytest.mark.parametrize("case", ["bert-mlm", "llama-gqa", "gemma2-caps-windows", "olmo2-lm"])
def test_numbers_whose_squares_are_beyond_float32_are_refused_rather_than_normed_to_zeros(case: str, tmp_path: Path) -> None:
    model = damaged(case, tmp_path, "word_embeddings.weight" if "bert" in case else "embed_tokens.weight", grow)
    refused(model, lambda: model.trace(TEXT))


@pytest.mark.parametrize("norm", [layer_norm, rms_norm])
def test_a_norm_of_squares_beyond_float32_is_no_number_in_that_row_alone(norm: Callable[..., Any]) -> None:
    x = np.array([[1, -2, 3], [1e25, -2e25, 0], [4, 5, 7]], np.float32)
    with np.errstate(over="ignore"):
        normed = norm(x, None, None, 1e-6)
    assert np.isnan(normed).all(axis=1).tolist() == [False, True, False]
    assert np.isfinite(normed[[0, 2]]).all()


def test_numbers_that_float32_does_not_have_are_refused(tmp_path: Path) -> None:
    def change(tensors: dict[str, Any]) -> None:
        for name in ("embeddings.LayerNorm.weight", "encoder.layer.1.output.dense.weight"):
            tensors[name] = tensors[name].astype(np.float64) * 1e300

    model = load_model(write_bert(tmp_path, change=change))
    refused(model, lambda: model.trace(TEXT))


def test_a_packed_block_without_a_scale_is_refused(tmp_path: Path) -> None:
    model = damaged("gpt-oss-mxfp4", tmp_path, "mlp.experts.down_proj_scales", fill(255))
    refused(model, lambda: model.trace(TEXT))


def test_a_damaged_vector_of_a_token_that_is_not_there_does_not_matter(tmp_path: Path) -> None:
    def change(tensors: dict[str, Any]) -> None:
        tensors["embeddings.word_embeddings.weight"][VOCABULARY.index("##ing")] = np.nan

    model = load_model(write_bert(tmp_path, change=change))
    assert np.isfinite(model.trace(TEXT).hidden).all()
    refused(model, lambda: model.trace("cating"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_damaged_predictions_are_refused_and_the_attention_is_not(value: float, tmp_path: Path) -> None:
    model = damaged("llama-gqa", tmp_path, "lm_head.weight", put(value))
    trace = model.trace(TEXT)
    assert np.isfinite(trace.attention(1)).all()
    for _ in range(2):
        refused(model, trace.logits)


def test_a_window_of_one_token_looks_at_itself(tmp_path: Path) -> None:
    model = load_model(write_larger("mistral-window", tmp_path, sliding_window=1))
    trace = model.trace("Why not? The animal was tired.")
    for layer in range(trace.n_layer):
        assert np.array_equal(trace.attention(layer), np.broadcast_to(np.eye(len(trace.ids)), trace.attention(layer).shape))


@pytest.mark.parametrize("case", ["gpt2-lm", "opt-lm", "bloom-lm", "llama-gqa", "bert-mlm"])
def test_an_empty_text_runs_or_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    model = load_model(write_model(case, tmp_path))
    if model.tokenizer.encode("", None, 10).tokens:
        assert np.isfinite(model.trace("").hidden).all()
    else:
        with pytest.raises(InputError, match="empty text; type a sentence"):
            model.trace("")


def test_rows_of_tokens_may_be_written_to_and_change_no_file(tmp_path: Path) -> None:
    folder = write_model("llama-gqa", tmp_path)
    stored = (folder / "model.safetensors").read_bytes()
    file = Checkpoint(SafetensorsSource((folder / "model.safetensors",)), "norm.weight", ("model.",))
    table = file.table("embed_tokens.weight", (401, 32))
    rows = table.rows(np.array([3, 1, 3]))
    before = rows.copy()
    rows *= 2
    assert np.array_equal(table.rows(np.array([3, 1, 3])), before)
    block = table.rows(slice(0, 400))
    assert not block.flags.writeable
    assert np.array_equal(block[[3, 1, 3]], before)
    assert (folder / "model.safetensors").read_bytes() == stored


def test_the_checksum_of_a_model_that_was_deleted_is_one_sentence(tmp_path: Path) -> None:
    model = load_model(write_bert(tmp_path / "model"))
    shutil.rmtree(tmp_path / "model")
    with pytest.raises(ModelError, match=r"model\.safetensors: cannot be read any more") as caught:
        assert model.sha256
    assert len(str(caught.value).splitlines()) == 1
    write_bert(tmp_path / "model")
    assert len(model.sha256) == 64
