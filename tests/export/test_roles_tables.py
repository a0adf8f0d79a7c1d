"""Measured roles as CSV and JSON: each number as it was measured, what is none left empty, the same bytes for the same roles."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz import __version__
from attnviz.analysis.bootstrap import DRAWS
from attnviz.errors import ExportError
from attnviz.export.roles_tables import COLUMNS, save_roles
from attnviz.probing.measures import LEAST_CASES, LEAST_TEXTS, MARGIN
from attnviz.probing.roles import HeadRoles, holds
from tests.probing.made_up import made_up_roles

if TYPE_CHECKING:
    from pathlib import Path

N_LAYER, N_HEAD = 2, 3


@pytest.fixture(scope="module")
def roles() -> HeadRoles:
    return made_up_roles(N_LAYER, N_HEAD, seed=3)


def written(roles: HeadRoles, path: Path) -> str:
    save_roles(roles, path)
    return path.read_text(encoding="utf-8")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("# ")))


def facts(text: str) -> dict[str, Any]:
    """What stands above a table."""
    told = (line[2:].partition(": ") for line in text.splitlines() if line.startswith("# "))
    return {name: json.loads(value) for name, _, value in told}


def without_a_number(roles: HeadRoles, key: str) -> HeadRoles:
    """The same, with no score of a measure in L1.H2."""
    measured = []
    for one in roles.measured:
        score, low = one.score.copy(), one.low.copy()
        if one.measure.key == key:
            score[1, 2] = low[1, 2] = np.nan
        measured.append(replace(one, score=score, low=low))
    return replace(roles, measured=tuple(measured))


def test_the_table_has_a_row_for_each_head_and_measure_with_cases(roles: HeadRoles, tmp_path: Path) -> None:
    text = written(roles, tmp_path / "x.csv")
    rows = table(text)
    assert tuple(rows[0]) == COLUMNS
    keys = [one.measure.key for one in roles.measured if one.n_case] + ["importance"]
    assert [(row["measure"], int(row["layer"]), int(row["head"])) for row in rows] == [
        (key, layer, head) for key in keys for layer in range(N_LAYER) for head in range(N_HEAD)
    ]
    assert "induction" not in keys  # never a row of zeros
    assert facts(text)["not_measured"]["induction"] == roles.by_key["induction"].why_none


def test_each_cell_is_what_was_measured(roles: HeadRoles, tmp_path: Path) -> None:
    has_role = {one.measure.key: holds(one) for one in roles.measured}
    for row in table(written(roles, tmp_path / "x.csv")):
        at = int(row["layer"]), int(row["head"])
        if row["measure"] == "importance":
            of: Any = roles.importance
            assert row["baseline"] == row["threshold"] == row["group"] == ""
            assert (row["role"], row["texts"]) == ("False", str(of.n_text))
        else:
            of = roles.by_key[row["measure"]]
            measure, baseline = of.measure, of.baseline
            assert (row["title"], row["group"], row["unit"], row["source"]) == (
                measure.title,
                measure.group,
                measure.unit,
                measure.source,
            )
            assert row["role"] == str(bool(has_role[measure.key][at]))
            assert (int(row["cases"]), int(row["texts"])) == (of.n_case, of.n_text)
            assert (row["baseline_name"], float(row["baseline"])) == (baseline.name, baseline.score)
            assert row["threshold"] == ("" if measure.threshold is None else str(measure.threshold))
        assert [np.float32(row[name]) for name in ("score", "low", "high")] == [of.score[at], of.low[at], of.high[at]]


def test_some_rows_are_roles_and_most_are_not(roles: HeadRoles, tmp_path: Path) -> None:
    rows = table(written(roles, tmp_path / "x.csv"))
    found = {(int(row["layer"]), int(row["head"]), row["measure"]) for row in rows if row["role"] == "True"}
    assert found == {
        (layer, head, role.measure.key) for layer in range(N_LAYER) for head in range(N_HEAD) for role in roles.roles(layer, head)
    }
    assert 0 < len(found) < len(rows) / 2


def test_json_has_all_scores_by_layer_and_head(roles: HeadRoles, tmp_path: Path) -> None:
    content = json.loads(written(roles, tmp_path / "x.json"))
    assert [one["key"] for one in content["measures"]] == [one.measure.key for one in roles.measured]
    for told, one in zip(content["measures"], roles.measured, strict=True):
        assert (told["title"], told["source"], told["counts"]) == (one.measure.title, one.measure.source, one.measure.counts)
        assert (told["cases"], told["texts"], told["why_none"]) == (one.n_case, one.n_text, one.why_none)
        assert told["threshold"] == one.measure.threshold
        if not one.n_case:
            assert "score" not in told
            continue
        assert told["baselines"] == dict(one.baseline.all)
        assert told["baselines"][told["baseline"]] == one.baseline.score
        for name in ("score", "low", "high"):
            np.testing.assert_array_equal(np.array(told[name], np.float32), getattr(one, name))
    np.testing.assert_array_equal(np.array(content["importance"]["score"], np.float32), roles.importance.score)
    assert content["importance"]["texts"] == roles.importance.n_text


def test_json_lists_the_roles_of_each_head_that_has_any(roles: HeadRoles, tmp_path: Path) -> None:
    content = json.loads(written(roles, tmp_path / "x.json"))
    assert len(content["heads"]) < N_LAYER * N_HEAD
    told = {(head["layer"], head["head"]): head["roles"] for head in content["heads"]}
    for layer in range(N_LAYER):
        for head in range(N_HEAD):
            found = roles.roles(layer, head)
            assert [role["measure"] for role in told.get((layer, head), [])] == [role.measure.key for role in found]
            for role, one in zip(told.get((layer, head), []), found, strict=True):
                assert np.float32(role["score"]) == np.float32(one.score)
                assert (role["baseline"], role["cases"]) == (one.baseline, one.measured.n_case)


@pytest.mark.parametrize("name", ["x.csv", "x.json"])
def test_each_file_says_what_it_was_measured_of(roles: HeadRoles, tmp_path: Path, name: str) -> None:
    text = written(roles, tmp_path / name)
    told = facts(text) if name == "x.csv" else json.loads(text)["provenance"]
    assert (told["program"], told["model"], told["model_sha256"]) == (f"attnviz {__version__}", roles.model, roles.model_sha256)
    assert (told["corpus"], told["corpus_sha256"]) == (roles.corpus.name, roles.corpus.sha256)
    assert (told["sentences"], told["attention"]) == (len(roles.corpus.sentences), roles.kind)
    settings = told["settings"]
    assert (settings["margin"], settings["draws"]) == (MARGIN, DRAWS)
    assert (settings["least_cases"], settings["least_texts"]) == (LEAST_CASES, LEAST_TEXTS)
    assert told["pairs_left_out"]["words_not_told_apart"] == 0


def test_a_number_that_is_none_is_an_empty_cell_and_null(roles: HeadRoles, tmp_path: Path) -> None:
    key = next(one.measure.key for one in roles.measured if one.n_case)
    holey = without_a_number(roles, key)
    rows = [row for row in table(written(holey, tmp_path / "x.csv")) if row["measure"] == key]
    assert [row["score"] == "" for row in rows] == [False] * 5 + [True]
    assert (rows[-1]["low"], rows[-1]["high"] == "") == ("", False)
    content = json.loads(written(holey, tmp_path / "x.json"))
    (one,) = (one for one in content["measures"] if one["key"] == key)
    assert one["score"][1][2] is one["low"][1][2] is None
    assert "NaN" not in (tmp_path / "x.json").read_text(encoding="utf-8")


def test_without_muting_there_is_no_importance(roles: HeadRoles, tmp_path: Path) -> None:
    plain = replace(roles, importance=None)
    assert json.loads(written(plain, tmp_path / "x.json"))["importance"] is None
    assert all(row["measure"] != "importance" for row in table(written(plain, tmp_path / "x.csv")))


@pytest.mark.parametrize("name", ["x.csv", "x.json"])
def test_the_same_roles_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    first = written(made_up_roles(N_LAYER, N_HEAD, seed=3), tmp_path / name)
    assert written(made_up_roles(N_LAYER, N_HEAD, seed=3), tmp_path / name) == first
    assert written(made_up_roles(N_LAYER, N_HEAD, seed=4), tmp_path / name) != first


def test_what_would_break_a_table_is_quoted(roles: HeadRoles, tmp_path: Path) -> None:
    corpus = replace(roles.corpus, name='of "mine",\nand\x1b more')
    odd = replace(roles, plan=replace(roles.plan, corpus=corpus))
    text = written(odd, tmp_path / "x.csv")
    assert facts(text)["corpus"] == corpus.name
    assert len(table(text)) == len(table(written(roles, tmp_path / "y.csv")))


@pytest.mark.parametrize("name", ["x.npz", "x", "x.txt"])
def test_another_ending_is_refused(roles: HeadRoles, tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match=r"use one of \.csv, \.json"):
        save_roles(roles, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
