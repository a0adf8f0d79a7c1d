"""The evidence as data: each arc is a weight of the head, right and wrong are marked as measured, no word is lost."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.paint.fonts import text_width
from attnviz.probing.evidence import Case, Evidence, Shown
from attnviz.scene.arcs.hit import arc_text, arc_under
from attnviz.scene.atlas.colours import group_colour, wrong_colour
from attnviz.scene.atlas.evidence import build_evidence, score_text
from attnviz.scene.page import Layout
from attnviz.scene.theme import load_theme
from tests.probing.made_up import made_up_evidence, made_up_roles
from tests.scene.pictures import Room, label_room, points_of
from tests.scene.same import same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.scene.atlas.evidence_scene import EvidenceScene, EvidenceSentence

pytestmark = pytest.mark.usefixtures("qapp")  # text is measured as it is painted

LIGHT, ROLES = load_theme("light"), made_up_roles(2, 3)
RIGHT, WRONG = group_colour("grammar", LIGHT), wrong_colour(LIGHT)


def build(evidence: Evidence, width: float = 900.0, caption: bool = False) -> EvidenceScene:
    return build_evidence(evidence, LIGHT, Layout(width, caption=caption), text_width)


def evidence_of(*shown: Shown, key: str = "obj>") -> Evidence:
    return Evidence(1, 2, ROLES.by_key[key], shown, ())


def sentence(
    text: str, *cases: tuple[int, tuple[int, ...], int | None, bool | None], weights: np.ndarray | None = None, score: float = 0.5
) -> Shown:
    """A sentence of words with cases (query, targets, largest, is_hit); by default 0.6 of a case's weight is on its largest."""
    units = tuple(text.split())
    made = []
    for query, targets, largest, is_hit in cases:
        row = np.full(len(units), 0.4 / len(units), np.float32) if weights is None else weights
        if weights is None and largest is not None:
            row[largest] += 0.6
        made.append(Case(query, targets, row, largest, is_hit))
    return Shown("made-up", 0, units, (True, *(False for _ in units[1:])), score, tuple(made))


def all_text(scene: EvidenceScene) -> str:
    return " ".join(label.text for label in scene.labels).replace("\N{NO-BREAK SPACE}", " ")


def arcs_of(scene: EvidenceScene, part: EvidenceSentence) -> Iterator[tuple[int, int, float, str]]:
    """(query, key, weight, colour) of a sentence's arcs, in its own units."""
    arcs = scene.arcs
    last = part.first + len(part.shown.units)
    for at in range(len(arcs)):
        if part.first <= arcs.query[at] < last:
            yield (
                int(arcs.query[at]) - part.first,
                int(arcs.key[at]) - part.first,
                float(arcs.weight[at]),
                arcs.colours[arcs.colour[at]],
            )


def check(scene: EvidenceScene) -> None:
    """What holds of every picture of evidence."""
    words = [
        Room(w.text, w.left, w.baseline - 0.72 * scene.font_size, w.right, w.baseline + 0.24 * scene.font_size) for w in scene.words
    ]
    labels = [label_room(label, text_width) for label in scene.labels if label.text]
    taken = [*words, *labels]
    for room in taken:
        assert room.within(scene.width, scene.height), f"{room} leaves {scene.width} x {scene.height}"
    sides = np.array([[room.left, room.top, room.right, room.bottom] for room in taken])
    over = (sides[:, None, 0] < sides[:, 2] - 0.5) & (sides[:, 0] < sides[:, None, 2] - 0.5)
    over &= (sides[:, None, 1] < sides[:, 3] - 0.5) & (sides[:, 1] < sides[:, None, 3] - 0.5)
    np.fill_diagonal(over, False)
    assert not over.any(), [(taken[a], taken[b]) for a, b in np.argwhere(over)[:2]]
    assert [word.index for word in scene.words] == list(range(len(scene.words)))
    for a, b in pairwise(scene.sentences):
        assert a.box.bottom <= b.box.top
    for part in scene.sentences:
        mine = scene.words[part.first : part.first + len(part.shown.units)]
        assert [word.unit for word in mine] == list(range(len(mine)))
        assert all(part.box.top <= word.top and word.bottom <= part.box.bottom for word in mine)
        assert part.box.holds(mine[0].left, mine[0].baseline)
        wanted = {(case.query, key): float(weight) for case in part.shown.cases for key, weight in enumerate(case.weights)}
        for query, key, weight, _ in arcs_of(scene, part):
            assert weight == wanted[query, key]
        rows = np.isin(scene.arcs.query, range(part.first, part.first + len(mine)))
        points = points_of(scene.arcs.curve[rows], 9)
        if points.size:
            assert points[..., 0].min() >= 0
            assert points[..., 0].max() <= scene.width
            assert points[..., 1].min() >= part.box.top - 0.5
            assert points[..., 1].max() <= part.box.bottom + 0.5
    assert ((scene.arcs.opacity > 0) & (scene.arcs.opacity <= 1)).all()


