"""Models on this machine are found by name; what is broken is left out, what is missing is said."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from library_stand_ins import SMALL, WEIGHTS, write_cache, write_files, write_package

from attnviz.errors import ModelError
from attnviz.library import discovery, nearby
from attnviz.library.discovery import FoundModel, default_model, find_models, resolve_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose default model is the small one."""
    monkeypatch.setattr(discovery, "MINILM", dataclasses.replace(SMALL, name="minilm", folder="minilm"))
    return home


def test_a_bare_machine_has_no_models(machine: Path) -> None:
    assert find_models() == []
    assert default_model() is None
    assert list(machine.iterdir())  # looking for models made no folder
    assert not (machine / "data").exists()


def test_models_of_all_places_are_found_and_sorted(machine: Path) -> None:
    own = write_files(machine / "data" / "models" / "minilm")
    package = write_package(machine / "site")
    cached = write_cache(machine / "hf")
    described = {"n_bytes": len(WEIGHTS), "family": "bert", "n_layer": 2, "n_head": 4}
    assert find_models() == [
        FoundModel(SMALL.package, package, "installed package", **described),
        FoundModel("minilm", own, "attnviz", **described),
        FoundModel(SMALL.repository, cached, "Hugging Face cache", **described),
    ]


@pytest.mark.parametrize(
    "config",
    [b"{", b"[]", b"{}", b"\xff\xfe", b'{"model_type": "vae", "layers": 3}', b'{"model_type": 3, "n_layer": 1}'],
)
def test_a_broken_folder_is_skipped(machine: Path, config: bytes) -> None:
    write_files(machine / "data" / "models" / "broken", config=config)
    write_files(machine / "data" / "models" / "sound")
    assert [model.name for model in find_models()] == ["sound"]


def test_a_folder_without_weights_or_with_dead_links_is_skipped(machine: Path) -> None:
    bare = write_files(machine / "data" / "models" / "bare")
    (bare / "model.safetensors").unlink()
    dead = write_cache(machine / "hf")
    (dead / "model.safetensors").resolve().unlink()
    assert find_models() == []


def test_a_download_that_is_still_running_is_not_a_model(machine: Path) -> None:
    write_files(machine / "data" / "models" / ".small-k3j2")
    assert find_models() == []


@pytest.mark.parametrize(
    "keys",
    [
        {"n_layer": 3, "n_head": 5},
        {"n_layers": 3, "n_heads": 5},
        {"num_layers": 3, "num_heads": 5},
        {"encoder_layers": 3, "encoder_attention_heads": 5},
        {"text_config": {"num_hidden_layers": 3, "num_attention_heads": 5}},
    ],
)
def test_layers_and_heads_are_read_in_every_familys_spelling(machine: Path, keys: dict[str, object]) -> None:
    write_files(machine / "data" / "models" / "some", config=json.dumps({"model_type": "x", **keys}).encode())
    (model,) = find_models()
    assert (model.n_layer, model.n_head) == (3, 5)


def test_of_several_snapshots_the_one_that_main_names_is_meant(machine: Path) -> None:
    newer = write_cache(machine / "hf", commit="b" * 40)
    meant = write_cache(machine / "hf", commit="a" * 40)
    os.utime(meant, (0, 0))
    assert [model.path for model in find_models()] == [meant]
    (meant.parent.parent / "refs" / "main").unlink()
    assert [model.path for model in find_models()] == [newer]


def test_the_default_model_is_looked_for_in_the_order_of_places(machine: Path) -> None:
    cached = write_cache(machine / "hf")
    assert default_model() == resolve_model("minilm") == cached
    package = write_package(machine / "site")
    assert default_model() == package
    own = write_files(machine / "data" / "models" / "minilm")
    assert default_model() == resolve_model("MiniLM") == own


def test_a_cut_default_model_does_not_count(machine: Path) -> None:
    write_files(machine / "data" / "models" / "minilm", model=WEIGHTS[:-1])
    assert default_model() is None


def test_the_default_model_is_found_without_hashing(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(machine / "data" / "models" / "minilm")
    monkeypatch.setattr("hashlib.file_digest", None)
    assert default_model() is not None


def test_a_name_is_resolved_with_and_without_its_owner(machine: Path) -> None:
    cached = write_cache(machine / "hf")
    assert resolve_model("someone/small-model") == resolve_model("Small-Model") == cached


def test_a_name_that_two_models_share_is_refused(machine: Path) -> None:
    write_cache(machine / "hf")
    write_cache(machine / "hf", dataclasses.replace(SMALL, repository="other/small-model"))
    with pytest.raises(ModelError, match=r"say which: other/small-model, someone/small-model"):
        resolve_model("small-model")


def test_paths_are_taken_as_they_are(machine: Path) -> None:
    folder = write_files(machine / "elsewhere")
    gguf = machine / "model.Q4.gguf"
    gguf.write_bytes(b"GGUF")
    assert resolve_model(folder) == folder
    assert resolve_model(str(folder)) == folder
    assert resolve_model(gguf) == gguf


def test_a_folder_of_the_same_name_does_not_hide_a_model(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = write_files(machine / "data" / "models" / "minilm")
    (machine / "minilm").mkdir()
    monkeypatch.chdir(machine)
    assert resolve_model("minilm") == own


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("minilm", "minilm is not on this machine yet; get it with: attnviz get minilm"),
        ("gpt7", '"gpt7" is neither a folder, a .gguf file nor a model on this machine; see their names with'),
        ("no/such.gguf", "such.gguf: no such file; give the path of a .gguf file"),
    ],
)
@pytest.mark.usefixtures("machine")
def test_what_is_not_there_is_said_with_what_next(asked: str, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        resolve_model(asked)
    assert said in str(caught.value)


def test_a_weights_file_is_refused_with_what_to_give_instead(machine: Path) -> None:
    folder = write_files(machine / "elsewhere")
    with pytest.raises(ModelError, match="give the folder that holds"):
        resolve_model(folder / "model.safetensors")


def test_a_module_that_is_no_package_holds_no_model(machine: Path) -> None:
    (machine / "site" / f"{SMALL.import_name}.py").write_text("raise AssertionError('imported')")
    assert nearby.package_folder(SMALL) is None


def test_looking_for_models_loads_neither_qt_nor_the_hub() -> None:
    program = (
        "import sys; from attnviz.library import discovery, get; discovery.default_model(); discovery.find_models();"
        "sys.exit(bool({'PySide6', 'huggingface_hub', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
