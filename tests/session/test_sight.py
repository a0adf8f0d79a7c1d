"""What a view shows of a trace: mass is kept or its loss told, words hold their pieces, and nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.model import load_model
from attnviz.session.sight import carried_focus, sight_of
from attnviz.session.view import HeadChoice, Sinks, View
from attnviz.session.weights import MEAN
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace

TEXT: Final = "Unbelievably, the lighthouse keeper's daughter overslept."
ALL_SINKS: Final = frozenset({"special", "first", "punctuation"})
TREATMENTS: Final = ("show", "dim", "hide", "renormalise")
VIEWS: Final = st.builds(
    View,
    layer=st.integers(0, 5),
    heads=st.none() | st.sets(st.integers(0, 11), min_size=1).map(lambda heads: HeadChoice(frozenset(heads), 12)),
    quantity=st.sampled_from(["attention", "rollout"]),
    is_mean=st.booleans(),
    words=st.booleans(),
    sinks=st.builds(
        Sinks, st.sets(st.sampled_from(sorted(ALL_SINKS))).map(frozenset), st.sampled_from(["show", "dim", "hide", "renormalise"])
    ),
    between=st.sampled_from(["all", "within", "across", "first_to_second", "second_to_first"]),
)


@pytest.fixture(scope="module")
def trace(minilm: Model) -> Trace:
    return minilm.trace(TEXT)


@pytest.fixture(scope="module")
def pair(minilm: Model) -> Trace:
    return minilm.trace("Who overslept?", "The keeper's daughter did, unbelievably.")


@given(VIEWS, st.booleans())
def test_what_is_shown_and_what_is_said_to_be_left_out_make_the_whole(trace: Trace, pair: Trace, view: View, is_pair: bool) -> None:
    sight = sight_of(pair if is_pair else trace, view)
    rows = [unit - sight.first_query for unit in sight.queries]
    if not rows:
        return
    shown = sight.weights[:, rows].sum(-1, dtype=np.float64).mean()
    assert sight.shares.shown == pytest.approx(shown, abs=1e-5)
    if view.sinks.treatment != "renormalise":
        left_out = sight.shares.apart + (sight.shares.sinks if view.sinks.treatment == "hide" else 0.0)
        assert shown + left_out == pytest.approx(1.0, abs=1e-5)
    elif sight.between == "all":
        assert shown + sight.shares.empty == pytest.approx(1.0, abs=1e-5)


@given(VIEWS)
def test_the_share_said_to_be_hidden_is_that_of_the_keys_that_count_as_sinks(trace: Trace, view: View) -> None:
    sight = sight_of(trace, view)
    shown = sight_of(
        trace,
        View(view.layer, view.heads, quantity=view.quantity, is_mean=view.is_mean, words=view.words, sinks=Sinks(treatment="show")),
    )
    texts = [token.text for token in shown.tokens]
    sinks = [
        unit
        for unit, text in enumerate(texts)
        if (text in ("[CLS]", "[SEP]") and ("special" in view.sinks.kinds or (unit == 0 and "first" in view.sinks.kinds)))
        or (text in (",", "'", ".") and "punctuation" in view.sinks.kinds)
    ]
    rows = list(sight.queries)
    expected = shown.weights[:, rows][:, :, sinks].sum(-1, dtype=np.float64).mean()
    assert sight.shares.sinks == pytest.approx(expected, abs=1e-5)
    if view.sinks.are_taken_out:
        assert not set(sinks) & set(sight.keys)
        assert not sight.weights[:, :, sinks].any()
    else:
        assert set(sight.keys) == set(range(len(texts)))


def test_hiding_sinks_leaves_every_other_weight_as_it_was(trace: Trace) -> None:
    for layer in range(6):
        hidden, shown = (sight_of(trace, View(layer, sinks=Sinks(ALL_SINKS, how))) for how in ("hide", "show"))
        keys = list(hidden.keys)
        assert np.array_equal(hidden.weights[:, :, keys], shown.weights[:, :, keys])
        assert np.array_equal(shown.weights, trace.attention(layer))


def test_dimmed_sinks_keep_their_weights_and_are_named(trace: Trace) -> None:
    sight = sight_of(trace, View(2, sinks=Sinks(frozenset({"punctuation"}), "dim")))
    assert {sight.tokens[unit].text for unit in sight.dimmed} == {",", "'", "."}
    assert np.array_equal(sight.weights, trace.attention(2))


def test_a_word_holds_its_pieces_and_is_shown_as_it_was_written(trace: Trace) -> None:
    sight = sight_of(trace, View(words=True))
    assert [token.shown for token in sight.tokens] == [
        "[CLS]", "Unbelievably", ",", "the", "lighthouse", "keeper's", "daughter", "overslept", ".", "[SEP]",
    ]  # fmt: skip
    places = [list(place) for place in sight.units.places]
    assert [at for place in places for at in place] == list(range(len(trace.tokens)))
    attention = trace.attention(0)
    word, other = sight.units.places[1], sight.units.places[7]
    expected = attention[4, word.start : word.stop, other.start : other.stop].sum(axis=1).mean()
    assert sight.with_sinks[4, 1, 7] == pytest.approx(expected, abs=1e-6)
    assert sight.position(7) == other.start
    assert sight.units.unit_at(other.stop - 1) == 7


def test_bytes_of_one_character_become_that_character(tmp_path: Path) -> None:
    write_model("gpt2-lm", tmp_path)
    model = load_model(tmp_path)
    trace = model.trace("Tea 🙂 茶 now")
    merged = sight_of(trace, View(words=True))
    assert len(merged.tokens) < len(trace.tokens)
    shown = [token.shown for token in merged.tokens]
    assert "🙂" in shown
    assert "茶" in shown


def test_the_mean_is_the_mean_of_the_shown_heads(trace: Trace) -> None:
    sight = sight_of(trace, View(3, HeadChoice(frozenset({1, 4, 6}), 12), is_mean=True, sinks=Sinks(treatment="show")))
    assert sight.heads == (MEAN,)
    assert np.allclose(sight.weights[0], trace.attention(3)[[1, 4, 6]].mean(axis=0), atol=1e-7)


def test_each_filter_of_two_texts_keeps_just_its_pairs(pair: Trace) -> None:
    text = np.array([token.sequence for token in pair.pieces])
    kept = {
        "within": text[:, None] == text,
        "across": text[:, None] != text,
        "first_to_second": (text[:, None] == 0) & (text == 1),
        "second_to_first": (text[:, None] == 1) & (text == 0),
    }
    attention = pair.attention(1)
    for between, pairs in kept.items():
        sight = sight_of(pair, View(1, between=between, sinks=Sinks(treatment="show")))
        assert np.array_equal(sight.weights, np.where(pairs, attention, 0))
        assert set(sight.queries) == set(np.flatnonzero(pairs.any(axis=1)))
        assert set(sight.keys) == set(np.flatnonzero(pairs.any(axis=0)))


def test_a_filter_of_two_texts_means_nothing_to_one(trace: Trace) -> None:
    assert np.array_equal(sight_of(trace, View(between="across")).weights, sight_of(trace, View()).weights)


def test_a_blank_is_no_punctuation(tmp_path: Path) -> None:
    write_model("llama-gqa", tmp_path)
    trace = load_model(tmp_path).trace("Hi there , friend \N{MIDDLE DOT}")
    sight = sight_of(trace, View(sinks=Sinks(frozenset({"punctuation"}), "dim")))
    assert {sight.tokens[unit].shown.strip() for unit in sight.dimmed} <= {",", "\N{MIDDLE DOT}"}
    assert any(token.text.strip("\N{LOWER ONE EIGHTH BLOCK}") == "" for token in trace.pieces)  # there is a blank to be told apart
    assert {trace.tokens[unit] for unit in sight.dimmed} & {","}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("She didn't.", ["She", "didn't", "."]),
        ("It cost 3.14, or 1,000!", ["It", "cost", "3.14", ",", "or", "1,000", "!"]),
        ("'quoted' (and so on).", ["'", "quoted", "'", "(", "and", "so", "on", ")", "."]),
        ("rock 'n' roll", ["rock", "'", "n", "'", "roll"]),
        ("end. Begin", ["end", ".", "Begin"]),
    ],
)
def test_signs_inside_words_and_numbers_belong_to_them(minilm: Model, text: str, words: list[str]) -> None:
    sight = sight_of(minilm.trace(text), View(words=True))
    assert [sight.tokens[unit].shown for unit in sight.visible] == words


def test_the_scale_of_norms_is_their_largest_that_is_drawn_in_full(trace: Trace) -> None:
    for treatment in TREATMENTS:
        sinks = Sinks(frozenset({"special", "punctuation"}), treatment)
        sight = sight_of(trace, View(3, quantity="norms", sinks=sinks))
        loud = [key for key in sight.keys if key not in sight.quiet]
        assert sight.scale == pytest.approx(sight.weights[:, sight.rows][:, :, loud].max())
    shown = sight_of(trace, View(3, quantity="norms", sinks=Sinks(frozenset({"punctuation"}), "show")))
    assert shown.scale == shown.weights.max()


def test_rows_with_nothing_left_are_counted(tmp_path: Path) -> None:
    write_model("gpt2-lm", tmp_path)
    trace = load_model(tmp_path).trace("the fox sat down")
    sight = sight_of(trace, View(0, sinks=Sinks(frozenset({"first"}), "renormalise")))
    n = len(sight.queries)
    assert sight.shares.empty == pytest.approx(1 / n)  # the first token sees itself alone
    assert sight.shares.shown == pytest.approx(1 - 1 / n, abs=1e-5)


def test_a_window_hides_what_is_too_far_and_a_causal_model_what_comes_after(tmp_path: Path) -> None:
    write_model("gpt-oss-windows-yarn", tmp_path)
    trace = load_model(tmp_path).trace("the fox sat down and did not stay there")
    for layer, look in enumerate(trace.config.stack.looks):
        sight = sight_of(trace, View(layer, sinks=Sinks(treatment="show")))
        n = len(trace.tokens)
        expected = [[k > q or (look.reach is not None and q - k > look.reach) for k in range(n)] for q in range(n)]
        assert sight.masked.tolist() == expected
        assert not sight.weights[:, sight.masked].any()


def test_a_dimmed_share_is_that_of_what_is_on_the_picture(pair: Trace) -> None:
    view = View(1, between="first_to_second", sinks=Sinks(treatment="dim"))
    sight = sight_of(pair, view)
    specials = [unit for unit, token in enumerate(sight.tokens) if token.is_special]
    rows = list(sight.queries)
    assert sight.shares.sinks == pytest.approx(sight.weights[:, rows][:, :, specials].sum(-1).mean(), abs=1e-6)
    assert sight.shares.sinks + sight.shares.apart <= 1.0 + 1e-6


def test_sights_of_long_texts_are_not_all_kept(monkeypatch: pytest.MonkeyPatch, minilm: Model) -> None:
    trace = minilm.trace("The cat sat.")
    first = sight_of(trace, View(0))
    monkeypatch.setattr("attnviz.session.sight._MOST_BYTES", first.weights.nbytes)
    sight_of(trace, View(1))
    assert sight_of(trace, View(0)) is not first


@pytest.mark.parametrize(
    ("before", "focus", "after", "there"),
    [
        ("decoder", 2, "cross", "same"),
        ("cross", "decoder 2", "decoder", 2),
        ("cross", 1, "encoder", 1),
        ("encoder", 1, "cross", 1),
        ("cross", 1, "decoder", None),
        ("decoder", 1, "encoder", None),
        ("encoder", 0, "encoder", 0),
    ],
)
def test_the_token_in_focus_stays_that_token_in_another_kind_of_attention(
    tmp_path: Path, before: str, focus: int | str, after: str, there: int | str | None
) -> None:
    write_model("t5-tied", tmp_path)
    trace = load_model(tmp_path).trace("the fox sat", "the fox is")
    n = len(trace.tokens)
    at = n + 2 if focus == "decoder 2" else focus
    found = carried_focus(trace, View(kind=before, focus=at), View(kind=after))
    assert found == (n + 2 if there == "same" else there)


def test_a_text_of_special_tokens_alone_leaves_nothing_and_does_not_fail(minilm: Model) -> None:
    trace = minilm.trace("[CLS] [SEP]")
    for treatment in ("show", "dim", "hide", "renormalise"):
        for words in (False, True):
            sight = sight_of(trace, View(words=words, sinks=Sinks(ALL_SINKS, treatment)))
            assert np.isfinite(sight.weights).all()
            assert sight.units.unit_at(0) == 0


def test_the_same_view_gives_the_same_sight_and_the_trace_can_go(minilm: Model) -> None:
    import gc
    import weakref

    trace = minilm.trace("Gone soon.")
    assert sight_of(trace, View()) is sight_of(trace, View(focus=2))
    left = weakref.ref(trace)
    del trace
    gc.collect()
    assert left() is None
