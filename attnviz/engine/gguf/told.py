"""What a GGUF file tells about its model, read with the strictness of config.json: each key is used, harmless or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from attnviz.engine.config_keys import LONGEST, MOST_HEADS, MOST_LAYERS, REQUIRED, WIDEST, ConfigKeys, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attnviz.engine.gguf.stored import StoredModel

# Names, licences, tokenizers, sampling and how the numbers were rounded: nothing of the forward pass.
_HARMLESS: Final = ("general.", "tokenizer.", "quantize.", "imatrix.", "split.", "mradermacher.")
# Of an architecture: what is made of the vectors afterwards, what the tensors' shapes say as well, and history.
_HARMLESS_OWN: Final = ("pooling_type", "classifier.output_labels", "vocab_size", "tensor_data_layout", "rope.scaling.finetuned")


@dataclass(frozen=True)
class Told:
    """A file's metadata and tensors. Names of keys are given without the architecture's own name before them."""

    file: StoredModel
    name: str
    keys: ConfigKeys

    @classmethod
    def of(cls, file: StoredModel, name: str) -> Told:
        """What `file` tells of its architecture `name`."""
        values = {key: _single(value) for key, value in file.metadata.items() if not key.startswith(_HARMLESS)}
        return cls(file, name, ConfigKeys(values, str(file.path)))

    def finish(self, beside: tuple[str, ...] = ()) -> None:
        """Refuse the model if a key is left that was not read and could matter. beside: how others begin that could not."""
        others = [key for key in self.file.metadata if key.startswith(tuple(f"{self.name}.{start}" for start in beside))]
        self.keys.finish([*(f"{self.name}.{key}" for key in _HARMLESS_OWN), *others])

    def tells(self, key: str) -> bool:
        """Whether there is a key; that alone does not count as reading it."""
        return self.keys.has(self._full(key))

    def size(self, key: str, most: int = WIDEST, default: Any = REQUIRED) -> Any:
        """A count of one or more."""
        return self.keys.integer(self._full(key), 1, most, default)

    def whole(self, key: str, default: Any = REQUIRED) -> Any:
        """A count that may be 0."""
        return self.keys.integer(self._full(key), 0, LONGEST, default)

    def number(self, key: str, low: float, high: float, default: Any = REQUIRED) -> Any:
        """A number between `low` and `high`."""
        return self.keys.number(self._full(key), low, high, default)

    def flag(self, key: str, default: Any = REQUIRED) -> Any:
        """True or false."""
        return self.keys.flag(self._full(key), default)

    def choice(self, key: str, meanings: Mapping[str, Any], default: Any) -> Any:
        """What a word means by the table `meanings`."""
        return self.keys.choice(self._full(key), meanings, default)

    def only(self, key: str, *allowed: Any) -> None:
        """Accept the absence of a key, or one of the values `allowed`."""
        self.keys.only(self._full(key), *allowed)

    def pattern(self, key: str, n: int) -> int | list[bool] | None:
        """A period, or a flag for each of `n` layers."""
        full = self._full(key)
        value = self.file.metadata.get(full)
        self.keys.only(full, _single(value))
        if isinstance(value, np.ndarray):
            value = [bool(flag) for flag in value.tolist()]
        if value is None or (isinstance(value, list) and len(value) == n and all(isinstance(flag, bool) for flag in value)):
            return value
        return self.keys.integer(full, 1, LONGEST)

    def has(self, tensor: str) -> bool:
        """Whether there is a tensor."""
        return tensor in self.file.tensors

    def any(self, *tensors: str) -> bool:
        """Whether there is one of the tensors."""
        return any(map(self.has, tensors))

    def rows(self, tensor: str) -> int:
        """The rows of a matrix that the model must have."""
        if not self.has(tensor) or len(self.file.tensors[tensor].shape) != 2:
            raise self.keys.refuse(f'there is no matrix "{tensor}"; the file is not the whole model')
        return self.file.tensors[tensor].shape[0]

    def numbers(self, tensor: str, n: int) -> list[float]:
        """The `n` numbers of a tensor."""
        stored = self.file.tensors[tensor]
        if stored.shape != (n,):
            raise self.keys.refuse(f'tensor "{tensor}" is {list(stored.shape)}, expected [{n}]; one of the two is wrong')
        return stored.rows().tolist()

    @property
    def n_head(self) -> int:
        """The heads of a layer."""
        return self.size("attention.head_count", MOST_HEADS)

    @property
    def d_head(self) -> int:
        """The width of a head: its own key, else the model's width shared out."""
        width = self.size("embedding_length")
        key_length = self.size("attention.key_length", default=width // self.n_head or 1)
        self.only("attention.value_length", key_length)
        return key_length

    def _full(self, key: str) -> str:
        return "|".join(f"{self.name}.{spelling}" for spelling in key.split("|"))


def _single(value: Any) -> Any:
    """The value that a list repeats for every layer; any other as it is."""
    if isinstance(value, list | np.ndarray) and 0 < len(value) <= MOST_LAYERS:
        values = value.tolist() if isinstance(value, np.ndarray) else value
        return values[0] if all(one == values[0] for one in values) else values
    return value


def architecture_of(file: StoredModel, known: Iterable[str]) -> str:
    """The name of the model's architecture. Raises ModelError for one that is not `known`, or a file that is no whole model."""
    keys = ConfigKeys(file.metadata, str(file.path))
    kind = file.metadata.get("general.type", "model")
    if not isinstance(kind, str) or kind != "model":
        raise keys.refuse(f"the file is of type {short(kind)}, an addition to a model; choose the model's own file")
    name = file.metadata.get("general.architecture")
    if not isinstance(name, str) or name not in known:
        raise keys.refuse(f"the architecture is {short(name)}; of GGUF files attnviz runs {', '.join(known)}")
    return name
