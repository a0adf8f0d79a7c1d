"""The tensors of a GGUF model under the names and shapes of its family's Hugging Face checkpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attnviz.engine.config_keys import short
from attnviz.engine.gguf import pieces
from attnviz.engine.gguf.names import TABLES
from attnviz.engine.gguf.pieces import Piece
from attnviz.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from attnviz.engine.gguf.stored import StoredModel
    from attnviz.engine.ops import Float32

# Taken up by the rotary positions of the configuration, or derived from them (attn_rot_embd).
_ROTARY: Final = re.compile(r"^rope_(freqs|factors_long|factors_short)\.weight$|\.attn_rot_embd\.")
_EYES: Final = re.compile(r"^(v|mm)\.")  # what Ollama's Gemma 3 sees pictures with
# Biases that a LLaMA-like checkpoint has all of once it has one; the file leaves out those that are zero.
_BIASED: Final = {
    "attention_bias": r"self_attn\.[qkvo]_proj",
    "mlp_bias": r"mlp\.(gate|up|down)_proj",
}


class GgufSource:
    """The TensorSource of a GGUF model. config: as the family's config.json would have it."""

    def __init__(self, file: StoredModel, config: Mapping[str, Any]) -> None:
        self.where = str(file.path)
        self._pieces = _pieces(file, config)
        self.names = frozenset(self._pieces)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return self._pieces[name].shape

    def read(self, name: str) -> Float32:
        """A whole tensor as float32; a read-only view of the mapped file where that is what it stores."""
        return self._pieces[name].rows(slice(None))

    def rows(self, name: str, rows: NDArray[Any] | slice) -> Float32:
        """Some rows of a matrix as float32; the others are not converted."""
        return self._pieces[name].rows(rows)

    def stored(self, name: str) -> NDArray[Any]:
        """A whole tensor as float32: the blocks of this format are no family's own."""
        return self.read(name)


@dataclass(frozen=True)
class _Facts:
    """What the views need to know of the model."""

    pieces: dict[str, Piece]  # under the file's names
    n_head: int
    n_kv_head: int
    n_expert: int
    n_padding: int


def _pieces(file: StoredModel, config: Mapping[str, Any]) -> dict[str, Piece]:
    """Every tensor under the checkpoint's name; one that has none keeps its own, for the loading to refuse it by."""
    found = {name: Piece(stored.shape, stored.rows) for name, stored in file.tensors.items() if not _is_aside(name, config)}
    names = TABLES[config["model_type"]]
    n_head = next(config[key] for key in ("num_attention_heads", "n_heads", "num_heads") if key in config)
    facts = _Facts(
        pieces=_unfused(found, n_head, config) if "blk.#.attn_q" in names else found,
        n_head=n_head,
        n_kv_head=config.get("num_key_value_heads", n_head),
        n_expert=config.get("num_local_experts", 0),
        n_padding=config.get("pad_token_id", 0) + 1,
    )
    result: dict[str, Piece] = {}
    for name, piece in facts.pieces.items():
        renamed = _renamed(facts, names, name, piece)
        for twice in renamed.keys() & result.keys():
            raise ModelError(
                f'{file.path}: tensor "{twice}" is there twice, once as {short(name)}; one of the two is of another model.'
            )
        result |= renamed
    for flag, pattern in _BIASED.items():
        if config.get(flag):
            result = _zero_biases(result, re.compile(pattern + r"\.weight$")) | result
    return result


def _is_aside(name: str, config: Mapping[str, Any]) -> bool:
    """Whether it is no tensor of the checkpoint, in a model that has such."""
    if _ROTARY.search(name):
        return "rope_parameters" in config
    return config["model_type"] == "gemma3_text" and bool(_EYES.search(name))


