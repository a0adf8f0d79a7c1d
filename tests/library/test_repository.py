"""A model from the Hub: looked up, fetched, whole and checked, or one sentence that says what to do."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest
from hub_stand_in import TOKEN, UNWANTED, ModelHub, Repository

from attnviz.engine.model import load_model
from attnviz.errors import Cancelled, DownloadError
from attnviz.library import arrival, hub_answers, hub_process, hub_program
from attnviz.library.discovery import find_models, resolve_model
from attnviz.library.places import models_folder
from attnviz.library.progress import Progress
from attnviz.library.repository import fetch, look_up
from tests.golden.families_reader import expected, read_about, weights, write_model
from tests.golden.gguf_metadata import tokenizer_metadata
from tests.golden.gguf_writer import convert, stored_if_it_fits, write_gguf

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

NAME = "someone/tiny-llama"
CASE, GGUF_CASE = "llama-gqa", "llama-rope-llama3"
MANY = np.random.PCG64(7).random_raw(1 << 19).tobytes()  # 4 MiB in place of weights, for what takes several steps


@pytest.fixture
def small(model_hub: ModelHub, tmp_path: Path) -> Repository:
    """A tiny model in one file, with its small files and all that must not be fetched."""
    folder = write_model(CASE, tmp_path / "published")
    for name in ("tokenizer_config.json", "special_tokens_map.json", "generation_config.json"):
        (folder / name).write_text("{}")
    model_hub.repositories[NAME] = Repository.of(folder)
    return model_hub.repositories[NAME]


@pytest.fixture
def large(small: Repository) -> Repository:
    """The same with weights that take several steps; no weights at all, but nobody opens them here."""
    small.files["model.safetensors"] = MANY
    return small


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def refused(name: str = NAME) -> str:
    """The one sentence of a look-up that is refused; no file's content may have been kept."""
    with pytest.raises(DownloadError) as caught:
        look_up(name)
    assert names_in(models_folder()) == set()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def failed(variant: str | None = None) -> str:
    """The one sentence of a fetch that fails; no model may be there."""
    offer = look_up(NAME)
    with pytest.raises(DownloadError) as caught:
        fetch(offer, variant=variant)
    assert {name for name in names_in(models_folder()) if not name.startswith(".")} == set()
    assert find_models() == []
    return str(caught.value)


# The whole way


def test_a_model_is_offered_with_its_licence_family_shape_and_size(model_hub: ModelHub, small: Repository) -> None:
    offer = look_up(NAME)
    wanted = {name for name in small.files if name not in UNWANTED}
    assert (offer.repository, offer.revision, offer.licence, offer.family) == (NAME, small.commit, "apache-2.0", "llama")
    assert (offer.n_layer, offer.n_head) == expected(CASE)[0].attention.shape[:2]
    assert {file.name for file in offer.files} == wanted
    assert offer.n_bytes == sum(len(small.files[name]) for name in wanted)
    assert offer.variants == ()
    assert model_hub.asked_for() == {"config.json"}
    assert not models_folder().exists()


@pytest.mark.parametrize("shards", [1, 3])
def test_a_fetched_model_is_the_published_one_and_runs(model_hub: ModelHub, tmp_path: Path, shards: int) -> None:
    published = write_model(CASE, tmp_path / "published", shards=shards)
    model_hub.repositories[NAME] = Repository.of(published)
    seen: list[Progress] = []
    path = fetch(look_up(NAME), seen.append)
    assert path == models_folder() / "someone--tiny-llama"
    assert names_in(path) == names_in(published)
    assert all((path / name).read_bytes() == (published / name).read_bytes() for name in names_in(path))
    wanted = expected(CASE)[0]
    np.testing.assert_allclose(load_model(path).trace(wanted.text).attention(0), wanted.attention[0], atol=1e-5)
    assert names_in(models_folder()) == {path.name}
    assert max(moment.done for moment in seen) == look_up(NAME).n_bytes
    assert all(moment.done <= moment.total for moment in seen if moment.total)


def test_only_what_is_needed_is_ever_asked_for(model_hub: ModelHub, small: Repository) -> None:
    path = fetch(look_up(NAME))
    assert model_hub.asked_for() == names_in(path)
    assert not model_hub.asked_for() & set(UNWANTED)


def test_of_single_file_and_shards_one_set_is_taken(model_hub: ModelHub, small: Repository, tmp_path: Path) -> None:
    small.files |= Repository.of(write_model(CASE, tmp_path / "shards", shards=2)).files
    path = fetch(look_up(NAME))
    assert {name for name in names_in(path) if "safetensors" in name} == {"model.safetensors"}


