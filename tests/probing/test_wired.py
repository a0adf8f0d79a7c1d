"""The heads made by hand do what they say, in every row, in both kinds of model and with texts as long as these read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from safetensors.numpy import load_file

from attnviz import load_model
from tests.probing.wired import (
    MOST_WORDS,
    N_POSITION,
    PLACES_ALIKE,
    WORDS_ALIKE,
    Duplicate,
    First,
    Induction,
    Next,
    Offset,
    Pairs,
    Previous,
    Random,
    Same,
    Slots,
    Uniform,
    word_codes,
    write_wired,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace
    from tests.probing.wired import Wiring

WORDS: Final = (*"the a an every dog cat house , . ?".split(), *(f"w{i}" for i in range(1_490)))
DETERMINERS: Final = Pairs({"The": ["dog", "cat", "house"], "a": ["Dog", "cat"], "every": ["house"]})
HEADS: Final[dict[bool, tuple[tuple[Wiring, ...], ...]]] = {
    True: (
        (Previous(), Offset(-3), Offset(-300), Same(), First(), Uniform(), Random(1), Duplicate(), DETERMINERS),
        (Induction(), Previous(), Offset(-8), Same(), Random(2, "word"), Random(3, "place"), Random(1), Duplicate(), DETERMINERS),
    ),
    False: (
        (Previous(), Next(), Offset(2), Same(), First(), Uniform(), Random(1), Duplicate(), DETERMINERS),
        (Induction(), Offset(-3), Offset(300), Next(), Random(2, "word"), Random(3, "place"), Random(1), Duplicate(), DETERMINERS),
    ),
}
both_kinds = pytest.mark.parametrize("causal", [True, False], ids=["causal", "bidirectional"])


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Model]:
    """The causal model (True) or the bidirectional one, with two layers of HEADS."""
    models = {c: load_model(write_wired(tmp_path_factory.mktemp("wired"), HEADS[c], WORDS, c)) for c in HEADS}
    return models.__getitem__


def random_text(n: int, n_words: int, seed: int = 0) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS[10 : 10 + n_words], n))


def different_words(n: int) -> str:
    return " ".join(np.random.default_rng(n).permutation(WORDS)[:n])


def doubled(n: int) -> str:
    return f"{different_words(n)} {different_words(n)}"


TEXTS: Final = {
    "one word": "dog",
    "sentence": "The dog, a cat. Every house? An unheard zebra, unheard a dog!",
    "few words": random_text(120, 12),
    "one word again and again": "dog " * 20,
    "a run within": "w1 w2 w2 w2 w3 w1 w2 w4",
    "doubled": doubled(40),
    "all different": different_words(N_POSITION - 2),
    "long and doubled": doubled((N_POSITION - 2) // 2),
    "long": random_text(N_POSITION - 2, 300),
}


def wanted(wiring: Wiring, tokens: list[str], query: int, causal: bool) -> list[int]:
    """The keys that a head should look at, by what its docstring says."""
    seen = range(query + 1 if causal else len(tokens))
    match wiring:
        case Offset(offset):
            keys = [query + offset]
        case Duplicate():
            keys = [key for key in seen if key != query and tokens[key] == tokens[query]]
        case Induction():
            copies = [key for key in seen if key != query and tokens[key] == tokens[query]]
            keys = [key + 1 for key in copies if key + 1 < len(tokens) and tokens[key + 1] != tokens[query]]
        case Pairs(table):
            listed = {word.lower(): [other.lower() for other in others] for word, others in table.items()}
            keys = [key for key in seen if tokens[key] in listed.get(tokens[query], [])]
        case Uniform():
            keys = list(seen)
        case _:
            keys = [0]
    return [key for key in keys if key in seen] or [0]


def all_heads(trace: Trace, causal: bool) -> list[tuple[int, Wiring, NDArray[np.float32]]]:
    """Layer, wiring and attention [query, key] of each head."""
    rows = enumerate(HEADS[causal])
    return [(layer, wiring, trace.attention(layer)[number]) for layer, row in rows for number, wiring in enumerate(row)]


@both_kinds
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_each_head_looks_where_it_should_in_every_row(model_of: Callable[[bool], Model], text: str, causal: bool) -> None:
    trace = model_of(causal).trace(text)
    n = len(trace.tokens)
    for layer, wiring, attention in all_heads(trace, causal):
        if isinstance(wiring, Random):
            continue
        targets = np.zeros((n, n), bool)
        for query in range(n):
            targets[query, wanted(wiring, trace.tokens, query, causal)] = True
        there = np.where(targets, attention, 0.0).sum(axis=1)
        assert there.min() > 0.99, f"{wiring} in layer {layer}, row {there.argmin()}: {there.min()}"


@both_kinds
def test_a_uniform_head_gives_each_key_exactly_as_much(model_of: Callable[[bool], Model], causal: bool) -> None:
    attention = model_of(causal).trace(TEXTS["few words"]).attention(0)[HEADS[causal][0].index(Uniform())]
    n = len(attention)
    for query in range(n):
        n_seen = query + 1 if causal else n
        assert np.all(attention[query, :n_seen] == np.float32(1) / np.float32(n_seen))


def test_previous_and_next_are_where_they_say_and_nowhere_else(model_of: Callable[[bool], Model]) -> None:
    attention = model_of(False).trace("w1 w2 w3").attention(0)
    assert attention[0].argmax(axis=1).tolist() == [0, 0, 1, 2, 3]  # [CLS] w1 w2 w3 [SEP]
    assert attention[1].argmax(axis=1).tolist() == [1, 2, 3, 4, 0]
    assert attention[:2].max(axis=2).min() > 0.999


def test_a_causal_induction_head_finds_what_came_behind_the_first_time(model_of: Callable[[bool], Model]) -> None:
    n = 60
    attention = model_of(True).trace(doubled(n)).attention(1)[0]
    again = np.arange(n, 2 * n)
    assert attention[again, again - n + 1].min() > 0.99
    assert attention[:n, 0].min() > 0.99  # nothing is repeated yet
    assert model_of(True).trace(different_words(2 * n)).attention(1)[0][:, 0].min() > 0.99


def test_a_bidirectional_induction_head_finds_what_is_behind_the_other_copy(model_of: Callable[[bool], Model]) -> None:
    n = 60
    attention = model_of(False).trace(doubled(n)).attention(1)[0]
    first, second = np.arange(1, n + 1), np.arange(n + 1, 2 * n + 1)  # behind [CLS]; the last key is [SEP]
    assert attention[first, second + 1].min() > 0.99
    assert attention[second, first + 1].min() > 0.99
    assert attention[[0, -1], 0].min() > 0.99


@both_kinds
def test_listed_words_share_the_weight_evenly(model_of: Callable[[bool], Model], causal: bool) -> None:
    trace = model_of(causal).trace("w3 dog w1 cat house THE w2 a every w4")
    attention = trace.attention(0)[HEADS[causal][0].index(DETERMINERS)]
    at = {token: place for place, token in enumerate(trace.tokens)}
    places = [at[word] for word in ("dog", "cat", "house")]
    assert attention[at["the"], places] == pytest.approx([1 / 3] * 3, abs=1e-3)
    assert attention[at["a"], places] == pytest.approx([1 / 2, 1 / 2, 0], abs=1e-3)
    assert attention[at["every"], places] == pytest.approx([0, 0, 1], abs=1e-3)


def test_pairs_of_hundreds_of_words_with_lists_of_their_own_are_exact(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    lists = [[str(word) for word in random.choice(WORDS[100:900], 200, replace=False)] for _ in range(25)]
    pairs = Pairs({f"w{number}": lists[number % 25] for number in range(50)})
    texts = ["w0 " + " ".join(random.choice([*WORDS[10:60], *WORDS[100:900]], 200)) for _ in range(3)]
    for causal in (True, False):
        model = load_model(write_wired(tmp_path / str(causal), [[pairs, DETERMINERS], [Same(), pairs]], WORDS, causal))
        for trace in map(model.trace, texts):
            for query in range(len(trace.tokens)):
                keys = wanted(pairs, trace.tokens, query, causal)
                for layer, number in ((0, 0), (1, 1)):
                    assert trace.attention(layer)[number, query, keys] == pytest.approx([1 / len(keys)] * len(keys), abs=1e-3)


@both_kinds
def test_random_heads_are_moderately_peaked(model_of: Callable[[bool], Model], causal: bool) -> None:
    trace = model_of(causal).trace(different_words(200))
    randoms = [(wiring, attention) for _, wiring, attention in all_heads(trace, causal) if isinstance(wiring, Random)]
    assert len(randoms) == 4
    for wiring, attention in randoms:
        rows = [row[: query + 1] if causal else row for query, row in enumerate(attention) if query >= 20]
        spread = np.mean([np.log(row).std() for row in rows])
        assert wiring.spread == pytest.approx(spread, rel=0.2), wiring
        assert 0.02 < np.mean([row.max() for row in rows]) < 0.6


@both_kinds
def test_a_head_scores_alike_in_each_layer_and_alone(model_of: Callable[[bool], Model], tmp_path: Path, causal: bool) -> None:
    """The vectors grow once the previous words are written; the weights make up for it."""
    text = random_text(50, 300)
    heads = [attention for _, wiring, attention in all_heads(model_of(causal).trace(text), causal) if wiring == Random(1)]
    assert len(heads) == 2
    alone = load_model(write_wired(tmp_path, [[Random(1)]], WORDS, causal))
    heads.append(alone.trace(text).attention(0)[0])
    for other in heads[1:]:
        np.testing.assert_allclose(other, heads[0], atol=2e-3)


def test_random_heads_read_the_words_or_the_places_alone(model_of: Callable[[bool], Model]) -> None:
    by_word, by_place = HEADS[False][1].index(Random(2, "word")), HEADS[False][1].index(Random(3, "place"))
    one, other = (model_of(False).trace(text).attention(1) for text in ("w1 w2 w3 w1 w4", "w5 w6 w7 w8 w9"))
    np.testing.assert_allclose(one[by_word][1], one[by_word][4], atol=1e-4)
    np.testing.assert_allclose(one[by_word][:, 1], one[by_word][:, 4], atol=1e-4)
    np.testing.assert_allclose(one[by_place], other[by_place], atol=1e-4)
    assert np.abs(one[by_word] - other[by_word]).max() > 0.1
    assert np.abs(one[by_place][1] - one[by_place][4]).max() > 0.1


@both_kinds
def test_nothing_but_previous_words_is_ever_written(tmp_path: Path, causal: bool) -> None:
    without = load_model(write_wired(tmp_path / "without", [[Previous(), Same()], [Same(), Random()]], WORDS, causal))
    trace = without.trace(TEXTS["few words"])
    np.testing.assert_allclose(trace.entering(2), trace.entering(0), atol=1e-5)
    with_it = load_model(write_wired(tmp_path / "with", [[Same(), Previous()], [Same(), Induction()]], WORDS, causal))
    trace = with_it.trace(TEXTS["few words"])
    np.testing.assert_allclose(trace.entering(2), trace.entering(1), atol=1e-5)
    assert np.abs(trace.entering(1) - trace.entering(0)).max() > 0.5


@both_kinds
def test_an_induction_head_may_be_layers_above(tmp_path: Path, causal: bool) -> None:
    heads = [[Same(), First()], [Uniform(), Previous()], [Previous(), Duplicate()], [Random(), Induction()]]
    trace = load_model(write_wired(tmp_path, heads, WORDS, causal)).trace("w1 w2 w3 w1 w4")
    at = trace.tokens.index("w1")
    assert trace.attention(3)[1, at + 3, at + 1] > 0.99
    assert trace.attention(3)[1, at + 1, 0] > 0.99


@both_kinds
@pytest.mark.parametrize("n_head", [1, 2, 3, 12])
def test_any_number_of_heads_works(tmp_path: Path, n_head: int, causal: bool) -> None:
    model = load_model(write_wired(tmp_path, [[Previous()] * n_head, [Duplicate()] * n_head], WORDS[:20], causal))
    assert model.config.n_head == n_head
    trace = model.trace("w1 w2 w1 w3")
    at = trace.tokens.index("w1")
    assert trace.attention(0)[:, at + 1, at].min() > 0.99
    assert trace.attention(1)[:, at + 2, at].min() > 0.99


@both_kinds
def test_the_tokens_stand_where_they_were_written(model_of: Callable[[bool], Model], causal: bool) -> None:
    text = "The DOG,  don't w7 zebra..."
    written = [piece for piece in model_of(causal).trace(text).pieces if piece.span is not None]
    assert [text[slice(*piece.span)] for piece in written] == ["The", "DOG", ",", "don", "'", "t", "w7", "zebra", ".", ".", "."]
    unknown = "<unk>" if causal else "[UNK]"
    spelled = ["the", "dog", ",", unknown, unknown, unknown, "w7", unknown, ".", ".", "."]
    assert [piece.text for piece in written] == spelled


def test_given_words_are_split_as_texts_are(tmp_path: Path) -> None:
    words = ["Don't", "U.S.", "ΛΌΓΟΣ", "İ"]
    model = load_model(write_wired(tmp_path, [[Same()]], words, causal=True))
    assert model.trace(" ".join(words).upper()).tokens[:7] == ["don", "'", "t", "u", ".", "s", "."]
    assert "<unk>" not in model.trace(" ".join(words)).tokens


def test_a_pair_of_texts_is_read_as_one_row_of_places(model_of: Callable[[bool], Model]) -> None:
    trace = model_of(False).trace("w1 w2", "w2 w3")
    assert trace.tokens == ["[CLS]", "w1", "w2", "[SEP]", "w2", "w3", "[SEP]"]
    duplicate = trace.attention(0)[HEADS[False][0].index(Duplicate())]
    assert duplicate.argmax(axis=1).tolist() == [0, 0, 4, 6, 2, 0, 3]


@both_kinds
def test_the_same_seed_writes_the_same_model(tmp_path: Path, causal: bool) -> None:
    def written(name: str, seed: int) -> list[bytes]:
        folder = write_wired(tmp_path / name, HEADS[causal], WORDS, causal, seed)
        return [(folder / file).read_bytes() for file in ("config.json", "tokenizer.json", "model.safetensors")]

    assert written("one", 3) == written("again", 3)
    assert written("one", 3)[2] != written("other", 4)[2]


def test_no_two_codes_are_more_alike_than_the_gains_allow(tmp_path: Path) -> None:
    codes = word_codes()
    assert codes.shape == (MOST_WORDS, 64)
    assert set(np.unique(codes)) == {-1, 1}
    assert set(np.unique(codes @ codes.T - 64 * np.eye(MOST_WORDS))) == {-64 * WORDS_ALIKE, 0, 64 * WORDS_ALIKE}
    tensors = load_file(write_wired(tmp_path, [[Same()]], WORDS, causal=True) / "model.safetensors")
    places = tensors["wpe.weight"][:, Slots([]).place].astype(np.float64)
    products = places @ places.T / 60
    np.testing.assert_allclose(np.diag(products), 1.0, atol=1e-6)
    assert np.abs(products - np.eye(N_POSITION)).max() < PLACES_ALIKE + 1e-6


@both_kinds
def test_all_vectors_are_of_one_length_and_their_mean_is_zero(model_of: Callable[[bool], Model], causal: bool) -> None:
    tensors = load_file(model_of(causal).path / "model.safetensors")
    names = ("wte", "wpe") if causal else ("embeddings.word_embeddings", "embeddings.position_embeddings")
    for table in (tensors[f"{name}.weight"] for name in names):
        lengths = np.linalg.norm(table.astype(np.float64), axis=1)
        np.testing.assert_allclose(lengths, lengths[0], rtol=1e-6)
        assert np.abs(table.sum(axis=1)).max() < 1e-4


@pytest.mark.parametrize(
    ("heads", "causal", "message"),
    [
        ([], True, "all need the same number"),
        ([[]], True, "all need the same number"),
        ([[Same()], [Same(), First()]], False, r"layers of \[1, 2\] heads"),
        ([[Next()]], True, r"Next\(offset=1\) in a causal model"),
        ([[Offset(-N_POSITION)]], False, "the codes of places reach"),
        ([[Previous(), Induction()]], True, "Induction in layer 0 needs a Previous head"),
        ([[Same()], [Induction()]], False, "Induction in layer 1 needs a Previous head"),
        ([[Pairs({"the": ["unicorn"], "w1": ["dog"]})]], True, "does not know: unicorn$"),
    ],
)
def test_what_cannot_be_wired_is_a_value_error(tmp_path: Path, heads: list[list[Wiring]], causal: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_wired(tmp_path, heads, WORDS, causal)
    assert not list(tmp_path.iterdir())


def test_too_many_words_and_empty_pairs_are_value_errors(tmp_path: Path) -> None:
    most = [f"w{number}" for number in range(MOST_WORDS - 2)]
    write_wired(tmp_path / "most", [[Same()]], most, causal=True)
    with pytest.raises(ValueError, match="2049 words"):
        write_wired(tmp_path / "more", [[Same()]], [*most, "one"], causal=True)
    with pytest.raises(ValueError, match="no words"):
        Pairs({"the": []})
