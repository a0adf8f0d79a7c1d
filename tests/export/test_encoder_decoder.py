"""The numbers and figures of an encoder-decoder: three attentions, each by its name."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.cli import main
from attnviz.engine.model import load_model
from attnviz.errors import InputError
from attnviz.export.figure import Paper, figure_facts, save_figure
from attnviz.export.numbers import save_numbers
from attnviz.session.view import View
from tests.golden.families_reader import write_model
from tests.scene.pictures import run_of

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.config import Kind
    from attnviz.session.run import Run

TEXT, PAIR = "Why not cross the street?", "The fox."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A T5 with more layers on one side than on the other."""
    return write_model("t5-v11-untied", tmp_path_factory.mktemp("t5"))


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    run = run_of(load_model(folder), TEXT, pair=PAIR)
    assert run.trace.n_layer_of("encoder") != run.trace.n_layer_of("decoder")
    return run


def test_npz_and_json_hold_all_three_attentions_and_both_texts(run: Run, tmp_path: Path) -> None:
    for name in ("x.npz", "x.json"):
        save_numbers(run, tmp_path / name)
    trace = run.trace
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        arrays = dict(file)
    plain = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    for key, kind in (("attention", "encoder"), ("decoder_attention", "decoder"), ("cross_attention", "cross")):
        wanted = np.stack([trace.attention(layer, kind) for layer in range(trace.n_layer_of(kind))])
        np.testing.assert_array_equal(arrays[key], wanted)
        np.testing.assert_array_equal(np.array(plain[key], np.float32), wanted)
    assert arrays["decoder_tokens"].tolist() == plain["decoder_tokens"] == trace.decoder_tokens
    assert arrays["decoder_ids"].tolist() == trace.decoder_ids
    np.testing.assert_array_equal(arrays["decoder_hidden"], trace.decoder_hidden)


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_csv_holds_the_one_that_is_asked_for(run: Run, tmp_path: Path, kind: Kind) -> None:
    save_numbers(run, tmp_path / "x.csv", [0], kind=kind)
    lines = (tmp_path / "x.csv").read_text(encoding="utf-8").splitlines()
    assert f'# attention: "{kind}"' in lines
    rows = list(csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("# ")))))
    attention = run.trace.attention(0, kind)
    assert len(rows) == attention.size
    found = np.zeros_like(attention)
    for row in rows:
        at = int(row["head"]), int(row["query"]), int(row["key"])
        found[at] = np.float32(row["weight"])
        assert row["query_token"] == run.trace.queries(kind)[at[1]].text
        assert row["key_token"] == run.trace.keys(kind)[at[2]].text
    np.testing.assert_array_equal(found, attention)


@pytest.mark.usefixtures("qapp")
def test_a_figure_says_which_attention_it_shows(run: Run, tmp_path: Path) -> None:
    view = View(kind="cross")
    save_figure(run, view, tmp_path / "x.svg", Paper())
    assert json.loads(figure_facts(run, view))["attention"] == "cross"
    assert "decoder looking at encoder" in (tmp_path / "x.svg").read_text(encoding="utf-8")


@pytest.mark.usefixtures("qapp")
def test_the_command_line_draws_and_writes_each_of_them(folder: Path, tmp_path: Path) -> None:
    what = ["--model", str(folder), "--text", TEXT, "--pair", PAIR, "--attention", "cross"]
    assert main(["attend", *what, "-o", str(tmp_path / "x.csv")]) == 0
    assert '# attention: "cross"' in (tmp_path / "x.csv").read_text(encoding="utf-8")
    assert main(["render", *what, "--layer", "0", "-o", str(tmp_path / "x.svg")]) == 0
    assert "decoder looking at encoder" in (tmp_path / "x.svg").read_text(encoding="utf-8")


def test_an_attention_that_the_model_does_not_have_is_refused_by_name(
    minilm_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "x.csv"
    assert main(["attend", "--model", str(minilm_path), "--text", TEXT, "--attention", "cross", "-o", str(output)]) == 2
    assert capsys.readouterr().err.strip() == "attnviz: all-MiniLM-L6-v2 has no cross attention; it has encoder."
    assert not output.exists()


def test_csv_has_no_logits_and_no_layer_of_another_side(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no logits"):
        save_numbers(run, tmp_path / "x.csv", with_logits=True)
    deepest = max(run.trace.n_layer_of(kind) for kind in run.trace.kinds) - 1
    shallow = min(run.trace.kinds, key=run.trace.n_layer_of)
    with pytest.raises(InputError, match=f"Layer {deepest} does not exist"):
        save_numbers(run, tmp_path / "x.csv", [deepest], kind=shallow)
    assert not (tmp_path / "x.csv").exists()