def test_a_fetched_model_is_found_by_its_repository_name(small: Repository) -> None:
    path = fetch(look_up(NAME))
    (found,) = find_models()
    assert (found.name, found.path, found.why_not) == (NAME, path, None)
    assert resolve_model(NAME) == resolve_model("tiny-llama") == path


def test_what_is_there_is_not_fetched_again(model_hub: ModelHub, small: Repository) -> None:
    path, offer = fetch(look_up(NAME)), look_up(NAME)
    model_hub.log.clear()
    assert fetch(offer) == path
    assert model_hub.log == []


def test_a_damaged_or_older_copy_is_replaced(small: Repository) -> None:
    path = fetch(look_up(NAME))
    (path / "model.safetensors").write_bytes(b"short")
    (path / "old.safetensors").write_bytes(b"of another revision")
    assert fetch(look_up(NAME)) == path
    assert (path / "model.safetensors").read_bytes() == small.files["model.safetensors"]
    assert not (path / "old.safetensors").exists()
    assert names_in(models_folder()) == {path.name}


@pytest.mark.parametrize("pasted", ["{0}/someone/tiny-llama", "{0}/someone/tiny-llama/tree/main", "  someone/tiny-llama \n"])
def test_an_address_is_understood(model_hub: ModelHub, small: Repository, pasted: str) -> None:
    assert look_up(pasted.format(model_hub.url())).repository == NAME


def test_an_old_name_leads_to_the_new_one(model_hub: ModelHub, small: Repository) -> None:
    model_hub.moved["tiny"] = NAME
    assert look_up("tiny").repository == NAME


# Variants


def write_variants(folder: Path) -> Path:
    """Three GGUF variants of the tiny model and what stands beside such files."""
    about = read_about(GGUF_CASE)
    converted = convert(about["config"], weights(GGUF_CASE))
    folder.mkdir()
    for name, kind in (("F32", gguf.GGMLQuantizationType.F32), ("Q8_0", gguf.GGMLQuantizationType.Q8_0)):
        write_gguf(folder / f"tiny-llama.{name}.gguf", converted, stored_if_it_fits(kind), tokenizer_metadata(about["tokenizer"]))
    (folder / "BF16").mkdir()
    for number in (1, 2):
        (folder / "BF16" / f"tiny-llama-BF16-{number:05}-of-00002.gguf").write_bytes(b"GGUF" + bytes(100_000))
    (folder / "mmproj-tiny-llama-F16.gguf").write_bytes(b"GGUF eyes")
    (folder / "tiny-llama.imatrix.gguf").write_bytes(b"GGUF statistics")
    return folder


@pytest.fixture
def variants(model_hub: ModelHub, tmp_path: Path) -> Repository:
    model_hub.repositories[NAME] = Repository.of(write_variants(tmp_path / "variants"), gguf={"architecture": "llama", "total": 1})
    return model_hub.repositories[NAME]


def test_a_gguf_repository_offers_its_variants_with_sizes(model_hub: ModelHub, variants: Repository) -> None:
    offer = look_up(NAME)
    assert {variant.name for variant in offer.variants} == {"F32", "Q8_0", "BF16"}
    sizes = {variant.name: variant.n_bytes for variant in offer.variants}
    assert sizes["Q8_0"] == len(variants.files["tiny-llama.Q8_0.gguf"]) < sizes["F32"]
    assert sizes["BF16"] == 2 * 100_004
    assert (offer.usual_variant, offer.n_bytes, offer.family) == ("Q8_0", sizes["Q8_0"], "llama")
    assert model_hub.asked_for() == set()


def test_a_variant_is_fetched_alone_and_found_by_its_name(model_hub: ModelHub, variants: Repository) -> None:
    path = fetch(look_up(NAME), variant="f32")
    assert path.read_bytes() == variants.files["tiny-llama.F32.gguf"]
    wanted = expected(GGUF_CASE)[0]
    np.testing.assert_allclose(load_model(path).trace(wanted.text).attention(0), wanted.attention[0], atol=1e-5)
    assert model_hub.asked_for() == {"tiny-llama.F32.gguf"}
    other = fetch(look_up(NAME))
    assert path.exists()
    assert [model.name for model in find_models()] == [f"{NAME}:F32", f"{NAME}:Q8_0"]
    assert resolve_model(f"{NAME}:Q8_0") == resolve_model("tiny-llama:q8_0") == other


