"""Numbers on disk: a run that was called off goes on, one that was finished is not made again, and no damage is ever believed."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.errors import Cancelled
from attnviz.probing import kept as kept_module
from attnviz.probing import numbers as numbers_module
from attnviz.probing import plan as plan_module
from attnviz.probing.kept import MOST_KEPT, Shelf, shelves_folder
from attnviz.probing.numbers import mute_heads, muted_texts, parts_of, read_numbers
from attnviz.probing.plan import plan_for
from attnviz.probing.roles import measure_heads
from tests.probing.small import FEW, corpus_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from attnviz.engine.model import Model
    from attnviz.probing.plan import Plan

pytestmark = pytest.mark.usefixtures("small_bundle")
ARRAYS = {"gets": np.arange(12, dtype=np.float32).reshape(3, 4), "weights": np.full((2, 0), 1, np.float32)}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own."""
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def model(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """A tiny model that counts in `model.reads` how often it is run, over plans of several packs."""
    model = tiny("bert-mlm")
    read = model.read_packed
    model.reads = []

    def counting(*args: object, **more: object) -> object:
        model.reads.append(more.get("muted"))
        return read(*args, **more)

    monkeypatch.setattr(model, "read_packed", counting)
    monkeypatch.setattr(plan_module, "PACK_TOKENS", 60)
    yield model
    del model.reads


def everything(model: Model, plan: Plan, shelf: Shelf, cancelled: Callable[[], bool] = lambda: False) -> list[np.ndarray]:
    """All numbers of a plan, read and muted."""
    numbers = read_numbers(model, plan, shelf, cancelled)
    muted = mute_heads(model, plan, muted_texts(model, plan, 6), shelf, cancelled)
    return [*numbers.gets, *numbers.weights, muted.changes]


def assert_same_bits(found: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    assert [one.dtype for one in found] == [one.dtype for one in wanted]
    assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True))


def assert_same_arrays(found: object, wanted: object) -> None:
    assert found.keys() == wanted.keys()
    assert_same_bits(list(found.values()), list(wanted.values()))


def no() -> dict[str, np.ndarray]:
    raise AssertionError("it was there and is made again")


def test_what_was_made_is_there_afterwards(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "deep" / "shelf")
    assert not shelf.has("part")
    assert_same_arrays(shelf.get_or_make("part", lambda: ARRAYS), ARRAYS)
    assert shelf.has("part")
    assert (shelf.count(["part", "other"]), shelf.count([])) == (1, 0)
    assert_same_arrays(Shelf(tmp_path / "deep" / "shelf").get_or_make("part", no), ARRAYS)
    assert [path.name for path in (tmp_path / "deep" / "shelf").iterdir()] == ["part.npz"]


def test_a_shelf_that_is_nowhere_keeps_nothing() -> None:
    shelf = Shelf(None)
    for _ in range(2):
        assert_same_arrays(shelf.get_or_make("part", lambda: ARRAYS), ARRAYS)
        assert (shelf.has("part"), shelf.count(["part"])) == (False, 0)
    with pytest.raises(AssertionError):
        shelf.get_or_make("part", no)
    shelf.touch()


def test_an_error_while_making_keeps_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    with pytest.raises(AssertionError):
        shelf.get_or_make("part", no)
    assert list(tmp_path.iterdir()) == []


