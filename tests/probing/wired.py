"""Models whose heads do one known thing each: the weights are made by hand, not trained, and written as a whole model folder.

    folder = write_wired(tmp_path, [[Previous(), Uniform()], [Induction(), Duplicate()]], words, causal=True)
    attention = load_model(folder).trace("a b c a b").attention(1)

How it works. A token's vector is u beside -u (so LayerNorm finds mean 0) and |u| is the same for all tokens (so LayerNorm is one
known factor). u holds, in slots of their own: where the token stands, whether it is the first, which word it is, what `Pairs` says
of the word, and which word stands before it, once a `Previous` head has written that. A head's score is a bilinear form of two
such vectors; values are zero but for that one head, and so is the feed-forward part.

The codes of two places, or of two words, are never alike by more than PLACES_ALIKE and WORDS_ALIKE. Each wiring's gains follow from
these bounds, so that in every text the key it wants lies MARGIN above all others: a weight of 0.999 and more, if it is one key.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import PreTokenizer, Punctuation, WhitespaceSplit
from tokenizers.pre_tokenizers import Sequence as InTurn
from tokenizers.processors import BertProcessing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]
    Tensors = dict[str, NDArray[np.float32]]

N_POSITION: Final = 512
MOST_WORDS: Final = 2048  # with the special tokens
MARGIN: Final = 14.0  # in the exponent, between the score of the key that is wanted and any other
CAUSAL_SPECIALS: Final = ("<|endoftext|>", "<unk>")
BIDIRECTIONAL_SPECIALS: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

# A perfect difference set: each number from 1 to 870 is the difference of two of these 30 in one way, modulo 871. Cosines of
# these frequencies, summed, are then at most √29 at every distance but 0 (Singer 1938).
_FREQUENCIES: Final = (
    *(0, 1, 3, 79, 85, 100, 108, 147, 166, 188, 214, 241, 305, 356, 366),
    *(400, 496, 527, 538, 555, 573, 598, 628, 691, 748, 802, 822, 834, 858, 867),
)
_PERIOD: Final = 871
_FARTHEST: Final = _PERIOD - N_POSITION
PLACES_ALIKE: Final = math.sqrt(29) / 30
WORDS_ALIKE: Final = 1 / 8
_PLACE_WIDTH: Final = 2 * len(_FREQUENCIES)
_WORD_WIDTH: Final = 64

# Of a head that finds words and must pass over the one place where its own word always is (`Duplicate`, `Induction`), as shares of
# its gain: what is taken off there, what the first token gets, and the margin. With a = WORDS_ALIKE and b = PLACES_ALIKE·penalty:
#   a copy has 1 - b or more (Induction: 1 - a - b), the place passed over 1 - penalty (1 + a - penalty) or less, any other word
#   a + b (2a + b) or less, and the first token first ± (a + b) (first ± b).
# The two sets of inequalities have the same solution with the largest margin, which is this one.
_PENALTY: Final = (1 - WORDS_ALIKE) / (1 + PLACES_ALIKE)
_WORD_MARGIN: Final = (_PENALTY * (1 - 3 * PLACES_ALIKE) - 2 * WORDS_ALIKE) / 2
_WORD_FIRST: Final = 1 - WORDS_ALIKE - 2 * PLACES_ALIKE * _PENALTY - _WORD_MARGIN
# Of a head that finds a place: 1 there, PLACES_ALIKE or less elsewhere, and the first token first ± PLACES_ALIKE.
_PLACE_FIRST: Final = (1 + PLACES_ALIKE) / 2
_PLACE_MARGIN: Final = (1 - 3 * PLACES_ALIKE) / 2


class Form(NamedTuple):
    """A score as a bilinear form: (u·query + bias)·(v·key), u of the token that looks and v of the one looked at.

    query, key: [width of u, width of the form]; bias: [width of the form].
    """

    query: Float64
    bias: Float64
    key: Float64


class Slots:
    """Where in u what is: `place`, `first` (1 or -1), `word`, `previous`, `queries` and `keys` of each Pairs, `slack`."""

    def __init__(self, pairs: Iterable[Pairs]) -> None:
        self.width = 0
        self.place = self._take(_PLACE_WIDTH)
        self.first = self._take(1)
        self.word = self._take(_WORD_WIDTH)
        self.queries: dict[Pairs, slice] = {}
        self.keys: dict[Pairs, slice] = {}
        for one in pairs:
            rank = one.features[0].shape[1]
            self.queries[one], self.keys[one] = self._take(rank), self._take(rank)
        self.slack = self._take(1)
        self.previous = self._take(_WORD_WIDTH)

    def _take(self, width: int) -> slice:
        self.width += width
        return slice(self.width - width, self.width)

    def product(self, query: slice, matrix: Float64, key: slice) -> Form:
        """The score u[query]·matrix·v[key]."""
        rows, columns = np.zeros((self.width, matrix.shape[1])), np.zeros((self.width, matrix.shape[1]))
        rows[query], columns[key] = matrix, np.eye(matrix.shape[1])
        return Form(rows, np.zeros(matrix.shape[1]), columns)

    def first_token(self, gain: float) -> Form:
        """A score that is higher by `gain` for the first token than for all others."""
        key = np.zeros((self.width, 1))
        key[self.first] = 1.0
        return Form(np.zeros((self.width, 1)), np.array([gain / 2]), key)

    def distance(self, offset: int, gain: float) -> Form:
        """`gain` for the token `offset` behind the one that looks, at most gain·PLACES_ALIKE, of either sign, for others."""
        angles = 2 * np.pi * offset * np.array(_FREQUENCIES) / _PERIOD
        cos, sin = np.diag(np.cos(angles)), np.diag(np.sin(angles))
        return self.product(self.place, np.block([[cos, sin], [-sin, cos]]) * (gain / _PLACE_WIDTH), self.place)

    def same_word(self, gain: float) -> Form:
        """`gain` for the same word, at most gain·WORDS_ALIKE, of either sign, for others."""
        return self.product(self.word, np.eye(_WORD_WIDTH) * (gain / _WORD_WIDTH), self.word)

    def after_same_word(self, gain: float) -> Form:
        """`gain` for a token behind the same word, less what `same_word` gives: 0 for the first token, whose word stands in for
        the one before it, and for a word behind itself."""
        form = self.same_word(gain)
        form.key[self.previous], form.key[self.word] = np.eye(_WORD_WIDTH), -np.eye(_WORD_WIDTH)
        return form


def _sum(*forms: Form) -> Form:
    return Form(*(np.concatenate(parts, axis=-1) for parts in zip(*forms, strict=True)))


class Wiring(ABC):
    """What a head does."""

    @abstractmethod
    def form(self, slots: Slots) -> Form:
        """Its scores."""


@dataclass(frozen=True)
class Offset(Wiring):
    """Looks at the token `offset` behind its own (before it, where negative), at the first token where there is none."""

    offset: int

    def form(self, slots: Slots) -> Form:
        gain = MARGIN / _PLACE_MARGIN
        return _sum(slots.distance(self.offset, gain), slots.first_token(gain * _PLACE_FIRST))


@dataclass(frozen=True)
class Previous(Offset):
    """Looks at the token before, the first one at itself."""

    offset: int = field(default=-1, init=False)


@dataclass(frozen=True)
class Next(Offset):
    """Looks at the token behind, the last one at the first token. Only for models that look both ways."""

    offset: int = field(default=1, init=False)


@dataclass(frozen=True)
class Same(Offset):
    """Looks at its own token."""

    offset: int = field(default=0, init=False)


@dataclass(frozen=True)
class First(Wiring):
    """Looks at the first token."""

    def form(self, slots: Slots) -> Form:
        return slots.first_token(MARGIN)


@dataclass(frozen=True)
class Uniform(Wiring):
    """Looks at all tokens alike: its query weights are zero."""

    def form(self, slots: Slots) -> Form:
        return Form(np.zeros((slots.width, 1)), np.zeros(1), np.zeros((slots.width, 1)))


@dataclass(frozen=True)
class Random(Wiring):
    """Scores by random weights of what the two tokens are (`by` "word"), where they are ("place"), or both.

    spread: the standard deviation of the scores; a text's own is near it.
    """

    seed: int = 0
    by: Literal["word", "place", "both"] = "both"
    spread: float = 1.75

    def form(self, slots: Slots) -> Form:
        random = np.random.default_rng(self.seed)
        read = {"word": [slots.word], "place": [slots.place], "both": [slots.place, slots.word]}[self.by]
        rows = np.concatenate([np.arange(slot.start, slot.stop) for slot in read])  # squares of what they hold: 1 in the mean
        query, key = np.zeros((2, slots.width, _WORD_WIDTH))
        query[rows], key[rows] = random.normal(size=(2, len(rows), _WORD_WIDTH))
        return Form(query * (self.spread / (len(rows) * math.sqrt(_WORD_WIDTH))), np.zeros(_WORD_WIDTH), key)


@dataclass(frozen=True)
class Duplicate(Wiring):
    """Looks at the other tokens with its own word, at the first token where there is none. A causal model sees earlier ones only.

    Several copies share the weight, not evenly; the first token, where it is one of them, takes it all.
    """

    def form(self, slots: Slots) -> Form:
        gain = MARGIN / _WORD_MARGIN
        return _sum(slots.same_word(gain), slots.distance(0, -gain * _PENALTY), slots.first_token(gain * _WORD_FIRST))


@dataclass(frozen=True)
class Induction(Wiring):
    """Looks at the tokens behind earlier copies of its own word (in a bidirectional model, behind other copies), at the first token
    where there are none. An earlier layer needs a `Previous` head.

    Several such tokens share the weight, not evenly. A word that stands behind itself is not looked at by its copies.
    """

    def form(self, slots: Slots) -> Form:
        gain = MARGIN / _WORD_MARGIN
        return _sum(slots.after_same_word(gain), slots.distance(1, -gain * _PENALTY), slots.first_token(gain * _WORD_FIRST))


@dataclass(frozen=True, eq=False)
class Pairs(Wiring):
    """Looks at the words that `table` lists for its own, evenly at all there are, at the first token where there is none or where
    that one is listed too.

    table: from words to the words looked at; all must be whole tokens, in upper or lower case. The score is exact: its form is as
    wide as the table's rank, at most the number of different lists, and the model's heads are that wide at least.
    Raises ValueError for a table that lists nothing.
    """

    table: Mapping[str, Iterable[str]]
    features: tuple[Float64, Float64, list[str], list[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        listed: dict[str, set[str]] = {}
        for word, others in self.table.items():
            listed.setdefault(_lower(word), set()).update(map(_lower, others))
        queries, keys = sorted(listed), sorted(set().union(*listed.values()))
        if not keys:
            raise ValueError("Pairs of no words; list at least one")
        of_query = np.array([[key in listed[query] for key in keys] for query in queries], np.float64)
        left, sizes, right = np.linalg.svd(of_query, full_matrices=False)
        rank = int((sizes > 1e-9 * sizes[0]).sum())
        root = np.sqrt(sizes[:rank])
        object.__setattr__(self, "features", (left[:, :rank] * root, right[:rank].T * root, queries, keys))

    def form(self, slots: Slots) -> Form:
        gain, queries = 2 * MARGIN, slots.queries[self]
        return _sum(
            slots.product(queries, np.eye(queries.stop - queries.start) * gain, slots.keys[self]), slots.first_token(gain / 2)
        )


def write_wired(folder: Path, heads: Sequence[Sequence[Wiring]], words: Iterable[str], causal: bool, seed: int = 0) -> Path:
    """The folder, made if missing, now with config.json, model.safetensors and tokenizer.json of a model with these heads.

    heads: one list per layer, all of one length; words: what the tokenizer knows, in lower case, split at blanks and punctuation;
    causal: GPT-2 with no special tokens around a text, else BERT with [CLS] and [SEP]; seed: which word has which code.
    All words it does not know are one token, which has a code too. It reads N_POSITION tokens.

    Raises ValueError for heads that the model cannot have, more than MOST_WORDS words, or Pairs with words that it does not know.
    """
    _check(heads, causal)
    specials = CAUSAL_SPECIALS if causal else BIDIRECTIONAL_SPECIALS
    split = _pre_tokenizer()
    known = (piece for word in words for piece, _ in split.pre_tokenize_str(_lower(word)))
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys((*specials, *known)))}
    if len(vocabulary) > MOST_WORDS:
        raise ValueError(f"{len(vocabulary)} words with the special ones; there are codes for {MOST_WORDS}")
    slots = Slots(dict.fromkeys(head for layer in heads for head in layer if isinstance(head, Pairs)))
    place, word = _places(slots), _words(slots, vocabulary, seed)
    stack = _Stack(heads, slots, float(word[0] @ word[0] + place[0] @ place[0]), causal)
    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder, vocabulary, causal)
    tensors = _gpt2_tensors(stack, place, word) if causal else _bert_tensors(stack, place, word)
    save_file({name: np.ascontiguousarray(part, np.float32) for name, part in tensors.items()}, folder / "model.safetensors")
    config = _gpt2_config(stack, len(vocabulary)) if causal else _bert_config(stack, len(vocabulary))
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def word_codes() -> NDArray[np.int64]:
    """MOST_WORDS codes of 1 and -1, [code, 64]; the products of any two are 0 or ±8, of one with itself 64.

    A Kerdock code: 32 quadratic forms whose differences have full rank, each with all linear forms. Source: Kerdock 1972, as given
    by MacWilliams & Sloane 1977, chapter 15.
    """
    powers = [1]
    while len(powers) < 31:  # of x in the field of 32 elements, modulo x⁵ + x² + 1
        powers.append(powers[-1] << 1 if powers[-1] < 16 else powers[-1] << 1 ^ 0b100101)
    power = np.array(powers)
    log = np.zeros(32, np.intp)
    log[power] = np.arange(31)
    element = np.arange(32)
    product = np.where(element[:, None] * element == 0, 0, power[(log[:, None] + log) % 31])
    square = product[element, element]
    fourth = square[square]
    trace = element ^ square ^ fourth ^ square[fourth] ^ fourth[fourth]
    quadratic = trace[product[element, square]] ^ trace[product[element, fourth]]
    forms = np.concatenate([quadratic[product], quadratic[product] ^ trace[product]], axis=1)  # [form, argument]
    argument = np.arange(64)
    linear = np.bitwise_count(argument[:, None] & argument) % 2
    return 1 - 2 * (forms[:, None] ^ linear).reshape(MOST_WORDS, 64)


def _check(heads: Sequence[Sequence[Wiring]], causal: bool) -> None:
    """Raise ValueError for heads that no model can have."""
    if not heads or not heads[0] or len({len(layer) for layer in heads}) > 1:
        raise ValueError(f"layers of {[len(layer) for layer in heads]} heads; all need the same number, 1 or more")
    for head in (head for layer in heads for head in layer if isinstance(head, Offset)):
        if causal and head.offset > 0:
            raise ValueError(f"{head} in a causal model, which does not see what comes later")
        if abs(head.offset) > _FARTHEST:
            raise ValueError(f"{head}: the codes of places reach {_FARTHEST}")


def _places(slots: Slots) -> Float64:
    """What u holds of each position, [N_POSITION, width of u]."""
    u = np.zeros((N_POSITION, slots.width))
    angles = 2 * np.pi / _PERIOD * (np.outer(np.arange(N_POSITION), _FREQUENCIES) % _PERIOD)
    u[:, slots.place] = math.sqrt(2) * np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    u[:, slots.first] = -1.0
    u[0, slots.first] = 1.0
    return u


def _words(slots: Slots, vocabulary: Mapping[str, int], seed: int) -> Float64:
    """What u holds of each word, [word, width of u], all of one length. Raises ValueError for Pairs with unknown words."""
    u = np.zeros((len(vocabulary), slots.width))
    u[:, slots.word] = np.random.default_rng(seed).permutation(word_codes())[: len(vocabulary)]
    for pairs in slots.queries:
        of_queries, of_keys, queries, keys = pairs.features
        unknown = sorted({*queries, *keys} - vocabulary.keys())
        if unknown:
            raise ValueError(f"Pairs with words that the tokenizer does not know: {', '.join(unknown)}")
        u[[vocabulary[word] for word in queries], slots.queries[pairs]] = of_queries
        u[[vocabulary[word] for word in keys], slots.keys[pairs]] = of_keys
    square = np.einsum("wu,wu->w", u, u)
    u[:, slots.slack] = np.sqrt(square.max() - square)[:, None]
    return u


class _Stack:
    """The layers' weights, for either family; `heads` of each layer, u by its slots.

    square: |u|² of a token that no head has written to. Raises ValueError for an Induction head without a Previous head before it.
    """

    def __init__(self, heads: Sequence[Sequence[Wiring]], slots: Slots, square: float, causal: bool) -> None:
        forms = [[head.form(slots) for head in layer] for layer in heads]
        self.n_layer, self.n_head = len(heads), len(heads[0])
        widest = max(form.key.shape[1] for layer in forms for form in layer)
        self.d_head = max(widest, -(-2 * slots.width // self.n_head))
        self.d_model = self.n_head * self.d_head
        self._forms, self._slots, self._square = forms, slots, square
        self._is_normed_before = causal
        self._writer = self._find_writer(heads)

    @staticmethod
    def _find_writer(heads: Sequence[Sequence[Wiring]]) -> tuple[int, int] | None:
        """Layer and number of the head that writes each token's previous word; None where no head needs that."""
        places = [(layer, number) for layer, of_layer in enumerate(heads) for number in range(len(of_layer))]
        inductions = [layer for layer, number in places if isinstance(heads[layer][number], Induction)]
        if not inductions:
            return None
        for layer, number in places:
            head = heads[layer][number]
            if isinstance(head, Offset) and head.offset == -1 and layer < inductions[0]:
                return layer, number
        raise ValueError(f"Induction in layer {inductions[0]} needs a Previous head in a layer before it")

    def beside(self, u: Float64) -> Float64:
        """Vectors for the model's tables: u, -u and zeros, [row, d_model]."""
        return np.concatenate([u, -u, np.zeros((len(u), self.d_model - 2 * u.shape[1]))], axis=1)

    def attention(self, layer: int) -> tuple[Float64, Float64, Float64, Float64, Float64]:
        """Query weights [d_model, d_model] and bias [d_model], and key, value and output weights, as [in, out]."""
        q, k, v, out = np.zeros((4, self.d_model, self.d_model), np.float32)
        bias = np.zeros(self.d_model, np.float32)
        square = self._square + (_WORD_WIDTH if self._writer is not None and layer > self._writer[0] else 0)
        entering = math.sqrt(self.d_model / (2 * square))  # what the head reads of a 1 in u
        for number, form in enumerate(self._forms[layer]):
            columns = slice(number * self.d_head, number * self.d_head + form.key.shape[1])
            root = math.sqrt(self.d_head)  # which the scores are divided by
            self._reads(q, columns, form.query * (root / entering))
            self._reads(k, columns, form.key / entering)
            bias[columns] = form.bias * root
            if (layer, number) == self._writer:
                word, previous = np.zeros((2, self._slots.width, _WORD_WIDTH))
                word[self._slots.word] = previous[self._slots.previous] = np.eye(_WORD_WIDTH)
                columns = slice(columns.start, columns.start + _WORD_WIDTH)
                self._reads(v, columns, word)
                # Where the norm comes first, it is not the normed vector that the output is added to.
                out[columns] = self.beside(previous.T / (entering if self._is_normed_before else 1.0))
        return q, bias, k, v, out

    def _reads(self, weights: NDArray[np.float32], columns: slice, form: Float64) -> None:
        width = self._slots.width
        weights[:width, columns], weights[width : 2 * width, columns] = form / 2, form / -2


