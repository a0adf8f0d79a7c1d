"""Which weights get an arc: against the definition, row by row and in plain Python."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Final, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis import table
from attnviz.analysis.edges import Edges, Spread, Threshold, strongest_edges
from attnviz.errors import Cancelled
from tests.analysis.plain_edges import plain_edges


@st.composite
def attentions(draw: st.DrawFn) -> NDArray[np.float32]:
    """[head, query, key], rows sum to 1: flat and peaked ones, ties and zeros among them."""
    n_head, n_token = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    size = n_head * n_token * n_token
    raw = draw(st.lists(st.sampled_from([0.0, 1e-9, 1e-4, 0.1, 1.0, 1.0, 2.5, 40.0]), min_size=size, max_size=size))
    weights = np.array(raw).reshape(n_head, n_token, n_token)
    weights[..., 0] += (weights.sum(axis=-1) == 0.0).astype(float)
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


@st.composite
def cases(draw: st.DrawFn) -> tuple[NDArray[np.float32], list[int], list[int]]:
    """An attention with some of its heads and some of its tokens, either possibly none."""
    attention = draw(attentions())
    n_head, n_token, _ = attention.shape
    heads = sorted(draw(st.sets(st.integers(0, n_head - 1))))
    visible = sorted(draw(st.sets(st.integers(0, n_token - 1))))
    return attention, heads, visible


THRESHOLDS: Final = st.builds(
    Threshold, st.sampled_from(["mass", "weight"]), st.sampled_from([0.0, 0.05, 0.3, 0.5, 0.7, 0.95, 1.0])
)


def edges_of(
    attention: NDArray[np.float32], heads: list[int], visible: list[int], threshold: Threshold, most: int | None = None
) -> Edges:
    return strongest_edges(attention, heads, visible, visible, threshold, most)


def triples(edges: Edges) -> list[tuple[int, int, int]]:
    return list(zip(edges.head.tolist(), edges.query.tolist(), edges.key.tolist(), strict=True))


@given(cases(), st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.7, 1.0]))
def test_by_weight_all_from_the_limit_on_are_chosen(case: tuple[NDArray[np.float32], list[int], list[int]], limit: float) -> None:
    attention, heads, visible = case
    expected = {(h, q, k) for h in heads for q in visible for k in visible if attention[h, q, k] >= np.float32(limit)}
    expected = {edge for edge in expected if attention[edge] > 0}
    assert set(triples(edges_of(*case, Threshold("weight", limit)))) == expected


@given(cases(), st.sampled_from([0.05, 0.3, 0.5, 0.7, 0.95]))
def test_by_mass_each_row_has_the_fewest_keys_that_hold_it(
    case: tuple[NDArray[np.float32], list[int], list[int]], mass: float
) -> None:
    attention, heads, visible = case
    drawn = set(triples(edges_of(*case, Threshold("mass", mass))))
    for head in heads:
        for query in visible:
            row = {key: float(attention[head, query, key]) for key in visible}
            mine = [row[key] for key in visible if (head, query, key) in drawn]
            rest = [row[key] for key in visible if (head, query, key) not in drawn]
            total = sum(row.values())
            if not total:
                assert not mine
                continue
            assert mine
            assert min(mine) > max(rest, default=-1.0)  # the strongest, ties together
            assert sum(mine) >= mass * total - 1e-5
            without_the_last = sum(weight for weight in mine if weight > min(mine))
            assert without_the_last < mass * total + 1e-5 or without_the_last == 0.0


@given(cases())
def test_the_whole_mass_is_every_arc(case: tuple[NDArray[np.float32], list[int], list[int]]) -> None:
    attention, heads, visible = case
    edges = edges_of(*case, Threshold("mass", 1.0))
    above = sum(attention[h, q, k] > 0 for h in heads for q in visible for k in visible)
    assert len(edges.weight) == edges.n_candidates == above
    assert edges.dropped_share < 1e-6


@given(cases(), THRESHOLDS, st.none() | st.integers(1, 30))
def test_hidden_drawn_and_dropped_make_the_whole(
    case: tuple[NDArray[np.float32], list[int], list[int]], threshold: Threshold, most: int | None
) -> None:
    attention, heads, visible = case
    edges = edges_of(*case, threshold, most)
    n_row = len(heads) * len(visible)
    if not n_row:
        assert (edges.hidden_share, edges.dropped_share, len(edges.weight)) == (0.0, 0.0, 0)
        return
    hidden = sum(float(attention[h, q, k]) for h in heads for q in visible for k in range(attention.shape[1]) if k not in visible)
    drawn = sum(float(weight) for weight in edges.weight)
    assert edges.hidden_share == pytest.approx(hidden / n_row, abs=1e-5)
    assert edges.hidden_share + drawn / n_row + edges.dropped_share == pytest.approx(1.0, abs=1e-5)


@given(cases(), THRESHOLDS, st.none() | st.integers(1, 30))
def test_edges_are_weakest_first_as_many_as_pass_or_as_are_asked_for(
    case: tuple[NDArray[np.float32], list[int], list[int]], threshold: Threshold, most: int | None
) -> None:
    attention, _, _ = case
    everything = edges_of(*case, threshold)
    edges = edges_of(*case, threshold, most)
    assert edges.n_passed == everything.n_passed == len(everything.weight)
    assert len(edges.weight) == (edges.n_passed if most is None else min(most, edges.n_passed))
    assert (edges.spread is None) == (len(edges.weight) == edges.n_passed)
    assert (np.diff(edges.weight) >= 0).all()
    assert set(triples(edges)) <= set(triples(everything))
    assert len(set(triples(edges))) == len(edges.weight)
    for edge, weight in zip(triples(edges), edges.weight, strict=True):
        assert attention[edge] == weight


@given(cases(), THRESHOLDS, st.integers(2, 30))
def test_of_too_many_the_strongest_of_all_and_of_each_block_are_chosen_and_no_others(
    case: tuple[NDArray[np.float32], list[int], list[int]], threshold: Threshold, most: int
) -> None:
    attention, _, visible = case
    edges, everything = edges_of(*case, threshold, most), edges_of(*case, threshold)
    if edges.spread is None:
        return
    drawn, passed = triples(edges), triples(everything)
    strongest = set(passed[len(passed) - edges.spread.n_strongest :])
    of_blocks = set()
    for block in itertools.product(range(0, len(visible), edges.spread.side), repeat=2):
        queries, keys = (visible[first : first + edges.spread.side] for first in block)
        inside = [edge for edge in passed if edge[1] in queries and edge[2] in keys]
        of_blocks |= {edge for edge in drawn if edge in inside and attention[edge] == max(attention[one] for one in inside)}
        assert not inside or max(attention[edge] for edge in inside) in [attention[edge] for edge in drawn if edge in inside]
    assert strongest <= set(drawn) <= strongest | of_blocks
    assert len(strongest) >= most // 2


@given(cases(), st.sampled_from(["mass", "weight"]), st.integers(1, 30), st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_what_is_drawn_under_a_threshold_is_drawn_under_a_higher_one_that_it_passes(
    case: tuple[NDArray[np.float32], list[int], list[int]], kind: Literal["mass", "weight"], most: int, values: tuple[float, float]
) -> None:
    low, high = sorted(values, reverse=kind == "mass")
    drawn = set(triples(edges_of(*case, Threshold(kind, low), most)))
    passed = set(triples(edges_of(*case, Threshold(kind, high))))
    assert drawn & passed <= set(triples(edges_of(*case, Threshold(kind, high), most)))


def test_each_part_of_a_long_text_keeps_its_strongest_weight_beside_a_part_that_is_stronger_throughout() -> None:
    attention = np.random.default_rng(5).uniform(0.001, 0.002, (2, 64, 64)).astype(np.float32)
    attention[:, :16] += 0.5
    edges = strongest_edges(attention, range(2), range(64), range(64), Threshold("weight", 0.0), 100)
    assert edges.spread == Spread(n_strongest=88, side=16)  # 88 fill the first row of blocks, the other 12 blocks have one each
    assert {(q // 16, k // 16) for _, q, k in triples(edges)} == set(itertools.product(range(4), repeat=2))
    assert sum(q >= 16 for _, q, _ in triples(edges)) == 12


def test_a_weight_that_only_another_row_lets_pass_is_not_taken_for_it() -> None:
    attention = np.zeros((1, 4, 4), np.float32)
    attention[0, 0] = [0.25, 0.75, 0.0, 0.0]  # 0.25 does not pass here,
    attention[0, 1] = [0.25, 0.125, 0.125, 0.125]  # but does here
    attention[0, 2:, 2:] = 0.25
    edges = strongest_edges(attention, [0], range(4), range(4), Threshold("mass", 0.25), 4)
    assert edges.spread is not None
    assert set(triples(edges)) <= set(triples(strongest_edges(attention, [0], range(4), range(4), Threshold("mass", 0.25))))


@given(cases())
def test_more_mass_never_takes_an_arc_away(case: tuple[NDArray[np.float32], list[int], list[int]]) -> None:
    chosen = [set(triples(edges_of(*case, Threshold("mass", mass)))) for mass in (0.1, 0.4, 0.7, 0.99, 1.0)]
    for fewer, more in itertools.pairwise(chosen):
        assert fewer <= more


def test_queries_and_keys_may_be_different_tokens() -> None:
    attention = np.array([[[0.5, 0.3, 0.2], [0.1, 0.0, 0.9]]], np.float32)
    edges = strongest_edges(attention, [0], [1], [0, 1, 2], Threshold("mass", 1.0))
    assert triples(edges) == [(0, 1, 0), (0, 1, 2)]
    assert edges.n_candidates == 2  # a weight of 0 is that of a key which cannot be seen


def test_a_row_that_is_all_one_key_draws_one_arc() -> None:
    attention = np.eye(5, dtype=np.float32)[None]
    edges = strongest_edges(attention, [0], range(5), range(5), Threshold("mass", 0.7))
    assert triples(edges) == [(0, token, token) for token in range(5)]


def test_no_heads_or_no_tokens_draw_nothing() -> None:
    attention = np.full((2, 3, 3), 1 / 3, np.float32)
    for heads, visible in (([], [0, 1]), ([0], []), ([], [])):
        edges = strongest_edges(attention, heads, visible, visible, Threshold())
        assert (len(edges.weight), edges.n_candidates, edges.n_passed) == (0, 0, 0)
        assert (edges.hidden_share, edges.dropped_share) == (0.0, 0.0)


@given(cases(), st.sampled_from([0.05, 0.3, 0.7, 0.95, 1.0]), st.sets(st.integers(0, 6)))
def test_keys_set_aside_change_nothing_about_the_others(
    case: tuple[NDArray[np.float32], list[int], list[int]], mass: float, aside: set[int]
) -> None:
    attention, heads, visible = case
    threshold = Threshold("mass", mass)
    drawn = set(triples(strongest_edges(attention, heads, visible, visible, threshold, aside=aside)))
    parts = [[key for key in visible if (key in aside) == apart] for apart in (False, True)]
    expected = [set(triples(strongest_edges(attention, heads, visible, keys, threshold))) for keys in parts]
    assert drawn == expected[0] | expected[1]


@given(cases(), THRESHOLDS, st.floats(0.25, 8.0))
def test_rows_of_another_total_are_shared_out_of_that(
    case: tuple[NDArray[np.float32], list[int], list[int]], threshold: Threshold, factor: float
) -> None:
    attention, heads, visible = case
    larger = (attention * np.float32(factor)).astype(np.float32)
    total = np.full(attention.shape[:2], np.float32(factor))
    limit = Threshold(threshold.kind, threshold.value)
    one = strongest_edges(attention, heads, visible, visible, limit)
    other = strongest_edges(larger, heads, visible, visible, limit, total=total, scale=factor)
    if threshold.kind == "mass":  # a weight just at the limit may fall to either side of it when both are scaled
        assert other.hidden_share == pytest.approx(one.hidden_share, abs=1e-5)
    assert other.hidden_share + other.dropped_share == pytest.approx(
        1.0 - float(other.weight.sum()) / factor / max(len(heads) * len(visible), 1) if heads and visible else 0.0, abs=1e-5
    )


@st.composite
def exact_cases(draw: st.DrawFn) -> tuple[NDArray[np.float32], list[int], list[int], list[int]]:
    """An attention whose weights are small multiples of 1/64, so that no order of summing rounds, with heads, queries and keys."""
    n_head, n_query, n_key = draw(st.integers(1, 4)), draw(st.integers(1, 9)), draw(st.integers(1, 40))
    seed, most = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([1, 2, 5, 64]))
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, most + 1, (n_head, n_query, n_key)) * (rng.random((n_head, n_query, n_key)) < draw(st.floats(0, 1)))
    heads, queries, keys = (draw(st.lists(st.integers(0, n - 1), unique=True)) for n in (n_head, n_query, n_key))
    if draw(st.booleans()):
        weights = weights * np.tri(n_query, n_key, dtype=bool)  # as a causal model's
    whole = draw(st.booleans())
    return (weights / 64).astype(np.float32), heads, queries, list(range(n_key)) if whole else keys


@given(
    exact_cases(),
    st.builds(Threshold, st.sampled_from(["mass", "weight"]), st.sampled_from([0.0, 0.03125, 0.25, 0.5, 0.75, 0.9375, 1.0])),
    st.none() | st.integers(1, 60),
    st.sets(st.integers(0, 39), max_size=5),
    st.sampled_from([8, 100, 1 << 16]),
)
def test_the_choice_is_that_of_the_plain_one_in_the_same_order_whatever_the_size_of_the_blocks(
    case: tuple[NDArray[np.float32], list[int], list[int], list[int]],
    threshold: Threshold,
    most: int | None,
    aside: set[int],
    block: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_BLOCK", block)
        edges = strongest_edges(*case, threshold, most, scale=0.5, aside=aside)
    expected, n_candidates, n_passed = plain_edges(*case, threshold, most, scale=0.5, aside=aside)
    assert triples(edges) == expected
    assert (edges.n_candidates, edges.n_passed) == (n_candidates, n_passed)
    assert edges.weight.dtype == np.float32


@pytest.mark.parametrize("mass", [0.3, 0.7, 0.97])
@pytest.mark.parametrize("sharpness", [0.1, 2.0, 5.0])
def test_rows_of_any_shape_have_the_weights_that_the_plain_choice_gives_them(mass: float, sharpness: float) -> None:
    attention = np.exp(sharpness * np.random.default_rng(7).standard_normal((3, 90, 90), np.float32))
    attention /= attention.sum(-1, keepdims=True)
    edges = strongest_edges(attention, range(3), range(90), range(90), Threshold("mass", mass), 2_000)
    expected, _, n_passed = plain_edges(attention, range(3), range(90), range(90), Threshold("mass", mass), 2_000)
    assert abs(edges.n_passed - n_passed) <= 2  # a sum just at the limit rounds to either side
    assert len(set(triples(edges)) ^ set(expected)) <= 4


def test_choosing_takes_no_room_that_grows_with_the_attention() -> None:
    attention = np.random.default_rng(3).random((8, 512, 512), np.float32)  # 8 MiB
    for threshold in (Threshold(), Threshold("mass", 1.0), Threshold("weight", 0.0)):
        tracemalloc.start()
        strongest_edges(attention, range(8), range(512), range(512), threshold, 2_700)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 4 << 20


def test_a_choice_that_is_called_off_ends_with_the_rows_it_is_at() -> None:
    attention = np.full((4, 300, 300), 1 / 300, np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_BLOCK", 300 * 64)
        answers = iter([False, False, True])
        with pytest.raises(Cancelled):
            strongest_edges(attention, range(4), range(300), range(300), Threshold(), 2_700, cancelled=lambda: next(answers))
    assert not list(answers)
