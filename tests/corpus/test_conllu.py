"""Treebanks: what is written is read, where it is written, and each file that is none is one sentence with its line."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attnviz.corpus.conllu import read_conllu
from attnviz.corpus.relations import RELATIONS
from tests.corpus.reading import PATH, WHERE, assert_whole, damaged, refusal, whole_or_refused

if TYPE_CHECKING:
    from attnviz.corpus.corpus import Sentence

# What Universal Dependencies' labels are called here, by hand.
NAMES: Final = {
    "det": "det",
    "amod": "amod",
    "nsubj": "nsubj",
    "nsubj:pass": "nsubj",
    "obj": "obj",
    "case": "case",
    "aux": "aux",
    "aux:pass": "aux",
    "nmod:poss": "poss",
    "compound": "compound",
    "advmod": "advmod",
    "acl:relcl": "relcl",
    "mark": "mark",
    "cop": "cop",
}
OTHERS: Final = ("root", "punct", "det:predet", "compound:prt", "nmod", "obl", "advmod:emph", "acl", "nsubj:outer", "", "_")


def row(number: object, form: str, head: object = 0, deprel: str = "root", *, upos: str = "X", misc: str = "_") -> str:
    """One line of a treebank."""
    return "\t".join([str(number), form, form.lower(), upos, "_", "_", str(head), deprel, "_", misc])


def joined(number: str, form: str, misc: str = "_") -> str:
    """The line of a word that is written once for several."""
    return "\t".join([number, form, *"_______", misc])


def content_of(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def read_one(*lines: str) -> Sentence:
    corpus = read_conllu(content_of(*lines), PATH, WHERE)
    assert_whole(corpus)
    (sentence,) = corpus.sentences
    return sentence


def relations(sentence: Sentence) -> list[tuple[str, str, str]]:
    return [(pair.relation, sentence.words[pair.first], sentence.words[pair.second]) for pair in sentence.pairs]


def as_written(sentence: Sentence) -> list[str]:
    return [sentence.text[start:stop] for start, stop in sentence.spans]


COFFEE: Final = (
    "# newdoc",
    "# sent_id = weblog-7",
    '# text = "Isn\'t the cook\'s coffee," she said, "brought by him?"',
    row(1, '"', 11, "punct", misc="SpaceAfter=No"),
    joined("2-3", "Isn't"),
    row(2, "Is", 11, "aux:pass", upos="AUX"),
    row(3, "n't", 11, "advmod", upos="PART"),
    row(4, "the", 5, "det", upos="DET"),
    row(5, "cook", 7, "nmod:poss", upos="NOUN", misc="SpaceAfter=No"),
    row(6, "'s", 5, "case", upos="PART"),
    row(7, "coffee", 14, "nsubj:pass", upos="NOUN", misc="Gloss=drink|SpaceAfter=No"),
    row(8, ",", 14, "punct", misc="SpaceAfter=No"),
    row(9, '"', 14, "punct"),
    row("9.1", "who", "_", "_"),
    row(10, "she", 11, "nsubj", upos="PRON"),
    row(11, "said", 0, "root", upos="VERB", misc="SpaceAfter=No"),
    row(12, ",", 14, "punct"),
    row(13, '"', 14, "punct", misc="SpaceAfter=No"),
    row(14, "brought", 11, "ccomp", upos="VERB"),
    row(15, "by", 16, "case", upos="ADP"),
    row(16, "him", 14, "obl:agent", upos="PRON", misc="SpaceAfter=No"),
    row(17, "?", 11, "punct", misc="SpaceAfter=No"),
    row(18, '"', 11, "punct"),
)
FRENCH: Final = (
    "# text = Le toit du moulin.",
    row(1, "Le", 2, "det"),
    row(2, "toit", 0, "root"),
    joined("3-4", "du"),
    row(3, "de", 5, "case", upos="ADP"),
    row(4, "le", 5, "det"),
    row(5, "moulin", 2, "nmod", misc="SpaceAfter=No"),
    row(6, ".", 2, "punct"),
)
SPANISH: Final = (
    "# text = ¡Dámelo!",
    row(1, "¡", 2, "punct", misc="SpaceAfter=No"),
    joined("2-4", "Dámelo", misc="SpaceAfter=No"),
    row(2, "Da", 0, "root"),
    row(3, "me", 2, "iobj"),
    row(4, "lo", 2, "obj"),
    row(5, "!", 2, "punct", misc="SpaceAfter=No"),
)
NUMBERS: Final = ("# text = 10 000 m²", row(1, "10 000", 2, "nummod"), row(2, "m²", 0, "root"))


@pytest.mark.parametrize("lines", [COFFEE, FRENCH, SPANISH, NUMBERS])
def test_the_text_made_of_the_forms_is_the_one_in_the_comment(lines: tuple[str, ...]) -> None:
    (text,) = (line.removeprefix("# text = ") for line in lines if line.startswith("# text"))
    assert read_one(*lines).text == text


def test_words_stand_where_they_are_written() -> None:
    sentence = read_one(*COFFEE)
    assert as_written(sentence) == list(sentence.words)
    assert sentence.words[1:3] == ("Is", "n't")
    assert "who" not in sentence.words  # an empty word


def test_parts_that_are_not_spelled_in_their_word_share_all_of_it() -> None:
    french, spanish = read_one(*FRENCH), read_one(*SPANISH)
    assert french.words == ("Le", "toit", "de", "le", "moulin", ".")
    assert as_written(french) == ["Le", "toit", "du", "du", "moulin", "."]
    assert as_written(spanish) == ["¡", "Dámelo", "Dámelo", "Dámelo", "!"]


def test_relations_are_between_the_words_that_the_lines_name() -> None:
    assert relations(read_one(*COFFEE)) == [
        ("aux", "Is", "said"),
        ("advmod", "n't", "said"),
        ("det", "the", "cook"),
        ("poss", "cook", "coffee"),
        ("nsubj", "coffee", "brought"),
        ("nsubj", "she", "said"),
        ("case", "by", "him"),
    ]
    assert relations(read_one(*FRENCH)) == [("det", "Le", "toit"), ("case", "de", "moulin"), ("det", "le", "moulin")]


@pytest.mark.parametrize("sign", ["'s", "’s", "'", "’"])
def test_a_possessive_s_is_no_preposition_with_one_owner_or_with_two(sign: str) -> None:
    one = (row(1, "Ann", 3, "nmod:poss"), row(2, sign, 1, "case", upos="PART"), row(3, "hat"))
    assert relations(read_one(*one)) == [("poss", "Ann", "hat")]
    two = (
        row(1, "Ann", 5, "nmod:poss"),
        row(2, "and", 3, "cc"),
        row(3, "Bo", 1, "conj"),
        row(4, sign, 3, "case", upos="PART"),
        row(5, "hat"),
    )
    assert relations(read_one(*two)) == [("poss", "Ann", "hat")]
    of_a_friend = (row(1, "of", 2, "case", upos="ADP"), row(2, "Ann", 0, "root"), row(3, sign, 2, "case", upos="PART"))
    assert relations(read_one(*of_a_friend)) == [("case", "of", "Ann")]


def test_other_particles_and_other_apostrophes_stay_what_their_treebank_calls_them() -> None:
    assert relations(read_one(row(1, "'", 2, "case", upos="ADP"), row(2, "top"))) == [("case", "'", "top")]
    assert relations(read_one(row(1, "我", 3, "nmod:poss"), row(2, "的", 1, "case", upos="PART"), row(3, "书"))) == [
        ("poss", "我", "书"),
        ("case", "的", "我"),
    ]


def test_each_label_that_counts_is_of_one_relation_and_subtypes_count_apart() -> None:
    assert {deprel for relation in RELATIONS.values() for deprel in relation.deprels} == set(NAMES)
    for deprel in (*NAMES, *OTHERS):
        found = relations(read_one(row(1, "one", 2, deprel), row(2, "two")))
        assert found == ([(NAMES[deprel], "one", "two")] if deprel in NAMES else [])
    assert relations(read_one(row(1, "one", 0, "nsubj"))) == []  # a root has no head


def test_a_sentence_is_named_by_its_comment_or_by_its_number() -> None:
    lines = (
        row(1, "one"),
        "",
        "# sent_id = b = 2 ",
        "# text = sent_id",
        row(1, "two"),
        "",
        "#sent_id=c",
        row(1, "3"),
        "",
        "# sent_id =",
        row(1, "4"),
    )
    corpus = read_conllu(content_of(*lines), PATH, WHERE)
    assert [sentence.id for sentence in corpus.sentences] == ["sentence 1", "b = 2", "c", "sentence 4"]
    assert [sentence.line for sentence in corpus.sentences] == [1, 5, 8, 11]
    assert corpus.by_id["c"].text == "3"


def test_a_corpus_says_what_it_was_read_from() -> None:
    content = content_of(*FRENCH)
    corpus = read_conllu(content, PATH, WHERE)
    assert (corpus.name, corpus.path, corpus.sha256) == ("own", PATH, sha256(content).hexdigest())
    assert corpus.relations == RELATIONS


# What may stand in a form: anything but the signs that divide columns and lines, and halves of characters.
FORMS: Final = st.text(st.characters(exclude_characters="\t\n", exclude_categories=["Cs"]), min_size=1, max_size=4).filter(
    str.strip
)


@dataclass
class Bank:
    """The lines of a treebank's sentence, and what should be read from it."""

    lines: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    text: str = ""
    pairs: list[tuple[str, int, int]] = field(default_factory=list)
    id: str | None = None


