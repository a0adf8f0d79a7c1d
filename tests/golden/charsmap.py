"""Rules of replacement as the "precompiled_charsmap" that SentencePiece writes for them.

Source of the format: Darts-clone's darts.h (units of the double array) and SentencePiece's normalizer.cc: the size of the
index in bytes, the index, and the replacements with a zero after each.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

_BLOCK = 256
_END = 0  # stands for no byte of a text
_HAS_VALUE, _IS_VALUE = 1 << 8, 1 << 31
_HANGUL = range(0xAC00, 0xD7A4)


def charsmap(rules: Mapping[str, str]) -> bytes:
    """The table for `rules`: what is to be replaced, none of it empty or with a zero, and by what."""
    trie: dict[int, Any] = {}
    texts = bytearray()
    for old, new in sorted(rules.items()):
        node = trie
        for byte in old.encode():
            node = node.setdefault(byte, {})
        node[_END] = len(texts)
        texts += new.encode() + b"\0"
    index = _double_array(trie)
    return len(index).to_bytes(4, "little") + index + bytes(texts)


def _double_array(trie: dict[int, Any]) -> bytes:
    """Each node with followers has a block of its own, in which a follower stands at its byte; the values of the others come
    last. A unit holds its byte, and in bits 10 to 30 the way to its block or value, XORed with its own place."""
    inner = _inner(trie)
    blocks = {id(node): _BLOCK * (number + 1) for number, node in enumerate(inner)}
    units = np.zeros(_BLOCK * (len(inner) + 1), np.uint32)
    values: list[int] = []
    units[0] = _BLOCK << 10
    for node in inner:
        for byte, follower in node.items():
            place = blocks[id(node)] + byte
            if byte == _END:
                units[place] = _IS_VALUE | follower
            elif id(follower) in blocks:
                has_value = _HAS_VALUE if _END in follower else 0
                units[place] = byte | has_value | (place ^ blocks[id(follower)]) << 10
            else:
                units[place] = byte | _HAS_VALUE | (place ^ len(units) + len(values)) << 10
                values.append(_IS_VALUE | follower[_END])
    values += [0] * (-len(values) % _BLOCK)
    return np.concatenate([units, np.array(values, np.uint32)]).astype("<u4").tobytes()


def _inner(trie: dict[int, Any]) -> list[dict[int, Any]]:
    """The nodes with followers, the root first."""
    nodes = [trie]
    for node in nodes:
        nodes += [follower for byte, follower in node.items() if byte != _END and follower.keys() != {_END}]
    return nodes


def nfkc_rules() -> dict[str, str]:
    """Unicode's NFKC: single characters, and bases with marks; Hangul is left as it is."""
    rules = {}
    for char in map(chr, range(0x80, 0x30000)):
        if unicodedata.category(char) in ("Cs", "Cn"):
            continue
        if (composed := unicodedata.normalize("NFKC", char)) != char:
            rules[char] = composed
        apart = unicodedata.normalize("NFD", char)
        if apart != char and ord(char) not in _HANGUL and unicodedata.normalize("NFC", apart) == char:
            rules[apart] = char
    return rules


def plain_rules() -> dict[str, str]:
    """NFKD without accents, in lower case."""
    chars = (chr(code) for code in range(0x41, 0x30000) if unicodedata.category(chr(code)) not in ("Cs", "Cn"))
    return {char: plain for char in chars if (plain := _plain(char)) != char}


def _plain(char: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", char) if unicodedata.category(one) != "Mn").lower()
