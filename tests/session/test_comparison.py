"""Two runs under one view: their difference is the one of aligned weights, taken by plain loops, and is told where it is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.analysis.alignment import Alignment
from attnviz.engine.model import load_model
from attnviz.engine.tokenizer import Token
from attnviz.errors import InputError
from attnviz.session.comparing import kept, other_text, trained
from attnviz.session.comparison import align_units, comparison_of, views_of
from attnviz.session.request import Request
from attnviz.session.run import Runner
from attnviz.session.sight import sight_of
from attnviz.session.view import HeadChoice, Sinks, View
from tests.engine.tiny_bert import write_bert
from tests.golden.families_reader import write_model
from tests.scene.pictures import SHOWN, run_of
from tests.session.compared import BOY, TIRED, WIDE, against, one_head, two_texts
from tests.session.test_sight import VIEWS

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.session.comparison import Comparison, Difference
    from attnviz.session.run import Run

VIEW: Final = View(3, setting="difference")


def compared(run: Run, view: View) -> Comparison:
    comparison = comparison_of(run, view)
    assert comparison is not None
    return comparison


def difference(run: Run, view: View = VIEW) -> Difference:
    found = compared(run, replace(view, setting="difference")).difference
    assert found is not None
    return found


@pytest.fixture(scope="module")
def tired(minilm: Model) -> Run:
    return two_texts(minilm, TIRED, WIDE)


@pytest.fixture(scope="module")
def single(minilm: Model) -> Run:
    return one_head(minilm)


def test_a_run_that_is_compared_with_none_has_no_comparison(minilm: Model) -> None:
    assert comparison_of(run_of(minilm, BOY), VIEW) is None


def test_side_by_side_there_is_no_difference_to_take(tired: Run) -> None:
    assert compared(tired, View(3)).difference is None


@given(VIEWS)
def test_a_run_differs_from_itself_in_nothing(minilm: Model, tired: Run, view: View) -> None:
    found = difference(against(tired, replace(tired, against=None)), view)
    assert not found.sight.weights.any()
    assert (found.is_none, found.largest, found.left_out, found.alone) == (True, 0.0, (0.0, 0.0), ((), ()))


def test_two_runs_that_are_made_anew_differ_in_nothing(minilm: Model) -> None:
    assert difference(against(run_of(minilm, BOY), run_of(minilm, BOY))).is_none


def test_weights_that_differ_by_rounding_alone_differ_in_nothing(minilm: Model) -> None:
    one, other = run_of(minilm, BOY), run_of(minilm, BOY)
    for layer in range(other.trace.n_layer):
        other.trace._attention.put((other.trace.kinds[0], layer), other.trace.attention(layer) * np.float32(1 + 3e-7))
    found = difference(against(one, other))
    assert (found.of_a != found.of_b).any()
    assert not found.sight.weights.any()
    assert (found.is_none, str(found.largest)) == (True, "0.0")


@settings(max_examples=40)
@given(VIEWS, st.sampled_from([(TIRED, WIDE), (WIDE, "It was a street."), (TIRED, BOY)]), st.sampled_from([None, 1, 4]))
def test_the_two_runs_changed_about_negate_the_difference(
    minilm: Model, view: View, texts: tuple[str, str], head_count: int | None
) -> None:
    one, other = run_of(minilm, texts[0], head_count), run_of(minilm, texts[1])
    there, back = difference(against(one, other), view), difference(against(other, one), view)
    np.testing.assert_array_equal(there.sight.shown, -back.sight.shown)
    assert there.left_out == pytest.approx(back.left_out[::-1], abs=1e-12)  # sums of the same numbers in another order
    assert there.alone == back.alone[::-1]
    assert there.largest == back.largest


def test_each_difference_is_that_of_two_tokens_which_stand_for_each_other(tired: Run) -> None:
    found, trace, other = difference(tired), tired.trace, tired.against.trace
    counterpart = {i: i for i in range(1, 12)} | {13: 14}  # "tired" is 12; "too" 12 and "wide" 13; specials are hidden
    assert found.sight.queries == found.sight.keys == tuple(counterpart)
    for head in range(12):
        for query, query_b in counterpart.items():
            for key, key_b in counterpart.items():
                wanted = trace.attention(3)[head, query, key] - other.attention(3)[head, query_b, key_b]
                assert found.sight.weights[head, query, key] == wanted
    it, animal = trace.tokens.index("it"), trace.tokens.index("animal")
    assert round(float(found.sight.weights[1, it, animal]), 2) == 0.41
    assert not found.sight.weights[:, 12].any()
    assert not found.sight.weights[:, :, 12].any()
    assert found.alone == (("tired",), ("too", "wide"))


def test_the_share_that_is_left_out_is_that_of_the_weights_without_a_counterpart(tired: Run) -> None:
    found = difference(tired)
    for run, alone, told in ((tired, {12}, found.left_out[0]), (tired.against, {12, 13}, found.left_out[1])):
        weights = run.trace.attention(3)
        tokens = range(1, len(run.trace.tokens) - 1)
        kept = whole = 0.0
        for head in range(12):
            for query in tokens:
                for key in tokens:
                    whole += float(weights[head, query, key])
                    kept += float(weights[head, query, key]) if not {query, key} & alone else 0.0
        assert told == pytest.approx(1 - kept / whole, abs=1e-5)


def test_sinks_and_words_are_treated_before_the_difference(minilm: Model) -> None:
    run = two_texts(minilm, "Unbelievably, it overslept.", "Unbelievably, he overslept.")
    view = View(2, words=True, sinks=Sinks(frozenset({"special", "punctuation"}), "renormalise"), setting="difference")
    found = difference(run, view)
    a, b = (sight_of(one.trace, view) for one in (run, run.against))
    np.testing.assert_array_equal(found.sight.shown, a.shown - b.shown)
    assert np.allclose(found.of_a[:, 1:-1].sum(-1), 1.0, atol=1e-5)
    assert np.allclose(found.sight.shown.sum(-1), 0.0, atol=1e-5)
    assert [found.sight.tokens[unit].shown for unit in found.sight.keys] == ["Unbelievably", "it/he", "overslept"]


def test_with_as_many_heads_the_difference_is_head_by_head(minilm: Model) -> None:
    run = against(run_of(minilm, BOY, 6), run_of(minilm, BOY, 6))
    assert difference(run, View(0, HeadChoice(frozenset({2}), 12))).sight.heads == (1,)
    assert not difference(run).are_means


def test_with_other_numbers_of_heads_it_is_that_of_their_means(single: Run) -> None:
    found = difference(single, replace(VIEW, sinks=SHOWN))
    assert (found.sight.heads, found.are_means) == ((-1,), True)
    one, twelve = single.trace.attention(3)[0].astype(float), single.against.trace.attention(3).astype(float)
    np.testing.assert_allclose(found.sight.weights[0], one - twelve.mean(0), atol=1e-6)
    assert compared(single, View(3)).b.sight.heads == tuple(range(12))  # side by side each has its own


def test_a_head_that_was_chosen_of_twelve_is_the_one_head_of_a_single(single: Run) -> None:
    view = View(3, HeadChoice(frozenset({1, 4}), 12))
    comparison = compared(single, view)
    assert (comparison.a.sight.heads, comparison.b.sight.heads) == ((0,), (1, 4))
    twelve = single.against.trace.attention(3)[[1, 4]]
    found = difference(single, replace(view, sinks=SHOWN))
    np.testing.assert_allclose(found.sight.weights[0], single.trace.attention(3)[0] - twelve.mean(0), atol=1e-6)


def test_rollouts_of_other_numbers_of_heads_are_one_map_each_anyway(single: Run) -> None:
    assert not difference(single, View(2, quantity="rollout")).are_means


def test_the_scale_is_common_and_for_norms_that_of_the_larger(tired: Run) -> None:
    assert compared(tired, View(3)).scale == 1.0
    view = View(3, quantity="norms")
    scales = [sight_of(run.trace, view).scale for run in (tired, tired.against)]
    assert scales[0] != scales[1]
    assert compared(tired, view).scale == max(scales)
    assert compared(against(tired.against, replace(tired, against=None)), view).scale == max(scales)


def test_the_scale_of_a_difference_is_the_largest_either_way(tired: Run) -> None:
    found = difference(tired)
    assert found.sight.scale == found.largest == np.abs(found.sight.weights).max()


def test_a_capital_and_another_word_stand_in_the_same_place(minilm: Model) -> None:
    run = two_texts(minilm, "The boy passed the exam", "Yesterday the girl passed the exam")
    alignment = compared(run, View()).alignment
    texts = [[token.shown for token in one.trace.pieces] for one in (run, run.against)]
    assert {(texts[0][i], texts[1][j]) for i, j in alignment.same} >= {("The", "the"), ("passed", "passed")}
    assert [(texts[0][i], texts[1][j]) for i, j in alignment.replaced] == [("boy", "girl")]


def test_a_special_token_never_stands_for_a_written_one() -> None:
    def sight(*texts: str) -> object:
        tokens = [Token(0, text, text.strip("*"), None, 0, text.startswith("*"), False) for text in texts]
        return SimpleNamespace(kind="encoder", first_query=0, tokens=tokens)

    assert align_units(sight("*[CLS]", "fox", "*[SEP]"), sight("the", "fox", "ran")) == Alignment(((1, 1),), ())
    assert align_units(sight("the", "*[SEP]"), sight("den", "*</s>")) == Alignment((), ((0, 0), (1, 1)))
    assert align_units(sight("[SEP]"), sight("*[SEP]")) == Alignment((), ())  # written by a person, and not


def test_hiding_sinks_moves_no_token_to_another_place(tired: Run) -> None:
    hidden, shown = (compared(tired, View(3, sinks=sinks)).alignment for sinks in (Sinks(), SHOWN))
    assert hidden == shown


def test_a_model_with_fewer_layers_shows_its_last(minilm: Model, tmp_path: Path) -> None:
    run = against(run_of(minilm, "the cat"), run_of(load_model(write_bert(tmp_path)), "the cat"))
    comparison = compared(run, View(5))
    assert (comparison.a.sight.layer, comparison.b.sight.layer) == (5, 1)
    assert [view.layer for view in views_of(run, View(5))] == [5, 1]


def test_the_focus_goes_over_to_the_counterpart(tired: Run) -> None:
    assert compared(tired, View(3, focus=13)).b.view.focus == 14
    assert compared(tired, View(3, focus=12)).b.view.focus is None
    assert compared(tired, View(3)).b.view.focus is None


def test_what_neither_run_may_see_has_no_difference(tmp_path: Path) -> None:
    model = load_model(write_model("llama-gqa", tmp_path))
    found = difference(two_texts(model, "the fox sat", "the fox ran"), View(0, sinks=SHOWN))
    n = len(found.sight.tokens)
    assert found.sight.masked.tolist() == [[key > query for key in range(n)] for query in range(n)]
    assert found.sight.is_causal


def test_a_causal_model_against_one_that_looks_both_ways_masks_nothing(minilm: Model, tmp_path: Path) -> None:
    model = load_model(write_model("llama-gqa", tmp_path))
    found = difference(against(run_of(model, "the fox"), run_of(minilm, "the fox")), View(0))
    assert found.sight.masked is None
    assert not found.sight.is_causal


def test_two_sides_are_aligned_each_by_itself(tmp_path: Path) -> None:
    model = load_model(write_model("t5-tied", tmp_path))
    one, other = run_of(model, "the fox sat", pair="the den"), run_of(model, "the den sat", pair="the fox")
    comparison = compared(against(one, other), View(1, kind="cross", sinks=SHOWN))
    first = (comparison.a.sight.first_query, comparison.b.sight.first_query)
    assert all((i < first[0]) == (j < first[1]) for i, j in comparison.alignment.pairs)
    found = difference(against(one, other), View(1, kind="cross", sinks=SHOWN)).sight
    to_b = dict(comparison.alignment.pairs)
    for query in found.queries:
        for key in found.keys:
            a = one.trace.attention(1, "cross")[:, query - first[0], key]
            b = other.trace.attention(1, "cross")[:, to_b[query] - first[1], to_b[key]]
            np.testing.assert_array_equal(found.weights[:, query - first[0], key], a - b)


def test_a_decoder_that_looks_at_its_encoder_and_a_text_have_no_difference(minilm: Model, tmp_path: Path) -> None:
    model = load_model(write_model("t5-tied", tmp_path))
    run = against(run_of(model, "the fox", pair="the den"), run_of(minilm, "the fox"))
    view = View(0, kind="cross")
    assert compared(run, view).b.sight.kind == minilm.trace("a").kinds[0]
    with pytest.raises(InputError, match="set them side by side"):
        comparison_of(run, replace(view, setting="difference"))


@pytest.mark.parametrize("what", [trained(), other_text(WIDE), kept(Request(Path("x"), BOY))])
def test_a_runner_computes_what_the_session_asks_for(minilm_path: Path, what: object) -> None:
    request = Request(minilm_path, TIRED, None, 4)
    wanted = replace(what.request(request), model=minilm_path)
    run = Runner().run(replace(request, against=wanted))
    assert difference(run).of_a.shape == difference(run).of_b.shape
    assert run.against.trace.text == wanted.text
