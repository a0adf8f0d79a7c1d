"""Models where other programs keep them: headers of GGUF files, LM Studio's and Ollama's folders."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from tests.golden.gguf_bytes import STRING, U32, entry, gguf_bytes, text, whole

if TYPE_CHECKING:
    from pathlib import Path


def header(architecture: str = "llama", n_layer: int = 2, n_head: int = 4, *more: bytes, before: tuple[bytes, ...] = ()) -> bytes:
    """A GGUF file without tensors; before, more: entries around those that a listing reads."""
    entries = [
        entry("general.architecture", STRING, text(architecture)),
        *before,
        entry(f"{architecture}.block_count", U32, whole(n_layer)),
        entry(f"{architecture}.attention.head_count", U32, whole(n_head)),
        *more,
    ]
    return gguf_bytes(entries, [])


def write_gguf_header(path: Path, *about: object, padding: int = 1_000) -> Path:
    """A GGUF file that is `padding` bytes longer than its header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header(*about) + bytes(padding))
    return path


def write_ollama(folder: Path, name: str, content: bytes, **changed: object) -> Path:
    """A model of Ollama's by HOST/NAMESPACE/MODEL/TAG; its blob. changed: keys of the manifest."""
    digest = hashlib.sha256(content).hexdigest()
    blob = folder / "blobs" / f"sha256-{digest}"
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    layers = [
        {"mediaType": "application/vnd.ollama.image.template", "digest": "sha256:" + "0" * 64, "size": 1},
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(content)},
    ]
    manifest = folder / "manifests" / name
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"schemaVersion": 2, "config": {}, "layers": layers, **changed}))
    return blob
