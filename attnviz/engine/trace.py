"""All that one run of a model on one text left behind."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from attnviz.engine.forward import attention_of

if TYPE_CHECKING:
    from attnviz.engine.config import ModelConfig
    from attnviz.engine.ops import Float32
    from attnviz.engine.tokenizer import Encoding, Token

# Attention that is kept ready; the rest is made again from queries and keys when asked for.
_ATTENTION_BUDGET = 256 << 20


class Trace:
    """What a run left behind: tokens, queries, keys and final vectors; attention per layer on demand.

    Safe to read from several threads. Arrays are shared, not copied, and read-only.
    """

    def __init__(self, config: ModelConfig, encoding: Encoding, head_count: int, text: str, pair: str | None) -> None:
        self.config = config
        self.encoding = encoding
        self.head_count = head_count
        self.text = text
        self.pair = pair
        self.hidden: Float32
        self._qk: list[Float32] = []
        self._attention = _Budget(_ATTENTION_BUDGET)

    @property
    def tokens(self) -> list[str]:
        """The tokens as the tokenizer spells them."""
        return [token.text for token in self.encoding.tokens]

    @property
    def ids(self) -> list[int]:
        """The tokens' vocabulary numbers."""
        return [token.id for token in self.encoding.tokens]

    @property
    def pieces(self) -> tuple[Token, ...]:
        """The tokens with their spans, texts to show and kinds."""
        return self.encoding.tokens

    @property
    def n_layer(self) -> int:
        """The number of layers, numbered from 0."""
        return len(self._qk)

    @property
    def is_what_if(self) -> bool:
        """Whether the head count differs from the trained one."""
        return self.head_count != self.config.n_head

    def q(self, layer: int) -> Float32:
        """Queries of a layer, trained heads side by side, [token, d_model]."""
        return self._qk[layer][:, : self.config.d_model]

    def k(self, layer: int) -> Float32:
        """Keys of a layer, trained heads side by side, [token, d_model]."""
        return self._qk[layer][:, self.config.d_model :]

    def attention(self, layer: int) -> Float32:
        """Attention of a layer after softmax, [head, query, key]; rows sum to 1. Raises IndexError for no such layer."""
        if not 0 <= layer < self.n_layer:
            raise IndexError(f"layer {layer} of a model with layers 0 to {self.n_layer - 1}")
        kept = self._attention.get(layer)
        if kept is None:
            kept = attention_of(self.config, self._qk[layer], self.head_count)
            self._attention.put(layer, kept)
        return kept

    def logits(self) -> Float32 | None:
        """Scores over the vocabulary, [token, n_vocab]; None for a model without a prediction head, as BERT encoders are."""
        return None

    def keep(self, layer: int, qk: Float32, attention: Float32) -> None:
        """Take over one layer of a run; layers come in order."""
        assert layer == len(self._qk)
        qk.flags.writeable = False
        self._qk.append(qk)
        self._attention.put(layer, attention)


class _Budget:
    """The most recently used arrays, as many as fit a number of bytes."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._kept: OrderedDict[int, Float32] = OrderedDict()
        self._lock = Lock()

    def get(self, key: int) -> Float32 | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: int, array: Float32) -> None:
        array.flags.writeable = False
        with self._lock:
            self._kept[key] = array
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(a.nbytes for a in self._kept.values()) > self._n_bytes:
                self._kept.popitem(last=False)
