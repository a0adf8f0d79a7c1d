"""What two runs that are compared differ in, and what is told of both, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.scene.captions import warnings_of
from attnviz.scene.compare.differences import differences
from attnviz.scene.shares import (
    chosen_phrase,
    drawn_phrase,
    groups_phrase,
    nothing_read_line,
    quantity_line,
    quantity_phrase,
    shares_line,
)
from attnviz.scene.words import count_of, heads_phrase, kind_phrase
from attnviz.session.comparison import views_of
from attnviz.session.sight import heads_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.analysis.edges import Edges, Threshold
    from attnviz.session.comparison import Comparison, Difference, Side
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.view import View

_MOST_ALONE = 8  # tokens without a counterpart that are named


def side_title(comparison: Comparison, side: Side, with_texts: bool = True) -> str:
    """ "A  with 1 head"; with the layer where the two sides show different ones; with_texts: with the text where the two differ."""
    is_a = side is comparison.a
    told = [differences(comparison.a.run, with_texts)[0 if is_a else 1]]
    if comparison.a.view.layer != comparison.b.view.layer:
        told.append(f"layer {side.view.layer}")
    return f"{'A' if is_a else 'B'}\N{EM SPACE}{', '.join(filter(None, told))}"


def caption_of_comparison(comparison: Comparison) -> tuple[str, int]:
    """What both sides have in common, in one line; and how many of its characters, the model's name, are bold."""
    a, b = comparison.sides
    same_model = a.run.model.path == b.run.model.path
    name = a.run.model.name if same_model else ""
    counts = [side.run.trace.head_count_of(side.sight.kind) for side in (a, b)]
    phrases = [heads_phrase(heads_of(side.run.trace, side.view), count) for side, count in zip((a, b), counts, strict=True)]
    if a.view.is_mean or a.sight.quantity == "rollout":
        phrases = [
            f"mean of {phrase}" if side.sight.n_head > 1 else phrase for phrase, side in zip(phrases, comparison.sides, strict=True)
        ]
    heads = phrases[0] if phrases[0] == phrases[1] else f"{phrases[0]} of A, {phrases[1]} of B"
    layer = f"layer {a.view.layer}" if a.view.layer == b.view.layer else f"layer {a.view.layer} against layer {b.view.layer}"
    units = ", whole words" if a.sight.units.are_words or b.sight.units.are_words else ""
    parts = (name, f"{kind_phrase(a.run.trace, a.sight)}{layer}", f"{heads}, counted from 0{units}")
    return ", ".join(filter(None, parts)), len(name)


def layers_phrase(run: Run, view: View) -> str:
    """The layer that is measured, of either run its own where they differ: "layer 3", "layers 5, 1" of A and of B."""
    a, b = (one.layer for one in views_of(run, view))
    return f"layer {a}" if a == b else f"layers {a}, {b}"


def bands_of_comparison(comparison: Comparison) -> list[tuple[str | None, str]]:
    """What nobody may overlook of either run, each with its kind and the letter of the run, or without where it is said of both."""
    ours, theirs = (
        [warning for warning in warnings_of(side.run, side.view, side.sight) if warning[0]] for side in comparison.sides
    )
    both = [warning for warning in ours if warning in theirs]
    told = [(f"A: {text}", kind) for text, kind in ours if (text, kind) not in both]
    return [*told, *((f"B: {text}", kind) for text, kind in theirs if (text, kind) not in both), *both]


def shares_lines(comparison: Comparison, edges: Sequence[Edges | None]) -> list[str]:
    """Where the weight of either run went; edges: those that are drawn, None where all is."""
    lines = [
        nothing_read_line(side.sight) or shares_line(side.sight, drawn) for side, drawn in zip(comparison.sides, edges, strict=True)
    ]
    if lines[0] == lines[1]:
        return [f"both\N{EM SPACE}{lines[0]}"]
    return [f"{letter}\N{EM SPACE}{line}" for letter, line in zip("AB", lines, strict=True)]


