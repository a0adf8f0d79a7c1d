"""What a folder or a GGUF file says of itself: family, layers, heads, size, and whether attnviz can run it. No weights are read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attnviz.engine.files import LARGEST_CONFIG, PICKLES, check_regular
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

# The keys that the families of transformers use for the same number, encoder first.
LAYER_KEYS: Final = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
HEAD_KEYS: Final = ("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads")

_PICKLED: Final = "Its weights are only there as pickles, which can run code and are never opened; get or save them as safetensors."


@dataclass(frozen=True)
class FoundModel:
    """A model on this machine."""

    name: str
    path: Path  # a folder, or the first file of a GGUF model
    place: str  # "attnviz" | "installed package" | "Hugging Face cache" | "LM Studio" | "Ollama" | "recent"
    n_bytes: int  # of the weights
    family: str  # model_type of its config.json, or the architecture of a GGUF file
    n_layer: int
    n_head: int
    n_files: int = 1  # of the weights
    why_not: str | None = None  # why attnviz cannot run it, as a sentence; None if nothing stands against it

    @property
    def is_supported(self) -> bool:
        """Whether attnviz can run it, as far as its configuration says."""
        return self.why_not is None


def read_folder(name: str, folder: Path, place: str) -> FoundModel | None:
    """The model in a folder with config.json and weights, which may be pickles; None if it is broken or no transformer."""
    try:
        check_regular(folder / "config.json")
        if (folder / "config.json").stat().st_size > LARGEST_CONFIG:
            return None
        config = json.loads((folder / "config.json").read_bytes())
        sizes = _sizes(folder, ".safetensors")
        pickles = [] if sizes else _sizes(folder, *PICKLES)
    except (ModelError, OSError, ValueError, RecursionError):
        return None
    n_bytes = sum(sizes or pickles)
    if not isinstance(config, dict) or not n_bytes:
        return None
    family, n_layer, n_head = config.get("model_type"), _number(config, LAYER_KEYS), _number(config, HEAD_KEYS)
    if not isinstance(family, str) or n_layer is None or n_head is None:
        return None
    why_not = _PICKLED if pickles else _why_not_folder(folder, config, family)
    return FoundModel(name, folder, place, n_bytes, family, n_layer, n_head, len(sizes or pickles), why_not)


def read_gguf(name: str, path: Path, place: str, n_bytes: int, n_files: int = 1, is_whole: bool = True) -> FoundModel | None:
    """The model in a GGUF file, or in several of which this is the first; None if it is broken or no transformer."""
    from attnviz.engine.gguf.summary import read_summary

    try:
        told = read_summary(path)
    except ModelError:
        return None
    if told.kind != "model" or not told.n_layer or not told.n_head:
        return None
    why_not = _why_not_gguf(told.architecture)
    if why_not is None and not is_whole:
        why_not = f"{path.name}: not all parts of the model are there; get the others too."
    return FoundModel(name, path, place, n_bytes, told.architecture, told.n_layer, told.n_head, n_files, why_not)


def _sizes(folder: Path, *endings: str) -> list[int]:
    """The sizes of the files with one of those endings."""
    return [path.stat().st_size for path in folder.iterdir() if path.suffix in endings and path.is_file()]


def _why_not_folder(folder: Path, config: dict[str, Any], family: str) -> str | None:
    from attnviz.engine.config_keys import ConfigKeys
    from attnviz.engine.families import FAMILIES

    if family not in FAMILIES:
        return f'attnviz does not run the family "{family[:40]}" yet.'
    if not (folder / "tokenizer.json").is_file():
        return "There is no tokenizer.json beside the weights; get that file of the model too."
    try:
        FAMILIES[family].read_config(ConfigKeys(config, "config.json"))
    except ModelError as error:
        return str(error)
    return None


def _why_not_gguf(architecture: str) -> str | None:
    from attnviz.engine.gguf.config import ARCHITECTURES

    return None if architecture in ARCHITECTURES else f'attnviz does not run the GGUF architecture "{architecture[:40]}" yet.'


def _number(config: dict[str, Any], keys: tuple[str, ...]) -> int | None:
    text_part = config.get("text_config")  # where a model of images and text keeps its text half
    for part in (config, text_part if isinstance(text_part, dict) else {}):
        for key in keys:
            if isinstance(value := part.get(key), int) and value > 0:
                return value
    return None
