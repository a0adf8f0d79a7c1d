"""Corpora of one's own, and files of what was measured: chosen, dropped, refused, written."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QFileDialog

from attnviz.ui.roles import roles_files
from attnviz.ui.roles.foot import left_out_line
from attnviz.ui.roles.roles_files import EXPORTS, REPORTS, figure_inches
from tests.probing.made_up import made_up_roles
from tests.ui.roles.conftest import write_corpus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.ui.roles.conftest import Gate
    from tests.ui.roles.roles_hands import RolesHands

BEGINNINGS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF", ".csv": b"#", ".json": b"{", ".html": b"<!DOCTYPE html>"}


def offered(hands: RolesHands) -> list[str]:
    box = hands.roles_window.top.corpus_box
    return [box.itemText(row) for row in range(box.count()) if box.itemText(row)]


def mime(*paths: Path) -> QMimeData:
    content = QMimeData()
    content.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return content


def test_a_corpus_that_is_opened_is_offered_to_be_measured_and_again_later(shown_alone: RolesHands, tmp_path: Path) -> None:
    window = shown_alone.roles_window
    assert offered(shown_alone) == ["templates", "Open a corpus…"]
    shown_alone.open_file(write_corpus(tmp_path / "twelve.jsonl", 12, "a dozen"))
    assert shown_alone.is_at_start()
    assert "12 sentences of a dozen" in window.start.about()
    assert offered(shown_alone) == ["templates", "twelve.jsonl", "Open a corpus…"]
    assert window.top.corpus_box.currentText() == "twelve.jsonl"
    told: list[str] = []
    window.measured.connect(lambda found: told.append(found.summary.corpus))
    shown_alone.measure()
    shown_alone.settle()
    assert window.roles.corpus.name == "a dozen"
    assert told == ["a dozen"]
    box = window.top.corpus_box
    box.activated.emit(0)
    shown_alone.settle()
    assert window.roles.corpus.name == "templates"
    assert box.currentText() == "templates"
    box.activated.emit(1)
    shown_alone.settle()
    assert window.roles.corpus.name == "a dozen"  # which is kept, and there at once


def test_the_box_names_what_is_shown_until_another_corpus_is(shown_alone: RolesHands, tmp_path: Path) -> None:
    box = shown_alone.roles_window.top.corpus_box
    box.setCurrentIndex(box.count() - 1)  # as a click on "Open a corpus…" does
    box.activated.emit(box.count() - 1)
    assert box.currentText() == "templates"
    shown_alone.dialog().reject()
    assert box.currentText() == "templates"
    shown_alone.open_file(write_corpus(tmp_path / "twelve.jsonl", 12))
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert box.currentText() == "twelve.jsonl"
    shown_alone.settle()
    assert box.currentText() == "templates"


def test_the_corpus_stays_chosen_while_the_program_runs(shown: RolesHands, tmp_path: Path) -> None:
    shown.open_file(write_corpus(tmp_path / "twelve.jsonl", 12))
    shown.roles_window.close()
    shown.window.show_roles()
    shown.settle()
    assert shown.roles_window.top.corpus_box.currentText() == "twelve.jsonl"


def test_a_dropped_corpus_is_opened_and_nothing_else_is_taken(shown_alone: RolesHands, tmp_path: Path) -> None:
    corpus, other = write_corpus(tmp_path / "twelve.jsonl", 12), tmp_path / "note.txt"
    other.write_text("no corpus", encoding="utf-8")
    assert not shown_alone.drop(shown_alone.roles_window, mime(other))
    assert not shown_alone.drop(shown_alone.roles_window, mime(corpus, corpus))
    assert shown_alone.drop(shown_alone.roles_window, mime(corpus))
    shown_alone.settle()
    assert shown_alone.roles_window.top.corpus_box.source == corpus


def test_nothing_is_dropped_into_a_measuring(alone: Callable[[], RolesHands], gate: Gate, tmp_path: Path) -> None:
    hands = alone()
    hands.measure()
    hands.until(gate.reached.is_set)
    assert not hands.drop(hands.roles_window, mime(write_corpus(tmp_path / "twelve.jsonl", 12)))
    gate.open()
    hands.settle()
    assert hands.roles_window.roles.corpus.name == "templates"


@pytest.mark.parametrize("content", ["", "{", '{"format": "attnviz-corpus", "version": 1, "name": "none"}'])
def test_a_broken_corpus_is_refused_with_its_reason_and_what_was_shown_stays(
    shown_alone: RolesHands, tmp_path: Path, content: str
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text(content, encoding="utf-8")
    before, cells = shown_alone.roles_window.roles, shown_alone.atlas.cells
    shown_alone.open_file(broken)
    assert str(broken) in shown_alone.roles_window.notice.text()
    assert shown_alone.roles_window.roles is before
    assert shown_alone.atlas.cells == cells
    assert not shown_alone.is_at_start()
    assert shown_alone.roles_window.top.corpus_box.currentText() == "templates"
    assert offered(shown_alone) == ["templates", "Open a corpus…"]
    shown_alone.roles_window.top.corpus_box.activated.emit(0)
    shown_alone.settle()
    assert shown_alone.roles_window.notice.text() == ""


def test_a_corpus_that_is_gone_is_refused_before_anything_is_measured(alone: Callable[[], RolesHands], tmp_path: Path) -> None:
    hands = alone()
    hands.roles_window.top.corpus_box.sourcePicked.emit(tmp_path / "gone.jsonl")
    hands.settle()
    assert "gone.jsonl" in hands.roles_window.notice.text()
    assert hands.is_at_start()
    assert hands.roles_window.start.measure_button.isVisible()
    hands.measure()
    hands.settle()
    assert hands.roles_window.roles.corpus.name == "templates"
    assert hands.roles_window.notice.text() == ""


@pytest.mark.parametrize("form", EXPORTS, ids=lambda form: form.suffix)
def test_each_kind_of_file_is_written(shown_alone: RolesHands, tmp_path: Path, form: roles_files.Form) -> None:
    path = tmp_path / f"roles{form.suffix}"
    shown_alone.save_as(path, shown_alone.roles_window.export)
    assert path.read_bytes().startswith(BEGINNINGS[form.suffix])
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith((".", "roles"))] == [path.name]


def test_the_tables_hold_what_the_atlas_shows(shown_alone: RolesHands, tmp_path: Path) -> None:
    table, whole = tmp_path / "roles.csv", tmp_path / "roles.json"
    for path in (table, whole):
        shown_alone.save_as(path, shown_alone.roles_window.export)
    rows = [line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found = {(int(row["layer"]), int(row["head"]), row["measure"]) for row in csv.DictReader(rows) if row["role"].lower() == "true"}
    roles = shown_alone.roles_window.roles
    assert found == {
        (layer, head, role.measure.key) for layer in range(2) for head in range(4) for role in roles.roles(layer, head)
    }
    assert json.loads(whole.read_text(encoding="utf-8"))["provenance"]["corpus"] == "templates"


def test_a_figure_shows_what_is_chosen_in_the_atlas(shown_alone: RolesHands, tmp_path: Path) -> None:
    shown_alone.pick(shown_alone.page.controls.colour_box, "det>")
    path = tmp_path / "roles.svg"
    shown_alone.save_as(path, shown_alone.roles_window.export)
    assert "determiner" in path.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_told_of(shown_alone: RolesHands, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    shown_alone.roles_window.files._on_selected(
        lambda path: roles_files._export(shown_alone.roles_window.roles, shown_alone.page.choice, 5.5, path),
        str(tmp_path / "folder.png"),
    )
    shown_alone.until(lambda: shown_alone.roles_window.notice.text() != "")
    assert "folder.png" in shown_alone.roles_window.notice.text()
    assert shown_alone.roles_window.foot.text() == ""


@pytest.mark.parametrize("form", REPORTS, ids=lambda form: form.suffix)
def test_a_report_is_written_of_what_was_measured_with_the_sentence_of_the_window(
    shown_alone: RolesHands, tmp_path: Path, form: roles_files.Form
) -> None:
    path = tmp_path / f"report{form.suffix}"
    shown_alone.roles_window.reportWanted.connect(lambda: shown_alone.roles_window.report("The dog sees a house ."))
    shown_alone.save_as(path, shown_alone.roles_window.top.report_button.click)
    assert path.read_bytes().startswith(BEGINNINGS[form.suffix])
    if form.suffix == ".html":
        assert "wired" in path.read_text(encoding="utf-8")


def test_a_report_from_the_menu_waits_for_what_is_kept(shown: RolesHands, tmp_path: Path) -> None:
    shown.roles_window.close()
    shown.window.actions_by_slot["report"].trigger()
    shown.until(lambda: shown.dialog() is not None)
    assert isinstance(shown.dialog(), QFileDialog)
    shown.dialog().reject()


def test_a_report_of_a_model_that_was_not_measured_says_what_it_takes(open_roles: Callable[..., RolesHands]) -> None:
    hands = open_roles()
    hands.window.actions_by_slot["report"].trigger()
    assert "press Measure first" in hands.roles_window.notice.text()


def test_the_name_follows_the_kind_that_is_chosen(shown_alone: RolesHands) -> None:
    shown_alone.roles_window.export()
    dialog = shown_alone.dialog()
    assert dialog.selectedFiles()[0].endswith("wired roles.png")
    for form in EXPORTS[1:]:
        dialog.selectNameFilter(form.filter)
        dialog.filterSelected.emit(form.filter)
        assert dialog.selectedFiles()[0].endswith(f"wired roles{form.suffix}")
        assert dialog.defaultSuffix() == form.suffix[1:]
    dialog.reject()


@pytest.mark.parametrize(("pixels", "inches"), [(300, 5.5), (960, 10.0), (4_000, 13.3)])
def test_a_figure_is_as_wide_as_the_picture_within_what_paper_takes(pixels: float, inches: float) -> None:
    assert figure_inches(pixels) == inches


def test_what_was_left_out_is_told_where_something_was() -> None:
    roles = made_up_roles(1, 2)
    assert left_out_line(roles) == ""
    plan = roles.plan
    plan.left_out.words, plan.left_out.example, plan.left_out.ahead = 1, 's7: "it" and "saw"', 1_204
    line = left_out_line(roles)
    assert '1 pair of words that its tokenizer does not tell apart (s7: "it" and "saw")' in line
    assert "1,204 pairs whose key comes later" in line
    assert "sentence" not in line
