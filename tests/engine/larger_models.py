"""The models of the golden data in other sizes: large enough that the memory of a run is that of its arrays."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

from attnviz.engine.checkpoint import Plan
from attnviz.engine.config_keys import ConfigKeys
from attnviz.engine.families import family_of
from tests.golden.families_reader import TOKENIZERS, as_stored, read_about, seeded_tensor, write_weights

if TYPE_CHECKING:
    from pathlib import Path

# Of the numbers of a bias or norm, a matrix, and the matrices of all experts.
_RANGES: Final = {1: (0.5, 1.5), 2: (-0.1, 0.1), 3: (-0.1, 0.1)}


def write_larger(case: str, folder: Path, dtype: str = "float32", **keys: Any) -> Path:
    """The folder, now with a model like that of the golden case, but with other values for some keys of its configuration."""
    about = read_about(case)
    values = {**about["config"], **keys}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    shutil.copyfile(TOKENIZERS / f"{about['tokenizer']}.json", folder / "tokenizer.json")
    family = family_of(values, case)
    config = family.read_config(ConfigKeys(values, case))
    asked = _Asked(next(prefix for prefix in family.prefixes if prefix + family.probe in about["tensors"]))
    weights = family.read_weights(config, asked)
    for stack, parts in ((config.stack, weights.stack), (config.decoder, weights.decoder)):
        for number in range(stack.n_layer if stack and parts else 0):
            parts.layer(number)
            for expert in range(stack.experts.n if stack.experts else 0):
                parts.expert(number, expert)
    tensors = {name: seeded_tensor(case, name, shape, *_RANGES[len(shape)]) for name, shape in asked.shapes.items()}
    write_weights({name: as_stored(tensor, dtype) for name, tensor in tensors.items()}, folder)
    return folder


class _Asked(Plan):
    """A Plan over no file: it has whatever it is asked for, in the first of several spellings, and remembers the shapes."""

    def __init__(self, prefix: str) -> None:
        self._source: Any = None
        self.prefix = prefix
        self.shapes: dict[str, tuple[int, ...]] = {}

    def has(self, name: str, prefixed: bool = True) -> bool:
        return False

    def _checked(self, name: str, shape: tuple[int, ...], prefixed: bool) -> str:
        name = self._full(name, prefixed)
        self.shapes[name] = shape
        return name
