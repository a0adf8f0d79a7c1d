"""What a model is, as one frozen value, and the strict reading of config.json.

A configuration key that is dropped in silence can draw wrong attention that looks right. So each key is either used,
known to be harmless, or the model is refused by the name of the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from attnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

T = TypeVar("T")

Activation = Literal["gelu", "gelu_tanh", "relu"]


@dataclass(frozen=True)
class ModelConfig:
    """The structure of a model. Sizes are counts; `d_` are widths in numbers per token."""

    family: str
    n_layer: int
    n_head: int
    d_model: int
    d_ff: int
    n_vocab: int
    n_position: int
    n_segment: int
    norm_eps: float
    activation: Activation

    @property
    def d_head(self) -> int:
        """Width of one trained head."""
        return self.d_model // self.n_head


class ConfigKeys:
    """Reads keys out of a parsed config.json and remembers which ones were read."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = values
        self._where = where
        self._read: set[str] = set()

    def refuse(self, problem: str) -> ModelError:
        """The error to raise for `problem`, with the file named."""
        return ModelError(f"{self._where}: {problem}")

    def integer(self, name: str, low: int, high: int) -> int:
        """The whole number under `name`, between `low` and `high`."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.refuse(f'"{name}" is {short(value)}, expected a whole number from {low} to {high}')
        return value

    def number(self, name: str, low: float, high: float) -> float:
        """The number under `name`, between `low` and `high`."""
        value = self._take(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise self.refuse(f'"{name}" is {short(value)}, expected a number from {low} to {high}')
        return float(value)

    def choice(self, name: str, meanings: Mapping[str, T]) -> T:
        """What the word under `name` means by the table `meanings`."""
        value = self._take(name)
        if not isinstance(value, str) or value not in meanings:
            raise self.refuse(f'"{name}" is {short(value)}; attnviz knows {", ".join(meanings)}')
        return meanings[value]

    def only(self, name: str, allowed: Any) -> None:
        """Accept the absence of `name`, or exactly the value `allowed`: the forward pass is written for that one."""
        self._read.add(name)
        value = self._values.get(name, allowed)
        if value is not None and value != allowed:
            raise self.refuse(f'"{name}" is {short(value)}, which attnviz does not compute; it would draw wrong attention')

    def finish(self, harmless: Collection[str]) -> None:
        """Refuse the model if a key is left that was neither read nor is known to be `harmless`."""
        left = sorted(set(self._values) - self._read - set(harmless))
        if left:
            names = ", ".join(f'"{name}"' for name in left)
            raise self.refuse(f"attnviz does not know what {names} would change; refused, as attention could come out wrong")

    def _take(self, name: str) -> Any:
        if name not in self._values:
            raise self.refuse(f'"{name}" is missing; the file is not a complete model configuration')
        self._read.add(name)
        return self._values[name]


def short(value: Any) -> str:
    """The value as Python writes it, cut to what fits into a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
