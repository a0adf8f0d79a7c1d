"""GGUF files byte by byte, so that they can lie. Source: docs/gguf.md of the ggml project."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

U8, U32, F32, BOOL, STRING, ARRAY, U64 = 0, 4, 6, 7, 8, 9, 10


def text(value: str | bytes) -> bytes:
    """A string with its length."""
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def entry(name: str | bytes, kind: int, value: bytes) -> bytes:
    """One entry of metadata."""
    return text(name) + struct.pack("<I", kind) + value


def whole(value: int) -> bytes:
    """The value of an entry of kind U32."""
    return struct.pack("<I", value)


def many(kind: int, items: Iterable[bytes], n: int | None = None) -> bytes:
    """The value of an entry of kind ARRAY; n: how many it says there are."""
    items = list(items)
    return struct.pack("<IQ", kind, len(items) if n is None else n) + b"".join(items)


def tensor(name: str | bytes, dimensions: list[int], kind: int, start: int, n: int | None = None) -> bytes:
    """What the header says of a tensor; n: how many dimensions it says there are."""
    n = len(dimensions) if n is None else n
    return text(name) + struct.pack(f"<I{len(dimensions)}QIQ", n, *dimensions, kind, start)


def gguf_bytes(
    entries: list[bytes],
    tensors: list[bytes],
    data: bytes = b"",
    *,
    magic: bytes = b"GGUF",
    version: int = 3,
    n_tensor: int | None = None,
    n_entry: int | None = None,
    alignment: int = 32,
) -> bytes:
    """A whole file; n_tensor, n_entry: how many it says there are."""
    head = magic + struct.pack(
        "<IQQ", version, len(tensors) if n_tensor is None else n_tensor, len(entries) if n_entry is None else n_entry
    )
    head += b"".join(entries) + b"".join(tensors)
    return head + b"\0" * (-len(head) % alignment) + data
