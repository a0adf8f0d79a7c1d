"""What the benchmarks make of their measurements: ratios, shares, exponents, tables."""

from __future__ import annotations

import pytest

from attnviz.engine.config import Looking, Stack
from tests.benchmarks.growth import exponent, exponents
from tests.benchmarks.models import another_text
from tests.benchmarks.peers import pages
from tests.benchmarks.products import Product, flops_of, products_of
from tests.benchmarks.rows import Row, ratio, row, spread
from tests.benchmarks.table import markdown_table, put_in_page, target_words, text_table, written
from tests.benchmarks.targets import TARGETS, Target, is_met, target_of
from tests.benchmarks.timing import alternate


def stack(**sizes: int) -> Stack:
    shape = {"n_layer": 2, "n_head": 4, "n_kv_head": 2, "d_head": 8, "d_model": 32, "d_ff": 100} | sizes
    looks = (Looking(1.0, is_causal=True),) * shape["n_layer"]
    return Stack(**shape, norm="rms", norm_eps=1e-5, activation="silu", looks=looks)


def test_a_ratio_is_that_of_the_medians_and_its_quartiles_are_those_of_the_rounds() -> None:
    found = ratio([1.0, 2.0, 9.0], [2.0, 8.0, 10.0])
    assert found.value == 2.0 / 8.0
    assert (found.low, found.high) == pytest.approx((0.375, 0.7))  # of 0.25, 0.5, 0.9
    assert found.worst == 0.9


def test_one_round_has_no_spread() -> None:
    assert spread([3.0]) == spread([3.0, 3.0, 3.0]).__class__(3.0, 3.0, 3.0, 3.0, 1)


def test_contestants_take_turns() -> None:
    order = []

    def turn(name: str, values: list[float]):
        return lambda: (order.append(name), values)[1]

    values = alternate({"a": turn("a", [3.0, 1.0, 2.0]), "b": turn("b", []), "c": turn("c", [5.0])}, 2, rest=0.0)
    assert order == ["a", "b", "c", "a", "b", "c"]
    assert values == {"a": [2.0, 2.0], "b": [], "c": [5.0, 5.0]}


@pytest.mark.parametrize("power", [0.0, 1.0, 1.5, 2.0])
def test_the_exponent_of_a_power_is_that_power(power: float) -> None:
    lengths = [256, 512, 1_024, 4_096]
    values = [3.0 * length**power for length in lengths]
    assert exponents(lengths, values) == pytest.approx([power] * 3)
    assert exponent(lengths, values) == pytest.approx(power)


def test_the_exponent_of_the_longest_leaves_out_the_others() -> None:
    assert exponent([1, 2, 4, 8], [1.0, 1.0, 2.0, 4.0], last=3) == pytest.approx(1.0)


def test_the_operations_of_a_pass_are_those_of_its_products() -> None:
    n = 10
    projections = n * (32 * 32 + 2 * 32 * 16 + 32 * 32)
    attention = 4 * (n * 8 * n + n * n * 8)
    assert flops_of(products_of(stack(), n, is_gated=False)) == 2 * 2 * (projections + n * (100 * 32 + 32 * 100) + attention)
    assert flops_of(products_of(stack(), n, is_gated=True)) == 2 * 2 * (projections + n * 3 * 100 * 32 + attention)


def test_a_product_adds_and_multiplies() -> None:
    assert Product(3, 2, 5, 7).flops == 2 * 3 * 2 * 5 * 7


def test_operations_grow_from_the_first_power_of_the_length_to_the_second() -> None:
    short, long = ([flops_of(products_of(stack(), n, False)) for n in lengths] for lengths in ((1, 2), (1 << 20, 1 << 21)))
    assert exponents((1, 2), short) == pytest.approx([1.0], abs=0.05)
    assert exponents((1, 2), long) == pytest.approx([2.0], abs=0.05)


def test_no_target_is_out_of_reach_of_its_rows() -> None:
    assert len({(one.section, one.what) for one in TARGETS}) == len(TARGETS)
    assert all(one.bound > 0 for one in TARGETS)


