"""The runner keeps the model and the trained run, and measures what a what-if did to the output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from attnviz.engine.model import Model
from attnviz.errors import Cancelled, InputError, ModelError
from attnviz.session import run as run_module
from attnviz.session.request import Request
from attnviz.session.run import Runner
from tests.engine.tiny_bert import write_bert

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "the cat sings"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | None]]:
    """The texts and head counts that a model is run with, as they come."""
    runs: list[tuple[str, int | None]] = []
    trace = Model.trace

    def count(
        self: Model, text: str, pair: str | None = None, head_count: int | None = None, *rest: object, **how: object
    ) -> object:
        runs.append((text, head_count))
        return trace(self, text, pair, head_count, *rest, **how)

    monkeypatch.setattr(Model, "trace", count)
    return runs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bert(tmp_path / "model")


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    rows = [float(x @ y / np.linalg.norm(x) / np.linalg.norm(y)) for x, y in zip(a.astype(float), b.astype(float), strict=True)]
    return sum(rows) / len(rows)


@pytest.mark.parametrize("head_count", [1, 2, 8, 16])
def test_a_what_if_says_how_much_of_the_direction_it_kept(folder: Path, head_count: int) -> None:
    run = Runner().run(Request(folder, TEXT, None, head_count))
    trained = Runner().run(Request(folder, TEXT))
    assert run.trace.is_what_if
    assert run.cosine_to_trained == pytest.approx(cosine(run.trace.hidden, trained.trace.hidden), abs=1e-6)
    assert run.cosine_to_trained < 1.0 - 1e-6


@pytest.mark.parametrize("head_count", [None, 4])
def test_the_trained_run_keeps_all(folder: Path, head_count: int | None) -> None:
    run = Runner().run(Request(folder, TEXT, None, head_count))
    assert not run.trace.is_what_if
    assert run.cosine_to_trained == 1.0


def test_the_trained_run_is_made_once_for_all_what_ifs(folder: Path, counted: list[tuple[str, int | None]]) -> None:
    runner = Runner()
    for head_count in (None, 1, 2, 4, None, 8):
        runner.run(Request(folder, TEXT, None, head_count))
    assert counted == [(TEXT, None), (TEXT, 1), (TEXT, 2), (TEXT, 8)]


def test_another_text_is_run_anew(folder: Path, counted: list[tuple[str, int | None]]) -> None:
    runner = Runner()
    runner.run(Request(folder, TEXT, None, 1))
    runner.run(Request(folder, "a cat", None, 1))
    runner.run(Request(folder, "a cat", "pair", 1))
    assert [head_count for _, head_count in counted] == [None, 1] * 3


def test_a_model_is_opened_once_and_again_when_it_changes(folder: Path, tmp_path: Path) -> None:
    runner, opened = Runner(), []
    other = write_bert(tmp_path / "other", seed=1)
    models = []
    for path in (folder, folder, other, folder):
        models.append(runner.run(Request(path, TEXT), loading=lambda path=path: opened.append(path)).model)
    assert opened == [folder, other, folder]
    assert models[0] is models[1]
    assert models[2].path == other


def test_another_model_does_not_answer_with_the_run_of_the_last_one(folder: Path, tmp_path: Path) -> None:
    runner = Runner()
    first = runner.run(Request(folder, TEXT))
    second = runner.run(Request(write_bert(tmp_path / "other", seed=1), TEXT))
    assert not np.allclose(first.trace.hidden, second.trace.hidden)


def test_after_a_model_that_does_not_open_the_next_one_does(folder: Path, tmp_path: Path) -> None:
    runner = Runner()
    with pytest.raises(ModelError):
        runner.run(Request(tmp_path / "nowhere", TEXT))
    assert runner.run(Request(folder, TEXT)).trace.tokens


def test_a_run_that_was_called_off_leaves_nothing_behind(folder: Path, counted: list[tuple[str, int | None]]) -> None:
    runner = Runner()
    runner.run(Request(folder, "the model is open"))
    counted.clear()
    with pytest.raises(Cancelled):
        runner.run(Request(folder, TEXT), cancelled=lambda: True)
    runner.run(Request(folder, TEXT))
    assert counted == [(TEXT, None)] * 2


def test_a_model_whose_opening_was_called_off_can_be_opened_again(folder: Path) -> None:
    runner = Runner()
    with pytest.raises(Cancelled):
        runner.run(Request(folder, TEXT), cancelled=lambda: True)
    assert runner.run(Request(folder, TEXT)).trace.tokens


def test_progress_counts_the_layers_of_opening_and_of_running(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    Runner().run(Request(folder, TEXT), progress=lambda *step: told.append(step))
    assert told == [(stage, layer, 2) for stage in ("opening", "reading") for layer in (1, 2)]


def test_too_little_memory_for_a_text_is_a_sentence_about_the_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crowded(*args: object, **how: object) -> None:
        raise MemoryError

    runner = Runner()
    runner.run(Request(folder, TEXT))
    monkeypatch.setattr(Model, "trace", crowded)
    with pytest.raises(InputError, match="not enough memory for this text"):
        runner.run(Request(folder, TEXT + " cat"))


def test_too_little_memory_for_a_model_is_a_sentence_about_the_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crowded(*args: object, **how: object) -> None:
        raise MemoryError

    monkeypatch.setattr(run_module, "load_model", crowded)
    with pytest.raises(ModelError, match="not enough memory to open it"):
        Runner().run(Request(folder, TEXT))


def test_the_model_before_lets_its_layers_go_before_another_is_opened(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, told = Runner(), []
    before = runner.run(Request(folder, TEXT))
    monkeypatch.setattr(Model, "release", lambda model: told.append(model))
    load = run_module.load_model
    monkeypatch.setattr(run_module, "load_model", lambda path, **how: told.append(path) or load(path, **how))
    other = write_bert(tmp_path / "other")
    runner.run(Request(other, TEXT))
    assert told == [before.model, other]


def test_another_budget_opens_the_model_anew(folder: Path) -> None:
    runner = Runner()
    first = runner.run(Request(folder, TEXT)).model
    assert runner.run(Request(folder, TEXT + " cat")).model is first
    runner.budget = 1 << 20
    assert runner.run(Request(folder, TEXT)).model is not first


def test_a_text_without_anything_to_read_opens_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Runner().run(Request(tmp_path / "nowhere", "  "))


def test_matrix_products_keep_to_one_thread() -> None:
    Runner()
    libraries = [library for library in ThreadpoolController().info() if library["user_api"] == "blas"]
    assert {library["num_threads"] for library in libraries} <= {1}, libraries
