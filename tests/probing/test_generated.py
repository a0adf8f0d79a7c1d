"""Texts made by chance: repeated tokens and things to be found again, the same whatever corpus is measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.corpus.opening import bundled_corpus
from attnviz.engine.tokenizer import Encoding
from attnviz.probing.generated import LENGTHS, NEEDLE_WORDS, NEEDLES, REPEATS, needles, repeated, specials_around, token_pool
from attnviz.probing.observing import observe
from attnviz.probing.plan import plan_for
from tests.probing.small import FEW, attention_to, corpus_of, encoding_of, even_attention, links, question, sentence, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.model import Model
    from attnviz.probing.cases import Asked

POOL = [token(f"word{number}", (0, 1), number) for number in range(100, 160)]
kinds = pytest.mark.parametrize("is_causal", [True, False], ids=["causal", "bidirectional"])
frames = pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (1, 1), (2, 1)])


def frame(before: int, after: int) -> Encoding:
    return encoding_of("a b", [(0, 1), (2, 3)], before, after)


def generated(asked: tuple[Asked, ...]) -> list[Asked]:
    return [text for text in asked if text.sentence is None]


def scores(texts: list[Asked], measure: str, attention: Callable[[Asked], np.ndarray]) -> float:
    """The score over all texts of a head that looks so."""
    gets = cases = 0.0
    for text in texts:
        at = [one.measure for one in text.questions].index(measure)
        gets += float(observe(text, attention(text))[0][0, at])
        cases += text.questions[at].n
    return gets / cases


@kinds
@frames
def test_every_text_has_its_draw_four_times_with_specials_around(is_causal: bool, before: int, after: int) -> None:
    texts = repeated(POOL, frame(before, after), is_causal, 10_000, 7)
    assert len(texts) == len(LENGTHS) == len(set(LENGTHS))
    specials = specials_around(frame(before, after))
    for draw, (text, length) in enumerate(zip(texts, LENGTHS, strict=True)):
        tokens = text.encoding.tokens
        assert (tokens[:before], tokens[len(tokens) - after :]) == specials
        ids = [one.id for one in tokens[before : len(tokens) - after]]
        assert ids == ids[:length] * REPEATS
        assert len(set(ids)) == length
        assert set(ids) <= {one.id for one in POOL}
        assert not any(one.is_special for one in tokens[before : len(tokens) - after])
        assert (text.group, text.half, text.sentence, text.encoding.left_out) == (7 + draw, draw % 2, None, 0)
    assert len({tuple(text.encoding.ids) for text in texts}) == len(texts)


@kinds
@frames
def test_copies_are_the_same_token_elsewhere(is_causal: bool, before: int, after: int) -> None:
    for text in repeated(POOL, frame(before, after), is_causal, 10_000, 0):
        ids = text.encoding.ids.tolist()
        places = range(before, len(ids) - after)
        seen = {at: {key for key in places if ids[key] == ids[at] and (key < at if is_causal else key != at)} for at in places}
        found = question(text, "duplicate")
        assert links(found) == [(at, keys) for at, keys in seen.items() if keys]
        even = sum(len(keys) / (at + 1 if is_causal else len(ids)) for at, keys in seen.items())
        assert found.guessed == {"even attention": pytest.approx(even)}


@frames
def test_induction_looks_at_what_followed_each_earlier_copy(before: int, after: int) -> None:
    for text in repeated(POOL, frame(before, after), True, 10_000, 0):
        ids = text.encoding.ids.tolist()
        places = range(before, len(ids) - after)
        wanted = {at: {key + 1 for key in places if key < at and ids[key] == ids[at]} for at in places}
        assert links(question(text, "induction")) == [(at, keys) for at, keys in wanted.items() if keys]


def test_a_model_that_looks_both_ways_is_not_asked_for_induction() -> None:
    assert all(question(text, "induction") is None for text in repeated(POOL, frame(1, 1), False, 10_000, 0))


def test_no_fixed_offset_finds_the_copies_and_a_head_that_does_has_them_all() -> None:
    texts = repeated(POOL, frame(1, 0), True, 10_000, 0)
    for measure, shift in (("duplicate", 0), ("induction", 1)):
        best = max(scores(texts, measure, lambda text, by=by: attention_to(text.n_token, lambda at: [at - by])) for by in range(90))
        assert best < 0.2
        even = scores(texts, measure, lambda text: even_attention(text.n_token, True))
        assert even == pytest.approx(
            sum(question(text, measure).guessed["even attention"] for text in texts)
            / sum(question(text, measure).n for text in texts)
        )
        assert even < 0.1

        def finds(text: Asked, shift: int = shift) -> np.ndarray:
            ids = text.encoding.ids.tolist()
            return attention_to(text.n_token, lambda at: [key + shift for key in range(1, at) if ids[key] == ids[at]])

        assert scores(texts, measure, finds) == pytest.approx(1)


def test_texts_that_a_model_does_not_read_are_not_made() -> None:
    texts = repeated(POOL, frame(1, 1), True, 4 * 15 + 2, 0)
    assert [text.n_token for text in texts] == [4 * length + 2 for length in LENGTHS if length <= 15]
    assert len(repeated(POOL, frame(1, 1), True, 4 * 15 + 1, 0)) == len(texts) - 1
    assert repeated(POOL, frame(1, 1), True, 20, 0) == []


def test_a_small_pool_gives_what_it_can() -> None:
    assert [text.n_token for text in repeated(POOL[:5], frame(0, 0), True, 1_000, 0)] == [20] * len(LENGTHS)
    assert repeated(POOL[:1], frame(0, 0), True, 1_000, 0) == []
    assert repeated([], frame(0, 0), True, 1_000, 0) == []


def test_a_pool_has_the_words_that_are_no_specials_pieces_numbers_signs_or_most_frequent() -> None:
    def piece(number: int, shown: str, continues: bool = False) -> object:
        made = token(shown, (0, len(shown)), number)
        return type(made)(number, shown, shown, made.span, 0, False, continues)

    odd = [piece(1, "ing", True), piece(2, "19"), piece(3, "..."), piece(4, "a1")]
    words = [piece(number, f"{'abcdefghij'[number % 10]}{'klmnopqrstuvw'[number // 10]}") for number in range(120, 10, -1)]
    special = encoding_of("", [], 1).tokens[0]
    small = Encoding((special, *odd, *words[:40]), 0)
    assert [one.id for one in token_pool([small])] == sorted(one.id for one in words[:40])
    often = [Encoding((special, *odd, *words), 0), Encoding((special, *words[:50]), 0)]
    assert [one.id for one in token_pool(often)] == sorted(one.id for one in words[50:])


@pytest.mark.parametrize("case", ["bloom-lm", "llama-gqa", "bert-mlm", "t5-tied"])
def test_the_texts_are_the_same_whatever_corpus_is_measured(tiny: Callable[[str], Model], case: str) -> None:
    one, other = (generated(plan_for(tiny(case), corpus).texts) for corpus in (FEW, corpus_of(FEW.sentences[0], FEW.sentences[3])))
    assert [text.encoding for text in one] == [text.encoding for text in other]
    assert [text.id for text in one] == [text.id for text in other]
    for text, same in zip(one, other, strict=True):
        assert [links(each) for each in text.questions] == [links(each) for each in same.questions]
    assert any(text.id.startswith("random") for text in one)
    assert any(text.id.startswith("needle") for text in one) == (case in ("bloom-lm", "llama-gqa"))
    assert len({text.group for text in one}) == len(one)
    assert min(text.group for text in one) >= len(FEW.sentences)


@pytest.mark.parametrize("case", ["bloom-lm", "llama-gqa", "gpt-oss-windows-yarn"])
def test_a_needle_is_said_once_and_asked_for_at_the_end(tiny: Callable[[str], Model], case: str) -> None:
    tokenizer = tiny(case).tokenizer
    hay = [one.text for one in bundled_corpus().sentences[:20]]
    words = "apple house river stone cloud bread light paper chair glass".split()
    texts = needles(tokenizer, hay, words, 100_000, 50)
    assert len(texts) > NEEDLES / 2  # all but those whose pieces differ at the end of a text
    lengths = set()
    for text in texts:
        tokens, ids = text.encoding.tokens, text.encoding.ids
        (found,) = text.questions
        assert (found.measure, found.way, found.level, found.has_self) == ("retrieval", "said", "all", True)
        first = [int(np.flatnonzero(row)[0]) for row in found.targets]
        assert found.targets.sum() == len(first)
        second = [place + 1 for place, _ in text.predicted]
        assert second == list(range(len(tokens) - len(second), len(tokens)))  # the end of the text
        assert found.queries.tolist() == [place for place, _ in text.predicted]
        assert ids[first].tolist() == ids[second].tolist() == [number for _, number in text.predicted]
        assert first == list(range(first[0], first[0] + len(first)))
        assert first[-1] < second[0]
        shown = [one.shown.strip("·") for one in tokens]
        said = "".join(shown[at] for at in first)
        assert sum(said.count(word) for word in words) >= NEEDLE_WORDS
        assert len({word for word in words if word in said}) == NEEDLE_WORDS
        assert "".join(shown).count(said) == 2
        asks = "".join(shown[: first[0]])
        assert asks.endswith("are")
        assert asks.count("Thesecretwordsofthe") == 1
        assert found.guessed == {"chance": pytest.approx(sum(1 / (query + 1) for query in found.queries))}
        lengths.add(second[0] - first[0])
    assert len(lengths) > len(texts) / 2  # no offset finds them


def test_needles_that_a_model_does_not_read_are_not_made(tiny: Callable[[str], Model]) -> None:
    tokenizer = tiny("bloom-lm").tokenizer
    hay = ["The dog slept.", "A cat saw it."]
    words = "apple house river stone cloud bread".split()
    assert needles(tokenizer, hay, words, 40, 0) == []
    assert needles(tokenizer, hay, words, 10_000, 0)


def test_a_secret_of_other_tokens_at_its_two_places_is_not_asked_for(tiny: Callable[[str], Model]) -> None:
    class Ending:
        """The tokenizer, but for the last token of a text, which is another one at the end."""

        def encode(self, text: str, pair: None, limit: int) -> Encoding:
            *tokens, last = tiny("bloom-lm").tokenizer.encode(text, pair, limit).tokens
            return Encoding((*tokens, replace(last, id=last.id + 1)), 0)

    words = "apple house river stone cloud bread".split()
    assert needles(Ending(), ["The dog slept."], words, 10_000, 0) == []


def test_a_vocabulary_of_too_few_words_has_no_needles(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch) -> None:
    from attnviz.probing import plan as plan_module

    model = tiny("bloom-lm")
    pool = token_pool([model.tokenizer.encode(one.text, None, 1_000) for one in bundled_corpus().sentences])
    for n in (NEEDLE_WORDS, NEEDLE_WORDS + 1):
        chosen, said = [], set()
        for one in pool:
            if one.shown.strip().lower() not in said and len(chosen) < n:
                said.add(one.shown.strip().lower())
                chosen.append(one)
        assert len(chosen) == n
        monkeypatch.setattr(plan_module, "token_pool", lambda encodings, chosen=chosen: chosen)
        has_needles = any(text.id.startswith("needle") for text in plan_for(model, corpus_of(sentence("The dog slept"))).texts)
        assert has_needles == (n > NEEDLE_WORDS)


def test_specials_are_those_before_and_behind_the_text() -> None:
    before, after = specials_around(frame(2, 1))
    assert [one.shown for one in before + after] == ["[CLS]", "[CLS]", "[SEP]"]
    assert specials_around(frame(0, 0)) == ((), ())
