"""Models on this machine, by name: the program's own, the installed package's, the Hugging Face cache's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.errors import ModelError
from attnviz.library.minilm import MINILM
from attnviz.library.nearby import cached_folders, package_folder, snapshots
from attnviz.library.places import hugging_face_cache, models_folder
from attnviz.library.verify import looks_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

# The keys that the families of transformers use for the same number, encoder first.
LAYER_KEYS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
HEAD_KEYS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads")


@dataclass(frozen=True)
class FoundModel:
    """A model on this machine."""

    name: str
    path: Path
    place: str  # "attnviz" | "installed package" | "Hugging Face cache"
    n_bytes: int  # of the weights
    family: str  # model_type of its config.json; whether the engine runs it is the engine's answer
    n_layer: int
    n_head: int


def find_models() -> list[FoundModel]:
    """Every folder with a readable config.json and *.safetensors in the known places, by name. Others are left out."""
    found = (_read(name, folder, place) for name, folder, place in _candidates())
    return sorted((model for model in found if model), key=lambda model: (model.name.casefold(), model.place))


def default_model() -> Path | None:
    """The folder of the default model, or None if it must be fetched first.

    Quick, for the start of the program: sizes are compared, nothing is hashed.
    """
    own, package = models_folder() / MINILM.folder, package_folder(MINILM)
    for folder in (own, package, *cached_folders(MINILM)):
        if folder is not None and looks_whole(folder, MINILM):
            return folder
    return None


def resolve_model(name_or_path: str | Path) -> Path:
    """The folder or .gguf file that a person means by a path, or by a name from `find_models`.

    A folder with a config.json goes before a name, a name before any other folder. Capitals do not matter in names, and
    `owner/` may be left out where that is clear.
    Raises ModelError if nothing is there.
    """
    path, text = Path(name_or_path), str(name_or_path)
    try:
        path = path.expanduser()
        if (path / "config.json").is_file():
            return path
        if path.is_file():
            return _check_file(path)
        if isinstance(name_or_path, str) and (named := _by_name(text)):
            return named
        if path.is_dir():
            return path
    except (OSError, RuntimeError) as error:  # a name too long, a folder that may not be entered, no such user's home
        raise ModelError(f"{text}: cannot be opened ({error}); give another folder or name") from error
    raise _nothing_there(path, text)


def _by_name(name: str) -> Path | None:
    if name.casefold() == MINILM.name and (folder := default_model()):
        return folder
    wanted, models = name.casefold(), find_models()
    exact = [model for model in models if model.name.casefold() == wanted]
    matches = exact or [model for model in models if model.name.casefold().split("/")[-1] == wanted]
    if len(matches) > 1 and not exact:
        names = ", ".join(model.name for model in matches)
        raise ModelError(f'"{name}" is the name of more than one model on this machine; say which: {names}')
    return matches[0].path if matches else None


def _check_file(path: Path) -> Path:
    if path.suffix.lower() == ".gguf":
        return path
    raise ModelError(f"{path}: a file that is not .gguf; give the folder that holds config.json and *.safetensors")


def _nothing_there(path: Path, text: str) -> ModelError:
    if text.casefold() == MINILM.name:
        return ModelError("minilm is not on this machine yet; get it with: attnviz get minilm")
    if path.suffix.lower() == ".gguf":
        return ModelError(f"{path}: no such file; give the path of a .gguf file, or a name from: attnviz models")
    return ModelError(
        f'"{text}" is neither a folder, a .gguf file nor a model on this machine; see their names with: attnviz models'
    )


def _candidates() -> Iterator[tuple[str, Path, str]]:
    for folder in _folders_in(models_folder(), "*"):
        if not folder.name.startswith("."):  # a download that is still running
            yield MINILM.name if folder.name == MINILM.folder else folder.name, folder, "attnviz"
    if package := package_folder(MINILM):
        yield MINILM.package, package, "installed package"
    for repository in _folders_in(hugging_face_cache(), "models--*"):
        for folder in snapshots(repository)[:1]:
            yield repository.name.removeprefix("models--").replace("--", "/", 1), folder, "Hugging Face cache"


def _folders_in(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_dir())
    except OSError:
        return []


def _read(name: str, folder: Path, place: str) -> FoundModel | None:
    """What the folder says about itself, or None if it is broken or no transformer."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        n_bytes = sum(weights.stat().st_size for weights in folder.glob("*.safetensors"))
    except (OSError, ValueError):
        return None
    if not isinstance(config, dict) or not n_bytes:
        return None
    family, n_layer, n_head = config.get("model_type"), _number(config, LAYER_KEYS), _number(config, HEAD_KEYS)
    if not isinstance(family, str) or n_layer is None or n_head is None:
        return None
    return FoundModel(name, folder, place, n_bytes, family, n_layer, n_head)


def _number(config: dict[str, Any], keys: tuple[str, ...]) -> int | None:
    text_part = config.get("text_config")  # where a model of images and text keeps its text half
    for part in (config, text_part if isinstance(text_part, dict) else {}):
        for key in keys:
            if isinstance(value := part.get(key), int) and value > 0:
                return value
    return None
