"""Every format that the gguf library unpacks gives the library's numbers: whole tensors, some rows, one expert."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any, Final

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz import load_model
from attnviz.engine.gguf.stored import open_stored
from tests.golden.families_reader import read_about
from tests.golden.gguf_cases import dequantized, tokenizer_metadata, write_told_folder
from tests.golden.gguf_wide import WIDEST, widened
from tests.golden.gguf_writer import convert, finish, write_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def _is_unpacked(kind: Type) -> bool:
    block, size = gguf.GGML_QUANT_SIZES[kind]
    try:
        gguf.dequantize(np.zeros((1, size), np.uint8), kind)
    except NotImplementedError:
        return False
    return block > 1


PACKED: Final = tuple(kind for kind in gguf.GGML_QUANT_SIZES if _is_unpacked(kind))
# Where a block has its half-precision scales, for blocks of random bytes with numbers of a sensible size.
SCALES: Final = {
    Type.Q4_0: (0,),
    Type.Q8_0: (0,),
    Type.Q2_K: (80, 82),
    Type.Q3_K: (108,),
    Type.Q4_K: (0, 2),
    Type.Q5_K: (0, 2),
    Type.Q6_K: (208,),
    Type.IQ4_NL: (0,),
    Type.IQ4_XS: (0,),
    Type.IQ2_XXS: (0,),
    Type.IQ3_S: (0,),
    Type.TQ2_0: (64,),
}


def random_blocks(kind: Type, shape: tuple[int, ...], seed: int) -> NDArray[np.uint8]:
    """Stored bytes of a tensor of that shape, [..., bytes of a row]."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = np.random.default_rng(seed).integers(0, 256, (*shape[:-1], shape[-1] // block, size), np.uint8, endpoint=False)
    for at in SCALES.get(kind, ()):
        blocks[..., at : at + 2] = np.frombuffer(np.float16(2e-4).tobytes(), np.uint8)
    return blocks.reshape(*shape[:-1], -1)


def write_stored(path: Path, tensors: dict[str, tuple[Any, Type | None]]) -> Path:
    """A GGUF file of tensors as they are stored."""
    writer = gguf.GGUFWriter(path, "llama")
    for name, (data, kind) in tensors.items():
        writer.add_tensor(name, data, raw_dtype=kind)
    finish(writer)
    return path


def test_all_the_formats_of_published_files_are_among_them() -> None:
    wanted = "Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ1_S IQ1_M IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S IQ4_NL IQ4_XS"
    assert {kind.name for kind in PACKED} >= {*wanted.split(), "TQ1_0", "TQ2_0", "MXFP4"}


@pytest.mark.parametrize("kind", PACKED, ids=lambda kind: kind.name)
def test_whole_tensors_rows_and_experts_are_as_the_library_unpacks_them(kind: Type, tmp_path: Path) -> None:
    stacked, matrix = random_blocks(kind, (3, 5, 512), 1), random_blocks(kind, (150, 512), 2)
    path = write_stored(tmp_path / "model.gguf", {"stacked": (stacked, kind), "matrix": (matrix, kind)})
    tensors = open_stored(path).tensors
    with np.errstate(all="ignore"):
        wanted, wanted_stacked = gguf.dequantize(matrix, kind), gguf.dequantize(stacked, kind)
    np.testing.assert_array_equal(tensors["matrix"].rows(), wanted)
    np.testing.assert_array_equal(tensors["stacked"].rows(), wanted_stacked)
    rows = np.array([149, 0, 7, 7])
    np.testing.assert_array_equal(tensors["matrix"].rows(rows), wanted[rows])
    np.testing.assert_array_equal(tensors["matrix"].rows(slice(3, 9)), wanted[3:9])
    np.testing.assert_array_equal(tensors["stacked"].rows(slice(1, 2)), wanted_stacked[1:2])
    assert tensors["matrix"].rows().dtype == np.float32


@pytest.mark.parametrize("kind", [Type.Q4_0, Type.Q4_K, Type.BF16], ids=lambda kind: kind.name)
def test_only_the_rows_asked_for_take_memory_and_little_beside_them(kind: Type, tmp_path: Path) -> None:
    n, width = 20_000, 256
    tensor = open_stored(write_stored(tmp_path / "model.gguf", {"a": (random_blocks(kind, (n, width), 3), kind)})).tensors["a"]
    tensor.rows(slice(0, 1))  # what is made once
    tracemalloc.start()
    try:
        tensor.rows(np.arange(0, n, 200))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
        tracemalloc.reset_peak()
        tensor.rows()
        assert tracemalloc.get_traced_memory()[1] < 4 * n * width + (4 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["f4", "f2", "f8", "i1", "i2", "i4", "i8"])
def test_plain_numbers_are_read_as_they_are(dtype: str, tmp_path: Path) -> None:
    numbers = (np.arange(-30, 30).reshape(4, 15) / (4 if dtype[0] == "f" else 1)).astype(dtype)
    stored = open_stored(write_stored(tmp_path / "model.gguf", {"a": (numbers, None)})).tensors["a"]
    np.testing.assert_array_equal(stored.rows(), numbers.astype(np.float32))
    np.testing.assert_array_equal(stored.rows(np.array([2, 2])), numbers[[2, 2]].astype(np.float32))
    assert not stored.rows().flags.writeable or dtype != "f4"


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=2 * 64, max_size=2 * 64))
def test_bfloat16_is_the_upper_half_of_a_float32(raw: bytes) -> None:
    from attnviz.engine.gguf.kinds import kind_of

    kind = kind_of(int(Type.BF16), "", ValueError)
    stored = np.frombuffer(raw, np.uint8).reshape(4, 32)
    np.testing.assert_array_equal(kind.as_float32(stored), gguf.dequantize(stored, Type.BF16))


@pytest.mark.parametrize("kind", SCALES, ids=lambda kind: kind.name)
def test_a_model_of_such_blocks_gives_what_its_numbers_give(
    kind: Type, tmp_path: Path, use_tokenizer: Callable[[str], None]
) -> None:
    about = read_about("llama-gqa")
    use_tokenizer(about["tokenizer"])
    config, tensors = widened("llama-gqa", WIDEST["llama-gqa"])
    converted = convert(config, tensors)
    stored = {
        name: random_blocks(kind, tensor.shape, seed)
        for seed, (name, tensor) in enumerate(converted.tensors.items())
        if tensor.ndim > 1 and name.startswith("blk.")
    }
    numbers = {name: gguf.dequantize(blocks, kind) for name, blocks in stored.items()}

    def stored_as(name: str, tensor: NDArray[Any]) -> Type:
        return kind if name in stored else Type.F32

    write_gguf(tmp_path / "model.gguf", converted, stored_as, tokenizer_metadata(about), stored)
    folder = write_told_folder(tmp_path / "folder", config, dequantized(config, tensors, numbers), about["tokenizer"])
    found, wanted = (load_model(place).trace("Tick tock: 12 and 12 make 24!") for place in (tmp_path / "model.gguf", folder))
    for layer in range(config["num_hidden_layers"]):
        np.testing.assert_allclose(found.attention(layer), wanted.attention(layer), rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.logits(), wanted.logits(), rtol=0, atol=1e-4 * np.abs(wanted.logits()).max())
