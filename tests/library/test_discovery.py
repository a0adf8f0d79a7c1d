"""Models on this machine are found by name; what is broken is left out, what is missing is said."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from library_stand_ins import CONFIG, SMALL, WEIGHTS, write_cache, write_files, write_package
from model_places import header, write_gguf_header, write_ollama

from attnviz.errors import ModelError
from attnviz.library import discovery, nearby
from attnviz.library.discovery import FoundModel, default_model, find_models, resolve_model
from tests.engine.pipes import pipe

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
    dead = write_cache(machine / "hf")
    for folder in (bare, dead):
        for weights in (*folder.glob("*.safetensors"), *folder.glob("*.bin")):
            weights.resolve().unlink()
    assert find_models() == []


def test_a_pipe_is_passed_over_and_not_waited_for(machine: Path) -> None:
    models = machine / "data" / "models"
    write_files(models / "sound")
    write_files(models / "config")
    write_files(models / "weights")
    models_config = json.dumps(CONFIG).encode()
    with (
        pipe(models / "alone.gguf", header()),
        pipe(models / "config" / "config.json", models_config),
        pipe(models / "weights" / "model.safetensors"),
    ):
        found = find_models(recent=[models / "alone.gguf"])
        assert [model.name for model in found if model.is_supported] == ["sound"]
        with pytest.raises(ModelError, match=r"alone\.gguf: neither a folder nor a regular file"):
            resolve_model(models / "alone.gguf")


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


def test_looking_for_the_default_model_loads_next_to_nothing() -> None:
    program = (
        "import sys; from attnviz.library import discovery, get; discovery.default_model();"
        "sys.exit(bool({'PySide6', 'huggingface_hub', 'numpy', 'safetensors', 'tokenizers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_looking_for_models_loads_neither_qt_nor_the_hub(machine: Path) -> None:
    write_files(machine / "data" / "models" / "one")
    write_gguf_header(machine / "data" / "models" / "two.gguf")
    program = (
        "import sys; from attnviz.library import discovery; assert len(discovery.find_models()) == 2;"
        "sys.exit(bool({'PySide6', 'huggingface_hub', 'gguf', 'tokenizers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# GGUF files, and other programs' folders


def names() -> list[str]:
    return [model.name for model in find_models()]


def test_gguf_files_of_attnviz_own_folder_are_found(machine: Path) -> None:
    alone = write_gguf_header(machine / "data" / "models" / "alone.gguf")
    fetched = write_gguf_header(machine / "data" / "models" / "some--model--Q8_0" / "model-Q8_0.gguf", "gemma2", 26, 8)
    size = fetched.stat().st_size
    assert find_models() == [
        FoundModel("alone", alone, "attnviz", alone.stat().st_size, "llama", 2, 4),
        FoundModel("some/model:Q8_0", fetched, "attnviz", size, "gemma2", 26, 8),
    ]
    assert resolve_model("some/model") == resolve_model("model") == resolve_model("model:q8_0") == fetched


def test_a_repository_of_the_cache_may_hold_folders_and_several_gguf_files(machine: Path) -> None:
    snapshot = write_cache(machine / "hf")
    for name in ("small.Q4_0.gguf", "small.Q8_0.gguf", "F16/small-F16.gguf", "mmproj-small-F16.gguf"):
        write_gguf_header(snapshot / name)
    older = write_cache(machine / "hf", commit="a" * 40)
    (older.parent.parent / "refs" / "main").write_text(snapshot.name)
    write_gguf_header(older / "small.Q2_K.gguf")
    write_gguf_header(older / "small.Q4_0.gguf")
    name = SMALL.repository
    assert names() == [name, f"{name}:F16", f"{name}:Q2_K", f"{name}:Q4_0", f"{name}:Q8_0"]
    assert resolve_model(name) == snapshot
    assert resolve_model("small-model:q4_0") == snapshot / "small.Q4_0.gguf"


def test_parts_of_a_gguf_model_count_once(machine: Path) -> None:
    folder = machine / "data" / "models" / "big"
    first = write_gguf_header(folder / "big-00001-of-00002.gguf")
    second = write_gguf_header(folder / "big-00002-of-00002.gguf", padding=5_000)
    (model,) = find_models()
    assert (model.path, model.n_files, model.why_not) == (first, 2, None)
    assert model.n_bytes == first.stat().st_size + second.stat().st_size
    second.unlink()
    (model,) = find_models()
    assert "not all parts" in str(model.why_not)
    first.rename(second)
    assert find_models() == []


@pytest.mark.parametrize("where", [".lmstudio/models", ".cache/lm-studio/models", "chosen", "moved/models"])
def test_the_models_of_lm_studio_are_found(machine: Path, where: str) -> None:
    folder = machine / "person" / where
    path = write_gguf_header(folder / "publisher" / "some-GGUF" / "some.Q4_K_M.gguf", "qwen2", 24, 14)
    write_gguf_header(folder / "publisher" / "some-GGUF" / "mmproj-some.gguf")
    write_files(folder / "publisher" / "whole")
    if where == "chosen":
        assert names() == []
        settings = machine / "person" / ".lmstudio" / "settings.json"
        settings.parent.mkdir()
        settings.write_text(json.dumps({"downloadsFolder": str(folder)}))
    if where == "moved/models":
        assert names() == []
        (machine / "person" / ".lmstudio-home-pointer").write_text(f"{machine / 'person' / 'moved'}\n")
    found, whole = find_models()
    assert found == FoundModel("publisher/some-GGUF:Q4_K_M", path, "LM Studio", path.stat().st_size, "qwen2", 24, 14)
    assert (whole.name, whole.place) == ("publisher/whole", "LM Studio")
    assert resolve_model("some-gguf") == path


@pytest.mark.parametrize(
    "settings", [b"{", b"[]", b"{}", b'{"downloadsFolder": 3}', b'{"downloadsFolder": "~nobody-here/x"}', b"\xff"]
)
def test_broken_settings_of_lm_studio_are_passed_over(machine: Path, settings: bytes) -> None:
    write_gguf_header(machine / "person" / ".lmstudio" / "models" / "a" / "b" / "b.gguf")
    (machine / "person" / ".lmstudio" / "settings.json").write_bytes(settings)
    assert names() == ["a/b:b"]


@pytest.mark.parametrize("where", ["person/.ollama/models", "service", "moved"])
def test_the_models_of_ollama_are_found_by_their_manifests(machine: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(machine / "moved"))
    blobs = {
        "llama3.2:1b": write_ollama(machine / where, "registry.ollama.ai/library/llama3.2/1b", header("llama", 16, 32)),
        "mine/tiny:latest": write_ollama(machine / where, "registry.ollama.ai/mine/tiny/latest", header("qwen3", 28, 16)),
        "hf.co/some/x-GGUF:Q4_0": write_ollama(machine / where, "hf.co/some/x-GGUF/Q4_0", header("gemma", 18, 8)),
    }
    found = {model.name: model for model in find_models()}
    assert {name: model.path for name, model in found.items()} == blobs
    assert {model.place for model in found.values()} == {"Ollama"}
    assert (found["llama3.2:1b"].family, found["llama3.2:1b"].n_layer, found["llama3.2:1b"].n_head) == ("llama", 16, 32)
    assert resolve_model("llama3.2") == resolve_model(blobs["llama3.2:1b"]) == blobs["llama3.2:1b"]
    assert resolve_model("tiny") == blobs["mine/tiny:latest"]


def test_without_a_tag_the_latest_is_meant(machine: Path) -> None:
    folder = machine / "service"
    latest = write_ollama(folder, "registry.ollama.ai/library/m/latest", header("llama", 2, 2))
    write_ollama(folder, "registry.ollama.ai/library/m/7b", header("llama", 3, 3))
    assert resolve_model("m") == latest
    (folder / "manifests" / "registry.ollama.ai" / "library" / "m" / "latest").rename(
        folder / "manifests/registry.ollama.ai/library/m/3b"
    )
    with pytest.raises(ModelError, match="say which: m:3b, m:7b"):
        resolve_model("m")


@pytest.mark.parametrize(
    "changed",
    [
        {"layers": None},
        {"layers": 3},
        {"layers": []},
        {"layers": [{"mediaType": "application/vnd.ollama.image.model"}]},
        {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../../secret"}]},
        {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + "e" * 64}]},
        {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": 3}]},
        {"layers": [3]},
    ],
)
def test_a_manifest_that_names_no_model_is_passed_over(machine: Path, changed: dict[str, object]) -> None:
    write_ollama(machine / "service", "registry.ollama.ai/library/broken/1b", header(), **changed)
    write_ollama(machine / "service", "registry.ollama.ai/library/sound/1b", header())
    (machine / "service" / "manifests" / "registry.ollama.ai" / "library" / "broken" / "2b").write_bytes(b"\xff{")
    assert names() == ["sound:1b"]


def test_models_opened_lately_are_listed_unless_they_are_already(machine: Path) -> None:
    folder = write_files(machine / "elsewhere" / "folder")
    file = write_gguf_header(machine / "elsewhere" / "file.gguf")
    parts = write_gguf_header(machine / "elsewhere" / "p-00001-of-00002.gguf")
    write_gguf_header(machine / "elsewhere" / "p-00002-of-00002.gguf")
    own = write_files(machine / "data" / "models" / "own")
    (machine / "link").symlink_to(own)
    found = find_models([folder, str(file), parts, own, machine / "link", machine / "gone", machine])
    assert {(model.path, model.place, model.n_files) for model in found} == {
        (folder, "recent", 1),
        (file, "recent", 1),
        (parts, "recent", 2),
        (own, "attnviz", 1),
    }
    assert all(resolve_model(model.name) == model.path for model in found)


# What cannot be run is listed all the same


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "rwkv"}, '"rwkv"'),
        ({"attention_twist": 3}, "attention_twist"),
        ({"num_attention_heads": 3}, "3"),
    ],
)
def test_a_folder_that_cannot_be_run_says_why(machine: Path, changed: dict[str, object], said: str) -> None:
    write_files(machine / "data" / "models" / "some", config=json.dumps({**CONFIG, **changed}).encode())
    (model,) = find_models()
    assert not model.is_supported
    assert said in str(model.why_not)


def test_a_folder_without_a_tokenizer_says_so(machine: Path) -> None:
    (write_files(machine / "data" / "models" / "some") / "tokenizer.json").unlink()
    (model,) = find_models()
    assert "tokenizer.json" in str(model.why_not)


def test_a_gguf_architecture_that_cannot_be_run_says_so(machine: Path) -> None:
    write_gguf_header(machine / "data" / "models" / "x.gguf", "strange", 3, 5)
    (model,) = find_models()
    assert (model.family, model.n_layer, model.n_head) == ("strange", 3, 5)
    assert '"strange"' in str(model.why_not)


def test_a_model_that_can_be_run_has_nothing_against_it(machine: Path) -> None:
    write_files(machine / "data" / "models" / "some")
    assert [model.why_not for model in find_models()] == [None]


# Nothing stops a listing


@pytest.mark.parametrize(
    "content", [b"", b"GGUF", b"GGUF" + bytes(100), b"\xff" * 1_000, header()[:-60], b"GGUF\x03\0\0\0" + b"\xff" * 200]
)
def test_a_broken_gguf_file_is_left_out(machine: Path, content: bytes) -> None:
    (machine / "data" / "models").mkdir(parents=True)
    (machine / "data" / "models" / "broken.gguf").write_bytes(content)
    write_gguf_header(machine / "data" / "models" / "sound.gguf")
    assert names() == ["sound"]


def test_files_of_a_terabyte_are_listed_by_their_headers(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashlib.file_digest", None)
    path = write_gguf_header(machine / "data" / "models" / "huge.gguf")
    os.truncate(path, 1 << 40)  # a hole: it takes no disk
    zeros = machine / "data" / "models" / "zeros.gguf"
    zeros.write_bytes(b"GGUF\x03\0\0\0")
    os.truncate(zeros, 1 << 40)
    weights = write_files(machine / "data" / "models" / "folder") / "model.safetensors"
    os.truncate(weights, 1 << 40)
    assert [(model.name, model.n_bytes) for model in find_models()] == [("folder", 1 << 40), ("huge", 1 << 40)]


def test_dead_links_and_folders_in_the_way_are_passed_over(machine: Path) -> None:
    models = machine / "data" / "models"
    (models / "folder.gguf").mkdir(parents=True)
    (models / "dead.gguf").symlink_to(machine / "nowhere")
    (models / "loop").symlink_to(models)
    write_gguf_header(models / "sound.gguf")
    assert names() == ["sound"]


def test_a_file_that_lies_in_two_places_is_listed_once(machine: Path) -> None:
    own = write_gguf_header(machine / "data" / "models" / "own.gguf")
    other = machine / "person" / ".lmstudio" / "models" / "a" / "b" / "linked.gguf"
    other.parent.mkdir(parents=True)
    other.symlink_to(own)
    assert names() == ["own"]


def test_a_model_opened_lately_goes_by_its_folders_or_files_name(machine: Path) -> None:
    folder, path = write_files(machine / "run1" / "final"), write_gguf_header(machine / "downloads" / "tiny.gguf")
    recent = [folder, path]
    assert resolve_model("final", recent) == folder
    assert resolve_model("tiny.gguf", recent) == path
    with pytest.raises(ModelError):
        resolve_model("final")


def test_two_models_of_one_name_opened_lately_are_told_apart_by_their_paths(machine: Path) -> None:
    recent = [write_files(machine / run / "final") for run in ("run1", "run2")]
    with pytest.raises(ModelError) as refusal:
        resolve_model("final", recent)
    assert all(str(path) in str(refusal.value) for path in recent)


def test_the_default_model_also_goes_by_its_own_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MINILM", dataclasses.replace(SMALL, name="minilm", folder="all-MiniLM-L6-v2"))
    own = write_files(home / "data" / "models" / "all-MiniLM-L6-v2")
    assert resolve_model("all-minilm-l6-v2") == resolve_model("minilm") == own


def test_a_model_that_is_only_there_as_a_pickle_is_listed_and_says_why_it_is_not_opened(machine: Path) -> None:
    folder = write_files(machine / "data" / "models" / "old")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    (found,) = find_models()
    assert (found.name, found.n_bytes, found.is_supported) == ("old", len(WEIGHTS), False)
    assert "pickles" in found.why_not
    assert "safetensors" in found.why_not