def test_the_parts_of_a_variant_lie_side_by_side(variants: Repository) -> None:
    path = fetch(look_up(NAME), variant="BF16")
    assert path.name == "tiny-llama-BF16-00001-of-00002.gguf"
    assert names_in(path.parent) == {path.name, "tiny-llama-BF16-00002-of-00002.gguf"}


def test_a_variant_that_is_not_there_is_refused_with_those_that_are(variants: Repository) -> None:
    assert "BF16" in failed("Q2_K")


def test_safetensors_are_one_of_the_variants_where_both_are_there(
    variants: Repository, small: Repository, model_hub: ModelHub
) -> None:
    model_hub.repositories[NAME] = Repository({**variants.files, **small.files}, gguf={"architecture": "llama"})
    offer = look_up(NAME)
    assert offer.usual_variant == "safetensors"
    assert {variant.name for variant in offer.variants} == {"safetensors", "F32", "Q8_0", "BF16"}
    assert fetch(offer).is_dir()
    assert fetch(offer, variant="Q8_0").is_file()


# Interruptions


def stopped_halfway(hub: ModelHub) -> None:
    """A fetch that is called off while the weights stall in their middle."""
    hub.stalls.add("model.safetensors")
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        fetch(look_up(NAME), seen.append, lambda: bool(seen) and seen[-1].done > len(MANY) // 4)
    hub.go_on.set()
    hub.stalls.clear()


def test_a_download_that_was_called_off_goes_on_where_it_stopped(model_hub: ModelHub, large: Repository) -> None:
    stopped_halfway(model_hub)
    assert find_models() == []
    model_hub.log.clear()
    path = fetch(look_up(NAME))
    assert (path / "model.safetensors").read_bytes() == MANY
    assert 0 < model_hub.served("model.safetensors") < len(MANY) * 3 // 4
    assert {"tokenizer.json", "tokenizer_config.json"}.isdisjoint(model_hub.asked_for())  # these had arrived


def test_a_cut_connection_is_taken_up_again(model_hub: ModelHub, large: Repository) -> None:
    model_hub.cuts["model.safetensors"] = 1
    path = fetch(look_up(NAME))
    assert (path / "model.safetensors").read_bytes() == MANY
    assert [asked.start > 0 for asked in model_hub.log if asked.sent[0] and asked.what == "model.safetensors"] == [False, True]
    assert model_hub.served("model.safetensors") < len(MANY) * 3 // 2


def test_a_server_without_ranges_only_costs_time(model_hub: ModelHub, large: Repository) -> None:
    stopped_halfway(model_hub)
    model_hub.no_ranges = True
    assert (fetch(look_up(NAME)) / "model.safetensors").read_bytes() == MANY


def test_what_arrived_of_another_revision_is_not_mixed_in(model_hub: ModelHub, large: Repository) -> None:
    stopped_halfway(model_hub)
    large.commit, large.files["model.safetensors"] = "f" * 40, MANY[::-1]
    assert (fetch(look_up(NAME)) / "model.safetensors").read_bytes() == MANY[::-1]


def test_a_repository_that_changes_between_look_and_fetch_is_said(model_hub: ModelHub, small: Repository) -> None:
    offer = look_up(NAME)
    small.commit = "f" * 40
    with pytest.raises(DownloadError, match="changed while it was looked at; look it up again"):
        fetch(offer)


@pytest.mark.parametrize("what", ["api", "config.json"])
def test_a_look_up_can_be_called_off_while_the_hub_is_silent(model_hub: ModelHub, small: Repository, what: str) -> None:
    model_hub.stalls.add(what)
    with pytest.raises(Cancelled):
        look_up(NAME, lambda: any(asked.what == what for asked in model_hub.log))


def test_checking_can_be_called_off_and_what_arrived_stays(model_hub: ModelHub, large: Repository) -> None:
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        fetch(look_up(NAME), seen.append, lambda: bool(seen) and seen[-1].what.startswith("Checking someone"))
    model_hub.log.clear()
    fetch(look_up(NAME))
    assert model_hub.served("model.safetensors") == 0


def test_two_at_once_do_not_disturb_each_other(large: Repository) -> None:
    offer, said = look_up(NAME), []

    def second(moment: Progress) -> None:
        if not said and moment.what.startswith("Downloading"):
            with pytest.raises(DownloadError, match="being fetched by another attnviz") as caught:
                fetch(offer)
            said.append(str(caught.value))

    assert (fetch(offer, second) / "model.safetensors").read_bytes() == MANY
    assert said


def test_downloads_that_nobody_goes_on_with_are_cleared_away(small: Repository) -> None:
    old, new = models_folder() / ".a--b.part", models_folder() / ".c--d.part"
    for folder in (old, new):
        (folder / "files").mkdir(parents=True)
        (folder / "files" / "model.safetensors.part").write_bytes(b"x")
    for path in (old / "files" / "model.safetensors.part", old / "files", old):
        os.utime(path, (0, 0))
    path = fetch(look_up(NAME))
    assert names_in(models_folder()) == {path.name, new.name}


# What does not arrive as it was sent


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_wrong_byte_is_refused_and_thrown_away_and_the_rest_is_kept(model_hub: ModelHub, small: Repository, name: str) -> None:
    model_hub.wrong.add(name)
    assert f"{name} has SHA-" in failed()
    assert not list(models_folder().rglob(name))
    model_hub.wrong.clear()
    model_hub.log.clear()
    path = fetch(look_up(NAME))
    assert (path / name).read_bytes() == small.files[name]
    assert model_hub.asked_for() == {"config.json", name}  # config.json for the look-up


def test_a_file_of_another_size_than_told_is_refused(small: Repository) -> None:
    small.claimed_sizes["model.safetensors"] = 100
    assert "look it up again" in failed()


def test_a_missing_shard_is_refused_before_anything_is_fetched(model_hub: ModelHub, tmp_path: Path) -> None:
    model_hub.repositories[NAME] = Repository.of(write_model(CASE, tmp_path / "published", shards=3))
    del model_hub.repositories[NAME].files["model-00002-of-00003.safetensors"]
    assert "has 2 of 3 files of its weights" in refused()


def test_an_index_that_lists_a_file_nobody_offers_is_refused(model_hub: ModelHub, tmp_path: Path) -> None:
    repository = model_hub.repositories[NAME] = Repository.of(write_model(CASE, tmp_path / "published", shards=2))
    index = repository.files["model.safetensors.index.json"]
    repository.files["model.safetensors.index.json"] = index.replace(b"model-00002-of", b"extra-00002-of")
    assert "extra-00002-of-00002.safetensors" in failed()


# Closed doors


def test_no_such_repository_is_said_with_what_to_check(model_hub: ModelHub) -> None:
    assert "the Hub has no such model for everyone to see; check the name" in refused("no-one/nothing")


def test_a_private_repository_is_no_other_than_none_until_there_is_a_token(
    small: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.private = True
    assert "set the environment variable HF_TOKEN" in refused()
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert fetch(look_up(NAME)).is_dir()


def test_a_gated_repository_says_where_to_accept_its_terms(model_hub: ModelHub, small: Repository) -> None:
    small.gated = "manual"
    assert f"accept its terms on its page, {model_hub.url()}/{NAME}, then set the environment variable HF_TOKEN" in refused()


def test_a_gated_repository_of_gguf_files_says_so_too(variants: Repository) -> None:
    variants.gated = "auto"
    assert "gated; accept its terms" in refused()


@pytest.mark.parametrize("way", ["variable", "file", "moved file"])
def test_a_token_opens_the_gate_and_is_written_nowhere(
    model_hub: ModelHub,
    small: Repository,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    way: str,
) -> None:
    small.gated = "manual"
    if way == "variable":
        monkeypatch.setenv("HF_TOKEN", TOKEN)
    else:
        file = home / ("hf" if way == "file" else "elsewhere") / "token"
        file.parent.mkdir()
        file.write_text(TOKEN)
        if way == "moved file":
            monkeypatch.setenv("HF_TOKEN_PATH", str(file))
    model_hub.wrong.add("model.safetensors")  # so that the folder of the download stays to be looked through
    assert TOKEN not in failed()
    kept = [path for path in home.rglob("*") if path.is_file() and path.name != "token"]
    assert kept
    assert not any(TOKEN.encode() in path.read_bytes() for path in kept)
    assert TOKEN not in "".join(capfd.readouterr())
    model_hub.wrong.clear()
    assert fetch(look_up(NAME)).is_dir()
    tokens = {asked.server: asked.token for asked in model_hub.log}
    assert tokens == {"hub": TOKEN, "cdn": None}  # it does not leave the Hub


def test_a_token_that_has_run_out_does_not_lock_public_models(small: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_RunOut")
    assert fetch(look_up(NAME)).is_dir()


def test_a_token_that_has_run_out_is_named_where_one_is_needed(small: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_RunOut")
    small.private = True
    assert "does not know the token in HF_TOKEN" in refused()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "does not let you read it"),
        (429, "too many questions"),
        (500, "a fault of its own (status 500)"),
        (503, "try again later"),
    ],
)
def test_bad_days_of_the_hub_are_told_apart(model_hub: ModelHub, small: Repository, status: int, said: str) -> None:
    model_hub.statuses["api"] = status
    assert said in refused()


def test_a_fault_in_the_middle_leaves_no_model(model_hub: ModelHub, small: Repository) -> None:
    model_hub.statuses["model.safetensors"] = 500
    assert "a fault of its own" in failed()


@pytest.mark.usefixtures("home")
def test_without_a_network_the_sentence_says_so() -> None:
    assert "no connection to http://127.0.0.1:" in refused()


def test_a_silent_hub_is_given_up(model_hub: ModelHub, small: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_answers, "PATIENCE", 1.5)
    model_hub.stalls.add("api")
    assert "no answer from http://127.0.0.1:" in refused()


def test_offline_mode_leaves_the_hub_alone(model_hub: ModelHub, small: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in refused()
    assert model_hub.log == []


@pytest.mark.parametrize("words", [b"<html>a login page</html>", b"[]", b'{"id": "../../x", "sha": "1"}', b'{"id": "a/b"}'])
def test_what_is_no_hub_is_named(model_hub: ModelHub, small: Repository, words: bytes) -> None:
    model_hub.words = words
    assert "HF_ENDPOINT" in refused()


# What cannot be run or kept


def test_only_pickles_are_refused_and_never_asked_for(model_hub: ModelHub, small: Repository) -> None:
    del small.files["model.safetensors"]
    said = refused()
    assert "has only pickle weights (pytorch_model.bin), which can run code; look for a conversion to safetensors" in said
    assert model_hub.asked_for() <= {"config.json"}


def test_a_family_that_cannot_be_run_is_named_before_anything_is_fetched(model_hub: ModelHub, small: Repository) -> None:
    small.files["config.json"] = b'{"model_type": "mamba", "num_hidden_layers": 2}'
    assert "'mamba'" in refused()
    assert model_hub.asked_for() == {"config.json"}


def test_a_configuration_with_a_key_that_matters_is_refused_by_its_name(small: Repository) -> None:
    small.files["config.json"] = small.files["config.json"].replace(b"{", b'{"attention_twist": 3,', 1)
    assert "attention_twist" in refused()


def test_an_architecture_that_cannot_be_run_is_named(variants: Repository) -> None:
    variants.gguf = {"architecture": "mamba"}
    assert '"mamba"' in refused()


def test_a_model_larger_than_the_disk_is_refused_with_both_figures(small: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 50_000_000))
    small.claimed_sizes["model.safetensors"] = 7_000_000_000
    said = refused()
    assert "takes 7.0 GB" in said
    assert "50 MB are free" in said


def test_a_folder_that_cannot_be_written_is_one_sentence(small: Repository, home: Path) -> None:
    offer = look_up(NAME)
    (home / "data").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=r"cannot be written there .*ATTNVIZ_DATA"):
        fetch(offer)