def _renamed(facts: _Facts, names: Mapping[str, str | tuple[str, str]], name: str, piece: Piece) -> dict[str, Piece]:
    stem, _, kind = name.rpartition(".")
    layer = re.search(r"blk\.(\d+)\.", stem)
    expert = re.search(r"\.ffn_(?:gate|up|down)\.(\d+)$", stem)
    key = re.sub(r"(?<=blk\.)\d+(?=\.)", "#", stem, count=1)
    if expert:
        key = key.removesuffix(expert[1]) + "@"
    to = names.get(key)
    if to is None or kind not in ("weight", "bias"):
        return {name: piece}
    to, view = (to, "plain") if isinstance(to, str) else to
    to = to.replace("#", layer[1] if layer else "#")
    if expert:
        to = to.replace("@", expert[1])
    return _VIEWS[view](facts, name, f"{to}.{kind}", piece)


def _unfused(found: dict[str, Piece], n_head: int, config: Mapping[str, Any]) -> dict[str, Piece]:
    """Queries, keys and values that some converters put into one tensor, apart again."""
    result: dict[str, Piece] = {}
    for name, piece in found.items():
        if ".attn_qkv." not in name or name.replace("attn_qkv", "attn_q") in found:
            result[name] = piece
            continue
        n_kv_head = config.get("num_key_value_heads", n_head)
        d_head = piece.shape[0] // (n_head + 2 * n_kv_head)
        start = 0
        for part, n in (("q", n_head), ("k", n_kv_head), ("v", n_kv_head)):
            result[name.replace("attn_qkv", f"attn_{part}")] = pieces.span(piece, start, n * d_head)
            start += n * d_head
    return result


def _zero_biases(found: dict[str, Piece], weights: re.Pattern[str]) -> dict[str, Piece]:
    return {
        name.removesuffix("weight") + "bias": pieces.zeros(piece.shape[:1]) for name, piece in found.items() if weights.search(name)
    }


def _slabs(facts: _Facts, name: str, to: str, piece: Piece) -> dict[str, Piece]:
    if len(piece.shape) != 3 or piece.shape[0] != facts.n_expert:
        return {name: piece}
    return {to.replace("@", str(number)): pieces.slab(piece, number) for number in range(facts.n_expert)}


def _alternating(facts: _Facts, name: str, to: str, piece: Piece) -> dict[str, Piece]:
    up = facts.pieces.get(name.replace("ffn_gate", "ffn_up"))
    return {name: piece} if up is None else {_bare_weight(to): pieces.alternating(piece, up)}


def _stacked(facts: _Facts, name: str, to: str, piece: Piece) -> dict[str, Piece]:
    return {_bare_weight(to): piece if to.endswith(".bias") else pieces.stacked_transposed(piece)}


def _bare_weight(to: str) -> str:
    """gpt-oss's experts: "down_proj" and "down_proj_bias"."""
    return to.removesuffix(".weight").replace(".bias", "_bias")


def _gated_or_not(facts: _Facts, name: str, to: str, piece: Piece) -> dict[str, Piece]:
    is_gated = name.replace("ffn_up", "ffn_gate") in facts.pieces
    return {to.replace(".wi.", ".wi_1.") if is_gated else to: piece}


_VIEWS: Final[dict[str, Callable[[_Facts, str, str, Piece], dict[str, Piece]]]] = {
    "plain": lambda facts, name, to, piece: {to: piece},
    "bare": lambda facts, name, to, piece: {to.removesuffix(".weight"): piece},
    "taken": lambda facts, name, to, piece: {},
    "transposed": lambda facts, name, to, piece: {to: pieces.transposed(piece)},
    "less_one": lambda facts, name, to, piece: {to: pieces.less_one(piece)},
    "unpermuted": lambda facts, name, to, piece: {to: pieces.unpermuted(piece, facts.n_head)},
    "unpermuted_shared": lambda facts, name, to, piece: {to: pieces.unpermuted(piece, facts.n_kv_head)},
    "by_head": lambda facts, name, to, piece: {to: pieces.by_head(piece, facts.n_head)},
    "after_padding": lambda facts, name, to, piece: {to: pieces.after_padding(piece, facts.n_padding)},
    "slabs": _slabs,
    "alternating": _alternating,
    "stacked": _stacked,
    "gated_or_not": _gated_or_not,
}