@st.composite
def banks(draw: st.DrawFn) -> Bank:
    """Any good sentence: words alone and written as one, blanks or none between them, empty words, comments."""
    bank, n = Bank(), draw(st.integers(1, 7))
    if draw(st.booleans()):
        bank.id = draw(st.sampled_from(["a", "b-1", "ж = 2"]))
        bank.lines += [f"# sent_id = {bank.id}", "# text = anything", "#"]
    blank = ""
    while len(bank.words) < n:
        size = draw(st.integers(1, min(3, n - len(bank.words))))
        parts = draw(st.lists(FORMS, min_size=size, max_size=size))
        first, has_blank = len(bank.words) + 1, draw(st.booleans())
        with_blank, without = ("_", "CorrectSpaceAfter=No|Gloss=a"), ("SpaceAfter=No", "Gloss=a|SpaceAfter=No")
        misc = draw(st.sampled_from(with_blank if has_blank else without))
        form = draw(st.sampled_from(["".join(parts), draw(FORMS)])) if size > 1 else parts[0]
        if size > 1:
            bank.lines.append(joined(f"{first}-{first + size - 1}", form, misc))
        for at, part in enumerate(parts, first):
            head = draw(st.sampled_from([other for other in range(n + 1) if other != at]))
            deprel = draw(st.sampled_from([*NAMES, *OTHERS]))
            own = misc if size == 1 else draw(st.sampled_from(["_", "SpaceAfter=No"]))  # only that of the whole word counts
            bank.lines.append(row(at, part, head, deprel, misc=own))
            if draw(st.integers(0, 9)) == 0:
                bank.lines.append(row(f"{at}.1", "nothing", "_", "nsubj"))
            if head and deprel in NAMES:
                bank.pairs.append((NAMES[deprel], at - 1, head - 1))
        bank.words += parts
        bank.written += parts if "".join(parts) == form else [form] * size
        bank.text += blank + form
        blank = " " if has_blank else ""
    return bank


