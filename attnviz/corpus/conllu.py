"""Treebanks as Universal Dependencies publishes them. Source of the form: universaldependencies.org/format.html."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from attnviz.corpus.corpus import Corpus, Pair, Sentence
from attnviz.corpus.relations import BY_DEPREL
from attnviz.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS: Final = 10
# No sentence has more words than that, and Python makes no numbers of thousands of digits.
_NUMBER: Final = re.compile("[0-9]{1,9}")
_RANGE: Final = re.compile("([0-9]{1,9})-([0-9]{1,9})")
_EMPTY_WORD: Final = re.compile("[0-9]{1,9}[.][0-9]{1,9}")
_POSSESSIVE: Final = ("'s", "’s", "'", "’")


@dataclass
class _Word:
    """A line of a sentence. id: from 1; head: 0 for the root; line: of the file."""

    form: str
    upos: str
    head: int
    deprel: str
    line: int


@dataclass
class _Block:
    """The lines of one sentence so far. surface: what is written, as (first word, last word, form, whether a blank follows);
    range_line: that of the last word of several parts."""

    words: list[_Word] = field(default_factory=list)
    surface: list[tuple[int, int, str, bool]] = field(default_factory=list)
    range_line: int = 0
    id: str | None = None
    first_line: int = 0

    @property
    def n_written(self) -> int:
        """The words that the lines so far write, those of a range that are still to come among them."""
        return self.surface[-1][1] if self.surface else 0


def read_conllu(content: bytes, path: Path, where: str) -> Corpus:
    """The corpus in a treebank's bytes; where: the file, for messages. Empty words (8.1) are passed over; a word of several parts
    (3-4) is written once, and its parts share its place.

    Raises InputError with the line and what is wrong there.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{where}, line {line}: not UTF-8; save the treebank in that encoding.") from error
    sentences, block = [], _Block()
    for number, raw in enumerate([*text.split("\n"), ""], 1):
        line, at = raw.rstrip("\r"), f"{where}, line {number}"
        if not line.strip():
            if block.surface:
                sentences.append(_sentence(block, len(sentences), where))
            block = _Block()
        elif line.startswith("#"):
            key, _, value = line[1:].partition("=")
            if key.strip() == "sent_id":
                block.id = value.strip()
        else:
            block.first_line = block.first_line or number
            _read_line(line, block, number, at)
    if not sentences:
        raise InputError(f"{where}: there is no sentence in it; a treebank has lines of {_COLUMNS} columns with tabs between them.")
    return Corpus(path.stem, tuple(sentences), sha256(content).hexdigest(), path, "a treebank in CoNLL-U form")


def _read_line(line: str, block: _Block, number: int, at: str) -> None:
    columns = line.split("\t")
    if len(columns) != _COLUMNS:
        raise InputError(f"{at}: {len(columns)} columns with tabs between them; CoNLL-U has {_COLUMNS}.")
    name, form, _, upos, _, _, head, deprel, _, misc = columns
    has_blank = "SpaceAfter=No" not in misc.split("|")
    next_word = len(block.words) + 1
    if _EMPTY_WORD.fullmatch(name):  # of the enhanced graph, which is not written
        return
    if "-" in name:
        ends = _RANGE.fullmatch(name)
        if ends is None or int(ends[1]) != next_word or int(ends[2]) <= next_word or block.n_written >= next_word:
            raise InputError(f'{at}: "{name}" is no range of words that begins at word {next_word}.')
        _check_form(form, name, at)
        block.surface.append((next_word, int(ends[2]), form, has_blank))
        block.range_line = number
        return
    if name != str(next_word):
        raise InputError(f'{at}: the word\'s number is "{name}", where {next_word} is next.')
    if not _NUMBER.fullmatch(head):
        raise InputError(f'{at}: the head of "{form}" is "{head}"; it has to be the number of a word, or 0 for the root.')
    _check_form(form, name, at)
    block.words.append(_Word(form, upos, int(head), deprel, number))
    if block.n_written < next_word:
        block.surface.append((next_word, next_word, form, has_blank))


def _check_form(form: str, name: str, at: str) -> None:
    if not form.strip():
        raise InputError(f"{at}: word {name} has no form.")


def _sentence(block: _Block, index: int, where: str) -> Sentence:
    n = len(block.words)
    for number, word in enumerate(block.words, 1):
        if word.head > n or word.head == number:
            raise InputError(f'{where}, line {word.line}: the head of "{word.form}" is {word.head}, in a sentence of {n} words.')
    if block.n_written > n:
        raise InputError(f"{where}, line {block.range_line}: a range of words ends at {block.n_written}, and there are {n} words.")
    text, spans = _written(block)
    pairs = []
    for number, word in enumerate(block.words):
        relation = BY_DEPREL.get(word.deprel)
        if relation is None or word.head == 0:
            continue
        # A possessive 's is a "case" as well, and no preposition; the second of two owners is a "conj" that has one.
        if relation == "case" and word.upos == "PART" and word.form in _POSSESSIVE:
            continue
        pairs.append(Pair(relation, number, word.head - 1))
    words = tuple(word.form for word in block.words)
    return Sentence(block.id or f"sentence {index + 1}", text, words, spans, tuple(pairs), line=block.first_line)


def _written(block: _Block) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The sentence as it is written, and where each word stands. The parts of a word that is written as one are looked up in it,
    and have all of it where they are spelled otherwise."""
    text, end, spans = "", 0, []
    for first, last, form, has_blank in block.surface:
        start, at = len(text), 0
        text += form
        parts = [word.form for word in block.words[first - 1 : last]]
        as_written = "".join(parts) == form
        for part in parts:
            spans.append((start + at, start + at + len(part)) if as_written else (start, start + len(form)))
            at += len(part)
        end = len(text)
        text += " " if has_blank else ""
    return text[:end], tuple(spans)
