"""Arrays kept ready as long as they fit a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from attnviz.engine.ops import Float32

T = TypeVar("T")


class Recent:
    """The most recently used arrays, as many as fit."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._kept: OrderedDict[Hashable, Float32] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Float32 | None:
        """The array kept under `key`, if it is still there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, array: Float32) -> None:
        """Keep an array, read-only from now on; the least recently used go, the newest stays whatever its size."""
        array.flags.writeable = False
        with self._lock:
            self._kept[key] = array
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(a.nbytes for a in self._kept.values()) > self._n_bytes:
                self._kept.popitem(last=False)


class First(Generic[T]):
    """The first values made, as many as fit; the others are made again each time.

    Layers are asked for in a circle, and the least recently used is then the one needed next: a cache that drops it for room
    would keep nothing of use. Between two calls of `begin` so many bytes at the most are kept anew.
    """

    def __init__(self, n_bytes: int, size: Callable[[T], int], at_a_time: int) -> None:
        self._n_bytes = n_bytes
        self._at_a_time = self._left = at_a_time
        self._used = 0
        self._size = size
        self._kept: dict[Hashable, T] = {}
        self._lock = Lock()

    @property
    def n_bytes(self) -> int:
        """The size of all that is kept."""
        return self._used

    def get(self, key: Hashable, make: Callable[..., T], *arguments: Any) -> T:
        """The value kept under `key`, else `make(*arguments)`, kept if it fits."""
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        value = make(*arguments)  # not under the lock: another thread may want what is there already
        size = self._size(value)
        with self._lock:
            if key not in self._kept and self._used + size <= self._n_bytes and size <= self._left:
                self._used += size
                self._left -= size
                self._kept[key] = value
            return self._kept.get(key, value)

    def begin(self) -> None:
        """From now on as many bytes may be kept anew as may be at a time."""
        with self._lock:
            self._left = self._at_a_time

    def limit(self, n_bytes: int) -> None:
        """From now on keep a value only if all of them fit `n_bytes`; those that are kept stay."""
        with self._lock:
            self._n_bytes = n_bytes

    def clear(self) -> None:
        """Let go of everything; what is made from now on is kept again."""
        with self._lock:
            self._kept.clear()
            self._used = 0
