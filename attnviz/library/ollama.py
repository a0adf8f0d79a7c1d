"""The models that Ollama keeps: a manifest for each name and tag, and the files under their checksums."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Source: ollama's docs/faq.md ("Where are models stored?") and server/manifest.go.
SERVICE_FOLDER: Final = Path("/usr/share/ollama/.ollama/models")
MODEL_LAYER: Final = "application/vnd.ollama.image.model"
_DIGEST: Final = re.compile(r"sha256[:-]([0-9a-f]{64})")
_LARGEST_MANIFEST: Final = 1 << 20  # bytes; one has about a thousand
_USUAL_HOST, _USUAL_NAMESPACE = "registry.ollama.ai", "library"


@dataclass(frozen=True)
class OllamaModel:
    """A model of Ollama's. name: as `ollama run` takes it, with the tag; path: the blob, a GGUF file without that ending."""

    name: str
    path: Path
    n_bytes: int


def ollama_folders() -> list[Path]:
    """Where Ollama keeps models: its variable's folder, the person's, the service's on Linux. They may not exist."""
    chosen = os.environ.get("OLLAMA_MODELS")
    own = [Path(chosen).expanduser()] if chosen else []
    return [*own, Path.home() / ".ollama" / "models", SERVICE_FOLDER]


def ollama_models(folder: Path) -> Iterator[OllamaModel]:
    """The models that the manifests of one folder name and whose files are there. What cannot be read is passed over."""
    for manifest in sorted(_manifests(folder / "manifests")):
        blob = _blob(manifest, folder / "blobs")
        if blob is not None:
            path, n_bytes = blob
            yield OllamaModel(_name(manifest.relative_to(folder / "manifests")), path, n_bytes)


def _manifests(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.glob("*/*/*/*") if path.is_file()]
    except OSError:
        return []


def _name(place: Path) -> str:
    """HOST/NAMESPACE/MODEL/TAG as a name, without the parts that Ollama lets people leave out."""
    host, namespace, model, tag = place.parts
    before = [host] if host != _USUAL_HOST else []
    if before or namespace != _USUAL_NAMESPACE:
        before.append(namespace)
    return "/".join([*before, f"{model}:{tag}"])


def _blob(manifest: Path, blobs: Path) -> tuple[Path, int] | None:
    """The file of the model's layer, and its size."""
    try:
        if manifest.stat().st_size > _LARGEST_MANIFEST:
            return None
        layers = json.loads(manifest.read_bytes())["layers"]
        digests = [layer["digest"] for layer in layers if layer["mediaType"] == MODEL_LAYER]
        match = _DIGEST.fullmatch(digests[0]) if len(digests) == 1 else None
        if match is None:
            return None
        path = blobs / f"sha256-{match[1]}"
        return path, path.stat().st_size
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
