"""Two runs as files: both, their difference and their measures, each with where it comes from; the command that makes it again."""

from __future__ import annotations

import csv
import io
import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pypdf
import pytest

from attnviz.analysis.edges import Threshold
from attnviz.cli import main
from attnviz.engine.changes import NOTHING, HeadAt, WeightAt
from attnviz.engine.model import load_model
from attnviz.export.against import against_options
from attnviz.export.command import figure_command, numbers_command
from attnviz.export.figure import Paper, figure_facts, figure_scene, save_figure
from attnviz.export.provenance import provenance
from attnviz.export.shown import save_shown
from attnviz.session.comparing import kept, other_text, trained
from attnviz.session.comparison import comparison_of
from attnviz.session.layer_cosines import layer_cosines
from attnviz.session.measures import measures, measures_by_layer
from attnviz.session.request import Request
from attnviz.session.run import Runner
from attnviz.session.sight import sight_of
from attnviz.session.view import HeadChoice, Sinks, View
from tests.golden.families_reader import write_model
from tests.scene.pictures import run_of
from tests.session.compared import TIRED, WIDE, against, one_head, two_texts

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from attnviz.engine.model import Model
    from attnviz.session.comparing import Against
    from attnviz.session.run import Run

HEADS: Final = HeadChoice(frozenset({1, 4}), 12)
VIEWS: Final = {
    "hidden": View(3, HEADS),
    "words": View(2, words=True, sinks=Sinks(frozenset({"special", "punctuation"}), "renormalise")),
    "mean": View(1, HEADS, is_mean=True, focus=10),
    "norms": View(4, HEADS, quantity="norms", picture="matrix"),
}
each_view: Final = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)


@pytest.fixture(scope="module")
def tired(minilm: Model) -> Run:
    return two_texts(minilm, TIRED, WIDE)


def read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file}


# Numbers


@each_view
def test_npz_holds_both_sides_and_their_difference(tired: Run, tmp_path: Path, view: View) -> None:
    save_shown(tired, view, tmp_path / "x.npz")
    content = read_npz(tmp_path / "x.npz")
    for letter, run in (("a", tired), ("b", tired.against)):
        sight = sight_of(run.trace, view)
        np.testing.assert_array_equal(content[f"weights_{letter}"], sight.shown)
        assert content[f"weights_{letter}"].dtype == np.float32
        assert content[f"heads_{letter}"].tolist() == list(sight.heads)
        assert content[f"query_tokens_{letter}"].tolist() == [sight.tokens[unit].shown for unit in sight.queries]
        assert content[f"key_positions_{letter}"].tolist() == [sight.position(unit) for unit in sight.keys]
    rows = [content["query_positions_a"].tolist().index(at) for at in content["difference_query_positions"]]
    columns = [content["key_positions_a"].tolist().index(at) for at in content["difference_key_positions"]]
    a = content["weights_a"][:, rows][:, :, columns]
    b_rows = [row if row < 11 - (3 if view.words else 0) else row + 1 for row in rows]
    b_columns = [
        content["key_tokens_b"].tolist().index(content["key_tokens_a"][column]) if column > 7 else column for column in columns
    ]
    if not view.words:
        np.testing.assert_array_equal(content["difference"], a - content["weights_b"][:, b_rows][:, :, b_columns])
    assert "tired" in content["query_tokens_a"]
    assert "tired" not in content["difference_query_tokens"]


def test_the_measures_and_the_cosines_are_with_them(tired: Run, tmp_path: Path) -> None:
    view = View(3, focus=10)
    save_shown(tired, view, tmp_path / "x.npz")
    content = read_npz(tmp_path / "x.npz")
    rows = measures(tired, view)
    assert content["measure_names"].tolist() == [row.name for row in rows]
    np.testing.assert_allclose(content["measures"], [row.layer for row in rows], rtol=1e-6)
    np.testing.assert_allclose(content["measures_mean"], [row.mean for row in rows], rtol=1e-6)
    at = content["by_layer_names"].tolist().index("distance")
    for letter, run in (("a", tired), ("b", tired.against)):
        np.testing.assert_array_equal(content[f"by_layer_{letter}"][at], measures_by_layer(run.trace, view).distance)
    cosines = layer_cosines(comparison_of(tired, view))
    np.testing.assert_array_equal(content["layer_cosines"], cosines.by_layer)
    assert json.loads(str(content["provenance"]))["layer_cosines_of"] == ["it", "it"]


