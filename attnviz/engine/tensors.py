"""What the families read weights from, whatever file holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32


class TensorSource(Protocol):
    """The tensors of one model by name, under the names and shapes of its Hugging Face checkpoint. Safe to use from several
    threads; nothing is read from the disk before it is asked for."""

    where: str  # the file or folder, for messages
    names: frozenset[str]

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        ...

    def read(self, name: str) -> Float32:
        """A whole tensor as float32; perhaps a read-only view of the mapped file."""
        ...

    def rows(self, name: str, rows: NDArray[Any] | slice) -> Float32:
        """Some rows of a matrix as float32, [row, …]; the others are not converted."""
        ...

    def stored(self, name: str) -> NDArray[Any]:
        """A whole tensor as it is stored, for the packed kinds that a family unpacks itself."""
        ...
