"""Corpora of the program's own form: what is written is read, and each file that is none is one sentence with its line."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attnviz.corpus.corpus import MENTION_KINDS, Mention, Pair, Sentence
from attnviz.corpus.json_lines import FORMAT, VERSION, read_json_lines, spans_of
from attnviz.corpus.relations import RELATIONS, Relation
from attnviz.errors import InputError
from tests.corpus.reading import PATH, WHERE, assert_whole, damaged, refusal, whole_or_refused

if TYPE_CHECKING:
    from attnviz.corpus.corpus import Corpus

HEADER: Final = {"format": FORMAT, "version": VERSION, "name": "own"}
CAT: Final = {"id": "cat", "text": "The cat sleeps.", "words": ["The", "cat", "sleeps", "."]}


def content_of(*lines: object) -> bytes:
    """The lines of a file: values as JSON, bytes as they are."""
    return b"\n".join(line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines)


def read(*lines: object) -> Corpus:
    corpus = read_json_lines(content_of(*lines), PATH, WHERE)
    assert_whole(corpus)
    return corpus


def without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def mention(mention: int, antecedent: int, **more: object) -> dict[str, Any]:
    return {**CAT, "mentions": [{"mention": mention, "antecedent": antecedent, **more}]}


# Letters and blanks of several kinds, signs that JSON spells otherwise, and characters beyond the first 65,536.
WORDS: Final = st.text(st.sampled_from("ab.'é\"\\ж猫😀\u0301"), min_size=1, max_size=5)
BLANKS: Final = st.text(st.sampled_from(" \t\n\u00a0\u3000"), max_size=2)


@st.composite
def sentences(draw: st.DrawFn, relations: tuple[str, ...], id: str, partner: str | None = None) -> tuple[dict[str, Any], Sentence]:
    """Any good sentence, as it is written and as it should be read, the line apart."""
    words = draw(st.lists(WORDS, min_size=1, max_size=6))
    text, spans = draw(BLANKS), []
    for word in words:
        spans.append((len(text), len(text) + len(word)))
        text += word + draw(BLANKS)
    values: dict[str, Any] = {"id": id, "text": text, "words": words}
    pairs, mentions = (), ()
    if len(words) > 1:
        two = st.lists(st.integers(0, len(words) - 1), min_size=2, max_size=2, unique=True)
        pairs = tuple(
            Pair(name, *places) for name, places in draw(st.lists(st.tuples(st.sampled_from(relations), two), max_size=4))
        )
        mentions = tuple(draw(st.lists(mentions_in(len(words)), max_size=2)))
        values["pairs"] = [[pair.relation, pair.first, pair.second] for pair in pairs]
        values["mentions"] = [
            {"mention": one.mention, "antecedent": one.antecedent, "kind": one.kind, "distractors": list(one.distractors)}
            for one in mentions
        ]
    if partner is not None:
        values["partner"] = partner
    return values, Sentence(id, text, tuple(words), tuple(spans), pairs, mentions, partner)


@st.composite
def mentions_in(draw: st.DrawFn, n: int) -> Mention:
    """A mention with its antecedent and other words before it."""
    at = draw(st.integers(1, n - 1))
    before = draw(st.lists(st.integers(0, at - 1), min_size=1, max_size=3, unique=True))
    return Mention(draw(st.sampled_from(MENTION_KINDS)), at, before[0], tuple(before[1:]))


@given(st.data(), st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \t\r\n"]), st.sampled_from([b"", b"\n", BOM_UTF8]))
def test_what_is_written_is_read(data: st.DataObject, line_end: bytes, before: bytes) -> None:
    own = data.draw(st.dictionaries(st.sampled_from(["rhyme", "жанр"]), st.tuples(WORDS, WORDS)))
    about = data.draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=9))
    names = (*RELATIONS, *own)
    written = [
        data.draw(sentences(names, "a", "b")),
        data.draw(sentences(names, "b", "a")),
        *(data.draw(sentences(names, f"{number}")) for number in range(data.draw(st.integers(0, 2)))),
    ]
    header = {
        **HEADER,
        "about": about,
        "relations": {name: dict(zip(("first", "second"), two, strict=True)) for name, two in own.items()},
    }
    content = before + line_end.join(content_of(one) for one in (header, *(values for values, _ in written))) + line_end
    corpus = read_json_lines(content, PATH, WHERE)
    assert_whole(corpus)
    for sentence, (_, wanted) in zip(corpus.sentences, written, strict=True):
        line = sentence.line
        assert sentence == Sentence(**{**vars(wanted), "line": line})
        assert json.loads(content.split(b"\n")[line - 1])["id"] == sentence.id
        assert tuple(sentence.text[start:stop] for start, stop in sentence.spans) == sentence.words
    assert corpus.relations == {**RELATIONS, **{name: Relation(name, *two) for name, two in own.items()}}
    assert (corpus.name, corpus.about, corpus.path, corpus.sha256) == ("own", about, PATH, sha256(content).hexdigest())
    assert corpus.by_id == {sentence.id: sentence for sentence in corpus.sentences}


def test_what_need_not_be_written_is_left_out() -> None:
    corpus = read(HEADER, CAT)
    assert corpus.about == ""
    assert corpus.relations == RELATIONS
    assert corpus.sentences == (Sentence("cat", CAT["text"], tuple(CAT["words"]), ((0, 3), (4, 7), (8, 14), (14, 15)), line=2),)
    assert read(HEADER, mention(2, 1)).sentences[0].mentions == (Mention("pronoun", 2, 1),)


@pytest.mark.parametrize(
    ("header", "wrong"),
    [
        (b"attention", "no JSON ("),
        (b"{", "no JSON ("),
        (b'{"format": "\xff"}', "no JSON ("),
        ([], "Expected `object`"),
        (CAT, "required field `format`"),
        (without(HEADER, "format"), "required field `format`"),
        (without(HEADER, "name"), "required field `name`"),
        (without(HEADER, "version"), "required field `version`"),
        ({**HEADER, "version": "1"}, "Expected `int`"),
        ({**HEADER, "more": 1}, "unknown field `more`"),
        ({**HEADER, "format": "attnviz-session"}, '"format" is "attnviz-session", not "attnviz-corpus"'),
        ({**HEADER, "format": "attnviz-session", "more": 1}, '"format" is "attnviz-session", not "attnviz-corpus"'),
        ({**HEADER, "version": VERSION + 1, "more": 1}, f"version {VERSION + 1} of the form is not known here"),
        ({**HEADER, "relations": {"far_nsubj": {"first": "a", "second": "b"}}}, 'the relation "far_nsubj" is known already'),
        ({**HEADER, "version": VERSION + 1}, f"version {VERSION + 1} of the form is not known here; use version {VERSION}"),
        ({**HEADER, "relations": {"rhyme": {"first": "one"}}}, "required field `second`"),
        ({**HEADER, "relations": {"rhyme": {"first": "one", "second": "two", "third": ""}}}, "unknown field `third`"),
    ],
)
def test_a_bad_header_is_named_with_what_is_wrong_in_it(header: object, wrong: str) -> None:
    for above in ([], [b""], [b"", b"\r"]):
        told = refusal(read_json_lines, content_of(*above, header, CAT))
        assert told.startswith(f", line {len(above) + 1}: ")
        assert wrong in told


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (b"The cat sleeps.", "no JSON ("),
        (content_of(CAT)[:-1], "no JSON ("),
        (content_of(CAT) * 2, "no JSON ("),
        (content_of(CAT).replace(b"cat", b"\xff"), "no JSON ("),
        (content_of(CAT).replace(b"cat", rb"\ud83d"), "no JSON ("),
        (b"[" * 100_000, "Expected `object`"),
        (without(CAT, "id"), "required field `id`"),
        (without(CAT, "text"), "required field `text`"),
        (without(CAT, "words"), "required field `words`"),
        ({**CAT, "sense": []}, "unknown field `sense`"),
        ({**CAT, "id": 1}, "Expected `str`"),
        ({**CAT, "words": "The cat sleeps."}, "Expected `array`"),
        ({**CAT, "words": []}, "the sentence has no words"),
        ({**CAT, "text": " ", "words": []}, "the sentence has no words"),
        ({**CAT, "words": ["The", "cat", " sleeps", "."]}, '" sleeps" is no word'),
        ({**CAT, "words": ["The", "", "cat", "sleeps", "."]}, '"" is no word'),
        ({**CAT, "words": ["The", "dog", "sleeps", "."]}, 'the word "dog" does not follow in the text, where "cat sleeps." stands'),
        ({**CAT, "words": ["The", "sleeps", "."]}, 'the word "sleeps" does not follow in the text, where "cat sleeps." stands'),
        ({**CAT, "words": [*CAT["words"], "so"]}, 'the word "so" does not follow in the text, where "the end of the text" stands'),
        ({**CAT, "words": CAT["words"][:2]}, '"sleeps." at the end of the text is in no word'),
        ({**CAT, "pairs": [["rhyme", 0, 1]]}, 'there is no relation "rhyme"; '),
        ({**CAT, "pairs": [["det", 0]]}, "Expected `array` of length 3"),
        ({**CAT, "pairs": [["det", 0, 1.0]]}, "Expected `int`"),
        ({**CAT, "pairs": [["det", True, 0]]}, "Expected `int`"),
        ({**CAT, "pairs": [["det", 0, 4]]}, 'there is no word 4 for "det"; this sentence has words 0 to 3'),
        ({**CAT, "pairs": [["det", 0, 1], ["nsubj", -1, 2]]}, 'there is no word -1 for "nsubj"'),
        ({**CAT, "pairs": [["det", 10**30, 1]]}, f'there is no word {10**30} for "det"'),
        ({**CAT, "pairs": [["det", 1, 1]]}, '"det" is between word 1 and itself'),
        (mention(4, 0), 'there is no word 4 for "mention"'),
        (mention(2, -1), 'there is no word -1 for "mention"'),
        (mention(2, 1, distractors=[4]), 'there is no word 4 for "mention"'),
        (mention(2, 1, kind="verb"), "Invalid enum value 'verb'"),
        (mention(1, 1), "the mention at word 1, its antecedent and its distractors have to be different words"),
        (mention(2, 1, distractors=[1]), "the mention at word 2, its antecedent and its distractors have to be different words"),
        (mention(2, 0, distractors=[1, 1]), "the mention at word 2, its antecedent and its distractors have to be different words"),
        (mention(1, 2), "the antecedent and distractors of word 1 have to stand before it"),
        (mention(2, 1, distractors=[3]), "the antecedent and distractors of word 2 have to stand before it"),
        ({**CAT, "partner": "dog"}, 'the partner "dog" is not there, or has another partner'),
        ({**CAT, "partner": "cat"}, 'the partner "cat" is not there, or has another partner'),
        ({**CAT, "partner": "other"}, 'the partner "other" is not there, or has another partner'),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong_in_it(line: object, wrong: str) -> None:
    other = {**CAT, "id": "other"}
    for above in ([HEADER], [b"", HEADER, b" \r"], [HEADER, other]):
        told = refusal(read_json_lines, content_of(*above, line, *([other] if other not in above else [])))
        assert told.startswith(f", line {len(above) + 1}: ")
        assert wrong in told


def test_partners_name_each_other_and_nobody_else() -> None:
    one, two, three = ({**CAT, "id": name} for name in ("one", "two", "three"))
    read(HEADER, {**one, "partner": "two"}, {**two, "partner": "one"}, three)
    for line, lines in (
        (2, ({**one, "partner": "two"}, {**two, "partner": "three"}, {**three, "partner": "one"})),
        (3, (one, {**two, "partner": "one"})),
        (4, ({**one, "partner": "two"}, {**two, "partner": "one"}, {**three, "partner": "one"})),
    ):
        assert refusal(read_json_lines, content_of(HEADER, *lines)).startswith(f", line {line}: the partner ")


def test_an_id_that_is_there_already_is_named_with_both_lines() -> None:
    told = refusal(read_json_lines, content_of(HEADER, b"", CAT, {**CAT, "id": "other"}, CAT))
    assert told.startswith(', line 5: the id "cat" is also that of line 3; ')


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\t\n", BOM_UTF8])
def test_an_empty_file_is_refused(content: bytes) -> None:
    assert refusal(read_json_lines, content).startswith(": the corpus is empty; ")


def test_a_header_alone_is_refused() -> None:
    assert refusal(read_json_lines, content_of(HEADER, b"")).startswith(": there is no sentence behind the header; ")


@given(st.lists(WORDS, max_size=6), st.data())
def test_spans_slice_the_words_out_of_any_text_that_is_made_of_them(words: list[str], data: st.DataObject) -> None:
    text = data.draw(BLANKS) + "".join(word + data.draw(BLANKS) for word in words)
    spans = spans_of(text, tuple(words), WHERE)
    assert [text[start:stop] for start, stop in spans] == words
    assert [stop for _, stop in spans] == sorted(stop for _, stop in spans)


@given(st.lists(WORDS, min_size=1, max_size=5), st.data())
def test_a_letter_that_is_in_no_word_is_refused(words: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(words)))
    text = " ".join([*words[:at], "Q", *words[at:]])
    with pytest.raises(InputError, match=r"does not follow in the text|is in no word"):
        spans_of(text, tuple(words), WHERE)


VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["cat", "det", "name", "", " "]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["mention", "antecedent", "x"]), inner, max_size=3),
    max_leaves=6,
)


def some_of(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any values for some of the fields."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES))


@given(some_of(*HEADER, "about", "relations"), some_of(*CAT, "pairs", "mentions", "partner"))
def test_any_values_are_a_corpus_or_refused(of_header: dict[str, Any], of_sentence: dict[str, Any]) -> None:
    whole_or_refused(read_json_lines, content_of({**HEADER, **of_header}, CAT))
    whole_or_refused(read_json_lines, content_of(HEADER, {**CAT, **of_sentence}))


@given(st.binary(max_size=100) | st.binary(max_size=100).map(lambda line: content_of(HEADER) + b"\n" + line))
@example(b'{"format":' + b"[" * 100_000)
def test_any_bytes_are_a_corpus_or_refused(content: bytes) -> None:
    whole_or_refused(read_json_lines, content)


GOOD: Final = content_of(
    {**HEADER, "about": "é", "relations": {"rhyme": {"first": "one", "second": "two"}}},
    {**mention(2, 1, kind="name", distractors=[0]), "pairs": [["det", 0, 1], ["rhyme", 1, 2]], "partner": "b"},
    {**CAT, "id": "b", "partner": "cat"},
)
PIECES: Final = (
    b"",
    b"\n",
    b"0",
    b"9",
    b"-",
    b'"',
    b",",
    b"[",
    b"]",
    b"{",
    b"}",
    b"null",
    b"\\",
    b"\\ud83d",
    b"true",
    b"1e9",
    b" ",
    b'"det"',
    b"cat",
)


def test_the_file_that_is_damaged_was_whole() -> None:
    assert_whole(read_json_lines(GOOD, PATH, WHERE))


@settings(max_examples=400)
@given(damaged(GOOD, PIECES))
def test_a_damaged_corpus_is_read_whole_or_refused(content: bytes) -> None:
    whole_or_refused(read_json_lines, content)
