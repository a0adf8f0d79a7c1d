"""What is kept of a measuring is found without measuring, and what is missing is counted."""

from __future__ import annotations

from dataclasses import replace
from shutil import copytree
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.corpus.opening import bundled_corpus
from attnviz.engine.model import load_model
from attnviz.errors import Cancelled
from attnviz.probing import numbers
from attnviz.probing import plan as plan_module
from attnviz.probing.kept import Shelf
from attnviz.probing.roles import Begun, HeadRoles, kept_roles, measure_heads
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attnviz.corpus.corpus import Corpus
    from attnviz.engine.model import Model


@pytest.fixture(scope="module")
def few() -> Corpus:
    """A few sentences of the bundled corpus."""
    whole = bundled_corpus()
    return replace(whole, sentences=tuple(replace(one, partner=None) for one in whole.sentences[::30]))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(write_model("bert-mlm", tmp_path_factory.mktemp("models") / "bert"))


@pytest.fixture(scope="module", autouse=True)
def small_bundle(few: Corpus) -> Iterator[None]:
    """Random tokens are drawn from these sentences, which saves reading all of the bundled ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "bundled_corpus", lambda: few)
        yield


@pytest.fixture(scope="module")
def whole(model: Model, few: Corpus, small_bundle: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[HeadRoles, Path]:
    """What was measured, and the folder where all of it is kept."""
    del small_bundle
    folder = tmp_path_factory.mktemp("kept") / "shelf"
    return measure_heads(model, few, shelf=Shelf(folder)), folder


def test_nothing_is_measured_to_find_that_nothing_is_kept(
    model: Model, few: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was measured")

    for name in ("_read_pack", "_mute_layer"):
        monkeypatch.setattr(numbers, name, refuse)
    begun = kept_roles(model, few, shelf=Shelf(tmp_path / "shelf"))
    assert isinstance(begun, Begun)
    assert (begun.done, begun.n_sentence) == (0, len(few.sentences))
    assert begun.total > 1


def test_all_that_was_measured_is_found_as_it_was(model: Model, few: Corpus, whole: tuple[HeadRoles, Path]) -> None:
    measured, folder = whole
    found = kept_roles(model, few, shelf=Shelf(folder))
    assert isinstance(found, HeadRoles)
    for one, other in zip(measured.measured, found.measured, strict=True):
        assert np.array_equal(one.score, other.score, equal_nan=True)
    assert np.array_equal(measured.importance.score, found.importance.score)


@pytest.mark.parametrize("kind", ["pack", "muted"])
def test_what_is_missing_is_counted_and_it_alone_is_measured(
    model: Model, few: Corpus, whole: tuple[HeadRoles, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    shelf = Shelf(tmp_path / "shelf")
    copytree(whole[1], tmp_path / "shelf")
    parts = sorted((tmp_path / "shelf").glob("*.npz"))
    next(part for part in parts if part.name.startswith(kind)).unlink()
    begun = kept_roles(model, few, shelf=shelf)
    assert begun == Begun(len(parts) - 1, len(parts), len(few.sentences))
    made: list[str] = []
    for name in ("_read_pack", "_mute_layer"):
        make = getattr(numbers, name)
        monkeypatch.setattr(numbers, name, lambda *args, make=make, name=name: made.append(name) or make(*args))
    measure_heads(model, few, shelf=shelf)
    assert made == [{"pack": "_read_pack", "muted": "_mute_layer"}[kind]]
    assert isinstance(kept_roles(model, few, shelf=shelf), HeadRoles)


def test_finding_what_is_kept_can_be_called_off(model: Model, few: Corpus, whole: tuple[HeadRoles, Path]) -> None:
    with pytest.raises(Cancelled):
        kept_roles(model, few, shelf=Shelf(whole[1]), cancelled=lambda: True)
