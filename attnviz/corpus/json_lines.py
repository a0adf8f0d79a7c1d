"""Corpora in the program's own form, JSON Lines: a header, then one sentence per line; resources/corpus/README.md documents it."""

from __future__ import annotations

from codecs import BOM_UTF8
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from attnviz.corpus.corpus import MENTION_KINDS, Corpus, Mention, MentionKind, Pair, Sentence
from attnviz.corpus.relations import RELATIONS, Relation
from attnviz.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMAT: Final = "attnviz-corpus"
VERSION: Final = 1


class _Titles(msgspec.Struct, forbid_unknown_fields=True):
    """What the two words of a relation of the corpus' own are."""

    first: str
    second: str


class _Kind(msgspec.Struct):
    """What a header says first: of another kind of file, or a later version, no more can be asked."""

    format: str
    version: int


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    version: int
    name: str
    about: str = ""
    relations: dict[str, _Titles] = {}


class _Mention(msgspec.Struct, forbid_unknown_fields=True):
    mention: int
    antecedent: int
    kind: MentionKind = "pronoun"
    distractors: tuple[int, ...] = ()


class _Sentence(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    text: str
    words: tuple[str, ...]
    pairs: tuple[tuple[str, int, int], ...] = ()
    mentions: tuple[_Mention, ...] = ()
    partner: str | None = None


def read_json_lines(content: bytes, path: Path | None, where: str) -> Corpus:
    """The corpus in a file's bytes; where: the file, for messages.

    Raises InputError with the line and what is wrong there.
    """
    text = content.removeprefix(BOM_UTF8)
    lines = [(number, line) for number, line in enumerate(text.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise InputError(f"{where}: the corpus is empty; its first line has to be a header.")
    number, line = lines[0]
    kind = _decode(line, _Kind, f"{where}, line {number}")
    if kind.format != FORMAT:
        raise InputError(f'{where}, line {number}: "format" is "{kind.format}", not "{FORMAT}"; this is another kind of file.')
    if kind.version != VERSION:
        raise InputError(f"{where}, line {number}: version {kind.version} of the form is not known here; use version {VERSION}.")
    header = _decode(line, _Header, f"{where}, line {number}")
    taken = next((name for name in header.relations if name in RELATIONS), None)
    if taken is not None:
        raise InputError(f'{where}, line {number}: the relation "{taken}" is known already; give one of your own another name.')
    own = {name: Relation(name, titles.first, titles.second) for name, titles in header.relations.items()}
    relations = {**RELATIONS, **own}
    sentences: dict[str, Sentence] = {}
    for number, line in lines[1:]:
        at = f"{where}, line {number}"
        sentence = _sentence(_decode(line, _Sentence, at), relations, number, at)
        if sentence.id in sentences:
            raise InputError(
                f'{at}: the id "{sentence.id}" is also that of line {sentences[sentence.id].line}; give it another one.'
            )
        sentences[sentence.id] = sentence
    if not sentences:
        raise InputError(f"{where}: there is no sentence behind the header; write one per line.")
    for sentence in sentences.values():
        _check_partner(sentence, sentences, f"{where}, line {sentence.line}")
    return Corpus(header.name, tuple(sentences.values()), sha256(content).hexdigest(), path, header.about, relations)


def spans_of(text: str, words: tuple[str, ...], at: str) -> tuple[tuple[int, int], ...]:
    """Where the words stand in the text, one after the other, with nothing but blanks between them.

    Raises InputError for a word that is not there, or letters that are in no word.
    """
    spans, end = [], 0
    for word in words:
        start = end
        while start < len(text) and text[start].isspace():
            start += 1
        if not word or word != word.strip():
            raise InputError(f'{at}: "{word}" is no word; leave out blanks and empty words.')
        if not text.startswith(word, start):
            rest = text[start : start + 20] or "the end of the text"
            raise InputError(
                f'{at}: the word "{word}" does not follow in the text, where "{rest}" stands; make words and text agree.'
            )
        end = start + len(word)
        spans.append((start, end))
    if text[end:].strip():
        raise InputError(f'{at}: "{text[end:].strip()[:20]}" at the end of the text is in no word; add it to the words.')
    return tuple(spans)


def _decode(line: bytes, kind: type, at: str):
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.ValidationError as error:
        raise InputError(f"{at}: {error}; the page on the form of a corpus lists its fields.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{at}: no JSON ({error}); each line holds one whole object.") from error


def _sentence(read: _Sentence, relations: dict[str, Relation], number: int, at: str) -> Sentence:
    n = len(read.words)
    if not n:
        raise InputError(f"{at}: the sentence has no words; list them.")
    spans = spans_of(read.text, read.words, at)
    known = _place_checker(n, at)
    pairs = []
    for relation, first, second in read.pairs:
        if relation not in relations:
            raise InputError(
                f'{at}: there is no relation "{relation}"; use {", ".join(RELATIONS)}, or name it in the header\'s "relations".'
            )
        pairs.append(Pair(relation, known(first, relation), known(second, relation)))
        if first == second:
            raise InputError(f'{at}: "{relation}" is between word {first} and itself; a relation has two words.')
    mentions = []
    for one in read.mentions:
        places = [known(place, "mention") for place in (one.mention, one.antecedent, *one.distractors)]
        if len(set(places)) < len(places):
            raise InputError(
                f"{at}: the mention at word {one.mention}, its antecedent and its distractors have to be different words."
            )
        if max(places[1:]) > one.mention:
            raise InputError(f"{at}: the antecedent and distractors of word {one.mention} have to stand before it.")
        mentions.append(Mention(one.kind, one.mention, one.antecedent, one.distractors))
    return Sentence(read.id, read.text, read.words, spans, tuple(pairs), tuple(mentions), read.partner, number)


def _place_checker(n: int, at: str) -> Callable[[int, str], int]:
    def known(place: int, what: str) -> int:
        if not 0 <= place < n:
            raise InputError(f'{at}: there is no word {place} for "{what}"; this sentence has words 0 to {n - 1}.')
        return place

    return known


def _check_partner(sentence: Sentence, sentences: dict[str, Sentence], at: str) -> None:
    if sentence.partner is None:
        return
    partner = sentences.get(sentence.partner)
    if partner is None or partner is sentence or partner.partner != sentence.id:
        raise InputError(
            f'{at}: the partner "{sentence.partner}" is not there, or has another partner; two sentences name each other.'
        )


assert MentionKind.__args__ == MENTION_KINDS