def drawn_in_both_line(comparison: Comparison, edges: Sequence[Edges], threshold: Threshold) -> str:
    """How many arcs were drawn of either run, and by which rule."""
    drawn = " and ".join(
        f"{len(one.weight):,} of {one.n_candidates:,} arcs in {letter}" for letter, one in zip("AB", edges, strict=True)
    )
    what = quantity_phrase(comparison.a.sight.quantity)
    is_norms = comparison.a.sight.quantity == "norms"
    return f"{drawn}: {_rule(threshold, f'visible {what}', is_norms)}{_at_most(edges, comparison.a.sight)}"


def difference_lines(comparison: Comparison, edges: Edges | None, threshold: Threshold) -> list[str]:
    """What stands below a difference: that there is none, what is drawn of it, what it leaves out; edges: None for a matrix."""
    difference = comparison.difference
    assert difference is not None
    lines = [] if edges is None else [_drawn_difference(difference, edges, threshold)]
    if difference.is_none:
        lines = ["no difference: both runs have the same weights here"]
    if difference.are_means:
        counts = [side.run.trace.head_count_of(side.sight.kind) for side in comparison.sides]
        heads = f"A has {count_of(counts[0], 'head')} and B {counts[1]}"
        lines.append(f"{heads}, so the difference is that of the means of the shown heads")
    lines += _left_out(difference)
    a, b = comparison.sides
    if a.run.model.path != b.run.model.path and not difference.are_means and difference.sight.heads:
        lines.append("heads of two models are paired by their numbers alone")
    return [*lines, *_sinks(comparison), *filter(None, (quantity_line(a.sight, tells_largest=False),))]


def _rule(threshold: Threshold, what: str, is_norms: bool) -> str:
    if threshold.kind == "mass":
        return f"the strongest {_percent(threshold.value)} of each token's {what}"
    what = "differences" if what == "difference" else "weights"
    return f"{what} from {threshold.value:.2f}{' of the largest weight' if is_norms else ''}"


def _at_most(edges: Sequence[Edges], sight: Sight) -> str:
    """Which arcs are drawn of a run where more pass than can be."""
    limited = {letter: one for letter, one in zip("AB", edges, strict=True) if one.spread is not None}
    if not limited:
        return ""
    told = [f"of {one.n_passed:,} in {letter} {chosen_phrase(one)}" for letter, one in limited.items()]
    groups = groups_phrase([one.spread for one in limited.values()], sight)
    return f"; as more pass than are drawn at once, {', '.join(told)}, {groups}"


def _drawn_difference(difference: Difference, edges: Edges, threshold: Threshold) -> str:
    largest = f"; the largest is \N{PLUS-MINUS SIGN}{difference.largest:.2f}" if difference.sight.quantity != "norms" else ""
    rule = _rule(threshold, "difference", difference.sight.quantity == "norms")
    return f"{drawn_phrase(edges, rule, difference.sight)}{largest}"


def _left_out(difference: Difference) -> list[str]:
    """Which tokens have no counterpart, and how much of either run's weight goes with them."""
    named = [f"{_some(texts)} in {letter}" for letter, texts in zip("AB", difference.alone, strict=True) if texts]
    if not named:
        return []
    shares = [f"{_percent(share)} of what {letter} shows" for letter, share in zip("AB", difference.left_out, strict=True)]
    return [f"without a counterpart: {', '.join(named)}; that leaves out {' and '.join(shares)}"]


def _some(texts: Sequence[str]) -> str:
    """Some tokens in quotation marks, the first ones of many."""
    more = f" and {len(texts) - _MOST_ALONE} more" if len(texts) > _MOST_ALONE else ""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{' '.join(texts[:_MOST_ALONE])}\N{RIGHT DOUBLE QUOTATION MARK}{more}"


def _percent(share: float) -> str:
    return f"{round(100 * share)}\N{NO-BREAK SPACE}%"


def _sinks(comparison: Comparison) -> list[str]:
    """What is done with sinks on both sides, where anything is."""
    told = [line.split("  \N{MIDDLE DOT}  ")[0] for line in (shares_line(side.sight) for side in comparison.sides)]
    if comparison.a.sight.sinks.treatment == "show" or not all(": " in line and "mean" in line for line in told):
        return []
    return [f"both\N{EM SPACE}{told[0]}"] if told[0] == told[1] else [f"A\N{EM SPACE}{told[0]}", f"B\N{EM SPACE}{told[1]}"]
