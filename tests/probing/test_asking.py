"""What is asked of a sentence: right keys, what may be guessed without a model, and what cannot be asked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.corpus.corpus import Mention, Pair
from attnviz.corpus.opening import bundled_corpus
from attnviz.probing.asking import ask
from attnviz.probing.cases import FARTHEST
from attnviz.probing.guesses import WORDS, frequent_words, is_punctuation
from attnviz.probing.links import LeftOut
from attnviz.probing.measures import OFFSETS, measures_of
from tests.probing.small import FEW, asked_of, corpus_of, encoding_of, links, question, sentence

if TYPE_CHECKING:
    from attnviz.probing.cases import Question

ENDS = ("first token", "last token")
# What the words of a sentence say is asked between units; places and the rarest token between tokens.
PLACES = {"previous", "next", "same", *(f"offset{offset:+d}" for offset in OFFSETS)}


def guessed(asked: Any, measure: str) -> dict[str, float]:
    """What the baselines of a measure get that are no words or tokens of their own."""
    found = question(asked, measure)
    return {name: round(value, 6) for name, value in found.guessed.items() if name not in (*WORDS, *ENDS)}


def words_guessed(asked: Any, measure: str) -> dict[str, float]:
    """What words and tokens get that are guessed by what they are."""
    found = question(asked, measure)
    return {name: round(value, 6) for name, value in found.guessed.items() if name in (*WORDS, *ENDS)}


def offsets_right(one: Question) -> dict[int, float]:
    return {at - FARTHEST: float(hits) for at, hits in enumerate(one.by_offset) if hits}


def test_a_relation_is_asked_in_both_directions() -> None:
    asked, left_out = asked_of(sentence("the old dog slept", Pair("det", 0, 2), Pair("nsubj", 2, 3)), before=1, after=1)
    assert links(question(asked, "det>")) == [(0, {2})]
    assert links(question(asked, "det<")) == [(2, {0})]
    assert links(question(asked, "nsubj>")) == [(2, {3})]
    assert question(asked, "obj>") is None
    assert left_out == LeftOut()


def test_a_word_with_several_right_keys_is_one_case_and_right_with_any_of_them() -> None:
    asked, _ = asked_of(sentence("a big old dog", Pair("amod", 1, 3), Pair("amod", 2, 3)))
    assert links(question(asked, "amod>")) == [(1, {3}), (2, {3})]
    assert links(question(asked, "amod<")) == [(3, {1, 2})]
    assert guessed(asked, "amod<") == {"chance": round(2 / 3, 6)}
    assert offsets_right(question(asked, "amod<")) == {-2: 1, -1: 1}
    assert offsets_right(question(asked, "amod>")) == {1: 1, 2: 1}


def test_a_model_that_looks_back_alone_is_not_asked_for_what_is_ahead() -> None:
    one = sentence("the old dog saw it", Pair("det", 0, 2), Pair("nsubj", 2, 3), Pair("obj", 4, 3))
    asked, left_out = asked_of(one, is_causal=True, before=1)
    assert [(key, links(question(asked, key))) for key in ("det<", "nsubj<", "obj>")] == [
        ("det<", [(2, {0})]),
        ("nsubj<", [(3, {2})]),
        ("obj>", [(4, {3})]),
    ]
    assert all(question(asked, key) is None for key in ("det>", "nsubj>", "obj<", "next", "offset+2"))
    assert (left_out.ahead, left_out.rest, left_out.words) == (3, 0, 0)
    assert guessed(asked, "nsubj<") == {"chance": round(1 / 3, 6)}  # of the three words before


def test_the_first_token_of_a_model_without_a_special_there_is_no_key() -> None:
    one = sentence("dogs saw big cats", Pair("nsubj", 0, 1), Pair("obj", 3, 1), Pair("amod", 2, 3))
    asked, left_out = asked_of(one, is_causal=True)
    assert asked.is_blocked
    assert question(asked, "nsubj<") is None
    assert guessed(asked, "obj>") == {"chance": 0.5}
    assert guessed(asked, "amod<") == {"chance": 0.5}
    assert (left_out.ahead, left_out.rest) == (3, 1)
    for each in asked.questions:
        if each.way == "largest":
            assert not each.targets[:, 0].any(), each.measure
    with_special, left_out = asked_of(one, is_causal=True, before=1)
    assert not with_special.is_blocked
    assert links(question(with_special, "nsubj<")) == [(1, {0})]
    assert left_out.rest == 0
    both_ways, left_out = asked_of(one)
    assert not both_ways.is_blocked
    assert (left_out.ahead, left_out.rest) == (0, 0)


def test_words_of_one_token_are_left_out_and_the_first_is_named() -> None:
    one = sentence("a dog saw it", Pair("det", 0, 1), Pair("obj", 3, 2), Mention("pronoun", 3, 1, (0,)), id="it-1")
    left_out = LeftOut()
    encoding = encoding_of(one.text, [(0, 5), (6, 9), (10, 12)])
    asked = ask(0, 0, 0, corpus_of(one), (), encoding, False, None, left_out)
    assert (left_out.words, left_out.example) == (1, 'it-1: "a" and "dog"')
    assert links(question(asked, "obj>")) == [(2, {1})]
    assert question(asked, "det>") is None
    assert links(question(asked, "pronoun")) == [(2, {0})]
    assert question(asked, "prefers") is None  # antecedent and distractor are one unit


def test_words_that_the_tokenizer_drops_are_left_out() -> None:
    one = sentence("a dog saw it", Pair("det", 0, 1), Mention("pronoun", 3, 0, (1,)))
    left_out = LeftOut()
    asked = ask(0, 0, 0, corpus_of(one), (), encoding_of(one.text, [(2, 5), (6, 9), (10, 12)]), False, None, left_out)
    assert (left_out.words, question(asked, "det>"), question(asked, "pronoun"), question(asked, "prefers")) == (
        2,
        None,
        None,
        None,
    )


def test_a_pair_that_counts_as_near_and_far_is_left_out_once() -> None:
    one = sentence("a b c d e f g", Pair("nsubj", 0, 6))
    left_out = LeftOut()
    ask(0, 0, 0, corpus_of(one), (), encoding_of(one.text, one.spans[1:]), False, None, left_out)
    assert left_out.words == 1


@pytest.mark.parametrize(("apart", "is_far"), [(4, False), (5, True), (20, True), (21, False)])
def test_far_subjects_are_five_to_twenty_words_from_their_verb(apart: int, is_far: bool) -> None:
    asked, _ = asked_of(sentence(" ".join("x" * 25), Pair("nsubj", 1, 1 + apart)))
    assert question(asked, "nsubj>") is not None
    assert (question(asked, "far_nsubj>") is not None) == (question(asked, "far_nsubj<") is not None) == is_far


@pytest.mark.parametrize(("apart", "is_asked"), [(4, False), (5, True), (20, True), (21, False)])
def test_agreement_is_asked_as_far_as_the_relation_says(apart: int, is_asked: bool) -> None:
    asked, _ = asked_of(sentence(" ".join("x" * 25), Pair("agreement", 1 + apart, 1)))
    assert (question(asked, "agreement>") is not None) == is_asked


def test_the_nearest_mention_and_the_nearest_same_word_are_guessed() -> None:
    def guesses(text: str, *mention: Any) -> list[float]:
        asked, _ = asked_of(sentence(text, Mention(*mention)))
        found = guessed(asked, "pronoun" if mention[0] == "pronoun" else "name")
        return [found["nearest mention"], found["same word, else nearest"]]

    assert guesses("Ann met Eve , she said", "pronoun", 4, 2, (0,)) == [1, 1]
    assert guesses("Ann met Eve , she said", "pronoun", 4, 0, (2,)) == [0, 0]
    assert guesses("Rome beat Bonn , then rome lost", "name", 5, 0, (2,)) == [0, 1]
    assert guesses("Rome beat Bonn , then rome lost", "name", 5, 2, (0,)) == [1, 0]
    assert guesses("Rome saw Rome , then Rome fell", "name", 5, 0, (2,)) == [0, 0]
    assert guesses("Ann met us , the woman said", "noun", 5, 0) == [1, 1]


def test_a_pronoun_that_stands_for_two_is_one_case_and_guessed_once() -> None:
    one = sentence("Ann met Eve , they said", Mention("pronoun", 4, 0), Mention("pronoun", 4, 2, (0,)))
    asked, _ = asked_of(one)
    assert links(question(asked, "pronoun")) == [(4, {0, 2})]
    assert guessed(asked, "pronoun") == {"nearest mention": 1, "same word, else nearest": 1, "chance": 0.4}


def test_names_and_nouns_are_no_pronouns() -> None:
    one = sentence("Ann met Eve , Ann and the woman left", Mention("name", 4, 0, (2,)), Mention("noun", 7, 2, (0,)))
    asked, _ = asked_of(one)
    assert links(question(asked, "name")) == [(4, {0}), (7, {2})]
    assert question(asked, "pronoun") is None
    assert question(asked, "prefers") is None


def test_a_preference_is_guessed_by_the_nearest_and_by_chance() -> None:
    for antecedent, nearest in ((0, 0), (2, 0), (4, 1)):
        others = tuple(word for word in (0, 2, 4) if word != antecedent)
        asked, _ = asked_of(sentence("Ann met Eve and Ida , she said", Mention("pronoun", 6, antecedent, others)))
        found = question(asked, "prefers")
        assert links(found) == [(6, {antecedent})]
        assert np.flatnonzero(found.rivals[0]).tolist() == list(others)
        assert guessed(asked, "prefers") == {"nearest mention": nearest, "chance": round(1 / 3, 6)}


def test_a_pronoun_without_distractors_prefers_nothing() -> None:
    asked, _ = asked_of(sentence("Ann said she won", Mention("pronoun", 2, 0)))
    assert links(question(asked, "pronoun")) == [(2, {0})]
    assert question(asked, "prefers") is None


def test_a_preference_is_not_asked_where_a_distractor_is_a_resting_place() -> None:
    one = sentence("Ann met Eve , she said", Mention("pronoun", 4, 2, (0,)))
    assert question(asked_of(one, is_causal=True)[0], "prefers") is None
    assert question(asked_of(one, is_causal=True)[0], "pronoun") is not None
    assert question(asked_of(one, is_causal=True, before=1)[0], "prefers") is not None


def test_content_words_are_guessed_by_where_they_are() -> None:
    def guesses(text: str, first: int, second: int, frequent: set[str], is_causal: bool = False) -> list[float]:
        asked, _ = asked_of(sentence(text, Pair("sense", first, second)), is_causal, 1, frequent=frequent)
        found = words_guessed(asked, "sense>")
        return [found["nearest content word"], found["first content word"]]

    small = {"the", "a", "of", "."}
    assert guesses("the bank of a river", 1, 4, small) == [1, 1]
    assert guesses("the wet bank of a river", 2, 5, small) == [0, 0]
    assert guesses("the wet bank of a river", 2, 1, small) == [1, 1]
    assert guesses("fish swam bank river", 2, 3, small) == [0.5, 0]  # of two as near, half
    assert guesses("fish the bank river", 2, 0, small) == [0, 1]
    assert guesses("THE bank OF A river", 1, 4, small) == [1, 1]
    assert guesses("the bank of the a", 1, 4, small) == [0, 0]
    assert guesses("wet fish bank river", 2, 1, small, is_causal=True) == [1, 0]  # the river is not seen


def test_a_content_word_is_right_if_it_is_any_of_the_right_ones() -> None:
    one = sentence("the wet bank river", Pair("sense", 2, 1), Pair("sense", 2, 3))
    asked, _ = asked_of(one, frequent={"the"})
    found = words_guessed(asked, "sense>")
    assert (found["nearest content word"], found["first content word"], found["next content word"]) == (1, 1, 1)
    assert guessed(asked, "sense>") == {"chance": round(2 / 3, 6)}


def test_every_relation_is_guessed_by_words_that_a_head_may_look_at_for_what_they_are() -> None:
    one = sentence("we saw the old dog .", Pair("det", 2, 4), Pair("obj", 4, 1))
    asked, _ = asked_of(one, frequent={"we", "the", "."})
    right = {
        "det>": set(),  # the next content word is old
        "det<": {"previous function word"},
        "obj>": {"first content word"},  # the previous one is old
        "obj<": set(),
    }
    for measure, names in right.items():
        assert {name for name, value in words_guessed(asked, measure).items() if value == 1} == names, measure
    asked, _ = asked_of(sentence("we saw the dog .", Pair("det", 2, 3)), frequent={"we", "the", "."})
    assert words_guessed(asked, "det>")["next content word"] == 1
    assert words_guessed(asked, "det<")["previous function word"] == 1


def test_the_rarest_first_and_last_word_are_guessed() -> None:
    one = sentence("a b c d", Pair("nsubj", 1, 3), Pair("obj", 1, 0))
    asked, _ = asked_of(one)
    ids = asked.encoding.ids.tolist()
    rarest = [name for name in "acd" if ids["abcd".index(name)] == max(ids[at] for at in (0, 2, 3))]
    found = words_guessed(asked, "nsubj>")
    assert (found["last word"], found["first word"], found["rarest word"]) == (1, 0, round(("d" in rarest) / len(rarest), 6))
    assert words_guessed(asked, "obj>")["first word"] == 1


def test_offsets_are_guessed_by_the_ends_of_the_text() -> None:
    asked, _ = asked_of(sentence("a b c d"), before=1, after=1)
    assert words_guessed(asked, "offset-3") == {"first token": 1, "last token": 0}  # of d alone, whose third before is the first
    assert words_guessed(asked, "offset+2") == {"first token": 0, "last token": 1}  # of a and b, for b the last one is right


def test_half_of_what_a_corpus_says_are_frequent_words_and_signs_are_always() -> None:
    corpus = corpus_of(sentence("The dog the cat the bird a . , !"), sentence("the cow a fox"))
    assert frequent_words(corpus) == {"the", "a", ".", ",", "!"}  # 6 of 11 words
    found = frequent_words(bundled_corpus())
    assert {"the", "a", "of", ".", ","} <= found
    words = [word.lower() for one in bundled_corpus().sentences for word in one.words if not is_punctuation(word)]
    share = sum(word in found for word in words) / len(words)
    assert 0.5 <= share < 0.51
    counts = Counter(words)
    assert min(counts[word] for word in found if word in counts) >= max(
        count for word, count in counts.items() if word not in found
    )


def test_places_are_those_of_the_text_without_specials() -> None:
    asked, _ = asked_of(sentence("a b c d"), before=1, after=1)
    assert links(question(asked, "previous")) == [(2, {1}), (3, {2}), (4, {3})]
    assert links(question(asked, "next")) == [(1, {2}), (2, {3}), (3, {4})]
    assert links(question(asked, "same")) == [(at, {at}) for at in range(1, 5)]
    assert guessed(asked, "previous") == {"even attention": 0.5}
    assert links(question(asked, "offset-3")) == [(3, {0})]  # from here on counted without the specials
    assert links(question(asked, "offset+2")) == [(0, {2}), (1, {3})]
    assert guessed(asked, "offset+2") == {"chance": 0.5}
    assert question(asked, "offset-4") is None


def test_places_of_a_causal_model_are_those_it_sees() -> None:
    asked, _ = asked_of(sentence("a b c d"), is_causal=True)
    assert links(question(asked, "previous")) == [(1, {0}), (2, {1}), (3, {2})]
    assert guessed(asked, "previous") == {"even attention": round(1 / 2 + 1 / 3 + 1 / 4, 6)}
    assert guessed(asked, "same") == {"even attention": round(1 + 1 / 2 + 1 / 3 + 1 / 4, 6)}
    assert links(question(asked, "offset-2")) == [(3, {1})]  # the first token is a resting place
    assert guessed(asked, "offset-2") == {"chance": round(1 / 3, 6)}
    asked, _ = asked_of(sentence("a b c d"), is_causal=True, before=1)
    assert links(question(asked, "offset-2")) == [(2, {0}), (3, {1})]
    assert guessed(asked, "offset-2") == {"chance": round(1 / 3 + 1 / 4, 6)}


def test_resting_places_are_the_first_position_specials_behind_it_and_punctuation() -> None:
    asked, _ = asked_of(sentence("hi , you !"), before=1, after=1)
    text = [1, 2, 3, 4]
    assert links(question(asked, "first")) == [(at, {0}) for at in text]
    assert links(question(asked, "separators")) == [(at, {5}) for at in text]
    assert links(question(asked, "sinks")) == [(at, {0, 5}) for at in text]
    assert links(question(asked, "punctuation")) == [(1, {2, 4}), (2, {4}), (3, {2, 4}), (4, {2})]
    assert guessed(asked, "punctuation") == {"even attention": 1.0}
    assert [guessed(asked, key)["even attention"] for key in ("first", "separators", "sinks")] == [
        round(4 / 6, 6),
        round(4 / 6, 6),
        round(8 / 6, 6),
    ]


def test_a_model_without_specials_has_its_first_token_as_a_resting_place() -> None:
    asked, _ = asked_of(sentence("hi , you !"), is_causal=True)
    assert links(question(asked, "first")) == [(at, {0}) for at in (1, 2, 3)]
    assert question(asked, "separators") is None
    assert links(question(asked, "punctuation")) == [(2, {1}), (3, {1})]
    assert guessed(asked, "punctuation") == {"even attention": round(1 / 3 + 1 / 4, 6)}


def test_a_sentence_without_punctuation_is_not_asked_for_it() -> None:
    assert question(asked_of(sentence("hi you"))[0], "punctuation") is None


def test_spread_counts_all_that_is_seen() -> None:
    asked, _ = asked_of(sentence("a b"), before=1, after=1)
    assert links(question(asked, "entropy")) == links(question(asked, "distance")) == [(1, {0, 1, 2, 3}), (2, {0, 1, 2, 3})]
    assert guessed(asked, "distance") == {"even attention": 2.0}
    asked, _ = asked_of(sentence("a b c"), is_causal=True)
    assert links(question(asked, "distance")) == [(1, {0, 1}), (2, {0, 1, 2})]
    assert guessed(asked, "distance") == {"even attention": 1.5}


def rare(ids: list[int], is_causal: bool, before: int = 1) -> Question | None:
    text = " ".join("w" * len(ids))
    encoding = encoding_of(text, [(2 * at, 2 * at + 1) for at in range(len(ids))], before)
    tokens = [
        token if token.is_special else type(token)(number, *list(vars(token).values())[1:])
        for token, number in zip(encoding.tokens, [0] * before + ids, strict=True)
    ]
    asked = ask(0, 0, 0, corpus_of(sentence(text)), (), type(encoding)(tuple(tokens), 0), is_causal, None, LeftOut())
    return question(asked, "rare")


def test_the_rarest_token_has_the_largest_number() -> None:
    found = rare([5, 90, 7, 8], False)
    assert links(found) == [(0, {1}), (2, {1}), (3, {1})]
    assert found.guessed == {"chance": pytest.approx(1.0), "first token": 1.0, "last token": 0.0}  # the first but for itself
    assert offsets_right(found) == {1: 1, -1: 1, -2: 1}
    assert links(rare([5, 90, 7, 90], False)) == [(0, {1, 3}), (2, {1, 3})]
    assert rare([5, 90], False) is None


def test_the_rarest_token_has_to_be_seen_and_no_resting_place() -> None:
    assert links(rare([5, 90, 7, 8], True)) == [(2, {1}), (3, {1})]
    assert links(rare([99, 90, 7, 8], True)) == [(1, {0}), (2, {0}), (3, {0})]
    assert links(rare([99, 90, 7, 8], True, before=0)) == [(2, {1}), (3, {1})]
    assert rare([99, 90, 7], True, before=0) is None  # two tokens that are no resting place are too few
    assert rare([99, 90], True) is None


@pytest.mark.parametrize(
    ("text", "wanted"), [(".", True), ("...", True), ("'s", False), ("", False), ("—", True), ("$", False), ("«", True)]
)
def test_punctuation_is_what_unicode_calls_so(text: str, wanted: bool) -> None:
    assert is_punctuation(text) == wanted


@settings(max_examples=40)
@given(st.integers(0, 1000), st.booleans(), st.integers(0, 1), st.integers(0, 1))
def test_every_question_has_a_known_measure_and_keys_that_may_be_right(
    number: int, is_causal: bool, before: int, after: int
) -> None:
    sentences = (*FEW.sentences, *bundled_corpus().sentences[::30])
    one = sentences[number % len(sentences)]
    asked, left_out = asked_of(one, is_causal, before, after)
    keys = [each.measure for each in asked.questions]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= {measure.key for measure in measures_of(FEW.relations)}
    sizes = {"all": asked.n_token, "token": len(one.words), "word": len(one.words)}
    for each in asked.questions:
        n, size = each.n, sizes[each.level]
        assert n > 0
        assert each.targets.shape == (n, size)
        assert each.targets.any(axis=1).all()
        assert len(set(each.queries.tolist())) == n
        assert each.queries.max() < size
        if is_causal:
            assert (np.argwhere(each.targets)[:, 1] <= each.queries[np.argwhere(each.targets)[:, 0]]).all()
        if each.way == "largest" and not each.has_self:
            assert not each.targets[np.arange(n), each.queries].any()
        assert all(0 <= value <= n + 1e-9 for name, value in each.guessed.items() if each.way in ("largest", "prefers", "weight"))
        if each.measure not in PLACES and each.way == "largest":
            assert each.by_offset.max() <= n
            assert each.by_offset[FARTHEST] == 0
    n_pair = len(one.mentions) + sum(
        2 * (1 + (pair.relation == "nsubj" and 5 <= abs(pair.first - pair.second) <= 20))
        for pair in one.pairs
        if FEW.relations[pair.relation].nearest <= abs(pair.first - pair.second)
    )
    asked_links = sum(
        len(keys) for each in asked.questions if each.level == "word" and each.way == "largest" for _, keys in links(each)
    )
    if len(one.pairs) == len(set(one.pairs)):
        assert asked_links + left_out.ahead + left_out.rest == n_pair
    assert left_out.words == 0
