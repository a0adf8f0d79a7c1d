"""What tests of both readers share: the sentence that a bad file is refused with, and what holds for each corpus that is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import strategies as st

from attnviz.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.corpus.corpus import Corpus

    Reader = Callable[[bytes, Path | None, str], Corpus]

PATH: Final = Path("folder/own.corpus")
# How messages name a file: by what they are told, and not by its path.
WHERE: Final = "the file"


def refusal(reader: Reader, content: bytes) -> str:
    """What a file is refused with, without the name of the file."""
    with pytest.raises(InputError) as caught:
        reader(content, PATH, WHERE)
    sentence = str(caught.value)
    assert len(sentence.splitlines()) == 1
    assert sentence.endswith(".")
    assert sentence.startswith(WHERE)
    return sentence.removeprefix(WHERE)


def assert_whole(corpus: Corpus) -> None:
    """Every word has a place in its text, and all that is said is said of words that are there."""
    assert corpus.sentences
    for sentence in corpus.sentences:
        assert sentence.words
        assert len(sentence.spans) == len(sentence.words)
        assert all(0 <= start < stop <= len(sentence.text) for start, stop in sentence.spans)
        assert list(sentence.spans) == sorted(sentence.spans)
        places = {place for pair in sentence.pairs for place in (pair.first, pair.second)}
        places |= {place for one in sentence.mentions for place in (one.mention, one.antecedent, *one.distractors)}
        assert places <= set(range(len(sentence.words)))
        assert all(pair.first != pair.second and pair.relation in corpus.relations for pair in sentence.pairs)
        assert sentence.line > 0


def whole_or_refused(reader: Reader, content: bytes) -> None:
    """Some bytes are a corpus, or are refused with an InputError; any other exception is one of the test."""
    try:
        corpus = reader(content, PATH, WHERE)
    except InputError as error:
        told = str(error)
    else:
        assert_whole(corpus)
        return
    assert told.startswith(WHERE)


@st.composite
def damaged(draw: st.DrawFn, content: bytes, pieces: tuple[bytes, ...]) -> bytes:
    """A good file with up to three places in it replaced, by any bytes, or by pieces that have a meaning in such a file."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.integers(start, min(len(content), start + draw(st.sampled_from([0, 1, 3, 40])))))
        content = content[:start] + draw(st.sampled_from(pieces) | st.binary(max_size=3)) + content[stop:]
    return content