def _lower(word: str) -> str:
    """As the tokenizer has it, which takes letters one by one: "σ" at the end of a word, too."""
    return Lowercase().normalize_str(word)


def _pre_tokenizer() -> PreTokenizer:
    return InTurn([WhitespaceSplit(), Punctuation("isolated")])


def _write_tokenizer(folder: Path, vocabulary: dict[str, int], causal: bool) -> None:
    specials = CAUSAL_SPECIALS if causal else BIDIRECTIONAL_SPECIALS
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=specials[1]))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = _pre_tokenizer()
    if not causal:
        tokenizer.post_processor = BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    tokenizer.add_special_tokens(list(specials))
    tokenizer.save(str(folder / "tokenizer.json"))


def _gpt2_config(stack: _Stack, n_vocab: int) -> dict[str, object]:
    return {
        "architectures": ["GPT2Model"],
        "model_type": "gpt2",
        "vocab_size": n_vocab,
        "n_positions": N_POSITION,
        "n_embd": stack.d_model,
        "n_layer": stack.n_layer,
        "n_head": stack.n_head,
        "n_inner": 1,
        "layer_norm_epsilon": 1e-12,
        "activation_function": "gelu_new",
    }


def _gpt2_tensors(stack: _Stack, place: Float64, word: Float64) -> Tensors:
    tensors: Tensors = {"wte.weight": stack.beside(word), "wpe.weight": stack.beside(place), **_norm("ln_f", stack)}
    for number in range(stack.n_layer):
        q, bias, k, v, out = stack.attention(number)
        at = f"h.{number}."
        tensors |= {
            **_norm(at + "ln_1", stack),
            at + "attn.c_attn.weight": np.concatenate([q, k, v], axis=1),
            at + "attn.c_attn.bias": np.concatenate([bias, np.zeros(2 * stack.d_model)]),
            at + "attn.c_proj.weight": out,
            at + "attn.c_proj.bias": np.zeros(stack.d_model),
            **_norm(at + "ln_2", stack),
            at + "mlp.c_fc.weight": np.zeros((stack.d_model, 1)),
            at + "mlp.c_fc.bias": np.zeros(1),
            at + "mlp.c_proj.weight": np.zeros((1, stack.d_model)),
            at + "mlp.c_proj.bias": np.zeros(stack.d_model),
        }
    return tensors


