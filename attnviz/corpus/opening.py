"""Opening a corpus: the one that comes with the program, or a person's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from attnviz.corpus.conllu import read_conllu
from attnviz.corpus.corpus import Corpus
from attnviz.corpus.json_lines import read_json_lines
from attnviz.errors import InputError
from attnviz.resources import resource_path

BUNDLED: Final = "corpus/english.jsonl"
# A treebank of some 20,000 sentences; all of a corpus is read at once.
LARGEST: Final = 200 << 20
_TREEBANK: Final = (".conllu", ".conll")
_OWN: Final = (".jsonl", ".json")


def open_corpus(path: Path | str | None = None) -> Corpus:
    """The corpus in a file, by its suffix: .jsonl for the program's own form, .conllu for a treebank; None: the bundled one.

    Raises InputError with the line and what is wrong there.
    """
    return bundled_corpus() if path is None else _open(Path(path))


@lru_cache(maxsize=1)
def bundled_corpus() -> Corpus:
    """The corpus that comes with the program."""
    path = resource_path(BUNDLED)
    return read_json_lines(path.read_bytes(), None, path.name)


def _open(path: Path) -> Corpus:
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; name a .jsonl file of sentences or a .conllu treebank.")
    suffix = path.suffix.lower()
    if suffix not in (*_TREEBANK, *_OWN):
        raise InputError(f"{path}: no corpus by its name; use a .jsonl file of sentences or a .conllu treebank.")
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(f"{path}: {size:,} bytes are too many for a corpus ({LARGEST:,} at most); use a part of it.")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); choose another file.") from error
    return read_conllu(content, path, str(path)) if suffix in _TREEBANK else read_json_lines(content, path, str(path))
