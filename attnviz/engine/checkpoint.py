"""Reading a model's tensors by name and shape, with every name accounted for.

A family says once how its parts are read. That is done twice: first as a `Plan`, which reads no numbers but finds what is
missing, of a wrong shape or unknown, and how large each part will be; later in earnest, part by part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.engine.layers import Linear, Norm
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.engine.tensors import TensorSource


class Checkpoint:
    """The tensors of one model under the names of its family, without the prefix that a checkpoint may put before them.

    probe: a name that every checkpoint of the family has; prefixes: what may stand before it, tried in this order.
    """

    def __init__(self, source: TensorSource, probe: str, prefixes: Iterable[str] = ("",)) -> None:
        self._source = source
        self.prefix = _prefix(source.names, probe, tuple(prefixes))

    def has(self, name: str, prefixed: bool = True) -> bool:
        """Whether the tensor is there."""
        return self._full(name, prefixed) in self._source.names

    def tensor(self, name: str, shape: tuple[int, ...], prefixed: bool = True) -> Float32:
        """The tensor called `name`. Raises ModelError if it is missing or not of that `shape`."""
        return self._source.read(self._checked(name, shape, prefixed))

    def part(self, name: str, shape: tuple[int, ...], number: int) -> Float32:
        """One of the arrays along the first axis of a tensor of that `shape`; the others are not read."""
        return self._source.rows(self._checked(name, shape, True), slice(number, number + 1))[0]

    def stored(self, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """The tensor as it is stored, not as float32."""
        return self._source.stored(self._checked(name, shape, True))

    def table(self, name: str, shape: tuple[int, int], prefixed: bool = True) -> Rows:
        """The matrix called `name`, read by rows."""
        return Rows(self._source, self._checked(name, shape, prefixed), shape)

    def linear(self, name: str, d_in: int, d_out: int, bias: bool = True, prefixed: bool = True) -> Linear:
        """The product and bias stored as `name.weight` [out, in] and `name.bias` [out]."""
        weight = self.tensor(f"{name}.weight", (d_out, d_in), prefixed)
        return Linear(weight.T, self.tensor(f"{name}.bias", (d_out,), prefixed) if bias else None)

    def norm(self, name: str, width: int, shift: bool = True, prefixed: bool = True) -> Norm:
        """The norm stored as `name.weight` and, with `shift`, `name.bias`."""
        scale = self.tensor(f"{name}.weight", (width,), prefixed)
        return Norm(scale, self.tensor(f"{name}.bias", (width,), prefixed) if shift else None)

    def _full(self, name: str, prefixed: bool) -> str:
        return self.prefix + name if prefixed else name

    def _checked(self, name: str, shape: tuple[int, ...], prefixed: bool) -> str:
        name = self._full(name, prefixed)
        if name not in self._source.names:
            raise ModelError(f'{self._source.where}: tensor "{name}" is missing; the file is not the whole model.')
        if self._source.shape(name) != shape:
            found = list(self._source.shape(name))
            raise ModelError(
                f'{self._source.where}: tensor "{name}" is {found}, the configuration says {list(shape)}; one of the two is wrong.'
            )
        return name


def _prefix(names: frozenset[str], probe: str, prefixes: tuple[str, ...]) -> str:
    """What stands before the names; where the probe itself is missing, what others begin with, so that it is named rightly."""
    found = next((prefix for prefix in prefixes if prefix + probe in names), None)
    if found is not None:
        return found
    return next((prefix for prefix in prefixes if prefix and any(name.startswith(prefix) for name in names)), "")


class Plan(Checkpoint):
    """A Checkpoint that reads no numbers: arrays of the right shape that hold nothing and take no memory."""

    def __init__(self, source: TensorSource, probe: str, prefixes: Iterable[str] = ("",)) -> None:
        super().__init__(source, probe, prefixes)
        self._seen: set[str] = set()

    def tensor(self, name: str, shape: tuple[int, ...], prefixed: bool = True) -> Float32:
        self._checked(name, shape, prefixed)
        return np.broadcast_to(np.float32(0), shape)

    def part(self, name: str, shape: tuple[int, ...], number: int) -> Float32:
        self._checked(name, shape, True)
        return np.broadcast_to(np.float32(0), shape[1:])

    def stored(self, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
        self._checked(name, shape, True)
        return np.broadcast_to(np.uint8(0), shape)

    def refuse_unknown(self, known: re.Pattern[str]) -> None:
        """Raises ModelError for a tensor that no part has asked for and whose name does not match `known`."""
        extra = sorted(name for name in self._source.names - self._seen if not known.search(name))
        if extra:
            raise ModelError(
                f'{self._source.where}: the weights hold "{extra[0]}", which such a model does not have; this is another kind '
                "of model."
            )

    def _checked(self, name: str, shape: tuple[int, ...], prefixed: bool) -> str:
        name = super()._checked(name, shape, prefixed)
        self._seen.add(name)
        return name


class Rows:
    """A Table over a tensor of a source."""

    def __init__(self, source: TensorSource, name: str, shape: tuple[int, int]) -> None:
        self._source = source
        self._name = name
        self.shape = shape

    def rows(self, rows: NDArray[Any] | slice) -> Float32:
        """Some rows, float32; of a slice perhaps a read-only view of the mapped file, else a fresh array."""
        found = self._source.rows(self._name, rows)
        return found if found.flags.writeable or isinstance(rows, slice) else found.copy()


def join(parts: list[Float32], axis: int = 0) -> Float32:
    """The parts one after the other along an axis; of a Plan's parts again an array that takes no memory."""
    if all(not any(part.strides) for part in parts):
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        return np.broadcast_to(np.float32(0), tuple(shape))
    return np.concatenate(parts, axis)