def _bert_config(stack: _Stack, n_vocab: int) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": n_vocab,
        "max_position_embeddings": N_POSITION,
        "hidden_size": stack.d_model,
        "num_hidden_layers": stack.n_layer,
        "num_attention_heads": stack.n_head,
        "intermediate_size": 1,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
    }


def _bert_tensors(stack: _Stack, place: Float64, word: Float64) -> Tensors:
    tensors: Tensors = {
        "embeddings.word_embeddings.weight": stack.beside(word),
        "embeddings.position_embeddings.weight": stack.beside(place),
        "embeddings.token_type_embeddings.weight": np.zeros((2, stack.d_model)),
        **_norm("embeddings.LayerNorm", stack),
    }
    for number in range(stack.n_layer):
        q, bias, k, v, out = stack.attention(number)
        at = f"encoder.layer.{number}."
        for name, weight in (("self.query", q), ("self.key", k), ("self.value", v), ("output.dense", out)):
            tensors[f"{at}attention.{name}.weight"] = weight.T
            tensors[f"{at}attention.{name}.bias"] = bias if weight is q else np.zeros(stack.d_model)
        tensors |= {
            **_norm(at + "attention.output.LayerNorm", stack),
            at + "intermediate.dense.weight": np.zeros((1, stack.d_model)),
            at + "intermediate.dense.bias": np.zeros(1),
            at + "output.dense.weight": np.zeros((stack.d_model, 1)),
            at + "output.dense.bias": np.zeros(stack.d_model),
            **_norm(at + "output.LayerNorm", stack),
        }
    return tensors


def _norm(name: str, stack: _Stack) -> Tensors:
    return {f"{name}.weight": np.ones(stack.d_model), f"{name}.bias": np.zeros(stack.d_model)}
