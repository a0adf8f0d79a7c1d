"""A run's numbers, read back from each form of file: equal to the trace to the last bit, with where they come from."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz import __version__
from attnviz.engine.checksum import sha256_of
from attnviz.engine.model import Model, load_model
from attnviz.errors import ExportError, InputError
from attnviz.export.numbers import CSV_COLUMNS, save_numbers
from tests.engine.tiny_bert import write_bert
from tests.scene.pictures import run_of

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.session.run import Run

TEXT = 'the cat, "sings"; x\n#zz 你'
FORMS = (".npz", ".json", ".csv")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(write_bert(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def run(tiny: Model) -> Run:
    return run_of(tiny, TEXT)


def facts_of(path: Path) -> dict[str, Any]:
    """The provenance that a file of any form carries."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            return json.loads(str(file["provenance"]))
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))["provenance"]
    lines = path.read_bytes().decode("utf-8").split("\r\n")
    return {name: json.loads(value) for name, _, value in (line[2:].partition(": ") for line in lines if line.startswith("# "))}


@pytest.mark.parametrize("layers", [None, [1], [0, 1]])
def test_npz_holds_the_arrays_of_the_trace(run: Run, tmp_path: Path, layers: list[int] | None) -> None:
    save_numbers(run, tmp_path / "x.npz", layers)
    chosen = [0, 1] if layers is None else layers
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        assert set(file) == {"tokens", "ids", "layers", "attention", "hidden", "provenance"}
        assert file["tokens"].tolist() == run.trace.tokens
        assert file["ids"].tolist() == run.trace.ids
        assert file["layers"].tolist() == chosen
        assert (file["ids"].dtype, file["layers"].dtype) == (np.int64, np.int64)
        assert file["attention"].dtype == file["hidden"].dtype == np.float32
        assert np.array_equal(file["attention"], np.stack([run.trace.attention(layer) for layer in chosen]))
        assert np.array_equal(file["hidden"], run.trace.hidden)


def test_json_has_the_same_names_and_reads_back_to_the_last_bit(run: Run, tmp_path: Path) -> None:
    save_numbers(run, tmp_path / "x.json")
    content = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert set(content) == {"tokens", "ids", "layers", "attention", "hidden", "provenance"}
    assert (content["tokens"], content["ids"], content["layers"]) == (run.trace.tokens, run.trace.ids, [0, 1])
    attention = np.stack([run.trace.attention(layer) for layer in (0, 1)])
    assert np.array_equal(np.array(content["attention"], np.float32), attention)
    assert np.array_equal(np.array(content["hidden"], np.float32), run.trace.hidden)


def test_csv_has_one_row_for_each_weight_and_reads_back_to_the_last_bit(run: Run, tmp_path: Path) -> None:
    save_numbers(run, tmp_path / "x.csv")
    text = (tmp_path / "x.csv").read_bytes().decode("utf-8")
    lines = text.split("\r\n")
    n_fact = sum(line.startswith("# ") for line in lines)
    assert all(line.startswith("# ") for line in lines[:n_fact])
    rows = list(csv.reader(io.StringIO("\r\n".join(lines[n_fact:]), newline="")))
    assert tuple(rows[0]) == CSV_COLUMNS == ("layer", "head", "query", "key", "query_token", "key_token", "weight")
    n = len(run.trace.ids)
    assert len(rows) - 1 == 2 * 4 * n * n
    for layer, head, query, key, query_token, key_token, weight in rows[1:]:
        assert run.trace.tokens[int(query)] == query_token
        assert run.trace.tokens[int(key)] == key_token
        assert np.float32(weight) == run.trace.attention(int(layer))[int(head), int(query), int(key)]
    assert len({tuple(row[:4]) for row in rows[1:]}) == len(rows) - 1


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_where_its_numbers_come_from(run: Run, tmp_path: Path, form: str) -> None:
    save_numbers(run, tmp_path / f"x{form}")
    assert facts_of(tmp_path / f"x{form}") == {
        "program": f"attnviz {__version__}",
        "model": run.model.name,
        "model_sha256": sha256_of(run.model.path / "model.safetensors"),
        "text": TEXT,
        "head_count": 4,
        "trained_head_count": 4,
    }


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_that_it_is_a_what_if(tiny: Model, tmp_path: Path, form: str) -> None:
    save_numbers(run_of(tiny, "the cat " * 40, 2, 0.7512349, pair="a"), tmp_path / f"x{form}")
    facts = facts_of(tmp_path / f"x{form}")
    assert (facts["head_count"], facts["trained_head_count"]) == (2, 4)
    assert facts["what_if"] == "run with 2 heads instead of the trained 4"
    assert facts["cosine_to_trained"] == 0.751235
    assert facts["pair"] == "a"
    assert facts["tokens_left_out"] == 80 + 1 - 29


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["cat \ud83d", "cat \x00\x07\x85\u2028 cat", "'; DROP \\\" \r\n, cat"], ids=ascii)
def test_any_text_can_be_saved_and_is_read_back(tiny: Model, tmp_path: Path, text: str, form: str) -> None:
    run = run_of(tiny, text)
    save_numbers(run, tmp_path / f"x{form}")
    assert facts_of(tmp_path / f"x{form}")["text"] == text.replace("\ud83d", "\ufffd")


@pytest.mark.parametrize("form", FORMS)
def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path, form: str) -> None:
    for name in ("a", "b"):
        save_numbers(run, tmp_path / f"{name}{form}")
    assert (tmp_path / f"a{form}").read_bytes() == (tmp_path / f"b{form}").read_bytes()


@pytest.mark.parametrize("name", ["x", "x.txt", "x.npy", "x.csv.gz", ".npz"])
def test_another_ending_is_refused_with_the_known_ones(run: Run, tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match=r"\.npz, \.json, \.csv"):
        save_numbers(run, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_capitals_in_the_ending_do_not_matter(run: Run, tmp_path: Path) -> None:
    save_numbers(run, tmp_path / "x.JSON")
    assert json.loads((tmp_path / "x.JSON").read_text(encoding="utf-8"))["ids"] == run.trace.ids


@pytest.mark.parametrize("layers", [[2], [0, 5], [-1], []])
def test_layers_that_are_not_there_are_refused(run: Run, tmp_path: Path, layers: list[int]) -> None:
    with pytest.raises(InputError, match="ayer"):
        save_numbers(run, tmp_path / "x.npz", layers)
    assert list(tmp_path.iterdir()) == []


def test_logits_that_the_model_does_not_have_are_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="logits"):
        save_numbers(run, tmp_path / "x.npz", None, True)
    assert list(tmp_path.iterdir()) == []
