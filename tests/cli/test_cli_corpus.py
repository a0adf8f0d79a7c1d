"""`attnviz corpus`: what it says of a corpus, and the one line that says what is wrong with one."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from attnviz import cli
from attnviz.corpus.balance import balance_of
from attnviz.corpus.opening import bundled_corpus
from tests.corpus.template import N, write_conllu, write_json_lines

if TYPE_CHECKING:
    from pathlib import Path

HEADER = {"format": "attnviz-corpus", "version": 1, "name": "mine"}
SENTENCE = {"id": "one", "text": "The dog saw it.", "words": ["The", "dog", "saw", "it", "."], "pairs": [["det", 0, 1]]}


def run(*arguments: object) -> int:
    try:
        return cli.main(["corpus", *map(str, arguments)])
    except SystemExit as exit_:
        return int(exit_.code)


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    """The lines on stdout of a command that works and says nothing on stderr."""
    assert run(*arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return line


def cells(lines: list[str], name: str) -> list[str]:
    """The cells of the table's row with that name."""
    (line,) = (line for line in lines if line.split(" ")[0] == name)
    return re.split(r" {2,}", line)


def write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_without_a_file_it_is_of_the_bundled_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys)
    corpus = bundled_corpus()
    balance = balance_of(corpus)
    assert lines[0] == corpus.name
    assert f"SHA-256 {corpus.sha256}" in lines
    assert f"{len(corpus.sentences):,} sentences, {balance.n_word:,} words" in "\n".join(lines)
    for one in balance.relations:
        name, title, n, n_sentence, forward, distances, best = cells(lines, one.relation.name)
        assert (name, title) == (one.relation.name, one.relation.title(True))
        assert (n, n_sentence, forward) == (f"{one.n:,}", f"{one.n_sentence:,}", f"{100 * one.forward:.0f} %")
        assert distances == f"{one.reach.least} / {one.reach.median} / {one.reach.most}"
        assert best == f"{100 * one.reach.explained:.0f} % at {one.reach.offset:+d}"
    for mention in balance.mentions:
        name, n, _, choices, nearest, *_ = cells(lines, mention.kind)
        assert (n, choices, nearest) == (str(mention.n), str(mention.n_choice), f"{100 * mention.nearest:.0f} %")
    assert lines[-1].startswith(f"{balance.partners.n} pairs of sentences")


@pytest.mark.parametrize("write_corpus", [write_json_lines, write_conllu])
def test_a_corpus_of_either_form_is_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path, write_corpus) -> None:
    path = write_corpus(tmp_path / ("made.conllu" if write_corpus is write_conllu else "made.jsonl"))
    lines = printed(capsys, path)
    assert str(path) in lines[0]
    assert f"{N} sentences, " in "\n".join(lines)
    assert cells(lines, "det")[2:] == [str(2 * N), str(N), "100 %", "1 / 1 / 2", "53 % at +1"]
    assert cells(lines, "obj")[4] == "0 %"


def test_what_never_occurs_and_what_is_too_little_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = printed(capsys, write(tmp_path / "mine.jsonl", HEADER, SENTENCE))
    (never,) = (line for line in lines if line.startswith("Never in this corpus"))
    assert "agreement" in " ".join(lines[lines.index(never) :])
    assert "pronouns, later mentions" in " ".join(lines[lines.index(never) :])
    (few,) = (line for line in lines if line.startswith("Too few for a role"))
    assert few.endswith(": det")
    assert not any(line.startswith(("nsubj ", "pronoun ")) for line in lines)  # no row of zeros


def test_without_links_there_is_no_table_and_no_word_about_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = printed(capsys, write(tmp_path / "mine.jsonl", HEADER, {**SENTENCE, "pairs": []}))
    assert not any(line.startswith(("Distances", "RELATION", "MENTION")) for line in lines)
    assert lines[1:4] == [lines[1], "1 sentence of 5 words", ""]
    assert lines[4].startswith("Never in this corpus")


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ((1,), "1 sentence of 1 word"),
        ((4,), "1 sentence of 4 words"),
        ((4, 4), "2 sentences of 4 words each"),
        ((2, 3, 7), "3 sentences, 12 words; 2 to 7 in a sentence, median 3"),
    ],
)
def test_sentences_and_words_are_counted_in_plain_english(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, lengths: tuple[int, ...], said: str
) -> None:
    rows = [{"id": str(at), "text": " ".join(["it"] * n), "words": ["it"] * n} for at, n in enumerate(lengths)]
    assert said in printed(capsys, write(tmp_path / "mine.jsonl", HEADER, *rows))


def test_a_relation_of_the_corpus_own_has_a_row(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    header = {**HEADER, "relations": {"likes": {"first": "who likes", "second": "what is liked"}}}
    lines = printed(capsys, write(tmp_path / "mine.jsonl", header, {**SENTENCE, "pairs": [["likes", 1, 3]]}))
    assert cells(lines, "likes")[1:3] == ["who likes → what is liked", "1"]


def test_what_would_move_the_cursor_is_not_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = printed(capsys, write(tmp_path / "mine.jsonl", {**HEADER, "name": "a\x1b[2Jb", "about": "two\nlines"}, SENTENCE))
    assert "\x1b" not in "\n".join(lines)
    assert lines[0].startswith("a?[2Jb  ")
    assert lines[1] == "two?lines"


def test_a_sign_that_the_terminal_has_not_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    assert run() == 0
    assert b"determiner ? noun" in plain.buffer.getvalue()


def test_whoever_reads_no_further_ends_it_quietly() -> None:
    process = subprocess.Popen([sys.executable, "-m", "attnviz", "corpus"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("mine.jsonl", [], "empty"),
        ("mine.jsonl", [HEADER], "no sentence"),
        ("mine.jsonl", [HEADER, SENTENCE, "{"], "line 3"),
        ("mine.jsonl", [HEADER, "", {**SENTENCE, "pairs": [["det", 0, 9]]}], "line 3: there is no word 9"),
        ("mine.jsonl", [HEADER, {**SENTENCE, "pairs": [["nonsense", 0, 1]]}], 'line 2: there is no relation "nonsense"'),
        ("mine.jsonl", [{**HEADER, "version": 99}, SENTENCE], "line 1: version 99"),
        ("mine.conllu", ["1\tThe\tdog"], "line 1: 3 columns"),
        ("mine.conllu", ["1\tThe\t_\t_\t_\t_\tx\tdet\t_\t_"], 'line 1: the head of "The" is "x"'),
        ("mine.txt", ["The dog saw it."], "mine.txt"),
        ("mine", ["The dog saw it."], ".conllu"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, lines: list[object], said: str
) -> None:
    line = refused(capsys, write(tmp_path / name, *lines))
    assert line.startswith("attnviz: ")
    assert str(tmp_path / name) in line
    assert said in line


def test_a_file_that_is_not_there_or_a_folder_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "nowhere.jsonl" in refused(capsys, tmp_path / "nowhere.jsonl")
    (tmp_path / "folder.conllu").mkdir()
    assert "folder.conllu" in refused(capsys, tmp_path / "folder.conllu")


def test_two_files_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--help" in refused(capsys, "a.jsonl", "b.jsonl")
