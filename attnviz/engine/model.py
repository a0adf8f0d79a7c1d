"""Opening a model and running it."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.engine.checksum import sha256_of
from attnviz.engine.config import ConfigKeys, ModelConfig, short
from attnviz.engine.families import FAMILIES
from attnviz.engine.forward import run_layers
from attnviz.engine.heads import check_head_count
from attnviz.engine.tokenizer import Tokenizer, readable
from attnviz.engine.trace import Trace
from attnviz.engine.weights import PICKLES, TensorFile, find_weights
from attnviz.errors import InputError, ModelError, never

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.layers import Weights

# A config.json is a few kilobytes; anything far larger is not one.
_CONFIG_LIMIT = 10 << 20


class Model:
    """A model that is ready to run. Safe to use from several threads."""

    def __init__(self, path: Path, weights_path: Path, config: ModelConfig, weights: Weights, tokenizer: Tokenizer) -> None:
        self.path = path
        self.name = model_name(path)
        self.config = config
        self.tokenizer = tokenizer
        self._weights_path = weights_path
        self._weights = weights

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the weights file; read once, when provenance is first asked for."""
        return sha256_of(self._weights_path)

    def trace(
        self,
        text: str,
        pair: str | None = None,
        head_count: int | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Trace:
        """What the model does with `text`, or with a text and its `pair`.

        head_count: None for the trained one. Text beyond the model's positions is cut; `trace.encoding.left_out` counts the
        tokens. Raises InputError for a head count that does not fit, Cancelled between layers.
        """
        count = check_head_count(head_count, self.config.n_head, self.config.d_head)
        encoding = self.tokenizer.encode(text, pair, self.config.n_position)
        if encoding.segments.max(initial=0) >= self.config.n_segment:
            raise InputError(f"{self.name} was made for one text at a time; leave out the second one.")
        trace = Trace(self.config, encoding, count, readable(text), None if pair is None else readable(pair))
        trace.hidden = run_layers(self.config, self._weights, encoding, count, trace.keep, cancelled)
        trace.hidden.flags.writeable = False
        return trace


def load_model(path: str | Path) -> Model:
    """The model in a Hugging Face folder: config.json, tokenizer.json and one *.safetensors file.

    Raises ModelError, which says what is missing or not understood; pickles are never opened.
    """
    folder = _model_folder(Path(path))
    values = _read_config_file(folder / "config.json")
    family_name = values.get("model_type")
    family = FAMILIES.get(family_name) if isinstance(family_name, str) else None
    if family is None:
        known = ", ".join(FAMILIES)
        raise ModelError(f"{folder / 'config.json'}: the model family is {short(family_name)}; attnviz runs {known}.")
    config = family.read_config(ConfigKeys(values, str(folder / "config.json")))
    weights_path = find_weights(folder)
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(f"{folder}: no tokenizer.json; get that file of the model too.")
    tokenizer = Tokenizer(folder / "tokenizer.json")
    if tokenizer.n_vocab > config.n_vocab:
        raise ModelError(
            f"{folder}: the tokenizer numbers {tokenizer.n_vocab} tokens and the model has {config.n_vocab}; "
            "they do not belong together."
        )
    with TensorFile(weights_path) as file:
        weights = family.read_weights(config, file)
    return Model(folder, weights_path, config, weights, tokenizer)


def model_name(path: Path) -> str:
    """A short name for a model folder; a Hugging Face snapshot (models--owner--name/snapshots/hash) goes by its own name."""
    if path.parent.name == "snapshots" and path.parent.parent.name.startswith("models--"):
        return path.parent.parent.name.split("--")[-1]
    return path.name or str(path)


def _model_folder(path: Path) -> Path:
    try:
        return _checked_folder(path)
    except OSError as error:  # a name too long, a folder that may not be entered
        raise ModelError(f"{path}: cannot be opened ({error.strerror or error}); choose a model's folder.") from error


def enclosing_folder(path: Path) -> Path:
    """The folder of a model that is named by one of its files; any other path as it is."""
    named_by_file = path.is_file() and (path.name in {"config.json", "tokenizer.json"} or path.suffix == ".safetensors")
    return path.parent if named_by_file else path


def _checked_folder(path: Path) -> Path:
    if path.suffix in PICKLES and not path.is_dir():
        raise ModelError(f"{path}: a pickle can run code and is never opened; choose a folder with a safetensors file.")
    path = enclosing_folder(path)
    if not path.exists():
        raise ModelError(f"{path}: there is nothing there; choose a model's folder.")
    if not path.is_dir():
        raise ModelError(f"{path}: not a model; choose the folder that holds config.json and model.safetensors.")
    if not (path / "config.json").is_file():
        raise ModelError(f"{path}: no config.json; choose the folder that holds config.json and model.safetensors.")
    return path


def _read_config_file(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _CONFIG_LIMIT:
            raise ModelError(f"{path}: {path.stat().st_size:,} bytes is no model configuration.")
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not readable as JSON ({error}); get the file again.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: not a model configuration; it should be a JSON object.")
    return values
