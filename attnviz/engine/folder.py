"""What lies at a path that a person gave: a Hugging Face folder or a GGUF file, opened but not yet understood."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.engine.files import LARGEST_CONFIG, PICKLES
from attnviz.engine.safetensors_source import SafetensorsSource, find_weights
from attnviz.engine.tokenizer import Tokenizer
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.tensors import TensorSource


@dataclass(frozen=True)
class Opened:
    """A model's parts. config: the values of its config.json, or what a GGUF file's metadata say under the same keys;
    config_path: where they come from, for messages; files: the weights; tokenizer(): built when called; ends: the numbers of the
    tokens that end what it writes."""

    path: Path
    name: str
    config: dict[str, Any]
    config_path: str
    tensors: TensorSource
    files: tuple[Path, ...]
    tokenizer: Callable[[], Tokenizer]
    ends: frozenset[int] = frozenset()


def open_folder(path: Path) -> Opened:
    """The parts of the model at `path`. Raises ModelError, which says what is missing; pickles are never opened."""
    try:
        if is_gguf(path):
            return _open_gguf(path)
        folder = _checked_folder(path)
        config = _read_config_file(folder / "config.json")
        files = find_weights(folder)
    except OSError as error:  # a name too long, a folder that may not be entered
        raise ModelError(f"{path}: cannot be opened ({error.strerror or error}); choose a model's folder.") from error
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(f"{folder}: no tokenizer.json; get that file of the model too.")
    return Opened(
        path=folder,
        name=model_name(folder),
        config=config,
        config_path=str(folder / "config.json"),
        tensors=SafetensorsSource(files),
        files=files,
        tokenizer=lambda: Tokenizer.from_file(folder / "tokenizer.json"),
        ends=_numbers(config.get("eos_token_id")),
    )


def is_gguf(path: Path) -> bool:
    """Whether the path is a GGUF file, by its name or, where the name says nothing (Ollama's blobs), its first bytes."""
    if path.suffix.lower() == ".gguf":
        return not path.is_dir()
    if path.suffix or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"


def model_name(path: Path) -> str:
    """A short name for a model's folder or file; what the Hub calls owner/name goes by its own name, as a snapshot in the Hugging
    Face cache (models--owner--name/snapshots/hash) and as a folder (owner--name)."""
    if path.suffix.lower() == ".gguf":
        return path.stem
    folder = path.parent.parent if path.parent.name == "snapshots" and path.parent.parent.name.startswith("models--") else path
    return folder.name.split("--")[-1] or str(path)


def enclosing_folder(path: Path) -> Path:
    """The folder of a model that is named by one of its files; any other path as it is."""
    named_by_file = path.is_file() and (path.name in {"config.json", "tokenizer.json"} or path.suffix == ".safetensors")
    return path.parent if named_by_file else path


def _open_gguf(path: Path) -> Opened:
    from attnviz.engine.gguf.open import open_gguf  # the gguf library takes a while to import

    if not path.exists():
        raise ModelError(f"{path}: there is nothing there; choose a .gguf file.")
    opened = open_gguf(path)
    return Opened(
        path=path,
        # A file without an ending is one of Ollama's, called by its checksum.
        name=model_name(path) if path.suffix else opened.title or model_name(path),
        config=opened.config,
        config_path=str(path),
        tensors=opened.tensors,
        files=opened.files,
        tokenizer=lambda: Tokenizer(opened.tokenizer, str(path)),
        ends=opened.ends,
    )


def _numbers(named: object) -> frozenset[int]:
    """What a configuration names by one number or several, or by none."""
    numbers = named if isinstance(named, list) else [named]
    return frozenset(number for number in numbers if isinstance(number, int) and not isinstance(number, bool))


def _checked_folder(path: Path) -> Path:
    if path.suffix in PICKLES and not path.is_dir():
        raise ModelError(f"{path}: a pickle can run code and is never opened; choose a folder with a safetensors file.")
    path = enclosing_folder(path)
    if not path.exists():
        raise ModelError(f"{path}: there is nothing there; choose a model's folder.")
    if not path.is_dir():
        raise ModelError(f"{path}: not a model; choose the folder that holds config.json and model.safetensors, or a .gguf file.")
    if not (path / "config.json").is_file():
        raise ModelError(f"{path}: no config.json; choose the folder that holds config.json and model.safetensors.")
    return path


def _read_config_file(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            raise ModelError(f"{path}: {path.stat().st_size:,} bytes is no model configuration.")
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not readable as JSON ({error}); get the file again.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: not a model configuration; it should be a JSON object.")
    return values
