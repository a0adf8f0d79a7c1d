"""A GGUF file that lies, is cut short or damaged is refused in one sentence that names it, at once and without taking memory."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attnviz import load_model
from attnviz.engine.gguf.header import read_header
from attnviz.errors import ModelError
from tests.golden.families_reader import read_about, weights
from tests.golden.gguf_bytes import ARRAY, BOOL, F32, STRING, U8, U32, U64, entry, gguf_bytes, many, tensor, text, whole
from tests.golden.gguf_cases import GGUF_CASES, tokenizer_metadata
from tests.golden.gguf_writer import Type, convert, stored_if_it_fits, write_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_MEMORY = 50 << 20
LIES = (0, 1, 3, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
ENTRIES = [
    entry("general.architecture", STRING, text("llama")),
    entry("llama.block_count", U32, whole(2)),
    entry("llama.rope.freq_base", F32, struct.pack("<f", 500.0)),
    entry("tokenizer.ggml.add_bos_token", BOOL, b"\1"),
    entry("tokenizer.ggml.tokens", ARRAY, many(STRING, map(text, ["<s>", "é", "▁the"]))),
    entry("tokenizer.ggml.scores", ARRAY, many(F32, [struct.pack("<f", score) for score in (0.0, -1.5, 2.0)])),
]
TENSORS = [tensor("a.weight", [4, 2], 0, 0), tensor("b.weight", [3], 0, 32)]
DATA = np.arange(16, dtype="<f4").tobytes()
SOUND = gguf_bytes(ENTRIES, TENSORS, DATA)
HEADER = len(SOUND) - len(DATA)


def refusal(path: Path, raw: bytes) -> str:
    """The one sentence in which the file is refused; memory is watched meanwhile."""
    path.write_bytes(raw)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError) as caught:
            read_header(path)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300
    return message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


def test_a_sound_file_gives_python_values_and_mapped_arrays(path: Path) -> None:
    path.write_bytes(SOUND)
    header = read_header(path)
    scores = header.metadata.pop("tokenizer.ggml.scores")
    assert scores.tolist() == [0.0, -1.5, 2.0]
    assert header.metadata == {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.rope.freq_base": 500.0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.tokens": ["<s>", "é", "▁the"],
    }
    assert {name: place.shape for name, place in header.places.items()} == {"a.weight": (2, 4), "b.weight": (3,)}
    assert header.places["b.weight"].start == HEADER + 32


def test_it_reads_what_the_library_writes_and_as_its_reader_does(path: Path) -> None:
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_uint8("a", 200)
    writer.add_int64("b", -(2**40))
    writer.add_float64("c", 0.1)
    writer.add_array("d", [1, -2, 3])
    writer.add_array("e", [True, False])
    writer.add_tensor("t", np.arange(6, dtype=np.float16).reshape(2, 3))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = read_header(path)
    assert header.metadata["d"].tolist() == [1, -2, 3]
    theirs = gguf.GGUFReader(path)
    for name, value in header.metadata.items():
        if not isinstance(value, np.ndarray):
            assert value == theirs.fields[name].contents()
    (found,) = theirs.tensors
    assert header.places["t"].start == found.data_offset
    assert header.places["t"].shape == (2, 3)


def test_version_2_is_read_and_others_are_named(path: Path) -> None:
    path.write_bytes(gguf_bytes(ENTRIES, TENSORS, DATA, version=2))
    assert len(read_header(path).places) == 2
    assert "GGUF version 1" in refusal(path, gguf_bytes(ENTRIES, TENSORS, DATA, version=1))
    assert "GGUF version 4" in refusal(path, gguf_bytes(ENTRIES, TENSORS, DATA, version=4))
    assert "big-endian" in refusal(path, gguf_bytes(ENTRIES, TENSORS, DATA, version=3 << 24))
    assert '"GGUF"' in refusal(path, gguf_bytes(ENTRIES, TENSORS, DATA, magic=b"GGML"))


def test_a_file_cut_short_anywhere_is_refused(path: Path) -> None:
    for n in range(HEADER + 44):  # the last tensor ends there; what follows it is padding
        refusal(path, SOUND[:n])
    path.write_bytes(SOUND[: HEADER + 44])
    assert len(read_header(path).places) == 2


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie > 200])  # too few of a thing leave a smaller, sound file
def test_lying_counts_lengths_and_offsets_are_refused(path: Path, lie: int) -> None:
    lying = struct.pack("<Q", lie)
    cases = [
        gguf_bytes(ENTRIES, TENSORS, DATA, n_tensor=lie),
        gguf_bytes(ENTRIES, TENSORS, DATA, n_entry=lie),
        gguf_bytes([*ENTRIES, lying + b"x"], TENSORS, DATA),
        gguf_bytes([*ENTRIES, entry("long", STRING, lying + b"x" * 2)], TENSORS, DATA),
        gguf_bytes([*ENTRIES, entry("many", ARRAY, many(STRING, [text("x")] * 2, lie))], TENSORS, DATA),
        gguf_bytes([*ENTRIES, entry("many", ARRAY, many(U64, [lying] * 2, lie))], TENSORS, DATA),
        gguf_bytes([*ENTRIES, entry("many", ARRAY, many(STRING, [lying + b"x" * 2]))], TENSORS, DATA),
        gguf_bytes(ENTRIES, [*TENSORS, lying + b"x"], DATA),
        gguf_bytes(ENTRIES, [*TENSORS, tensor("c", [lie, lie, lie, lie], 0, 64)], DATA),
        gguf_bytes(ENTRIES, [*TENSORS, tensor("c", [4, max(lie, 2**31)], 0, 64)], DATA),
        gguf_bytes(ENTRIES, [*TENSORS, tensor("c", [4], 0, lie)], DATA),
    ]
    for raw in cases:
        refusal(path, raw)


def test_what_a_header_must_not_say_is_named(path: Path) -> None:
    def of(entries: list[bytes], tensors: list[bytes], **rest: int) -> str:
        return refusal(path, gguf_bytes(entries, tensors, DATA, **rest))

    twice = [*ENTRIES, entry("llama.block_count", U32, whole(3))]
    assert "'llama.block_count' is there twice" in of(twice, TENSORS)
    assert "'a.weight' is there twice" in of(ENTRIES, [*TENSORS, tensor("a.weight", [1], 0, 64)])
    assert "overlap" in of(ENTRIES, [tensor("a", [4, 3], 0, 0), tensor("b", [4], 0, 32)])
    assert "overlap" in of(ENTRIES, [tensor("a", [4], 0, 0), tensor("b", [4], 0, 0)])
    assert "no multiple of 32" in of(ENTRIES, [tensor("a", [4], 0, 8)])
    assert "dimensions" in of(ENTRIES, [tensor("a", [], 0, 0)])
    assert "dimensions" in of(ENTRIES, [tensor("a", [1] * 5, 0, 0)])
    assert "dimensions" in of(ENTRIES, [tensor("a", [1], 0, 0, n=2**31)])
    assert "is [0]" in of(ENTRIES, [tensor("a", [0], 0, 0)])
    assert "format 77" in of(ENTRIES, [tensor("a", [4], 77, 0)])
    assert "stored as Q8_K" in of(ENTRIES, [tensor("a", [256], int(gguf.GGMLQuantizationType.Q8_K), 0)])
    assert "blocks of 32" in of(ENTRIES, [tensor("a", [33], int(gguf.GGMLQuantizationType.Q4_0), 0)])
    assert "kind 13" in of([entry("x", 13, b"")], [])
    assert "kind 4294967295" in of([entry("x", 2**32 - 1, b"")], [])
    assert "list of kind 9" in of([entry("x", ARRAY, many(ARRAY, [many(U8, [b"\0"])]))], [])
    assert "UTF-8" in of([entry(b"\xff\xfe", U8, b"\0")], [])
    assert "UTF-8" in of([entry("x", STRING, text(b"\xc3\x28"))], [])
    assert "UTF-8" in of([entry("x", ARRAY, many(STRING, [text("a"), text(b"\xff")]))], [])
    assert "bytes long" in of([entry("n" * 70_000, U8, b"\0")], [])


@pytest.mark.parametrize("alignment", [0, 3, 24, 2**31 + 1])
def test_an_alignment_that_is_no_power_of_two_is_refused(path: Path, alignment: int) -> None:
    entries = [*ENTRIES, entry("general.alignment", U32, whole(alignment))]
    assert "power of two" in refusal(path, gguf_bytes(entries, TENSORS, DATA))


def test_a_huge_alignment_points_beyond_the_file(path: Path) -> None:
    entries = [*ENTRIES, entry("general.alignment", U32, whole(2**31))]
    assert "the file has" in refusal(path, gguf_bytes(entries, [tensor("a", [4], 0, 0)], DATA))


def test_another_alignment_is_kept(path: Path) -> None:
    entries = [*ENTRIES, entry("general.alignment", U32, whole(64))]
    path.write_bytes(gguf_bytes(entries, [tensor("a", [4], 0, 64)], b"\0" * 64 + DATA, alignment=64))
    assert read_header(path).places["a"].start % 64 == 0


def test_lists_nested_deep_are_refused_at_the_first_step(path: Path) -> None:
    deep = struct.pack("<IQ", ARRAY, 1) * 100_000
    assert "list of kind 9" in refusal(path, gguf_bytes([entry("x", ARRAY, deep)], []))


def test_millions_of_empty_texts_are_refused_before_they_take_memory(path: Path) -> None:
    n = 5_000_000
    assert "are the most" in refusal(path, gguf_bytes([entry("x", ARRAY, struct.pack("<IQ", STRING, n) + b"\0" * (8 * n))], []))


def test_what_is_no_file_at_all_is_refused(tmp_path: Path, path: Path) -> None:
    refusal(path, b"")
    with pytest.raises(ModelError, match=r"gone\.gguf"):
        read_header(tmp_path / "gone.gguf")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, HEADER - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_bytes_never_do_more_than_refuse_the_model(path: Path, flips: list[tuple[int, int]]) -> None:
    raw = bytearray(SOUND)
    for at, value in flips:
        raw[at] = value
    path.write_bytes(bytes(raw))
    with pytest.raises(ModelError) as caught:  # even a sound header is no whole model
        load_model(path)
    assert str(path) in str(caught.value)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, HEADER - 8), st.sampled_from(LIES))
def test_a_lie_anywhere_never_does_more_than_refuse_the_model(path: Path, at: int, lie: int) -> None:
    path.write_bytes(SOUND[:at] + struct.pack("<Q", lie) + SOUND[at + 8 :])
    tracemalloc.start()
    try:
        with pytest.raises(ModelError):
            load_model(path)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_model_loads_or_is_refused(data: st.DataObject, path: Path, use_tokenizer: Callable[[str], None]) -> None:
    case = data.draw(st.sampled_from(GGUF_CASES))
    about = read_about(case)
    use_tokenizer(about["tokenizer"])
    path.unlink(missing_ok=True)  # a new file: the last one may still be mapped
    write_gguf(
        path, convert(read_about(case)["config"], weights(case)), stored_if_it_fits(Type.F32), tokenizer_metadata(read_about(case))
    )
    end = min(place.start for place in read_header(path).places.values())
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(24, end - 8))
    lie = data.draw(st.sampled_from([0, 4, 8, 9, 255, 2**31, 2**63]))
    raw[at : at + 8] = struct.pack("<Q", lie) if data.draw(st.booleans()) else bytes([lie % 256]) + raw[at + 1 : at + 8]
    path.unlink()
    path.write_bytes(bytes(raw))
    with contextlib.suppress(ModelError):
        load_model(path)
