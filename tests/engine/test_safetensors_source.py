"""Weights come as float32 whatever the file stores, from one file or several, and nothing is read before it is asked for."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import save, save_file

from attnviz.engine.files import INDEX
from attnviz.engine.safetensors_source import SafetensorsSource, find_weights
from attnviz.errors import ModelError
from tests.engine.pipes import pipe

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
FLOATS = ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]
MATRIX = np.array([[0.0, -1.5, 0.25], [2.0, 448.0, -0.015625]], np.float32)  # exact in each of the kinds


def dtype_of(name: str) -> np.dtype[Any]:
    return np.dtype(getattr(ml_dtypes, name) if hasattr(ml_dtypes, name) else name)


def written(folder: Path, tensors: dict[str, Any], name: str = "model.safetensors") -> SafetensorsSource:
    save_file(tensors, folder / name)
    return SafetensorsSource((folder / name,))


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        SafetensorsSource(find_weights(folder))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize("kind", FLOATS)
def test_each_kind_of_float_comes_as_float32(tmp_path: Path, kind: str) -> None:
    source = written(tmp_path, {"odd": np.zeros(3, np.uint8), "a": MATRIX.astype(dtype_of(kind))})
    assert source.shape("a") == (2, 3)
    assert source.read("a").dtype == np.float32
    assert np.array_equal(source.read("a"), MATRIX)
    assert np.array_equal(source.rows("a", np.array([1, 0, 1])), MATRIX[[1, 0, 1]])
    assert np.array_equal(source.rows("a", slice(1, 9)), MATRIX[1:])
    assert source.stored("a").dtype == dtype_of(kind)


@given(bits=arrays.arrays(np.uint16, st.integers(1, 300)))
def test_every_bfloat16_comes_as_the_number_it_is(tmp_path_factory: pytest.TempPathFactory, bits: Any) -> None:
    stored = bits.view(ml_dtypes.bfloat16)
    read = written(tmp_path_factory.mktemp("m"), {"a": stored}).read("a")
    with np.errstate(invalid="ignore"):  # signalling NaNs
        assert np.array_equal(read, stored.astype(np.float32), equal_nan=True)


def test_float32_is_a_read_only_view_of_the_file(tmp_path: Path) -> None:
    array = written(tmp_path, {"a": MATRIX}).read("a")
    assert not array.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1


@pytest.mark.parametrize("kind", ["uint16", "int32", "bool"])
def test_whole_numbers_are_refused_as_weights_by_name_and_kind(tmp_path: Path, kind: str) -> None:
    source = written(tmp_path, {"a": np.ones((2, 2), kind)})
    for read in (lambda: source.read("a"), lambda: source.rows("a", slice(1))):
        with pytest.raises(ModelError, match=r'"a" is stored as (U16|I32|BOOL); attnviz reads BF16, F16'):
            read()


def written_beside_its_boundaries(folder: Path, tensors: dict[str, Any], by: int) -> SafetensorsSource:
    """The file with so many blanks more in its header, so that no number lies on its own boundary."""
    whole = save(tensors)
    length = int.from_bytes(whole[:8], "little")
    header = whole[8 : 8 + length] + b" " * by
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + whole[8 + length :])
    return SafetensorsSource((folder / "model.safetensors",))


@pytest.mark.parametrize("by", [1, 2, 4])
@pytest.mark.parametrize("kind", FLOATS)
def test_a_header_of_any_length_gives_the_same_numbers_on_their_boundaries(tmp_path: Path, kind: str, by: int) -> None:
    source = written_beside_its_boundaries(tmp_path, {"a": MATRIX.astype(dtype_of(kind))}, by)
    pick = np.array([1, 0, 1])
    parts = {"whole": source.read("a"), "rows": source.rows("a", pick), "span": source.rows("a", slice(1, 2))}
    for name, wanted in {"whole": MATRIX, "rows": MATRIX[pick], "span": MATRIX[1:]}.items():
        assert np.array_equal(parts[name], wanted)
        assert parts[name].flags.aligned
    assert source.stored("a").flags.aligned


@pytest.mark.parametrize("by", [0, 1])
def test_some_rows_cost_no_more_memory_than_they_take(tmp_path: Path, by: int) -> None:
    source = written_beside_its_boundaries(tmp_path, {"a": np.zeros((1024, 1024), np.float32)}, by)
    for rows in (np.array([7, 3]), slice(5, 6)):
        tracemalloc.start()
        try:
            source.rows("a", rows)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < MIB


@pytest.mark.parametrize("name", ["model.safetensors", "other.safetensors"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    with pipe(tmp_path / name, save({"a": MATRIX})):
        assert refusal(tmp_path).startswith(f"{tmp_path / name}: not a regular file")


def test_a_folder_is_no_file_of_weights(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    assert "not a regular file" in refusal(tmp_path)


def shards(folder: Path, tensors: dict[str, Any], of: int = 2) -> dict[str, str]:
    """Deal the tensors out to so many files and write the index; returns its map."""
    names = {name: f"model-{i % of + 1:05}-of-{of:05}.safetensors" for i, name in enumerate(tensors)}
    for file in set(names.values()):
        save_file({name: tensors[name] for name in tensors if names[name] == file}, folder / file)
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": names}))
    return names


def test_shards_are_read_as_one_model(tmp_path: Path) -> None:
    tensors = {name: MATRIX + i for i, name in enumerate("abcde")}
    shards(tmp_path, tensors, of=3)
    source = SafetensorsSource(find_weights(tmp_path))
    assert source.names == frozenset(tensors)
    for name, tensor in tensors.items():
        assert np.array_equal(source.read(name), tensor)


def test_a_missing_shard_is_named_with_how_many_there_are(tmp_path: Path) -> None:
    names = shards(tmp_path, dict.fromkeys("abc", MATRIX), of=3)
    (tmp_path / names["b"]).unlink()
    assert f"{names['b']} is missing, one of the 3 parts" in refusal(tmp_path)


def test_a_tensor_in_two_shards_is_refused(tmp_path: Path) -> None:
    names = shards(tmp_path, dict.fromkeys("ab", MATRIX))
    save_file({"a": MATRIX, "b": MATRIX}, tmp_path / names["b"])
    assert '"a" is in two of the files' in refusal(tmp_path)


@pytest.mark.parametrize(
    "index",
    [
        "",
        "[]",
        "{}",
        '{"weight_map": {}}',
        '{"weight_map": []}',
        '{"weight_map": {"a": 7}}',
        '{"weight_map": {"a": "../../etc/passwd"}}',
        '{"weight_map": {"a": "../other.safetensors"}}',
        '{"weight_map": {"a": "weights.bin"}}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:40],
)
def test_an_index_that_is_none_is_refused_and_leads_nowhere_else(tmp_path: Path, index: str) -> None:
    save_file({"a": MATRIX}, tmp_path / "model-00001-of-00002.safetensors")
    (tmp_path / INDEX).write_text(index)
    assert INDEX in refusal(tmp_path)


def header_of(values: object) -> bytes:
    text = json.dumps(values).encode()
    return len(text).to_bytes(8, "little") + text


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
LIES = {
    "nothing": b"",
    "seven bytes": b"1234567",
    "a header of 2^63 bytes": (1 << 63).to_bytes(8, "little") + b"{}",
    "a header of 2^64 - 1 bytes": b"\xff" * 8 + b"{}",
    "a header longer than the file": (1_000).to_bytes(8, "little") + b"{}",
    "no JSON": (4).to_bytes(8, "little") + b"{{{{",
    "a list": header_of([1, 2]) + bytes(8),
    "deep nesting": (200_000).to_bytes(8, "little") + b"[" * 200_000,
    "offsets behind the end": header_of({"a": {**ENTRY, "data_offsets": [0, 80]}}) + bytes(8),
    "offsets of 2^63": header_of({"a": {**ENTRY, "data_offsets": [1 << 63, (1 << 63) + 8]}}) + bytes(8),
    "negative offsets": header_of({"a": {**ENTRY, "data_offsets": [-8, 0]}}) + bytes(8),
    "offsets in the wrong order": header_of({"a": {**ENTRY, "data_offsets": [8, 0]}}) + bytes(8),
    "overlapping tensors": header_of({"a": ENTRY, "b": ENTRY}) + bytes(8),
    "a hole": header_of({"a": ENTRY, "b": {**ENTRY, "data_offsets": [16, 24]}}) + bytes(24),
    "a shape larger than its bytes": header_of({"a": {**ENTRY, "shape": [1_000_000]}}) + bytes(8),
    "a shape whose product overflows": header_of({"a": {**ENTRY, "shape": [1 << 62, 1 << 62]}}) + bytes(8),
    "a negative shape": header_of({"a": {**ENTRY, "shape": [-2]}}) + bytes(8),
    "an unknown kind": header_of({"a": {**ENTRY, "dtype": "F7"}}) + bytes(8),
    "bytes left over": header_of({"a": ENTRY}) + bytes(80),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_one_sentence_with_the_files_name(tmp_path: Path, lie: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(LIES[lie])
    sentence = refusal(tmp_path)
    assert "model.safetensors" in sentence
    assert len(sentence) < 400


@given(st.data())
def test_no_change_of_bytes_does_anything_but_refuse_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = bytearray(save({"a": MATRIX, "b": np.arange(4, dtype=np.float16)}))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("m")
    (folder / "model.safetensors").write_bytes(whole)
    with suppress(ModelError):
        source = SafetensorsSource(find_weights(folder))
        for name in source.names:
            assert source.read(name).shape == source.shape(name)
