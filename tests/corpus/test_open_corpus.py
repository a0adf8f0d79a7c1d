"""Opening a corpus: its form by its suffix, and one sentence for what cannot be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from attnviz.corpus import opening
from attnviz.corpus.opening import bundled_corpus, open_corpus
from attnviz.errors import InputError

TREEBANK = b"1\tGo\tgo\tVERB\t_\t_\t0\troot\t_\t_\n"
OWN = b'{"format":"attnviz-corpus","version":1,"name":"own"}\n{"id":"1","text":"Go","words":["Go"]}\n'


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_corpus(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.conllu", "a.conll", "A.CoNLLU", "a.jsonl", "a.json", "a.b.JSONL"])
def test_the_suffix_says_which_form_a_file_has(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(TREEBANK if "conll" in name.lower() else OWN)
    for given in (path, str(path)):
        corpus = open_corpus(given)
        assert [sentence.text for sentence in corpus.sentences] == ["Go"]
        assert corpus.path == path


@pytest.mark.parametrize("name", ["a.txt", "a", "jsonl", ".jsonl.gz"])
def test_any_other_name_is_refused_before_it_is_looked_for(tmp_path: Path, name: str) -> None:
    assert (
        refusal(tmp_path / name)
        == f"{tmp_path / name}: no corpus by its name; use a .jsonl file of sentences or a .conllu treebank."
    )


def test_what_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.jsonl").startswith(f"{tmp_path / 'none.jsonl'}: cannot be read (")
    (tmp_path / "folder.conllu").mkdir()
    for folder in (tmp_path, tmp_path / "folder.conllu"):
        assert refusal(folder) == f"{folder}: this is a folder; name a .jsonl file of sentences or a .conllu treebank."


def test_a_file_that_is_wrong_inside_is_named_by_its_path_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(OWN + b"{}")
    assert refusal(path).startswith(f"{path}, line 3: ")
    path = tmp_path / "a.conllu"
    path.write_bytes(TREEBANK + b"2")
    assert refusal(path).startswith(f"{path}, line 2: ")


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(OWN)
    monkeypatch.setattr(opening, "LARGEST", len(OWN))
    open_corpus(path)
    monkeypatch.setattr(opening, "LARGEST", len(OWN) - 1)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("it was read"))
    assert refusal(path) == f"{path}: {len(OWN)} bytes are too many for a corpus ({len(OWN) - 1} at most); use a part of it."


def test_no_file_is_the_bundled_corpus_read_once() -> None:
    assert open_corpus() is bundled_corpus()
    assert open_corpus().path is None
