"""The cosine of a token's vectors in two runs, layer by layer: the published figures of "bank", and what plain sums find."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from attnviz.engine.model import load_model
from attnviz.errors import InputError
from attnviz.session.comparison import comparison_of
from attnviz.session.layer_cosines import LayerCosines, cosine_of_output, cosines_by_layer, layer_cosines
from attnviz.session.view import View
from tests.engine.tiny_bert import write_bert
from tests.golden.families_reader import write_model
from tests.scene.pictures import run_of
from tests.session.compared import TIRED, WIDE, against, one_head, two_texts

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.session.run import Run

MONEY: Final = "I deposited money in the bank."


def found(run: Run, view: View) -> LayerCosines | None:
    comparison = comparison_of(run, view)
    assert comparison is not None
    return layer_cosines(comparison)


@pytest.mark.parametrize(
    ("text", "first", "entering_5", "last"),
    [
        ("She opened an account at the bank.", 0.99, 0.92, 0.86),
        ("I sat near the river bank.", 1.00, 0.86, 0.77),
        ("The muddy bank was covered with reeds.", 0.96, 0.79, 0.69),
    ],
)
def test_bank_parts_from_bank_layer_by_layer(minilm: Model, text: str, first: float, entering_5: float, last: float) -> None:
    run = two_texts(minilm, MONEY, text)
    banks = [one.trace.tokens.index("bank") for one in (run, run.against)]
    course = cosines_by_layer(run, run.against, *(range(at, at + 1) for at in banks), View())
    assert (course.shape, course.dtype) == ((7,), np.float32)
    assert [round(float(course[layer]), 2) for layer in (0, 5, 6)] == [first, entering_5, last]


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    dot, left, right = (sum(float(x) * float(y) for x, y in zip(u, v, strict=True)) for u, v in ((a, b), (a, a), (b, b)))
    return dot / math.sqrt(left * right)


def test_a_word_has_the_mean_of_its_pieces(minilm: Model) -> None:
    run = two_texts(minilm, "Unbelievably, it slept.", "It slept unbelievably.")
    places = [range(1, 6), range(3, 8)]
    pieces = [
        [token.shown for token in one.trace.pieces][place.start : place.stop]
        for one, place in zip((run, run.against), places, strict=True)
    ]
    assert "".join(pieces[0]).lower() == "".join(pieces[1]).lower() == "unbelievably"
    course = cosines_by_layer(run, run.against, *places, View())
    for layer in range(7):
        vectors = [
            one.trace.entering(layer)[place.start : place.stop].mean(0)
            for one, place in zip((run, run.against), places, strict=True)
        ]
        assert course[layer] == pytest.approx(cosine(*vectors), abs=1e-5)


def test_the_token_in_focus_has_its_course_and_without_one_all_have_their_mean(minilm: Model) -> None:
    run = two_texts(minilm, TIRED, WIDE)
    it = found(run, View(focus=10))
    assert (it.texts, it.n_unit) == (("it", "it"), 1)
    assert it.output == pytest.approx(float(it.by_layer[-1]), abs=1e-6)  # this model has no norm behind its last layer
    of_all = found(run, View())
    places = [*zip(range(1, 12), range(1, 12), strict=True), (13, 14)]
    alone = [cosines_by_layer(run, run.against, range(i, i + 1), range(j, j + 1), View()) for i, j in places]
    assert (of_all.texts, of_all.n_unit) == (None, 12)
    np.testing.assert_allclose(of_all.by_layer, np.mean(alone, axis=0), atol=1e-6)


def test_a_token_without_a_counterpart_has_none(minilm: Model) -> None:
    assert found(two_texts(minilm, TIRED, WIDE), View(focus=12)) is None
    assert found(two_texts(minilm, "cats sleep", "He wrote a book."), View()) is None


def test_one_text_begins_alike_and_a_what_if_turns_its_vectors(minilm: Model) -> None:
    course = found(one_head(minilm), View(focus=2)).by_layer
    assert course[0] == 1.0
    assert course[-1] < 0.9


def test_models_of_other_shapes_are_refused(minilm: Model, tmp_path: Path) -> None:
    run = against(run_of(minilm, "the cat"), run_of(load_model(write_bert(tmp_path)), "the cat"))
    with pytest.raises(InputError, match="6 layers of width 384, the other 2 of width 16"):
        found(run, View(focus=1))


def test_a_final_norm_is_behind_the_last_of_the_layers(tmp_path: Path) -> None:
    model = load_model(write_model("llama-gqa", tmp_path))
    run = two_texts(model, "the fox sat", "the den sat")
    last = len(run.trace.tokens) - 1
    unit = range(last, last + 1)
    behind = cosine_of_output(run, run.against, unit, unit, View())
    assert behind == pytest.approx(cosine(run.trace.hidden[last], run.against.trace.hidden[last]), abs=1e-5)
    leaving = [one.trace.entering(one.trace.n_layer)[last] for one in (run, run.against)]
    assert float(cosines_by_layer(run, run.against, unit, unit, View())[-1]) == pytest.approx(cosine(*leaving), abs=1e-5)
    assert behind != pytest.approx(cosine(*leaving), abs=1e-5)


def test_each_side_of_an_encoder_decoder_has_its_own_vectors(tmp_path: Path) -> None:
    model = load_model(write_model("t5-tied", tmp_path))
    one, other = run_of(model, "the fox sat", pair="the den"), run_of(model, "the fox ran", pair="the den")
    view, begins = View(0, kind="cross"), [len(side.trace.tokens) for side in (one, other)]
    assert begins[0] != begins[1]
    for kind, at in (("encoder", 0), ("decoder", 1)):
        units = [at if kind == "encoder" else begin + at for begin in begins]
        course = cosines_by_layer(one, other, *(range(unit, unit + 1) for unit in units), view)
        for layer in range(len(course)):
            vectors = [side.trace.entering(layer, kind)[at] for side in (one, other)]
            assert course[layer] == pytest.approx(cosine(*vectors), abs=1e-5)


def test_where_a_decoder_looks_at_an_encoder_of_another_depth_the_mean_is_of_the_decoders_tokens(tmp_path: Path) -> None:
    model = load_model(write_model("t5-gated-silu-bare", tmp_path / "t5"))
    run = against(*(run_of(model, text, pair="a cat sings") for text in ("the cat sings", "the dog sings")))
    course = found(run, View(kind="cross"))
    assert len(course.by_layer) == run.trace.n_layer_of("decoder") + 1
    assert 0 < course.n_unit <= len(run.trace.queries("cross"))