def test_a_frozen_program_does_not_start_itself(small: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.frozen", True, raising=False)
    assert "needs a Python interpreter" in refused()


def test_a_fetch_that_fails_gives_its_lock_back(small: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise DownloadError("damaged")

    offer = look_up(NAME)
    with monkeypatch.context() as patch:
        patch.setattr(arrival, "_check", broken)
        with pytest.raises(DownloadError, match="damaged"):
            fetch(offer)
    assert fetch(offer).is_dir()


# The process that asks


def test_the_process_ends_with_the_one_that_watches_it(model_hub: ModelHub, small: Repository, tmp_path: Path) -> None:
    model_hub.stalls.add("api")
    job = {"verb": "ask", "repository": NAME, "answer": str(tmp_path / "answer.json"), "parent": os.getpid() + 1}
    (tmp_path / "job.json").write_text(json.dumps(job))
    done = subprocess.run([sys.executable, hub_process.PROGRAM, tmp_path / "job.json"], check=False)
    assert done.returncode == 1
    assert not (tmp_path / "answer.json").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "full"),
        (ConnectionRefusedError(), "no connection"),
        (TimeoutError(), "no answer"),
        (OSError("Consistency check failed: file should be of size 3 but has size 2"), "cut"),
        (RuntimeError(), "other"),
    ],
)
def test_each_failure_has_a_sentence(error: Exception, code: str) -> None:
    assert hub_program._code(error) == code
    assert code in hub_answers._SENTENCES


def test_every_code_of_the_process_has_a_sentence() -> None:
    codes = {*hub_program._BY_KIND.values(), *hub_program._BY_STATUS.values()}
    assert codes <= set(hub_answers._SENTENCES)