@given(
    st.lists(banks(), min_size=1, max_size=3),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([b"", BOM_UTF8]),
    st.integers(0, 3),
    st.integers(1, 2),
)
def test_what_is_written_is_read(written: list[Bank], line_end: str, mark: bytes, blank_lines: int, between: int) -> None:
    text = (line_end * (between + 1)).join(line_end.join(bank.lines) for bank in written) + line_end * blank_lines
    corpus = read_conllu(mark + text.encode(), PATH, WHERE)
    assert_whole(corpus)
    for number, (sentence, bank) in enumerate(zip(corpus.sentences, written, strict=True), 1):
        assert sentence.id == (bank.id or f"sentence {number}")
        assert list(sentence.words) == bank.words
        assert sentence.text == bank.text
        assert as_written(sentence) == bank.written
        assert [(pair.relation, pair.first, pair.second) for pair in sentence.pairs] == bank.pairs
        assert text.split(line_end)[sentence.line - 1] == next(line for line in bank.lines if not line.startswith("#"))


LONG: Final = "9" * 5_000  # more digits than Python makes a number of


@pytest.mark.parametrize(
    ("lines", "number", "wrong"),
    [
        (["1 a b"], 1, "1 columns with tabs"),
        ([row(1, "a") + "\t"], 1, "11 columns with tabs"),
        ([row(1, "a"), row(3, "b")], 2, 'number is "3", where 2 is next'),
        ([row(1, "a"), row(1, "b")], 2, 'number is "1", where 2 is next'),
        ([row(0, "a")], 1, 'number is "0", where 1 is next'),
        ([row("١", "a")], 1, 'number is "١", where 1 is next'),
        ([row("", "a")], 1, 'number is "", where 1 is next'),
        ([row("x.", "a")], 1, 'number is "x.", where 1 is next'),
        ([row(LONG, "a")], 1, "where 1 is next"),
        ([row(1, "a", "_")], 1, 'head of "a" is "_"'),
        ([row(1, "a", -1)], 1, 'head of "a" is "-1"'),
        ([row(1, "a", "²")], 1, 'head of "a" is "²"'),
        ([row(1, "a", LONG)], 1, 'head of "a" is "999'),
        ([row(1, "a", 2), row(2, "b", 3)], 2, 'head of "b" is 3, in a sentence of 2 words'),
        ([row(1, "a", 1)], 1, 'head of "a" is 1, in a sentence of 1 words'),
        (["# c", row(1, "")], 2, "word 1 has no form"),
        ([row(1, "\u3000 ")], 1, "word 1 has no form"),
        ([joined("1-2", " "), row(1, "a"), row(2, "b")], 1, "word 1-2 has no form"),
        ([row(1, "a"), joined("1-2", "b")], 2, '"1-2" is no range of words that begins at word 2'),
        ([joined("1-1", "b")], 1, '"1-1" is no range'),
        ([joined("2-1", "b")], 1, '"2-1" is no range'),
        ([joined("1-", "b")], 1, '"1-" is no range'),
        ([joined("1-x", "b")], 1, '"1-x" is no range'),
        ([joined(f"1-{LONG}", "b")], 1, "is no range of words that begins at word 1"),
        ([joined("1-2", "ab"), joined("1-2", "ab"), row(1, "a"), row(2, "b")], 2, '"1-2" is no range'),
        ([joined("1-3", "abc"), row(1, "a"), joined("2-3", "bc"), row(2, "b"), row(3, "c")], 3, '"2-3" is no range'),
        ([row(1, "a"), "# in between", joined("2-4", "bcd"), row(2, "b"), row(3, "c")], 3, "ends at 4, and there are 3 words"),
        ([joined("1-2", "ab")], 1, "ends at 2, and there are 0 words"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong_in_it(lines: list[str], number: int, wrong: str) -> None:
    for above in ((), (*FRENCH, ""), ("", "# nothing", "", " \t ")):
        told = refusal(read_conllu, content_of(*above, *lines))
        assert told.startswith(f", line {len(above) + number}: ")
        assert wrong in told
        assert refusal(read_conllu, BOM_UTF8 + content_of(*above, *lines).replace(b"\n", b"\r\n")) == told


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# only a comment\n", b"\xef\xbb\xbf", b"0.1\t" + b"\t".join([b"_"] * 9)])
def test_a_file_without_a_sentence_is_refused(content: bytes) -> None:
    assert refusal(read_conllu, content).startswith(": there is no sentence in it; ")


@given(st.integers(0, 6), st.booleans(), st.sampled_from([b"\xff", b"\xc3", b"\xed\xa0\x80"]))
def test_a_byte_of_another_encoding_is_named_with_its_line(lines_above: int, has_mark: bool, wrong: bytes) -> None:
    content = (BOM_UTF8 if has_mark else b"") + b"\n" * lines_above + wrong + b"\n" + content_of(*FRENCH)
    assert refusal(read_conllu, content).startswith(f", line {lines_above + 1}: not UTF-8; ")


def test_half_a_mark_and_another_encoding_are_refused() -> None:
    assert refusal(read_conllu, BOM_UTF8[:2]).startswith(", line 1: not UTF-8; ")
    assert refusal(read_conllu, "\n".join(COFFEE).encode("utf-16")).startswith(", line 1: not UTF-8; ")


@given(st.binary(max_size=200) | st.text("1234-.# \t\n\rab_", max_size=200).map(str.encode))
@example(b"1-2" + b"\t" * 9)
def test_any_bytes_are_a_treebank_or_refused(content: bytes) -> None:
    whole_or_refused(read_conllu, content)


PIECES: Final = (
    b"",
    b"\n",
    b"\n\n",
    b"\t",
    b"\r",
    b"#",
    b"1",
    b"2-3",
    b"3-9",
    b"1.1",
    b"-",
    b"0",
    b"99",
    b" ",
    b"\xc2\xa0",
    b"SpaceAfter=No",
    b"\t_\t",
)


@settings(max_examples=400)
@given(damaged(content_of(*COFFEE, "", *FRENCH, "", *SPANISH), PIECES))
def test_a_damaged_treebank_is_read_whole_or_refused(content: bytes) -> None:
    whole_or_refused(read_conllu, content)