@st.composite
def texts(draw: st.DrawFn) -> Shown:
    """Any text with any cases."""
    n = draw(st.integers(1, 60))
    words = st.sampled_from(["a", "of", "tide", "lighthouse", "it", ".", "不", "unbelievably", "x" * 300])
    units = draw(st.lists(words, min_size=n, max_size=n))
    glued = (True, *draw(st.lists(st.sampled_from([False, False, False, True]), min_size=n - 1, max_size=n - 1)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    cases = []
    for query in sorted(draw(st.sets(st.integers(0, n - 1), max_size=n))):
        weights = (rng.random(n) ** draw(st.integers(1, 12))).astype(np.float32)
        weights /= max(float(weights.sum()), 1.0)
        targets = tuple(sorted(draw(st.sets(st.integers(0, n - 1), max_size=4))))
        largest = draw(st.sampled_from([int(weights.argmax()), None]))
        is_hit = draw(st.sampled_from([None, largest in targets]))
        cases.append(Case(query, targets, weights, largest, is_hit))
    return Shown("any", 0, tuple(units), glued, draw(st.floats(0, 1)), tuple(cases))


@settings(max_examples=60)
@given(
    shown=st.lists(texts(), min_size=1, max_size=3),
    width=st.integers(320, 1600),
    key=st.sampled_from(["obj>", "previous", "entropy", "first"]),
)
def test_no_word_is_covered_or_leaves_the_picture_and_each_arc_is_a_weight(shown: list[Shown], width: int, key: str) -> None:
    check(build(Evidence(0, 1, ROLES.by_key[key], tuple(shown[:1]), tuple(shown[1:])), float(width)))


@pytest.mark.parametrize("key", ["obj>", "previous", "pronoun", "entropy", "duplicate", "first"])
def test_made_up_evidence_is_whole_and_the_same_each_time(key: str) -> None:
    evidence = made_up_evidence(ROLES, 0, 1, key)
    assert len(evidence.best) == len(evidence.worst) == 5
    for width in (320.0, 528.0, 900.0):
        scene = build(evidence, width)
        check(scene)
        assert same(scene, build(evidence, width))
        assert [part.shown for part in scene.sentences] == [*evidence.best, *evidence.worst]
        assert [part.side for part in scene.sentences] == ["best"] * 5 + ["worst"] * 5


def test_the_heading_says_the_head_the_measure_and_all_that_it_stands_on() -> None:
    scene = build(made_up_evidence(ROLES, 0, 1, "obj>"), caption=True)
    assert scene.labels[0].text == "L0.H1   object → verb"
    measured, text = ROLES.by_key["obj>"], all_text(scene)
    for part in (
        f"{100 * measured.score[0, 1]:.0f} %, baseline {100 * measured.baseline.score:.0f} % (fixed offset +1), 95 % interval",
        "48 cases in 12 texts",
        "How often the largest weight of “object”",
        "Source: Clark et al. 2019",
        "rightly looked at",
    ):
        assert part in text
    beside = build(made_up_evidence(ROLES, 0, 1, "obj>"))
    assert "L0.H1" not in all_text(beside)  # there it is named beside the picture
    assert beside.description == scene.description
    assert scene.description.startswith("L0.H1   object → verb: ")


def test_a_hit_runs_in_the_groups_colour_to_what_is_underlined() -> None:
    scene = build(evidence_of(sentence("To remove stubborn stains", (3, (1,), 1, True))))
    told = [arc for arc in arcs_of(scene, scene.sentences[0]) if arc[3] == RIGHT]
    assert [(query, key) for query, key, _, _ in told] == [(3, 1)]
    assert told[0][2] == pytest.approx(0.7)
    lines = [line for line in scene.underlines if line.y > scene.words[0].top]
    assert [(line.left, line.right, line.colour, line.is_dashed) for line in lines] == [
        (scene.words[1].left, scene.words[1].right, RIGHT, False)
    ]
    assert not len(scene.missed)
    assert [word.text for word in scene.words if word.bold] == ["stains"]
    assert [word.text for word in scene.words if word.ink == "muted"] == ["To", "stubborn"]


def test_what_is_missed_is_dashed_and_what_is_chosen_instead_has_the_colour_of_the_wrong() -> None:
    scene = build(evidence_of(sentence("To remove stubborn stains", (3, (1,), 2, False), weights=np.float32([0, 0.3, 0.7, 0]))))
    colours = {(query, key): colour for query, key, _, colour in arcs_of(scene, scene.sentences[0])}
    assert colours == {(3, 2): WRONG, (3, 1): LIGHT.muted}
    assert len(scene.missed) == 1
    assert scene.missed[0, 0, 0] == pytest.approx((scene.words[3].left + scene.words[3].right) / 2, abs=4)
    assert scene.missed[0, 3, 0] == pytest.approx((scene.words[1].left + scene.words[1].right) / 2, abs=4)
    lines = {line.left: (line.colour, line.is_dashed) for line in scene.underlines if line.y > scene.words[0].top}
    assert lines == {scene.words[1].left: (LIGHT.muted, True), scene.words[2].left: (WRONG, False)}
    assert "rightly looked at" not in all_text(scene)


def test_a_word_that_is_missed_for_one_pronoun_and_chosen_for_another_has_both_lines() -> None:
    scene = build(evidence_of(sentence("Fiona met Kevin and he thanked her", (4, (2,), 0, False), (6, (0,), 2, False))))
    for word in (scene.words[0], scene.words[2]):
        lines = [line for line in scene.underlines if line.left == word.left and line.y > word.top]
        assert sorted(line.is_dashed for line in lines) == [False, True]
        assert abs(lines[0].y - lines[1].y) >= 3


def test_a_heavier_weight_is_never_fainter_or_thinner() -> None:
    weights = np.float32([0.05, 0.1, 0.2, 0.64, 0.01])
    scene = build(evidence_of(sentence("one two three four five", (4, (0, 1, 2, 3), 3, None), weights=weights), key="previous"))
    order = np.argsort(scene.arcs.weight)
    assert len(order) == 4
    assert (np.diff(scene.arcs.opacity[order]) > 0).all()
    assert (np.diff(scene.arcs.width[order]) > 0).all()


def test_of_arcs_that_stand_forward_the_weakest_is_painted_first() -> None:
    shown = [sentence("one two three four five", (4, (at,), at, True), weights=None) for at in (0, 2)]
    heavy, light = np.float32([0.9, 0.1, 0, 0, 0]), np.float32([0.1, 0.1, 0.4, 0.2, 0.2])
    shown = [replace(each, cases=(replace(each.cases[0], weights=row),)) for each, row in zip(shown, (heavy, light), strict=True)]
    scene = build(evidence_of(*shown))
    told = scene.arcs.colour == 0
    assert scene.arcs.weight[told].tolist() == sorted(scene.arcs.weight[told].tolist())
    assert told.tolist() == sorted(told.tolist())


def test_arcs_over_the_line_look_back_and_under_it_ahead() -> None:
    scene = build(evidence_of(sentence("one two three four five", (2, (0,), 0, True), (1, (4,), 4, True))))
    for at in range(len(scene.arcs)):
        y = points_of(scene.arcs.curve[at : at + 1])[0, :, 1].mean()
        if scene.arcs.key[at] < scene.arcs.query[at]:
            assert y < scene.words[0].top
        elif scene.arcs.key[at] > scene.arcs.query[at]:
            assert y > scene.words[0].bottom


def test_of_many_cases_over_each_other_eight_stand_forward() -> None:
    rng = np.random.default_rng(3)
    cases = [(query, (0,), 0, None) for query in range(1, 24)]
    shown = sentence(" ".join("word" for _ in range(24)), *cases)
    shown = replace(
        shown,
        cases=tuple(
            replace(case, weights=np.concatenate([[w], np.zeros(23)]).astype(np.float32))
            for case, w in zip(shown.cases, 0.3 + 0.5 * rng.random(23), strict=True)
        ),
    )
    scene = build(evidence_of(shown, key="first"), 1600.0)
    clear = scene.arcs.opacity > 0.4
    assert clear.sum() == 8
    assert scene.arcs.weight[clear].min() > scene.arcs.weight[~clear].max()
    assert "the strongest of many stand forward" in all_text(scene)


def test_arcs_between_neighbours_stand_forward_however_many_there_are() -> None:
    cases = [(query, (query - 1,), query - 1, None) for query in range(1, 20)]
    scene = build(evidence_of(sentence(" ".join("abcdefghijklmnopqrst"), *cases), key="previous"), 1600.0)
    assert len(scene.arcs) == 19
    assert len(set(scene.arcs.opacity.tolist())) == 1
    assert "stand forward" not in all_text(scene)


def test_an_arc_from_the_beginning_of_a_line_to_the_end_of_the_one_before_is_broken_there() -> None:
    words = " ".join(["lighthouse"] * 12)
    shown = sentence(words, *[(query, (query - 1,), query - 1, None) for query in range(1, 12)])
    scene = build(evidence_of(shown, key="previous"), 500.0)
    first = next(word for word in scene.words if word.row == 1)
    halves = np.flatnonzero((scene.arcs.query == first.index) & (scene.arcs.key == first.index - 1))
    assert len(halves) == 2
    ends = sorted((scene.arcs.curve[half, 0, 0], scene.arcs.curve[half, 3, 0]) for half in halves)
    assert min(ends[0]) < first.left
    assert max(ends[1]) > scene.words[first.index - 1].right
    assert (scene.arcs.weight[halves] == scene.arcs.weight[halves[0]]).all()
    # Both run the way of the arc: one leaves the query, the other comes to the key.
    key = scene.words[first.index - 1]
    assert min(abs(scene.arcs.curve[halves, 0, 0] - (first.left + first.right) / 2)) < 4
    assert min(abs(scene.arcs.curve[halves, 3, 0] - (key.left + key.right) / 2)) < 4
    check(scene)


def test_lines_break_at_blanks_and_the_last_one_is_not_left_with_a_word() -> None:
    words = ("An", "un", "believ", "able", "tide", ",", "he", "said", "again", "and", "again", "with", "care", ".")
    glued = (True, False, True, True, False, True, *(False for _ in range(7)), True)
    shown = Shown("glued", 0, words, glued, 1.0, ())
    for width in range(160, 420, 10):
        scene = build(evidence_of(shown), float(width))
        for a, b in pairwise(scene.words):
            assert b.row == a.row or not glued[b.index], width
        rows = [word.row for word in scene.words]
        assert rows[-1] == 0 or width < 200 or rows.count(rows[-1]) > 2


def test_a_word_wider_than_the_line_is_cut_off() -> None:
    scene = build(evidence_of(sentence(f"a {'x' * 400} b")), 340.0)
    assert scene.words[1].text.endswith("…")
    assert len(scene.words[1].text) > 20
    check(scene)


@pytest.mark.parametrize(
    ("key", "hits", "score", "text"),
    [
        ("obj>", (True, True, False), 2 / 3, "2 of 3"),
        ("retrieval", (True, True), 0.5, "50 %"),  # found, and once not said
        ("previous", (None, None), 0.993, "99 %"),
        ("entropy", (None,), 2.314, "2.31 nats"),
    ],
)
def test_a_sentences_score_is_said_as_it_was_counted(key: str, hits: tuple[bool | None, ...], score: float, text: str) -> None:
    shown = sentence("a b c d", *((3, (at,), at, hit) for at, hit in enumerate(hits)), score=score)
    assert score_text(shown, ROLES.by_key[key].measure) == text


def test_a_measure_without_a_case_says_why_and_shows_no_sentence() -> None:
    scene = build(made_up_evidence(ROLES, 0, 0, "induction"))
    assert scene.sentences == ()
    assert scene.words == ()
    assert len(scene.arcs) == 0
    assert "measured of causal models alone" in all_text(scene)
    assert "arcs run" not in all_text(scene)


def test_the_pointer_reads_an_arc_as_in_an_arc_diagram() -> None:
    scene = build(evidence_of(sentence("To remove stubborn stains", (3, (1,), 1, True))))
    at = int(np.argmax(scene.arcs.weight))
    x, y = points_of(scene.arcs.curve[at : at + 1])[0, 30]
    assert arc_under(scene, float(x), float(y)) == at
    told = arc_text(scene, at)
    assert "stains" in told
    assert "remove" in told
    assert told.endswith("0.700")


def test_a_word_is_found_by_its_index() -> None:
    scene = build(made_up_evidence(ROLES, 0, 1, "obj>"))
    assert scene.token_at(0) is scene.words[0]
    assert scene.token_at(-1) is scene.token_at(10_000) is None


@pytest.mark.parametrize("width", [342.0, 900.0])
def test_what_was_measured_can_be_left_to_what_is_beside_the_picture(width: float) -> None:
    evidence = made_up_evidence(ROLES, 0, 1, "obj>")
    whole = build(evidence, width)
    bare = build_evidence(evidence, LIGHT, Layout(width), text_width, with_score=False)
    check(bare)
    assert "95 % interval" in all_text(whole)
    assert "95 % interval" not in all_text(bare)
    assert all_text(bare) in all_text(whole)
    assert bare.height < whole.height
    assert bare.description == whole.description


def test_a_narrow_picture_names_its_sides_before_their_first_scores() -> None:
    evidence = made_up_evidence(ROLES, 0, 1, "obj>")
    bold = [label.text for label in build(evidence, 342.0).labels if label.bold]
    assert [text.partition(": ")[0] for text in bold if ": " in text] == ["Best", "Worst"]
    wide = [label.text for label in build(evidence, 900.0).labels if label.bold]
    assert [text for text in wide if text in ("Best", "Worst")] == ["Best", "Worst"]