def test_any_damage_has_a_part_made_anew(tmp_path: Path) -> None:
    shelf, file = Shelf(tmp_path), tmp_path / "part.npz"
    shelf.get_or_make("part", lambda: ARRAYS)
    whole = file.read_bytes()
    other = BytesIO()
    np.savez(other, **ARRAYS)
    damages = [b"", b"x", whole[:-1], whole[: len(whole) // 2], whole + b"x", bytes(len(whole)), other.getvalue()]
    for at in range(0, len(whole), 7):
        turned = bytearray(whole)
        turned[at] ^= 1 << at % 8
        damages.append(bytes(turned))
    for damage in damages:
        file.write_bytes(damage)
        made: list[bool] = []
        assert_same_arrays(shelf.get_or_make("part", lambda made=made: made.append(True) or ARRAYS), ARRAYS)
        assert made
        assert file.read_bytes() == whole
        assert_same_arrays(shelf.get_or_make("part", no), ARRAYS)


def test_a_folder_in_the_place_of_a_part_is_no_part(tmp_path: Path) -> None:
    (tmp_path / "part.npz").mkdir()
    assert_same_arrays(Shelf(tmp_path).get_or_make("part", lambda: ARRAYS), ARRAYS)
    assert [path.name for path in tmp_path.iterdir()] == ["part.npz"]


def test_a_file_in_the_place_of_the_folder_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "shelf").write_text("no folder")
    shelf = Shelf(tmp_path / "shelf")
    assert_same_arrays(shelf.get_or_make("part", lambda: ARRAYS), ARRAYS)
    shelf.touch()
    assert (tmp_path / "shelf").read_text() == "no folder"


@pytest.mark.parametrize("broken", ["mkdir", "mkstemp", "replace"])
def test_a_disk_that_takes_nothing_still_gives_numbers(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    plan = plan_for(model, FEW)
    wanted = everything(model, plan, Shelf(None))

    def full(*args: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile if broken == "mkstemp" else Path, broken, full)
    assert_same_bits(everything(model, plan, Shelf(tmp_path / "shelf")), wanted)
    monkeypatch.undo()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_part_that_cannot_be_read_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path)
    shelf.get_or_make("part", lambda: ARRAYS)

    def denied(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", denied)
    made: list[bool] = []
    assert_same_arrays(shelf.get_or_make("part", lambda: made.append(True) or ARRAYS), ARRAYS)
    assert made


def test_a_finished_run_is_not_made_again(model: Model, tmp_path: Path) -> None:
    plan = plan_for(model, FEW)
    shelf = Shelf(tmp_path)
    first = everything(model, plan, shelf)
    assert len([muted for muted in model.reads if muted is None]) > len(plan.packs) > 2
    model.reads.clear()
    assert_same_bits(everything(model, plan_for(model, FEW), Shelf(tmp_path)), first)
    assert model.reads == []


@pytest.mark.parametrize("n", [1, 3])
def test_a_run_that_was_called_off_goes_on_where_it_was(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    monkeypatch.setattr(numbers_module, "n_processor", lambda: n)
    plan = plan_for(model, FEW)
    wanted = everything(model, plan, Shelf(None))
    names = parts_of(model, plan, muted_texts(model, plan, 6))
    shelf, kept = Shelf(tmp_path / "shelf"), 0
    for wait in (3, 6, 9, 12):
        calls = iter([False] * wait)
        with pytest.raises(Cancelled):
            everything(model, plan, shelf, lambda calls=calls: next(calls, True))
        assert shelf.count(names) >= kept
        kept = shelf.count(names)
    assert 1 < kept < len(names)
    assert not [path for path in (tmp_path / "shelf").iterdir() if path.suffix != ".npz"]
    n_pack = shelf.count(parts_of(model, plan, ()))
    model.reads.clear()
    assert_same_bits(everything(model, plan, shelf), wanted)
    assert model.reads.count(None) >= len(plan.packs) - n_pack
    heads = [muted for muted in model.reads if muted is not None]
    assert len(heads) == (len(names) - len(plan.packs) - (kept - n_pack)) * model.config.n_head
    assert shelf.count(names) == len(names)


@pytest.mark.parametrize("n", [1, 3])
def test_a_finished_run_can_be_called_off_as_well(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    monkeypatch.setattr(numbers_module, "n_processor", lambda: n)
    plan = plan_for(model, FEW)
    everything(model, plan, Shelf(tmp_path))
    with pytest.raises(Cancelled):
        everything(model, plan, Shelf(tmp_path), lambda: True)


def test_one_damaged_part_is_all_that_is_made_again(model: Model, tmp_path: Path) -> None:
    plan = plan_for(model, FEW)
    first = everything(model, plan, Shelf(tmp_path))
    for name, n_read in (("pack-00001", 1), ("muted-00006-00000-0001", 1 + model.config.n_head)):
        file = tmp_path / f"{name}.npz"
        file.write_bytes(file.read_bytes()[:-40])
        model.reads.clear()
        assert_same_bits(everything(model, plan, Shelf(tmp_path)), first)
        assert len(model.reads) == n_read


def test_two_threads_on_one_shelf_get_the_same_numbers(model: Model, tmp_path: Path) -> None:
    plan = plan_for(model, FEW)
    wanted = everything(model, plan, Shelf(None))
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: everything(model, plan, Shelf(tmp_path)), range(4)):
            assert_same_bits(found, wanted)
    names = parts_of(model, plan, muted_texts(model, plan, 6))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}.npz" for name in names)


def test_numbers_are_kept_in_the_data_folder(model: Model, data: Path) -> None:
    assert shelves_folder() == data / "roles"
    first = measure_heads(model, FEW, muted=2)
    (folder,) = shelves_folder().iterdir()
    assert folder.name.startswith(model.sha256[:24])
    model.reads.clear()
    again = measure_heads(model, FEW, muted=2)
    assert model.reads == []
    for one, other in zip(first.measured, again.measured, strict=True):
        assert np.array_equal(one.score, other.score, equal_nan=True)
        assert np.array_equal(one.low, other.low, equal_nan=True)
    assert np.array_equal(first.importance.score, again.importance.score)


def test_models_and_corpora_do_not_share_numbers(model: Model, tiny: Callable[[str], Model], data: Path) -> None:
    other = corpus_of(*FEW.sentences[:8])
    found = {}
    for name, one, corpus in (("a", model, FEW), ("b", model, other), ("c", tiny("electra-generator"), FEW), ("d", model, FEW)):
        roles = measure_heads(one, corpus, muted=0)
        found[name] = np.stack([measured.score for measured in roles.measured])
    assert len(list(shelves_folder().iterdir())) == 3
    assert np.array_equal(found["a"], found["d"], equal_nan=True)
    assert not np.array_equal(found["a"], found["b"], equal_nan=True)
    assert not np.array_equal(found["a"], found["c"], equal_nan=True)


def test_shelves_used_longest_ago_are_let_go_of(data: Path) -> None:
    shelves = [Shelf.of(f"{number:064x}"[::-1], "plan" * 16, 3) for number in range(MOST_KEPT + 2)]
    for age, shelf in enumerate(shelves):
        shelf.get_or_make("part", lambda: ARRAYS)
        os.utime(max(shelves_folder().iterdir(), key=lambda folder: folder.stat().st_mtime), (1e9 + age, 1e9 + age))
    assert len(list(shelves_folder().iterdir())) == MOST_KEPT + 2
    shelves[0].touch()  # used just now
    left = [shelf.has("part") for shelf in shelves]
    assert left == [True, False, False, *[True] * (MOST_KEPT - 1)]
    shelves[5].touch()
    assert [shelf.has("part") for shelf in shelves] == left


def test_a_shelf_that_another_process_lets_go_of_is_no_error(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf.of("a" * 64, "b" * 64, 3)
    shelf.touch()
    shelf.get_or_make("part", lambda: ARRAYS)
    monkeypatch.setattr(kept_module.os, "utime", lambda folder: shutil.rmtree(folder) or os.stat(folder))
    shelf.touch()
    assert not shelf.has("part")
    assert_same_arrays(shelf.get_or_make("part", lambda: ARRAYS), ARRAYS)


def test_a_model_read_with_other_head_counts_has_another_shelf(data: Path) -> None:
    Shelf.of("a" * 64, "b" * 64, 3).get_or_make("part", lambda: ARRAYS)
    assert not Shelf.of("a" * 64, "b" * 64, 6).has("part")
    assert not Shelf.of("a" * 64, "c" * 64, 3).has("part")
    assert not Shelf.of("c" * 64, "b" * 64, 3).has("part")
    assert Shelf.of("a" * 64, "b" * 64, 3).has("part")
