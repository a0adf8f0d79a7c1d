"""What a picture shows, read back from each form of file: equal to the sight's numbers, with the shares that are not in them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from attnviz.cli import main
from attnviz.engine.model import load_model
from attnviz.errors import ExportError
from attnviz.export.provenance import view_facts
from attnviz.export.shown import save_shown
from attnviz.session.grid_choice import GridChoice
from attnviz.session.sight import sight_of
from attnviz.session.view import PICTURE_NAMES, HeadChoice, Sinks, View
from tests.golden.families_reader import write_model
from tests.scene.pictures import SHOWN, run_of, text_of
from tests.scene.steps_cases import change

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.session.run import Run

TEXT: Final = "Unbelievably, it overslept."
HEADS: Final = HeadChoice(frozenset({1, 4}), 12)
VIEWS: Final = {
    "plain": View(3, sinks=SHOWN),
    "hidden": View(3, HEADS),
    "words": View(2, HEADS, words=True, sinks=Sinks(frozenset({"special", "punctuation"}), "renormalise")),
    "mean": View(1, HEADS, is_mean=True),
    "rollout": View(4, quantity="rollout"),
    "dim": View(0, HEADS, sinks=Sinks(treatment="dim")),
}
each_view: Final = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)


@pytest.fixture(scope="module")
def run(minilm: Model) -> Run:
    return run_of(minilm, TEXT)


def read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file}


@each_view
def test_npz_holds_the_weights_that_are_seen_and_the_share_that_is_not(run: Run, tmp_path: Path, view: View) -> None:
    save_shown(run, view, tmp_path / "x.npz")
    content, sight = read_npz(tmp_path / "x.npz"), sight_of(run.trace, view)
    weights = content["weights"]
    assert weights.dtype == np.float32
    assert weights.shape == (1, len(sight.heads), len(sight.queries), len(sight.keys))
    assert content["heads"].tolist() == list(sight.heads)
    assert content["query_tokens"].tolist() == [sight.tokens[unit].shown for unit in sight.queries]
    for row, unit in enumerate(sight.queries):
        for column, key in enumerate(sight.keys):
            assert np.array_equal(weights[0, :, row, column], sight.weights[:, unit, key])
    whole = weights.sum(-1, dtype=float) + (content["taken_out"] if view.sinks.treatment == "hide" else 0.0)
    assert np.allclose(whole, 1.0, atol=1e-5)
    facts = json.loads(str(content["provenance"]))
    assert facts["shares"]["sinks"] == pytest.approx(sight.shares.sinks, abs=1e-6)
    assert (facts["quantity"], facts["whole_words"], facts["mean_of_heads"]) == (view.quantity, view.words, -1 in sight.heads)


@each_view
def test_json_and_csv_hold_the_same_numbers(run: Run, tmp_path: Path, view: View) -> None:
    for suffix in (".npz", ".json", ".csv"):
        save_shown(run, view, tmp_path / f"x{suffix}")
    arrays = read_npz(tmp_path / "x.npz")
    told = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert np.array_equal(np.array(told["weights"], np.float32), arrays["weights"])
    lines = (tmp_path / "x.csv").read_text(encoding="utf-8").splitlines()
    facts = {name: json.loads(value) for name, _, value in (line[2:].partition(": ") for line in lines if line.startswith("# "))}
    assert facts == told["provenance"]
    rows = list(csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("# ")))))
    assert [np.float32(row["weight"]) for row in rows] == arrays["weights"].ravel().tolist()
    assert {row["head"] for row in rows} == {"mean" if head == -1 else str(head) for head in arrays["heads"].tolist()}
    assert [row["key_token"] for row in rows[: len(arrays["key_tokens"])]] == arrays["key_tokens"].tolist()
    assert [int(row["key"]) for row in rows[: len(arrays["key_tokens"])]] == arrays["key_positions"].tolist()


def test_a_grid_is_the_summaries_of_all_heads(run: Run, tmp_path: Path) -> None:
    for suffix in (".npz", ".csv"):
        save_shown(run, View(picture="grid", grid=GridChoice("entropy", True)), tmp_path / f"x{suffix}")
    arrays = read_npz(tmp_path / "x.npz")
    assert arrays["entropy"].shape == arrays["distance"].shape == arrays["sink_share"].shape == (6, 12)
    attention = run.trace.attention(3)[4, 1:-1].astype(float)
    assert arrays["sink_share"][3, 4] == pytest.approx(attention[:, [0, -1]].sum(-1).mean(), abs=1e-5)
    rows = attention[:, 1:-1] / attention[:, 1:-1].sum(-1, keepdims=True)
    assert arrays["entropy"][3, 4] == pytest.approx(-(rows * np.log(rows)).sum(-1).mean(), abs=1e-4)
    table = list(csv.DictReader(line for line in (tmp_path / "x.csv").read_text().splitlines() if not line.startswith("# ")))
    assert len(table) == 72
    row = next(row for row in table if (row["layer"], row["head"]) == ("3", "4"))
    assert np.float32(row["entropy"]) == arrays["entropy"][3, 4]
    facts = json.loads(str(arrays["provenance"]))
    assert facts["grid"] == {"summary": "entropy", "is_sorted": True, "least": None, "most": None}


def test_steps_are_every_array_of_one_token(run: Run, tmp_path: Path) -> None:
    it = run.trace.tokens.index("it")
    view = View(3, HEADS, focus=it, picture="steps")
    for suffix in (".npz", ".json", ".csv"):
        save_shown(run, view, tmp_path / f"x{suffix}")
    steps, arrays = run.trace.steps(3, it), read_npz(tmp_path / "x.npz")
    for name, value in vars(steps).items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(arrays[name], value), name
    facts = json.loads(str(arrays["provenance"]))
    assert (facts["query"], facts["query_token"], facts["head"]) == (it, "it", 1)
    told = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert np.array_equal(np.array(told["context"], np.float32), steps.context)
    table = csv.DictReader(line for line in (tmp_path / "x.csv").read_text().splitlines() if not line.startswith("# "))
    read = {(row["step"], int(row["head"]), int(row["key"]), int(row["number"])): float(row["value"]) for row in table}
    assert read["attention", 1, 2, -1] == pytest.approx(steps.attention[1, 2])
    assert read["q", 4, -1, 31] == pytest.approx(steps.q[4, 31])
    assert read["k", 4, 5, 0] == pytest.approx(steps.k[4, 5, 0])
    assert read["context", 7, -1, 3] == pytest.approx(steps.context[7, 3])
    assert read["projected", -1, -1, 383] == pytest.approx(steps.projected[383])
    assert read["hidden", -1, 3, -1] == 0.0
    assert read["scale", -1, -1, -1] == pytest.approx(32**-0.5)
    assert len(read) == sum(np.size(value) for value in arrays.values()) - 1  # all but the provenance, each once


@pytest.mark.parametrize("way", ["zero", "uniform", "frozen", "more", "set"])
def test_steps_have_what_a_person_changed(run: Run, tmp_path: Path, way: str) -> None:
    it = run.trace.tokens.index("it")
    made = change(run, View(3, HeadChoice(frozenset({1}), 12), focus=it, picture="steps"), it, way)
    for suffix in (".npz", ".json", ".csv"):
        save_shown(made.run, made.view, tmp_path / f"x{suffix}")
    steps, arrays = made.run.trace.steps(3, it), read_npz(tmp_path / "x.npz")
    wanted = {name: value for name in ("changed", "strength") if (value := getattr(steps, name)) is not None}
    assert set(wanted) == set(arrays) & {"changed", "strength"} != set()
    told = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    table = csv.DictReader(line for line in (tmp_path / "x.csv").read_text().splitlines() if not line.startswith("# "))
    read = {(row["step"], int(row["head"]), int(row["key"]), int(row["number"])): np.float32(row["value"]) for row in table}
    for name, values in wanted.items():
        assert np.array_equal(arrays[name], values)
        assert np.array_equal(np.array(told[name], np.float32), values)
        for at, value in np.ndenumerate(values):
            assert read[name, at[0], at[1] if len(at) == 2 else -1, -1] == value
    weights = steps.attention if steps.changed is None else steps.changed
    context = np.einsum("hk,hkd->hd", weights, steps.values)
    assert np.allclose(context, arrays["context"], atol=1e-5)
    strength = np.ones(12) if steps.strength is None else steps.strength
    assert np.allclose((arrays["context"] * strength[:, None]).ravel(), arrays["concatenated"], atol=1e-6)


def test_hidden_keys_have_no_score_in_json(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    write_model("llama-gqa", tmp_path / "model")
    run = run_of(load_model(tmp_path / "model"), "the fox sat")
    save_shown(run, View(0, focus=0, picture="steps"), tmp_path / "x.json")
    scores = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["scores"]
    assert scores[0][-1] is None
    assert isinstance(scores[0][0], float)


def test_several_layers_have_their_shares_each(run: Run, tmp_path: Path) -> None:
    save_shown(run, View(0, HEADS, words=True), tmp_path / "x.npz", [0, 2, 4])
    arrays = read_npz(tmp_path / "x.npz")
    facts = json.loads(str(arrays["provenance"]))
    assert (facts["layer"], facts["heads"]) == ([0, 2, 4], [1, 4])
    for number, layer in enumerate((0, 2, 4)):
        told = facts["shares"][number]
        assert told["layer"] == layer
        assert told["sinks"] == pytest.approx(arrays["taken_out"][number].mean(), abs=1e-5)
    assert arrays["query_positions"].tolist() == [place.start for place in sight_of(run.trace, View(words=True)).units.places[1:-1]]


def test_a_grid_tells_the_shares_of_all_its_heads(run: Run, tmp_path: Path) -> None:
    save_shown(run, View(3, HEADS, picture="grid"), tmp_path / "x.npz")
    facts = json.loads(str(read_npz(tmp_path / "x.npz")["provenance"]))
    hidden = np.mean([run.trace.attention(layer)[:, 1:-1][:, :, [0, -1]].sum(-1).mean() for layer in range(6)])
    assert facts["shares"]["sinks"] == pytest.approx(hidden, abs=1e-5)
    assert facts["heads"] == list(range(12))


def test_a_file_tells_the_colours_that_the_picture_has(run: Run, minilm: Model) -> None:
    long = run_of(minilm, text_of(minilm, 80))
    views = [View(picture="matrix", is_log=is_log) for is_log in (None, False, True)]
    told = [[view_facts(each, view)["is_log"] for view in views] for each in (run, long)]
    assert told == [[False, False, True], [True, False, True]]


def test_what_a_picture_does_not_have_is_not_told_of_it(run: Run) -> None:
    told = {
        picture: view_facts(run, View(3, HEADS, picture=picture, quantity="rollout", between="across")) for picture in PICTURE_NAMES
    }
    assert {picture for picture, facts in told.items() if "threshold" in facts} == {"arcs"}
    assert {picture for picture, facts in told.items() if "is_log" in facts} == {"matrix"}
    assert not {"quantity", "sinks", "shares", "whole_words"} & set(told["steps"])
    assert told["arcs"]["texts"] == "all"  # there is one text
    assert (told["matrix"]["mean_of_heads"], told["matrix"]["heads"]) == (True, [1, 4])


def test_a_decoders_rows_are_numbered_as_in_its_own_text_and_its_own_sink_is_told(tmp_path: Path) -> None:
    write_model("t5-tied", tmp_path)
    run = run_of(load_model(tmp_path), "the fox sat", pair="the fox is")
    view = View(1, kind="cross", sinks=SHOWN, quantity="rollout")
    save_shown(run, view, tmp_path / "x.npz")
    arrays = read_npz(tmp_path / "x.npz")
    assert arrays["query_positions"].tolist() == list(range(len(run.trace.decoder_tokens)))
    assert np.array_equal(arrays["weights"][0], run.trace.attention(1, "cross"))
    assert json.loads(str(arrays["provenance"]))["quantity"] == "attention"


def test_a_row_is_what_is_shown_and_all_that_is_not(tmp_path: Path, minilm: Model) -> None:
    write_model("gpt-oss-windows-yarn", tmp_path)
    pair = run_of(minilm, "Who slept?", pair="The cat slept.")
    for run, view in ((run_of(load_model(tmp_path), "the fox sat"), View(1)), (pair, View(1, between="across"))):
        save_shown(run, view, tmp_path / "x.npz")
        arrays = read_npz(tmp_path / "x.npz")
        whole = arrays["weights"].sum(-1) + arrays["taken_out"] + arrays["other_texts"] + arrays["own_sink"]
        assert np.allclose(whole, 1.0, atol=1e-5)


def test_steps_of_no_head_are_refused(run: Run, tmp_path: Path) -> None:
    view = View(3, HeadChoice(frozenset(), 12), picture="steps")
    with pytest.raises(ExportError, match="No head is shown"):
        save_shown(run, view, tmp_path / "x.npz")


def test_an_ending_that_is_no_form_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"use one of \.npz, \.json, \.csv"):
        save_shown(run, View(), tmp_path / "x.png")


def test_the_command_line_writes_what_a_picture_shows_of_several_layers(minilm: Model, tmp_path: Path) -> None:
    out = tmp_path / "x.npz"
    options = ["--heads", "1,4", "--words", "--sinks", "special,punctuation", "--treat", "renormalise", "--layers", "2,5"]
    assert main(["attend", "--model", str(minilm.path), "--text", TEXT, *options, "-o", str(out)]) == 0
    content = read_npz(out)
    assert content["layers"].tolist() == [2, 5]
    assert content["query_tokens"].tolist() == ["Unbelievably", ",", "it", "overslept", "."]
    assert content["key_tokens"].tolist() == ["Unbelievably", "it", "overslept"]
    assert np.allclose(content["weights"].sum(-1), 1.0, atol=1e-5)
    assert content["taken_out"].shape == (2, 2, 5)


def test_scores_over_the_vocabulary_and_a_picture_exclude_each_other(
    minilm: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--mean", "--logits", "-o", str(tmp_path / "x.npz")]
    assert main(["attend", "--model", str(minilm.path), "--text", TEXT, *options]) == 2
    assert "leave out --logits" in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()
