"""Pictures of an encoder-decoder: its three attentions, and the two texts of the one that crosses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.analysis.edges import Threshold
from attnviz.engine.model import Model, load_model
from attnviz.export.provenance import provenance
from attnviz.scene.arcs.focus import arcs_in_focus, focus_labels
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import load_theme
from attnviz.scene.words import left_out_line
from attnviz.session.view import View
from tests.golden.families_reader import write_model
from tests.scene.pictures import SHOWN, hiding, rooms, run_of, stand_in_measure

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.config import Kind
    from attnviz.scene.scene import Scene
    from attnviz.session.run import Run

TEXT, PAIR = "Why not cross the street?", "The fox, because it was tired."
WINDOW = Layout(900.0, 500.0)
EVERYTHING = Threshold("weight", 0.0)


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(write_model("t5-tied", tmp_path_factory.mktemp("t5")))


@pytest.fixture(scope="module")
def run(t5: Model) -> Run:
    return run_of(t5, TEXT, pair=PAIR)


def picture(run: Run, kind: Kind, layout: Layout = WINDOW) -> Scene:
    view = View(kind=kind, threshold=EVERYTHING, sinks=SHOWN)
    return build_scene(run, view, load_theme("light"), layout, stand_in_measure)


@pytest.mark.parametrize(("kind", "n_query", "n_key"), [("encoder", 0, 0), ("decoder", 1, 1), ("cross", 1, 0)])
def test_each_arc_carries_the_weight_of_its_query_and_key(run: Run, kind: Kind, n_query: int, n_key: int) -> None:
    scene, attention = picture(run, kind), run.trace.attention(0, kind)
    tokens = [len(run.trace.tokens), len(run.trace.decoder_tokens)]
    assert attention.shape[1:] == (tokens[n_query], tokens[n_key])
    first = tokens[0] if kind == "cross" else 0
    arcs = scene.arcs
    np.testing.assert_array_equal(arcs.weight, attention[arcs.head, arcs.query - first, arcs.key])
    assert len(arcs) == np.count_nonzero(attention)


def test_in_the_decoder_no_arc_looks_ahead(run: Run) -> None:
    scene = picture(run, "decoder")
    assert (scene.arcs.key <= scene.arcs.query).all()
    assert any("all arcs look back" in label.text for label in scene.labels)


def test_across_the_decoders_tokens_stand_below_the_encoders(run: Run) -> None:
    scene, n = picture(run, "cross"), len(run.trace.tokens)
    above, below = scene.tokens[:n], scene.tokens[n:]
    assert [box.text for box in above] == [piece.shown for piece in run.trace.pieces]
    assert [box.text for box in below] == [piece.shown for piece in run.trace.queries("cross")]
    assert max(box.bottom for box in above) + 70 <= min(box.top for box in below)
    starts, ends = scene.arcs.curve[:, 0, 1], scene.arcs.curve[:, 3, 1]
    assert (starts > ends).all()  # an arc leaves its query upwards
    middles = [(min(box.left for box in row) + max(box.right for box in row)) / 2 for row in (above, below)]
    assert middles == pytest.approx([450.0, 450.0], abs=1.0)


@pytest.mark.parametrize("width", [420.0, 900.0])
@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_nothing_overlaps_and_all_is_on_the_picture(t5: Model, kind: Kind, width: float) -> None:
    scene = picture(run_of(t5, TEXT * 3, pair=PAIR * 2), kind, Layout(width, 0.0, caption=True))
    taken = rooms(scene, stand_in_measure)
    assert all(room.within(scene.width, scene.height) for room in taken)
    assert not [(a.what, b.what) for i, a in enumerate(taken) for b in taken[i + 1 :] if a.overlaps(b)]


def test_the_caption_says_which_attention_it_is(run: Run) -> None:
    phrases = {"encoder": "encoder, layer 0", "decoder": "decoder, layer 0", "cross": "decoder looking at encoder, layer 0"}
    for kind, phrase in phrases.items():
        assert phrase in picture(run, kind).description


def test_a_model_of_one_attention_has_no_word_for_it(minilm: Model) -> None:
    assert "encoder" not in picture(run_of(minilm, TEXT), "cross").description


def test_a_pinned_token_of_the_encoder_brings_forward_the_arcs_that_look_at_it(run: Run) -> None:
    view = View(kind="cross", threshold=EVERYTHING, sinks=SHOWN, focus=1)
    scene = build_scene(run, view, load_theme("light"), WINDOW, stand_in_measure)
    np.testing.assert_array_equal(arcs_in_focus(scene), scene.arcs.key == 1)
    numbers = {label.text for label, _ in focus_labels(scene, stand_in_measure)}
    strongest = run.trace.attention(0, "cross")[:, :, 1].max(axis=0)
    assert numbers
    assert numbers <= {f"{weight:.2f}" for weight in strongest}


def test_a_pinned_token_of_the_decoder_brings_forward_what_it_looks_at(run: Run) -> None:
    first = len(run.trace.tokens)
    view = View(kind="cross", threshold=EVERYTHING, sinks=SHOWN, focus=first + 2)
    scene = build_scene(run, view, load_theme("light"), WINDOW, stand_in_measure)
    np.testing.assert_array_equal(arcs_in_focus(scene), scene.arcs.query == first + 2)


@pytest.mark.parametrize("kind", ["decoder", "cross"])
def test_a_decoder_without_a_text_says_what_it_waits_for(t5: Model, kind: Kind) -> None:
    alone = run_of(t5, TEXT)
    for hide_specials in (True, False):
        view = View(kind=kind, sinks=hiding(hide_specials))
        lines = [label.text for label in build_scene(alone, view, load_theme("light"), WINDOW, stand_in_measure).labels]
        assert any("read only its start token: give it a text" in line for line in lines) == hide_specials


def test_what_is_left_out_is_said_of_each_side(tmp_path: Path) -> None:
    model = load_model(write_model("bart-lm", tmp_path))
    run = run_of(model, "cat " * 400, pair="dog " * 400)
    both = run.trace.encoding.left_out, run.trace.decoder_encoding.left_out
    line = left_out_line(run)
    assert all(both)
    assert f"the last {both[0]:,} tokens of the text" in line
    assert f"the last {both[1]:,} tokens of the decoder's text" in line
    facts = provenance(run)
    assert (facts["tokens_left_out"], facts["decoder_tokens_left_out"]) == both
