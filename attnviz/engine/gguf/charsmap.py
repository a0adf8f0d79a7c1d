"""The table by which a SentencePiece model normalises texts, checked: the library follows it wherever it points and panics.

Source of the format: units of Darts-clone's darts.h (a double array); SentencePiece's normalizer.cc (the size of the index in
bytes, the index, the replacements with a zero after each).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.gguf.tokenizer_keys import PREFIX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.gguf.tokenizer_keys import TokenizerKeys

    Units = NDArray[np.uint32]

_LARGEST: Final = 4 << 20  # bytes; that of NFKC, the one in use, takes 240,000
_BLOCK: Final = 256
_AT_ONCE: Final = 1 << 12  # nodes; their followers take 4 MB
_HAS_VALUE: Final = np.uint32(1 << 8)
_VALUE: Final = np.uint32((1 << 31) - 1)
_LABEL: Final = np.uint32(1 << 31 | 0xFF)
_BYTES: Final = np.arange(1, 256, dtype=np.uint32)


def read_charsmap(keys: TokenizerKeys) -> bytes:
    """The "precompiled_charsmap" of the file. Raises ModelError for one that leads out of itself."""
    numbers = keys.numbers("precompiled_charsmap")
    if numbers.dtype.kind in "iu" and len(numbers) <= _LARGEST:
        charsmap = numbers.astype(np.uint8).tobytes()
        size = int.from_bytes(charsmap[:4], "little")
        if size % (4 * _BLOCK) == 0 < size < len(charsmap) - 4 and _is_sound(
            np.frombuffer(charsmap, "<u4", size // 4, 4), np.frombuffer(charsmap, np.uint8, offset=4 + size)
        ):
            return charsmap
    raise keys.refuse(f'"{PREFIX}precompiled_charsmap" is damaged, so no text can be normalised; get the file again')


def _is_sound(units: Units, texts: NDArray[np.uint8]) -> bool:
    """Whether each way through the index stays inside it, and each one that ends does so at the first byte of a character."""
    starts = np.append((texts & 0xC0) != 0x80, True)
    seen = np.zeros(len(units), bool)
    nodes = _targets(units, np.zeros(1, np.uint32))
    while len(nodes):
        if nodes.max() >= len(units):
            return False
        nodes = np.unique(nodes)
        nodes = nodes[~seen[nodes]]
        seen[nodes] = True
        followers = np.concatenate([_followers(units, part) for part in _parts(nodes)])
        nodes = _targets(units, followers)
        ends = nodes[(units[followers] & _HAS_VALUE) != 0]
        if (ends >= len(units)).any():
            return False
        values = units[ends] & _VALUE
        if (values >= len(starts)).any() or not starts[values].all():
            return False
    return True


def _parts(nodes: Units) -> list[Units]:
    return np.split(nodes, range(_AT_ONCE, len(nodes), _AT_ONCE))


def _targets(units: Units, places: Units) -> Units:
    """Where the units at `places` lead. An offset stands in bits 10 to 30 and is 256 times as large where bit 9 is set."""
    found = units[places]
    return places ^ ((found >> 10) << ((found & (1 << 9)) >> 6))


def _followers(units: Units, nodes: Units) -> Units:
    """The places of the units that follow `nodes`, whose block is inside the index; each holds the byte that leads to it."""
    places = nodes[:, None] ^ _BYTES
    return places[(units[places] & _LABEL) == _BYTES]