@each_view
def test_json_and_csv_hold_the_same_numbers(tired: Run, tmp_path: Path, view: View) -> None:
    for suffix in (".npz", ".json", ".csv"):
        save_shown(tired, view, tmp_path / f"x{suffix}")
    arrays = read_npz(tmp_path / "x.npz")
    told = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    for name in ("weights_a", "weights_b", "difference", "layer_cosines", "by_layer_b"):
        np.testing.assert_array_equal(np.array(told[name], np.float32), arrays[name])
    lines = (tmp_path / "x.csv").read_text(encoding="utf-8").splitlines()
    facts = {name: json.loads(value) for name, _, value in (line[2:].partition(": ") for line in lines if line.startswith("# "))}
    assert facts == told["provenance"]
    rows = list(csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("# ")))))
    for part, name in (("A", "weights_a"), ("B", "weights_b"), ("difference", "difference")):
        values = [np.float32(row["value"]) for row in rows if (row["part"], row["name"]) == (part, "weight")]
        assert values == arrays[name].ravel().tolist()
    mean = next(row for row in rows if (row["part"], row["name"], row["layer"]) == ("B", "entropy", "mean"))
    assert np.float32(mean["value"]) == arrays["measures_mean"][arrays["measure_names"].tolist().index("entropy"), 1]
    course = [np.float32(row["value"]) for row in rows if row["name"] == "layer_cosine"]
    assert course == arrays["layer_cosines"].tolist()


def test_where_both_come_from_is_in_every_form(tired: Run, tmp_path: Path) -> None:
    save_shown(tired, View(3, focus=13, setting="difference"), tmp_path / "x.npz")
    facts = json.loads(str(read_npz(tmp_path / "x.npz")["provenance"]))
    assert (facts["text"], facts["against"]["text"]) == (TIRED, WIDE)
    assert {name: facts["against"][name] for name in provenance(tired.against)} == provenance(tired.against)
    assert (facts["setting"], facts["focus"], facts["against"]["focus"]) == ("difference", 13, 14)
    left_out = comparison_of(tired, View(3, setting="difference")).difference.left_out
    assert facts["difference"]["left_out"] == pytest.approx({"a": left_out[0], "b": left_out[1]}, abs=1e-6)


def test_runs_without_a_difference_or_of_other_shapes_are_written_without(minilm: Model, tmp_path: Path) -> None:
    other = run_of(load_model(write_model("t5-tied", tmp_path)), "the fox", pair="the den")
    save_shown(against(other, run_of(minilm, "the fox")), View(0, kind="cross"), tmp_path / "x.npz")
    content = read_npz(tmp_path / "x.npz")
    assert "difference" not in content
    assert "layer_cosines" not in content
    assert {"weights_a", "weights_b", "measures"} <= set(content)
    assert "difference" not in json.loads(str(content["provenance"]))


def test_of_a_grid_and_of_steps_the_run_alone_is_written(tired: Run, tmp_path: Path) -> None:
    for picture in ("grid", "steps"):
        view = View(3, HeadChoice(frozenset({1}), 12), focus=10, picture=picture)
        for run, name in ((tired, "a"), (replace(tired, against=None), "b")):
            save_shown(run, view, tmp_path / f"{name}.json")
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


# Figures


@pytest.mark.parametrize("picture", ["arcs", "matrix"])
@pytest.mark.parametrize("setting", ["side", "difference"])
@pytest.mark.usefixtures("qapp")
def test_a_figure_of_two_runs_is_written_in_every_form(tired: Run, tmp_path: Path, picture: str, setting: str) -> None:
    view = View(3, HEADS, focus=10, picture=picture, setting=setting)
    for form in (".png", ".svg", ".pdf"):
        save_figure(tired, view, tmp_path / f"x{form}", Paper(5.5, 100))
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "distinct targets per token</text>" in svg
    assert "cosine of “it” in A and “it” in B</text>" in svg
    page = pypdf.PdfReader(tmp_path / "x.pdf").pages[0]
    assert float(page.mediabox.width) == pytest.approx(5.5 * 72, abs=0.1)
    fonts = {font.get_object()["/Subtype"] for font in page["/Resources"]["/Font"].values()}
    assert "/Type3" not in fonts
    assert json.loads(figure_facts(tired, view))["against"]["text"] == WIDE


@pytest.mark.usefixtures("qapp")
def test_a_figure_of_a_grid_is_of_the_run_alone(tired: Run) -> None:
    view = View(3, picture="grid")
    alone = figure_scene(replace(tired, against=None), view, Paper())
    assert [label.text for label in figure_scene(tired, view, Paper()).labels] == [label.text for label in alone.labels]
    assert "against" not in json.loads(figure_facts(tired, view))


# The command


TEXT: Final = '- the fox\'s "den" $HOME 3 times'
MUTED: Final = NOTHING.with_muted(HeadAt("encoder", 1, 0), True)
SET: Final = MUTED.with_strength(HeadAt("encoder", 0, 1), 0.5).with_weight(WeightAt("encoder", 0, 0, 3, 2), 0.25)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny bert")
    write_model("bert-mlm", folder)
    return folder


def compared(request: Request, what: Against) -> Run:
    return Runner().run(replace(request, against=what.request(request)))