def test_a_target_is_met_at_its_figure_and_missed_above(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = Target("start", "time*", 0.25), Target("start", "peak", 3.0, "own"), Target("start", "rate", 60.0, "own", True)
    monkeypatch.setattr("tests.benchmarks.targets.TARGETS", targets)
    assert is_met(row("start", "time to it", "ms", [1.0], [4.0])) is True
    assert is_met(row("start", "time to it", "ms", [1.1], [4.0])) is False
    assert is_met(row("start", "time to it", "ms", [1.0])) is None
    assert is_met(row("start", "peak", "MiB", [3.0])) is True
    assert is_met(row("start", "rate", "%", [60.0])) is True
    assert is_met(row("start", "rate", "%", [59.0])) is False
    assert target_words(row("start", "rate", "%", [59.0])) == "≥ 60 %"
    assert target_words(row("start", "time to it", "ms", [1.0], [4.0])) == "≤ 0.25"
    assert target_of(row("length", "time to it", "ms", [1.0])) is None


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (7.04, "ms", "7.0 ms"),
        (1234.5, "ms", "1,234 ms"),
        (22.333, "s", "22.33 s"),
        (175.6, "MiB", "176 MiB"),
        (37.2, "%", "37 %"),
        (2700.0, "count", "2,700"),
        (4.2e-6, "difference", "4e-06"),
    ],
)
def test_figures_are_written_with_the_digits_that_count(value: float, unit: str, expected: str) -> None:
    assert written(spread([value]), unit) == expected


def test_a_table_is_aligned_and_says_what_was_not_measured() -> None:
    rows = [
        row("start", "time to the first picture", "ms", [100.0], [1_000.0]),
        Row("picture", "page", "MB", None, spread([53.0])),
        Row("size", "in 3 GiB", "s", spread([6.0]), beside_word="does not run"),
    ]
    title, head, *lines = text_table("Start", "transformers", rows).splitlines()
    assert title == "Start"
    assert head.index("ratio") + len("ratio") == lines[0].index("0.10") + len("0.10")
    assert head.index("transformers") + len("transformers") == lines[2].index("does not run") + len("does not run")
    assert lines[0].split()[-1] == "met"
    assert lines[1].split() == ["page", "–", "53.0", "MB", "–", "–"]
    assert "does not run" in lines[2]


def test_the_page_shows_the_rows_that_are_for_it() -> None:
    rows = [row("start", "a", "ms", [1.0], [2.0], in_page=True), row("start", "b", "ms", [1.0])]
    lines = markdown_table([("Start", "transformers", rows), ("Grid", "", [])]).splitlines()
    assert lines[2:] == ["| **Start**, beside it transformers | | | | |", "| a | 1.0 ms | 2.0 ms | 0.50 | – |"]


def test_the_table_takes_the_place_of_the_one_before() -> None:
    before, after = "words\n<!-- speed -->\n", "<!-- /speed -->\nmore\n"
    assert put_in_page(f"{before}old\n{after}", "new\n") == f"{before}new\n{after}"
    assert put_in_page("an earlier table\n", "new\n") == "new\n"


def test_another_text_differs_in_its_first_word() -> None:
    texts = {another_text("the animal did not", number) for number in range(20)}
    assert len(texts) == 20
    assert all(text.endswith(" animal did not") and not text.startswith("the ") for text in texts)


def test_a_page_takes_its_scripts_from_beside_it(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []
    monkeypatch.setattr(pages, "_fetch", lambda name, version, folder: fetched.append((name, version)))
    page = (
        "<script src=\"https://a.example/x/require.js/2.3.6/require.min.js\"></script> d3: 'https://a.example/x/d3/5.7.0/d3.min',"
    )
    local = pages.make_local(page, tmp_path)
    assert fetched == [("require", "2.3.6"), ("d3", "5.7.0")]
    assert 'src="/require.js"' in local
    assert "d3: '/d3'," in local
    assert "a.example" not in local
