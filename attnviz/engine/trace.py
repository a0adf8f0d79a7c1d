"""All that one run of a model on one text left behind."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.budget import Recent
from attnviz.engine.inside import Inside
from attnviz.engine.steps import Steps, steps_bytes, steps_of
from attnviz.engine.value_vectors import value_bytes, value_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.config import Kind, ModelConfig
    from attnviz.engine.layers import Layer
    from attnviz.engine.ops import Float32
    from attnviz.engine.projected import Projected
    from attnviz.engine.tokenizer import Encoding, Token

# Attention that is kept ready; the rest is made again from queries and keys when asked for.
ATTENTION_BUDGET = 256 << 20


class Trace:
    """What a run left behind: tokens, queries, keys and final vectors; attention per layer on demand.

    An encoder-decoder leaves three kinds of attention, "encoder", "decoder" and "cross" (the decoder's tokens look at the
    encoder's); other models one, which `kind` need not name. `tokens`, `ids` and `hidden` are those of the text; the decoder's
    are `decoder_tokens`, `decoder_ids` and `decoder_hidden`.
    Safe to read from several threads. Arrays are shared, not copied, and read-only.
    """

    def __init__(
        self,
        config: ModelConfig,
        encoding: Encoding,
        head_count: int,
        text: str,
        pair: str | None,
        decoder_encoding: Encoding | None = None,
    ) -> None:
        self.config = config
        self.encoding = encoding
        self.decoder_encoding = decoder_encoding
        self.head_count = head_count
        self.text = text
        self.pair = pair
        self.hidden: Float32
        self.decoder_hidden: Float32 | None = None
        self._projected: dict[Kind, list[Projected]] = {kind: [] for kind in config.kinds}
        self._entering: dict[Kind, list[Float32]] = {kind: [] for kind in config.kinds}
        self._sinks: dict[tuple[Kind, int], Float32] = {}
        self._head_counts: dict[Kind, int] = {}
        self._attention = Recent(ATTENTION_BUDGET)
        self._layers: Callable[[Kind, int, int], Layer]
        self._predict: Callable[[Float32], Float32] | None = None
        self._logits: Float32 | None = None
        self._lock = Lock()

    @property
    def tokens(self) -> list[str]:
        """The tokens as the tokenizer spells them."""
        return [token.text for token in self.encoding.tokens]

    @property
    def ids(self) -> list[int]:
        """The tokens' vocabulary numbers."""
        return [token.id for token in self.encoding.tokens]

    @property
    def decoder_tokens(self) -> list[str] | None:
        """The decoder's tokens as the tokenizer spells them; None for a model of one stack."""
        return None if self.decoder_encoding is None else [token.text for token in self.decoder_encoding.tokens]

    @property
    def decoder_ids(self) -> list[int] | None:
        """The decoder's tokens' vocabulary numbers; None for a model of one stack."""
        return None if self.decoder_encoding is None else [token.id for token in self.decoder_encoding.tokens]

    @property
    def pieces(self) -> tuple[Token, ...]:
        """The tokens with their spans, texts to show and kinds."""
        return self.encoding.tokens

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of attention that there are."""
        return self.config.kinds

    def n_layer_of(self, kind: Kind | None = None) -> int:
        """The number of layers that have an attention of that kind, numbered from 0."""
        return len(self._projected[self._known(kind)])

    @property
    def n_layer(self) -> int:
        """The number of layers, numbered from 0; of an encoder-decoder the encoder's."""
        return self.n_layer_of()

    def head_count_of(self, kind: Kind | None = None) -> int:
        """The number of heads of an attention of that kind; a decoder may be trained with another count than its encoder."""
        return self._head_counts[self._known(kind)]

    @property
    def is_what_if(self) -> bool:
        """Whether the head count differs from the trained one."""
        return self.head_count != self.config.n_head

    def queries(self, kind: Kind | None = None) -> tuple[Token, ...]:
        """The tokens that look, the rows of an attention of that kind."""
        return self.encoding.tokens if self._known(kind) == self.kinds[0] else self.decoder_encoding.tokens

    def keys(self, kind: Kind | None = None) -> tuple[Token, ...]:
        """The tokens looked at, the columns of an attention of that kind."""
        return self.decoder_encoding.tokens if self._known(kind) == "decoder" and self.decoder_encoding else self.encoding.tokens

    def q(self, layer: int, kind: Kind | None = None) -> Float32:
        """Queries of a layer after position encoding, trained heads side by side, [token, n_head·d_head]."""
        return self._projection(layer, kind).q

    def k(self, layer: int, kind: Kind | None = None) -> Float32:
        """Keys of a layer after position encoding, trained heads side by side, [token, n_kv_head·d_head]."""
        return self._projection(layer, kind).k

    def attention(self, layer: int, kind: Kind | None = None) -> Float32:
        """Attention of a layer after softmax, [head, query, key]; rows sum to 1, less the sink's share where the model has one.

        Raises IndexError for no such layer, ValueError for a kind that the model does not have.
        """
        kind, projected = self._known(kind), self._projection(layer, kind)
        kept = self._attention.get((kind, layer))
        if kept is None:
            kept, _ = projected.attention(self._head_counts[kind])
            self._attention.put((kind, layer), kept)
        return kept

    def sink(self, layer: int, kind: Kind | None = None) -> Float32:
        """The share of each row that goes to a learned sink instead of a token, [head, query]; 0 where there is none."""
        kind, projected = self._known(kind), self._projection(layer, kind)
        share = self._sinks.get((kind, layer))
        return np.zeros((self._head_counts[kind], projected.q.shape[0]), np.float32) if share is None else share

    def entering(self, layer: int, kind: Kind | None = None) -> Float32:
        """The vectors that enter a layer, before its norms, [token, d_model]; for layer n_layer those that leave the last one,
        before the final norm. For "cross" what enters the cross-attention of a decoder's layer, behind its own attention.

        Raises IndexError for no such layer.
        """
        vectors = self._entering[self._known(kind)]
        if not 0 <= layer < len(vectors):
            raise IndexError(f"layer {layer} of a model with layers 0 to {len(vectors) - 2}; {len(vectors) - 1} is behind the last")
        return vectors[layer]

    def value_vectors(
        self, layer: int, kind: Kind | None = None, keys: slice = slice(None), heads: Sequence[int] | None = None
    ) -> Float32:
        """What each head makes of each key's value behind the output projection, [head, key, d_model], some keys and heads alone
        if asked: all of a long text take H·key·d_model·4 bytes. Merged heads have the sum of their group, split heads their slice.

        The sum over heads and keys of attention · value_vectors, plus the output projection's bias, is what the attention gives:
        `projected` of Steps. Computed anew with each call. Raises IndexError for no such layer, InputError if that takes more
        memory than there is.
        """
        kind, projected = self._known(kind), self._projection(layer, kind)
        n_key = len(range(*keys.indices(len(projected.k))))
        n_head = self._head_counts[kind] if heads is None else len(heads)
        return value_vectors(self._inside(layer, kind, value_bytes(projected, n_head, n_key)), keys, heads)

    def steps(self, layer: int, query: int, kind: Kind | None = None) -> Steps:
        """Every number of one query's attention in a layer. Computed anew with each call, by the functions of the run.

        Raises IndexError for no such layer or query, InputError if that takes more memory than there is.
        """
        kind, projected = self._known(kind), self._projection(layer, kind)
        if not 0 <= query < len(projected.q):
            raise IndexError(f"query {query} of a text with tokens 0 to {len(projected.q) - 1}")
        inside = self._inside(layer, kind, steps_bytes(projected, self._head_counts[kind]))
        return steps_of(inside, query, self._behind(layer, kind)[query])

    def logits(self) -> Float32 | None:
        """Scores over the vocabulary, [token, n_vocab], of an encoder-decoder for the decoder's tokens; None for a model
        without a prediction head. Made at the first call."""
        if self._predict is None:
            return None
        with self._lock:
            if self._logits is None:
                self._logits = self._predict(self.hidden if self.decoder_hidden is None else self.decoder_hidden)
                self._logits.flags.writeable = False
        return self._logits

    def keep(self, kind: Kind, entering: Float32, projected: Projected, attention: Float32, sink: Float32 | None) -> None:
        """Take over one layer of a run; layers come in order."""
        for array in (entering, projected.q, projected.k):
            array.flags.writeable = False
        layer = len(self._projected[kind])
        self._entering[kind].append(entering)
        self._projected[kind].append(projected)
        self._head_counts[kind] = attention.shape[0]
        self._attention.put((kind, layer), attention)
        if sink is not None:
            sink.flags.writeable = False
            self._sinks[kind, layer] = sink

    def leave(self, kinds: tuple[Kind, ...], leaving: Float32) -> None:
        """Take over the vectors that leave the last of the layers that have these attentions."""
        leaving.flags.writeable = False
        for kind in kinds:
            self._entering[kind].append(leaving)

    def finish(
        self,
        hidden: Float32,
        decoder_hidden: Float32 | None,
        layers: Callable[[Kind, int, int], Layer],
        predict: Callable[[Float32], Float32] | None,
    ) -> None:
        """Take over the final vectors, what makes logits of them, and the door to the weights: layers(kind, number, bytes that are
        needed beside them)."""
        hidden.flags.writeable = False
        self.hidden, self._layers, self._predict = hidden, layers, predict
        if decoder_hidden is not None:
            decoder_hidden.flags.writeable = False
            self.decoder_hidden = decoder_hidden

    def _known(self, kind: Kind | None) -> Kind:
        if kind is None:
            return self.kinds[0]
        if kind not in self.kinds:
            raise ValueError(f'no "{kind}" attention in a model that has {", ".join(self.kinds)}')
        return kind

    def _projection(self, layer: int, kind: Kind | None) -> Projected:
        layers = self._projected[self._known(kind)]
        if not 0 <= layer < len(layers):
            raise IndexError(f"layer {layer} of a model with layers 0 to {len(layers) - 1}")
        return layers[layer]

    def _inside(self, layer: int, kind: Kind, beside: int) -> Inside:
        encoded = self.hidden if kind == "cross" else None
        weights = self._layers(kind, layer, beside)
        return Inside(self._entering[kind][layer], encoded, weights, self._projected[kind][layer], self._head_counts[kind])

    def _behind(self, layer: int, kind: Kind) -> Float32:
        """The vectors that leave a whole layer."""
        return self._entering["decoder" if kind == "cross" else kind][layer + 1]