CASES: Final = {
    "trained": (None, NOTHING, lambda request: trained()),
    "one head against trained": (1, NOTHING, lambda request: trained()),
    "muted against trained": (None, SET, lambda request: trained()),
    "another text": (None, NOTHING, lambda request: other_text("-- a den")),
    "another text with one head": (1, MUTED, lambda request: other_text("-- a den")),
    "another text without the weights": (None, SET, lambda request: other_text("-- a den")),
    "other heads": (1, NOTHING, lambda request: kept(replace(request, head_count=3))),
    "other changes": (None, MUTED, lambda request: kept(replace(request, changes=SET))),
    "trained against muted": (None, NOTHING, lambda request: kept(replace(request, changes=SET))),
    "no pair": (None, NOTHING, lambda request: kept(replace(request, pair=None, text="the fox"))),
    "all at once": (1, MUTED, lambda request: kept(Request(request.model, "a den", "what?", None, SET.without_weights()))),
}


@pytest.mark.parametrize(("head_count", "changes", "what"), CASES.values(), ids=CASES)
def test_the_command_makes_the_same_numbers_again(
    folder: Path, tmp_path: Path, head_count: int | None, changes: object, what: Any
) -> None:
    request = Request(folder, TEXT, "what?", head_count, changes)
    run = compared(request, what(request))
    view = View(1, HeadChoice(frozenset({0, 2}), run.trace.head_count), focus=3, picture="matrix", setting="difference")
    save_shown(run, view, tmp_path / "a.json")
    name, *arguments = shlex.split(numbers_command(run, view, tmp_path / "b.json", is_shown_only=True))
    assert (name, arguments[0]) == ("attnviz", "compare")
    assert main(arguments) == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".svg"])
@pytest.mark.parametrize(
    "view",
    [
        View(1, focus=3, threshold=Threshold("weight", 0.1), setting="difference"),
        View(0, HeadChoice(frozenset({1}), 6), picture="matrix", is_log=True),
        View(1, is_mean=True, quantity="norms", words=True),
    ],
    ids=["difference", "matrix", "norms"],
)
def test_the_command_makes_the_same_figure_again(qapp: QApplication, folder: Path, tmp_path: Path, view: View, suffix: str) -> None:
    run = compared(Request(folder, TEXT, None, 6, MUTED), trained())
    paper = Paper(6.25, 90, "dark", "theme")
    save_figure(run, view, tmp_path / f"a{suffix}", paper)
    assert main(shlex.split(figure_command(run, view, tmp_path / f"b{suffix}", paper))[1:]) == 0
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_what_a_model_wrote_is_compared_again(tmp_path: Path) -> None:
    model = write_model("llama-gqa", tmp_path)
    base = Request(model, "the fox", written=(5, 7))
    for number, other in enumerate(
        (trained(), other_text("the den"), kept(replace(base, written=(5,))), kept(replace(base, written=())))
    ):
        run, view = compared(base, other), View(1)
        save_shown(run, view, tmp_path / f"a{number}.json")
        assert main(shlex.split(numbers_command(run, view, tmp_path / f"b{number}.json", is_shown_only=True))[1:]) == 0
        one, again = (json.loads((tmp_path / f"{name}{number}.json").read_text(encoding="utf-8")) for name in "ab")
        for name in ("weights_a", "weights_b", "difference"):
            # A token that is read on from kept keys differs from one that is read anew by rounding.
            np.testing.assert_allclose(one[name], again[name], atol=1e-5)
        assert one["query_tokens_b"] == again["query_tokens_b"]
        assert one["provenance"]["against"].get("written") == again["provenance"]["against"].get("written")


def test_two_models_are_named(minilm: Model, folder: Path, tmp_path: Path) -> None:
    run = against(one_head(minilm, "the fox"), run_of(load_model(folder), "the fox"))
    words = shlex.split(numbers_command(run, View(1), tmp_path / "x.csv", is_shown_only=True))
    assert words[words.index("--with-model") + 1] == str(folder)
    assert main(words[1:]) == 0


def test_the_whole_run_and_other_pictures_are_those_of_a_alone(tired: Run, tmp_path: Path) -> None:
    assert shlex.split(numbers_command(tired, View(), tmp_path / "x.npz", is_shown_only=False))[1] == "attend"
    assert shlex.split(figure_command(tired, View(picture="grid"), tmp_path / "x.png", Paper()))[1] == "render"


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        ("--model m --text=a", "--model m --text=a", "--with-trained"),
        ("--model m --text=a", "--model m --text=b", "--with-text=b"),
        ("--model m --text=a --head-count 1", "--model m --text=a", "--with-trained"),
        ("--model m --text=a --head-count 1", "--model m --text=b --head-count 1", "--with-text=b"),
        ("--model m --text=a --mute L0.H1", "--model n --text=a", "--with-trained --with-model n"),
        (
            "--model m --text=a",
            "--model m --text=a --strength L0.H1=2 --strength L0.H2=0",
            "--with-strength L0.H1=2 --with-strength L0.H2=0",
        ),
        ("--model m --text=a --pair=b", "--model m --text=a", "--with-pair="),
        ("--model m --text=a --written 1", "--model m --text=a --written 1,2", "--with-written 1,2"),
        ("--model m --text=a --written 1", "--model m --text=b", "--with-text=b"),
    ],
)
def test_only_what_differs_is_named(ours: str, theirs: str, wanted: str) -> None:
    assert against_options(ours.split(), theirs.split()) == wanted.split()
