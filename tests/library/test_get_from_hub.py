"""`attnviz get OWNER/NAME`: what it will fetch is said before it starts, and only the path goes to stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hub_stand_in import ModelHub, Repository
from model_places import header

from attnviz import cli
from attnviz.library.places import models_folder
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from pathlib import Path

NAME = "someone/tiny-llama"


def test_get_says_licence_files_and_size_and_then_the_path(
    model_hub: ModelHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model_hub.repositories[NAME] = Repository.of(write_model("llama-gqa", tmp_path / "published"), card={"license": "llama3.2"})
    assert cli.main(["get", f"{model_hub.url()}/{NAME}"]) == 0
    printed = capsys.readouterr()
    path = models_folder() / "someone--tiny-llama"
    assert printed.out == f"{path}\n"
    about, licence, download, *files = printed.err.splitlines()
    assert about.startswith(f"{NAME} (llama, ")
    assert licence == "Licence: llama3.2"
    assert download.endswith(" in 3 files")
    assert [line.split()[-1] for line in files[:3]] == ["config.json", "tokenizer.json", "model.safetensors"]
    assert files[3:] == ["Checking the model", f"Downloading {NAME}", f"Checking {NAME}"]


def test_get_takes_a_variant_and_names_the_others(model_hub: ModelHub, capsys: pytest.CaptureFixture[str]) -> None:
    files = {f"m.{name}.gguf": header() + bytes(size) for name, size in (("Q2_K", 10), ("Q4_K_M", 50_000), ("F16", 200_000))}
    model_hub.repositories[NAME] = Repository(files, card={}, gguf={"architecture": "llama"})
    assert cli.main(["get", NAME, "--variant", "q2_k"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{models_folder() / 'someone--tiny-llama--Q2_K' / 'm.Q2_K.gguf'}\n"
    assert "Variant: Q2_K; there are Q2_K (" in printed.err
    assert "F16 (200 kB)" in printed.err
    assert "Licence: none named" in printed.err
    assert cli.main(["get", NAME, "--variant", "Q9"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "choose from Q2_K, Q4_K_M, F16" in line


@pytest.mark.usefixtures("model_hub")
def test_get_of_what_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["get", "no-one/nothing"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert "no such model" in line
