"""A listing reads a few words of a GGUF header, never its vocabulary, and no file makes it wait."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from attnviz.engine.gguf.summary import Summary, read_summary
from attnviz.errors import ModelError
from tests.golden.gguf_bytes import ARRAY, STRING, U32, U64, entry, gguf_bytes, many, text, whole

if TYPE_CHECKING:
    from pathlib import Path

NAME = entry("general.architecture", STRING, text("llama"))
LAYERS = entry("llama.block_count", U32, whole(16))
HEADS = entry("llama.attention.head_count", U32, whole(32))
NOT_TEXT = [struct.pack("<Q", 3) + b"\xff\xfe\xfd"] * 1_000
VOCABULARY = entry("tokenizer.ggml.tokens", ARRAY, many(STRING, NOT_TEXT))


def summary_of(folder: Path, content: bytes) -> Summary:
    (folder / "model.gguf").write_bytes(content)
    return read_summary(folder / "model.gguf")


@pytest.mark.parametrize(
    "entries",
    [
        [NAME, LAYERS, HEADS],
        [HEADS, LAYERS, NAME],
        [VOCABULARY, NAME, entry("llama.x", ARRAY, many(U32, [whole(3)] * 5)), LAYERS, VOCABULARY, HEADS],
        [
            NAME,
            entry("llama.block_count", U64, struct.pack("<Q", 16)),
            entry("llama.attention.head_count", ARRAY, many(U32, [whole(8), whole(32)])),
        ],
        [NAME, LAYERS, HEADS, entry("broken", 99, b"")],
    ],
    ids=["usual", "backwards", "vocabulary first", "heads by layer", "damaged behind"],
)
def test_family_layers_and_heads_are_read_wherever_they_stand(tmp_path: Path, entries: list[bytes]) -> None:
    assert summary_of(tmp_path, gguf_bytes(entries, [])) == Summary("llama", "model", 16, 32)


def test_a_file_that_is_no_model_says_what_it_is(tmp_path: Path) -> None:
    entries = [entry("general.type", STRING, text("adapter")), NAME, LAYERS, HEADS]
    assert summary_of(tmp_path, gguf_bytes(entries, [])).kind == "adapter"


@pytest.mark.parametrize(
    "entries", [[], [NAME], [NAME, LAYERS], [LAYERS, HEADS], [NAME, entry("llama.block_count", STRING, text("16"))]]
)
def test_what_is_not_told_is_nothing(tmp_path: Path, entries: list[bytes]) -> None:
    summary = summary_of(tmp_path, gguf_bytes(entries, []))
    assert 0 in (summary.n_layer, summary.n_head)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        b"PK\x03\x04" + bytes(100),
        gguf_bytes([NAME, LAYERS, HEADS], [], version=1),
        gguf_bytes([NAME, LAYERS, HEADS], [], version=1 << 24),
        gguf_bytes([NAME], [], n_entry=1 << 63),
        gguf_bytes([NAME], [], n_entry=3_000, data=bytes(100_000)),
        gguf_bytes([NAME], [], n_entry=30),
        gguf_bytes([NAME, entry("a", ARRAY, many(STRING, [], n=1 << 62))], []),
        gguf_bytes([NAME, entry("a", ARRAY, many(STRING, [], n=2_000_000))], [], bytes(17_000_000)),
        gguf_bytes([NAME, entry("a", ARRAY, many(STRING, [struct.pack("<Q", 1 << 63)]))], []),
        gguf_bytes([NAME, entry("a", ARRAY, many(ARRAY, []))], []),
        gguf_bytes([entry(b"\xff", U32, whole(1))], []),
        gguf_bytes([NAME, LAYERS, HEADS], [])[:60],
    ],
    ids=lambda content: ascii(content[:8]),
)
def test_a_file_that_lies_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelError, match=r"model\.gguf"):
        summary_of(tmp_path, content)
