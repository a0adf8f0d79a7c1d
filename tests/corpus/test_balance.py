"""What a corpus' balance says of it: distances, offsets, nearest candidates and pairs, each against a count by hand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.corpus.balance import balance_of, links_of
from attnviz.corpus.corpus import Corpus, Mention, Pair, Sentence
from attnviz.corpus.opening import bundled_corpus, open_corpus
from attnviz.corpus.relations import RELATIONS, Relation
from tests.corpus.template import N, write_conllu, write_json_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

N_WORD = 25


def sentence(
    name: str,
    pairs: Sequence[tuple[str, int, int]] = (),
    mentions: Sequence[Mention] = (),
    partner: str | None = None,
    words: Sequence[str] = tuple(f"w{i}" for i in range(N_WORD)),
) -> Sentence:
    return Sentence(name, " ".join(words), tuple(words), (), tuple(Pair(*pair) for pair in pairs), tuple(mentions), partner)


def corpus(*sentences: Sentence) -> Corpus:
    return Corpus("by hand", sentences, "0" * 64)


PAIRS = st.lists(
    st.tuples(st.sampled_from(sorted(RELATIONS)), st.integers(0, N_WORD - 1), st.integers(0, N_WORD - 1)).filter(
        lambda pair: pair[1] != pair[2]
    ),
    max_size=12,
)


@given(st.lists(PAIRS, min_size=1, max_size=4))
def test_each_number_of_a_relation_is_that_of_a_plain_count(texts: list[list[tuple[str, int, int]]]) -> None:
    made = corpus(*(sentence(f"s{number}", pairs) for number, pairs in enumerate(texts)))
    balance = balance_of(made)
    assert {one.relation.name for one in balance.relations}.isdisjoint(one.name for one in balance.never)
    assert len(balance.relations) + len(balance.never) == len(RELATIONS)
    for one in balance.relations:
        relation = one.relation
        offsets = [
            (number, second - first)
            for number, pairs in enumerate(texts)
            for name, first, second in pairs
            if relation.name in (name, f"far_{name}") and relation.nearest <= abs(second - first) <= (relation.farthest or N_WORD)
        ]
        apart = sorted(abs(offset) for _, offset in offsets)
        frequent = Counter(offset for _, offset in offsets)
        assert (one.n, one.n_sentence) == (len(offsets), len({number for number, _ in offsets}))
        assert one.forward == sum(offset > 0 for _, offset in offsets) / one.n
        assert (one.reach.least, one.reach.most) == (apart[0], apart[-1])
        assert apart[(one.n - 1) // 2] == one.reach.median
        assert one.reach.explained == max(frequent.values()) / one.n == frequent[one.reach.offset] / one.n
        assert dict(one.reach.counts) == Counter(apart)


def test_a_far_relation_is_made_of_the_distant_pairs_of_another() -> None:
    made = corpus(sentence("s", [("nsubj", 0, 4), ("nsubj", 0, 5), ("nsubj", 20, 0), ("nsubj", 0, 21)]))
    found = links_of(made)
    assert [pair.second - pair.first for _, pair in found["far_nsubj"]] == [5, -20]
    assert len(found["nsubj"]) == 4


def test_pairs_too_near_for_their_own_relation_are_not_counted() -> None:
    (one,) = balance_of(corpus(sentence("s", [("agreement", 6, 1), ("agreement", 3, 1)]))).relations
    assert (one.n, one.reach.least, one.reach.offset) == (1, 5, -5)


def test_of_offsets_as_frequent_the_nearest_is_named() -> None:
    (one,) = balance_of(corpus(sentence("s", [("det", 0, 3), ("det", 5, 4), ("det", 8, 9)]))).relations
    assert (one.reach.offset, one.reach.explained) == (-1, 1 / 3)


def test_a_corpus_without_pairs_has_only_relations_that_never_occur() -> None:
    balance = balance_of(corpus(sentence("s")))
    assert balance.relations == balance.mentions == ()
    assert [relation.name for relation in balance.never] == list(RELATIONS)
    assert (balance.n_sentence, balance.n_word, balance.words) == (1, N_WORD, (N_WORD, N_WORD, N_WORD))


def test_relations_of_the_corpus_own_are_counted() -> None:
    own = Relation("owner", "owner", "owned")
    made = Corpus("own", (sentence("s", [("owner", 0, 2)]),), "0" * 64, relations={**RELATIONS, "owner": own})
    (one,) = balance_of(made).relations
    assert (one.relation, one.reach.offset) == (own, 2)


@pytest.mark.parametrize(
    ("distractors", "antecedent", "nearest"), [((1,), 4, 1.0), ((4,), 1, 0.0), ((1, 6), 4, 0.0), ((1, 3), 6, 1.0), ((), 4, None)]
)
def test_the_nearest_candidate_counts_where_there_is_a_choice(
    distractors: tuple[int, ...], antecedent: int, nearest: float | None
) -> None:
    (one,) = balance_of(corpus(sentence("s", mentions=[Mention("pronoun", 8, antecedent, distractors)]))).mentions
    assert (one.n, one.n_choice, one.nearest) == (1, int(bool(distractors)), nearest)
    assert (one.reach.offset, one.reach.median) == (antecedent - 8, 8 - antecedent)


def test_kinds_of_mentions_are_kept_apart() -> None:
    made = corpus(
        sentence("s", mentions=[Mention("pronoun", 8, 1), Mention("name", 9, 2)]), sentence("t", mentions=[Mention("name", 4, 0)])
    )
    assert [(one.kind, one.n, one.n_sentence) for one in balance_of(made).mentions] == [("pronoun", 1, 1), ("name", 2, 2)]


def test_pairs_of_sentences_are_counted_once_and_by_what_differs() -> None:
    words = "the cup did not fit the case as it was too big".split()
    made = corpus(
        sentence("a1", mentions=[Mention("pronoun", 8, 1, (6,))], partner="a2", words=words),
        sentence("a2", mentions=[Mention("pronoun", 8, 6, (1,))], partner="a1", words=[*words[:-1], "small"]),
        sentence("b1", [("sense", 1, 6)], partner="b2"),
        sentence("b2", [("sense", 1, 6)], partner="b1"),
        sentence("c1", mentions=[Mention("pronoun", 8, 1, (6,))], partner="c2"),
        sentence("c2", mentions=[Mention("pronoun", 8, 1, (6,))], partner="c1"),
        sentence("alone", mentions=[Mention("pronoun", 8, 1, (6,))]),
    )
    partners = balance_of(made).partners
    assert (partners.n, partners.antecedent, partners.sense) == (3, 1, 1)


def test_both_forms_of_a_corpus_are_balanced_alike(tmp_path: Path) -> None:
    own = balance_of(open_corpus(write_json_lines(tmp_path / "made.jsonl")))
    treebank = balance_of(open_corpus(write_conllu(tmp_path / "made.conllu")))
    assert own == treebank
    det = next(one for one in own.relations if one.relation.name == "det")
    assert (det.n, det.n_sentence, det.forward, dict(det.reach.counts)) == (2 * N, N, 1.0, {1: 32, 2: 28})


def test_what_comes_with_the_program_cannot_be_guessed_by_the_nearest_candidate() -> None:
    balance = balance_of(bundled_corpus())
    assert balance.never == ()
    pronouns = next(one for one in balance.mentions if one.kind == "pronoun")
    assert pronouns.nearest is not None
    assert 0.3 < pronouns.nearest < 0.6
    assert pronouns.reach.explained < 0.3
    far = {one.relation.name: one for one in balance.relations}
    assert far["agreement"].reach.least >= 5
    assert far["agreement"].reach.explained < 0.3
    assert balance.partners.n == balance.partners.antecedent + balance.partners.sense > 50
