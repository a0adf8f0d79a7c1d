"""The roles of a model in short, kept on disk: what comes back is what was kept, or nothing."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from attnviz.probing import summary as summary_module
from attnviz.probing.kept import MOST_KEPT, Shelf
from attnviz.probing.summary import keep_summary, kept_shapes, kept_summary, summary_of
from tests.probing.made_up import made_up_roles

if TYPE_CHECKING:
    from attnviz.probing.roles import HeadRoles
    from attnviz.probing.summary import RoleSummary


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own."""
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def roles() -> HeadRoles:
    return made_up_roles(4, 6)


@pytest.fixture(scope="module")
def summary(roles: HeadRoles) -> RoleSummary:
    return summary_of(roles)


def the_file(data: Path) -> Path:
    (file,) = [path for path in data.rglob("*") if path.is_file()]
    return file


def test_a_summary_says_what_was_measured(roles: HeadRoles, summary: RoleSummary) -> None:
    assert (summary.model, summary.model_sha256, summary.kind) == (roles.model, roles.model_sha256, roles.kind)
    assert (summary.corpus, summary.corpus_sha256) == (roles.corpus.name, roles.corpus.sha256)
    assert (summary.n_layer, summary.n_head, summary.n_sentence) == (4, 6, len(roles.corpus.sentences))
    n_with = 0
    for layer in range(4):
        for head in range(6):
            lines, wanted = summary.roles(layer, head), roles.roles(layer, head)
            assert len(lines) == len(wanted)
            n_with += bool(wanted)
            for line, role in zip(lines, wanted, strict=True):
                measure, baseline = role.measure, role.measured.baseline
                assert (line.key, line.group, line.title, line.short) == (measure.key, measure.group, measure.title, measure.short)
                assert (line.unit, line.source) == (measure.unit, measure.source)
                assert (line.score, line.low, line.high) == (role.score, role.low, role.high)
                assert (line.baseline, line.baseline_name, line.n_case) == (baseline.score, baseline.name, role.measured.n_case)
                assert line.is_job == (measure.group != "rest")
    assert 0 < n_with < 24
    assert len(summary.heads) == n_with
    assert {line.is_job for head in summary.heads for line in head.roles} == {True, False}
    assert summary.roles(9, 9) == ()


def test_what_is_kept_comes_back_whole(summary: RoleSummary) -> None:
    keep_summary(summary)
    assert kept_summary(summary.model_sha256) == summary


def test_the_newest_of_a_model_stays_and_models_do_not_share(summary: RoleSummary) -> None:
    other = msgspec.structs.replace(summary, model_sha256="f" * 64, model="other")
    newer = msgspec.structs.replace(summary, corpus="newer", heads=())
    for one in (summary, other, newer):
        keep_summary(one)
    assert kept_summary(summary.model_sha256) == newer
    assert kept_summary("f" * 64) == other
    assert kept_summary("e" * 64) is None


def test_the_shapes_of_the_models_that_were_measured_are_known(summary: RoleSummary, data: Path) -> None:
    assert kept_shapes() == set()
    keep_summary(summary)
    assert kept_shapes() == {(4, 6)}
    keep_summary(summary_of(made_up_roles(2, 3)))
    keep_summary(summary_of(made_up_roles(4, 6, seed=1)))
    assert kept_shapes() == {(4, 6), (2, 3)}
    for file in data.rglob("*.json"):
        file.write_bytes(file.read_bytes()[:-1])
    assert kept_shapes() == set()


def test_a_model_whose_sum_begins_alike_has_none(summary: RoleSummary) -> None:
    keep_summary(summary)
    assert kept_summary(summary.model_sha256[:60] + "0000") is None


def test_damage_is_no_summary(summary: RoleSummary, data: Path) -> None:
    keep_summary(summary)
    file = the_file(data)
    whole = file.read_bytes()
    damages = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        whole[:-1],
        whole[: len(whole) // 2],
        b"\xff" + whole,
        bytes(len(whole)),
        b"[" * 9_000,
    ]
    damages += [whole.replace(b'"title":"', b'"title":"\xff', 1), whole.replace(b'"version":1', b'"version":2')]
    damages += [whole.replace(b'"n_head":6', b'"n_head":"6"'), whole.replace(b'"group":"place"', b'"group":"other"')]
    assert len(set(damages)) == len(damages)
    assert whole not in damages
    for damage in damages:
        file.write_bytes(damage)
        assert kept_summary(summary.model_sha256) is None
    keep_summary(summary)
    assert kept_summary(summary.model_sha256) == summary


def test_a_file_that_cannot_be_read_or_written_is_no_error(
    summary: RoleSummary, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for owner, name in ((tempfile, "mkstemp"), (Path, "mkdir"), (Path, "replace")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, full)
            keep_summary(summary)
        assert kept_summary(summary.model_sha256) is None
        assert not [path for path in data.rglob("*") if path.is_file()]
    keep_summary(summary)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", full)
        assert kept_summary(summary.model_sha256) is None


def test_another_version_is_measured_again(summary: RoleSummary, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_summary(summary)
    monkeypatch.setattr(summary_module, "_VERSION", summary.version + 1)
    assert kept_summary(summary.model_sha256) is None


def test_numbers_that_are_let_go_of_leave_the_summaries(summary: RoleSummary, data: Path) -> None:
    keep_summary(summary)
    for path in data.rglob("*"):
        os.utime(path, (1, 1))
    for number in range(MOST_KEPT + 3):
        shelf = Shelf.of(f"{number:024}" * 2, "0" * 64, 6)
        shelf.get_or_make("part", lambda: {"gets": np.zeros(1, np.float32)})
        shelf.touch()
    assert kept_summary(summary.model_sha256) == summary


def test_a_model_without_any_role_is_kept_as_that() -> None:
    nothing = summary_of(made_up_roles(2, 2, with_roles=False))
    assert nothing.heads == ()
    keep_summary(nothing)
    assert kept_summary(nothing.model_sha256) == nothing
