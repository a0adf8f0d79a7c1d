"""The corpus that comes with the program: what its README promises of it, counted in the file."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

import pytest

from attnviz.cli.corpus import corpus_lines
from attnviz.corpus.balance import balance_of
from attnviz.corpus.opening import bundled_corpus
from attnviz.corpus.relations import RELATIONS
from attnviz.resources import resource_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.corpus.corpus import Mention, Pair, Sentence

SENTENCES: Final = bundled_corpus().sentences
README: Final = resource_path("corpus/README.md").read_text(encoding="utf-8")
# Read off the trees; the others are made of distances or of meanings.
DEPENDENCIES: Final = frozenset(name for name, relation in RELATIONS.items() if relation.deprels)
LEAST: Final = 50
# Where one fixed offset is right more often than this, hardly any head could be better.
MOST_EXPLAINED: Final = 0.70
PRONOUNS: Final = frozenset("he she it they him her them his hers its their theirs".split())


def part_of(sentence: Sentence) -> str:
    return sentence.id.split("-")[0]


def pairs_of(name: str) -> list[tuple[Sentence, Pair]]:
    """The pairs of a relation; of a far one, those of its near one that are far enough apart."""
    relation, near = RELATIONS[name], name.removeprefix("far_")
    found = [(sentence, pair) for sentence in SENTENCES for pair in sentence.pairs if pair.relation == near]
    farthest = relation.farthest or 10**6
    return [(sentence, pair) for sentence, pair in found if relation.nearest <= abs(pair.first - pair.second) <= farthest]


def dependencies(sentence: Sentence) -> list[Pair]:
    return [pair for pair in sentence.pairs if pair.relation in DEPENDENCIES]


def partners(part: str) -> Iterator[tuple[Sentence, Sentence]]:
    """The pairs of sentences of a part, each once."""
    by_id = {sentence.id: sentence for sentence in SENTENCES}
    for sentence in SENTENCES:
        if part_of(sentence) == part and sentence.partner is not None and sentence.id < sentence.partner:
            yield sentence, by_id[sentence.partner]


def mentions(*kinds: str) -> list[tuple[Sentence, Mention]]:
    return [(sentence, mention) for sentence in SENTENCES for mention in sentence.mentions if mention.kind in kinds]


def said(sentence: Sentence, *places: int) -> str:
    """Some words of a sentence, for a message."""
    return f"{sentence.id}: {', '.join(sentence.words[place] for place in places)} in “{sentence.text}”"


def test_it_has_as_many_sentences_as_its_readme_and_its_header_say() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (\d+) \|", README, re.MULTILINE)
    told = {frozenset(re.findall(r"\w+", names)): int(number) for names, number in rows}
    parts = Counter(map(part_of, SENTENCES))
    assert {names: sum(parts[name] for name in names) for names in told} == told
    assert sum(told.values()) == len(SENTENCES)
    assert f"holds {len(SENTENCES)} English sentences" in README
    assert bundled_corpus().about.startswith(f"{len(SENTENCES)} English sentences")


def test_no_sentence_is_there_twice_nor_with_one_word_changed_unless_it_is_its_partner() -> None:
    assert len({sentence.id for sentence in SENTENCES}) == len(SENTENCES)
    seen: dict[tuple[str, ...], Sentence] = {}
    for sentence in SENTENCES:
        words = [word.lower() for word in sentence.words if word[0].isalnum()]
        for place in range(len(words)):
            other = seen.setdefault((*words[:place], "", *words[place + 1 :]), sentence)
            assert other is sentence or other.id == sentence.partner, f"{sentence.id} and {other.id}"


def test_each_text_is_one_plain_line_that_ends_as_a_sentence_does() -> None:
    for sentence in SENTENCES:
        assert sentence.text == " ".join(sentence.text.split())
        assert sentence.text == normalize("NFC", sentence.text)
        assert re.search(r"[.?!]”?\"?$", sentence.text), sentence.text
        assert 5 <= len(sentence.words) <= 30
        assert [sentence.text[start:stop] for start, stop in sentence.spans] == list(sentence.words)


@pytest.mark.parametrize("name", RELATIONS)
def test_each_relation_occurs_often_enough_to_be_measured(name: str) -> None:
    found = pairs_of(name)
    assert len(found) >= LEAST
    assert len({sentence.id for sentence, _ in found}) >= LEAST


def test_the_relations_are_those_of_one_tree() -> None:
    """No word has two heads, no branches cross, and no way along them comes back."""
    for sentence in SENTENCES:
        pairs = dependencies(sentence)
        heads = {pair.first: pair.second for pair in pairs}
        assert len(heads) == len(pairs), sentence.id
        branches = [tuple(sorted((pair.first, pair.second))) for pair in pairs]
        for (a, b), (c, d) in combinations(sorted(branches), 2):
            assert not a < c < b < d, said(sentence, a, b, c, d)
        for word in heads:
            way = [word]
            while way[-1] in heads:
                way.append(heads[way[-1]])
                assert len(set(way)) == len(way), said(sentence, *way)


def test_nothing_has_two_of_what_it_can_have_one_of() -> None:
    twice = []
    for sentence in SENTENCES:
        ends = Counter(
            (pair.relation, pair.second) for pair in sentence.pairs if pair.relation in ("nsubj", "poss", "det", "cop", "mark")
        )
        twice += [f"{relation} of {said(sentence, place)}" for (relation, place), n in ends.items() if n > 1]
    assert not twice, "\n".join(twice)


@pytest.mark.parametrize("name", ["det", "poss", "compound", "case", "mark", "aux", "cop"])
def test_what_goes_before_its_word_in_english_does(name: str) -> None:
    behind = [said(sentence, pair.first, pair.second) for sentence, pair in pairs_of(name) if pair.first > pair.second]
    assert not behind, "\n".join(behind)


def test_a_pronoun_turns_to_the_other_candidate_with_the_one_word_that_flips() -> None:
    pairs = list(partners("flip"))
    assert len(pairs) >= 45
    for one, other in pairs:
        assert len(one.words) == len(other.words)
        (place,) = [place for place, words in enumerate(zip(one.words, other.words, strict=True)) if len(set(words)) == 2]
        assert place not in {mention.mention for mention in (*one.mentions, *other.mentions)}
        assert dependencies(one) == dependencies(other)
        (mention,), (turned,) = one.mentions, other.mentions
        assert mention.kind == turned.kind == "pronoun"
        assert mention.mention == turned.mention
        assert mention.antecedent in turned.distractors
        assert turned.antecedent in mention.distractors


def test_a_verb_agrees_with_a_subject_five_to_twenty_words_before_it() -> None:
    assert len(pairs_of("agreement")) == sum(pair.relation == "agreement" for sentence in SENTENCES for pair in sentence.pairs)
    for sentence, pair in pairs_of("agreement"):
        assert pair.second < pair.first, said(sentence, pair.first, pair.second)
        (verb,) = [other.second for other in sentence.pairs if (other.relation, other.first) == ("nsubj", pair.second)]
        helped = [other.second for other in sentence.pairs if other.relation in ("aux", "cop") and other.first == pair.first]
        assert [verb] == (helped or [pair.first]), said(sentence, pair.first, pair.second)


def test_an_ambiguous_word_has_two_meanings_with_the_cue_before_it_in_one_and_behind_it_in_the_other() -> None:
    pairs = list(partners("sense"))
    assert len(pairs) >= 40
    for sentences in pairs:
        (one, one_sense), (other, other_sense) = [
            (sentence, pair) for sentence in sentences for pair in sentence.pairs if pair.relation == "sense"
        ]
        assert one.words[one_sense.first].lower() == other.words[other_sense.first].lower()
        assert one.words[one_sense.second].lower() != other.words[other_sense.second].lower()
        assert (one_sense.second < one_sense.first) != (other_sense.second < other_sense.first)
    assert len({one.words[pair.first] for one, _ in pairs for pair in one.pairs if pair.relation == "sense"}) == len(pairs)


def explained() -> dict[str, tuple[float, int, int]]:
    """Of each relation the share of the pairs that its best fixed offset finds, that offset, and the number of pairs."""
    found = {}
    for name in RELATIONS:
        offsets = Counter(pair.second - pair.first for _, pair in pairs_of(name))
        offset, n = offsets.most_common(1)[0]
        found[name] = (n / offsets.total(), offset, offsets.total())
    return found


@pytest.mark.parametrize("name", ["det", "nsubj", "obj", "case", "mark", "relcl"])
def test_no_fixed_offset_finds_most_of_a_relation(name: str) -> None:
    shares = explained()
    table = "\n".join(f"{one:10}{n:6} pairs{offset:+4}: {share:.3f}" for one, (share, offset, n) in shares.items())
    assert shares[name][0] < MOST_EXPLAINED, f"{name}\n{table}"


def test_what_stands_for_something_is_a_pronoun_or_is_not() -> None:
    for sentence, mention in mentions("pronoun", "name", "noun"):
        word = sentence.words[mention.mention]
        assert (word.lower() in PRONOUNS) == (mention.kind == "pronoun"), said(sentence, mention.mention)
        assert word[0].isupper() or mention.kind != "name", said(sentence, mention.mention)
        assert mention.distractors, said(sentence, mention.mention)


@pytest.mark.parametrize("kinds", [("pronoun",), ("name", "noun")])
def test_neither_the_nearest_candidate_nor_the_farthest_is_the_antecedent_too_often(kinds: tuple[str, ...]) -> None:
    found = [mention for _, mention in mentions(*kinds)]
    assert len(found) >= LEAST
    nearest = sum(mention.antecedent > max(mention.distractors) for mention in found) / len(found)
    farthest = sum(mention.antecedent < min(mention.distractors) for mention in found) / len(found)
    assert nearest < 0.60
    assert farthest < 0.70


def test_its_page_shows_the_balance_that_the_program_prints() -> None:
    shown = README.split("<!-- balance -->")[1].split("<!-- /balance -->")[0]
    lines = corpus_lines(bundled_corpus(), balance_of(bundled_corpus()))
    assert shown.strip().splitlines()[1:-1] == "\n".join(lines[4:]).strip("\n").splitlines()


def test_its_page_names_every_relation() -> None:
    assert all(f"| `{name}` |" in README for name in RELATIONS)
