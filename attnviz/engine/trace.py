"""All that one run of a model on one text left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attnviz.engine.attended import Attended
from attnviz.engine.budget import Recent
from attnviz.engine.changes import NOTHING, Changes
from attnviz.engine.inside import Inside
from attnviz.engine.predictions import Predictions
from attnviz.engine.steps import Steps, steps_bytes, steps_of
from attnviz.engine.value_vectors import value_bytes, value_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.config import Kind, ModelConfig
    from attnviz.engine.layers import Layer
    from attnviz.engine.ops import Float32
    from attnviz.engine.tokenizer import Encoding, Token

# Attention that is kept ready; the rest is made again from queries and keys when asked for.
ATTENTION_BUDGET = 256 << 20


class Trace:
    """What a run left behind: tokens, queries, keys and final vectors; attention per layer on demand.

    An encoder-decoder leaves three kinds of attention, "encoder", "decoder" and "cross" (the decoder's tokens look at the
    encoder's); other models one, which `kind` need not name. `tokens`, `ids` and `hidden` are those of the text; the decoder's
    are `decoder_tokens`, `decoder_ids` and `decoder_hidden`.
    n_written: of its last tokens, those that the model wrote rather than a person; changes: what a person has changed of it;
    unchanged: the run without changes, where its attention is kept; begun: the text that the model has gone on with, before it did.
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
        changes: Changes = NOTHING,
        n_written: int = 0,
        unchanged: Trace | None = None,
        begun: str | None = None,
    ) -> None:
        self.config = config
        self.encoding = encoding
        self.decoder_encoding = decoder_encoding
        self.head_count = head_count
        self.text = text
        self.pair = pair
        self.changes = changes
        self.n_written = n_written
        self.unchanged = unchanged
        self.begun = begun
        self.hidden: Float32
        self.decoder_hidden: Float32 | None = None
        self._attended: dict[Kind, list[Attended]] = {kind: [] for kind in config.kinds}
        self._leaving: dict[Kind, Float32] = {}
        self._attention = Recent(ATTENTION_BUDGET)
        self._layers: Callable[[Kind, int, int], Layer]
        self._predict: Callable[[Float32], Float32] | None = None
        self._predictions: Predictions | None = None

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
        return len(self._attended[self._known(kind)])

    @property
    def n_layer(self) -> int:
        """The number of layers, numbered from 0; of an encoder-decoder the encoder's."""
        return self.n_layer_of()

    def head_count_of(self, kind: Kind | None = None) -> int:
        """The number of heads of an attention of that kind; a decoder may be trained with another count than its encoder."""
        return self._attended[self._known(kind)][0].head_count

    @property
    def is_what_if(self) -> bool:
        """Whether the head count differs from the trained one, or a person has changed something."""
        return self.has_other_heads or bool(self.changes)

    @property
    def has_other_heads(self) -> bool:
        """Whether the head count differs from the trained one."""
        return self.head_count != self.config.n_head

    @property
    def writes(self) -> bool:
        """Whether the model can go on with its text: its last tokens look back alone, and it predicts tokens."""
        return self._predictions is not None and "decoder" in self.kinds

    @property
    def output(self) -> Float32:
        """The vectors that the model's answer is made of, the decoder's where it has two sides, [token, d_model]."""
        return self.hidden if self.decoder_hidden is None else self.decoder_hidden

    @property
    def output_pieces(self) -> tuple[Token, ...]:
        """The tokens that `output` has a vector for."""
        return (self.encoding if self.decoder_encoding is None else self.decoder_encoding).tokens

    def queries(self, kind: Kind | None = None) -> tuple[Token, ...]:
        """The tokens that look, the rows of an attention of that kind."""
        return self.encoding.tokens if self._known(kind) == self.kinds[0] else self.decoder_encoding.tokens

    def keys(self, kind: Kind | None = None) -> tuple[Token, ...]:
        """The tokens looked at, the columns of an attention of that kind."""
        return self.decoder_encoding.tokens if self._known(kind) == "decoder" and self.decoder_encoding else self.encoding.tokens

    def q(self, layer: int, kind: Kind | None = None) -> Float32:
        """Queries of a layer after position encoding, trained heads side by side, [token, n_head·d_head]."""
        return self._at(layer, kind).projected.q

    def k(self, layer: int, kind: Kind | None = None) -> Float32:
        """Keys of a layer after position encoding, trained heads side by side, [token, n_kv_head·d_head]."""
        return self._at(layer, kind).projected.k

    def attention(self, layer: int, kind: Kind | None = None) -> Float32:
        """Attention of a layer after softmax, [head, query, key]; rows sum to 1, less the sink's share where the model has one.

        Raises IndexError for no such layer, ValueError for a kind that the model does not have.
        """
        kind, at = self._known(kind), self._at(layer, kind)
        kept = self._attention.get((kind, layer))
        if kept is None:
            kept, _ = at.projected.attention(at.head_count)
            self._attention.put((kind, layer), kept)
        return kept

    def attention_of_heads(self, layer: int, heads: Sequence[int], kind: Kind | None = None) -> Float32:
        """The attention of some heads, [head, query, key], as in `attention` but for rounding; made alone with each call, so that
        it does not depend on what else was asked for.

        Raises IndexError for no such layer or head.
        """
        at = self._at(layer, kind)
        if not len(heads):
            return np.empty((0, len(at.projected.q), len(at.projected.k)), np.float32)
        return at.projected.of_heads(heads, at.head_count).attention(len(heads))[0]

    def attention_row(self, layer: int, query: int, kind: Kind | None = None) -> Float32:
        """The attention of one query, [head, key], as in `attention` but for rounding; made alone where that is not at hand.

        Raises IndexError for no such layer or query.
        """
        kind, at = self._known(kind), self._at(layer, kind)
        self._check_query(query, at)
        kept = self._attention.get((kind, layer))
        return at.projected.attention(at.head_count, slice(query, query + 1))[0][:, 0] if kept is None else kept[:, query]

    def sink(self, layer: int, kind: Kind | None = None) -> Float32:
        """The share of each row that goes to a learned sink instead of a token, [head, query]; 0 where there is none."""
        at = self._at(layer, kind)
        return np.zeros((at.head_count, at.projected.q.shape[0]), np.float32) if at.sink is None else at.sink

    def entering(self, layer: int, kind: Kind | None = None) -> Float32:
        """The vectors that enter a layer, before its norms, [token, d_model]; for layer n_layer those that leave the last one,
        before the final norm. For "cross" what enters the cross-attention of a decoder's layer, behind its own attention.

        Raises IndexError for no such layer.
        """
        attended = self._attended[self._known(kind)]
        n = len(attended)
        if not 0 <= layer <= n:
            raise IndexError(f"layer {layer} of a model with layers 0 to {n - 1}; {n} is behind the last")
        return attended[layer].entering if layer < n else self._leaving[self._known(kind)]

    def value_vectors(
        self, layer: int, kind: Kind | None = None, keys: slice = slice(None), heads: Sequence[int] | None = None
    ) -> Float32:
        """What each head makes of each key's value behind the output projection, [head, key, d_model], some keys and heads alone
        if asked: all of a long text take H·key·d_model·4 bytes. Merged heads have the sum of their group, split heads their slice.

        The sum over heads and keys of attention · value_vectors, plus the output projection's bias, is what the attention gives:
        `projected` of Steps. Computed anew with each call. Raises IndexError for no such layer, InputError if that takes more
        memory than there is.
        """
        kind, at = self._known(kind), self._at(layer, kind)
        n_key = len(range(*keys.indices(len(at.projected.k))))
        n_head = at.head_count if heads is None else len(heads)
        return value_vectors(self._inside(layer, kind, value_bytes(at.projected, n_head, n_key)), keys, heads)

    def steps(self, layer: int, query: int, kind: Kind | None = None) -> Steps:
        """Every number of one query's attention in a layer. Computed anew with each call, by the functions of the run.

        Raises IndexError for no such layer or query, InputError if that takes more memory than there is.
        """
        kind, at = self._known(kind), self._at(layer, kind)
        self._check_query(query, at)
        inside = self._inside(layer, kind, steps_bytes(at.projected, at.head_count))
        return steps_of(inside, query, self._behind(layer, kind)[query])

    def logits(self) -> Float32 | None:
        """Scores over the vocabulary, [token, n_vocab], of an encoder-decoder for the decoder's tokens; None for a model
        without a prediction head. Made at the first call."""
        return None if self._predictions is None else self._predictions.all()

    def predictions(self, positions: Sequence[int]) -> Float32 | None:
        """The rows of `logits` for some tokens alone, [position, n_vocab]; None for a model without a prediction head. The newest
        are kept. Raises IndexError for a token that is not there."""
        if self._predictions is None:
            return None
        if not all(0 <= at < len(self.output_pieces) for at in positions):
            raise IndexError(f"predictions for {list(positions)} of a text with tokens 0 to {len(self.output_pieces) - 1}")
        return self._predictions.at(positions) if len(positions) else np.empty((0, self.config.n_vocab), np.float32)

    def attended(self, layer: int, kind: Kind) -> Attended:
        """All that the run keeps of one attention. Raises IndexError for no such layer."""
        return self._at(layer, kind)

    def keep(self, kind: Kind, attended: Attended, attention: Float32 | None) -> None:
        """Take over one layer of a run; layers come in order. attention: where all of it is at hand."""
        layer = len(self._attended[kind])
        self._attended[kind].append(attended)
        if attention is not None:
            self._attention.put((kind, layer), attention)

    def take_over(self, other: Trace, kind: Kind, n_layer: int, n: int) -> None:
        """Take over the first layers of another run, in which the first `n` queries are the same."""
        for layer, attended in enumerate(other._attended[kind][:n_layer]):
            is_whole = n == len(attended.entering)
            # That of fewer queries is made anew: rows of a larger product have other last bits, and layers that are the same in two
            # runs must not seem to differ for the way that each of them came by.
            self.keep(kind, attended.until(n, kind == "cross"), other._attention.get((kind, layer)) if is_whole else None)

    def leave(self, kinds: Sequence[Kind], leaving: Float32) -> None:
        """Take over the vectors that leave the last of the layers that have these attentions."""
        leaving.flags.writeable = False
        self._leaving.update(dict.fromkeys(kinds, leaving))

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
        if predict is not None:
            self._predictions = Predictions(self.output, predict)

    def finish_as(self, other: Trace, hidden: Float32, decoder_hidden: Float32 | None) -> None:
        """The same with what another run of the model makes logits of them and reads weights with."""
        self.finish(hidden, decoder_hidden, other._layers, other._predict)

    def _known(self, kind: Kind | None) -> Kind:
        if kind is None:
            return self.kinds[0]
        if kind not in self.kinds:
            raise ValueError(f'no "{kind}" attention in a model that has {", ".join(self.kinds)}')
        return kind

    def _at(self, layer: int, kind: Kind | None) -> Attended:
        attended = self._attended[self._known(kind)]
        if not 0 <= layer < len(attended):
            raise IndexError(f"layer {layer} of a model with layers 0 to {len(attended) - 1}")
        return attended[layer]

    def _check_query(self, query: int, at: Attended) -> None:
        if not 0 <= query < len(at.projected.q):
            raise IndexError(f"query {query} of a text with tokens 0 to {len(at.projected.q) - 1}")

    def _inside(self, layer: int, kind: Kind, beside: int) -> Inside:
        encoded = self.hidden if kind == "cross" else None
        at, weights = self._attended[kind][layer], self._layers(kind, layer, beside)
        return Inside(at.entering, encoded, weights, at.projected, at.head_count)

    def _behind(self, layer: int, kind: Kind) -> Float32:
        """The vectors that leave a whole layer."""
        return self.entering(layer + 1, "decoder" if kind == "cross" else kind)
