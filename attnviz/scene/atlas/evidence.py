"""The evidence for what a head does becomes a picture: the sentences in which it does it best and worst, with what it looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.atlas.colours import NO_JOBS, group_colour, wrong_colour
from attnviz.scene.atlas.evidence_scene import EvidenceScene, EvidenceSentence, Underline
from attnviz.scene.atlas.flow import Flow
from attnviz.scene.atlas.sentence import Inks, set_sentence
from attnviz.scene.atlas.strands import strands_of
from attnviz.scene.atlas.words import counts_sentence, measured_line, source_sentence, unbroken, value_text
from attnviz.scene.page import LINE, MARGIN, SMALL, Layout, Page
from attnviz.scene.scene import Arcs, Box, Label
from attnviz.scene.words import count_of, shortened, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.probing.evidence import Evidence, Shown
    from attnviz.probing.measures import Measure as Asked
    from attnviz.scene.atlas.evidence_scene import Side
    from attnviz.scene.atlas.sentence import SetSentence
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme

_HEAD, _TITLE, _TITLE_LINE = 8.0, 16, 24.0
_WIDE: Final = 560.0  # from which on scores stand beside their sentences, in larger type
_BESIDE: Final = 64.0
_SIZES: Final = (15, 13)
_BETWEEN, _BEFORE_SIDE, _AIR = 12.0, 8.0, 4.0
_SAMPLE: Final = 16.0  # the length of a line in the legend
_WIDEST: Final = 1.6  # of an arc with all of a word's weight, beyond a hairline


def build_evidence(evidence: Evidence, theme: Theme, layout: Layout, measure: Measure, with_score: bool = True) -> EvidenceScene:
    """The picture of the evidence for one head and one measure, as tall as it needs to be.

    layout.caption: head and measure are its title, rather than named beside it; with_score: what was measured of the head stands
    above the sentences, rather than beside them.
    """
    measured, page = evidence.measured, Page(theme, layout, measure)
    group = measured.measure.group
    right = theme.ink if group in NO_JOBS else group_colour(group, theme)
    inks = Inks(right, theme.muted, wrong_colour(theme), theme.muted)
    title = f"L{evidence.layer}.H{evidence.head}   {measured.measure.title}"
    told = measured_line(measured, evidence.layer, evidence.head)
    _heading(title if layout.caption else "", told if with_score else "", measured.measure, page)
    underlines = _legend(evidence, inks, page)
    placed: list[SetSentence] = []
    sentences: list[EvidenceSentence] = []
    first = 0
    for side, every in (("best", evidence.best), ("worst", evidence.worst)):
        name = _side_name(measured.measure, side)
        page.y += _BEFORE_SIDE if every else 0.0
        if every and _is_wide(layout):
            page.labels.append(Label(name, MARGIN, page.y + 13.0, 13, "ink", bold=True))
            page.y += LINE + 6.0
        for number, shown in enumerate(every):
            top, score = page.y, score_text(shown, measured.measure)
            # A narrow picture has no line to spare for a heading: it goes before the first score.
            told_score = f"{name}: {score}" if number == 0 and not _is_wide(layout) else score
            placed.append(_set(shown, told_score, first, inks, page))
            sentences.append(EvidenceSentence(shown, side, Box(0.0, top, layout.width, page.y), first))
            page.y += _BETWEEN
            first += len(shown.units)
    page.y += _BEFORE_SIDE - _BETWEEN
    page.text(source_sentence(measured.measure))
    return EvidenceScene(
        width=layout.width,
        height=max(layout.height, page.y + 0.5 * MARGIN),
        theme=theme,
        labels=tuple(page.labels),
        dots=(),
        bands=(),
        description=_description(evidence, title, told),
        font_size=_size(layout),
        words=tuple(word for done in placed for word in done.words),
        arcs=_arcs(evidence, placed, inks),
        missed=np.concatenate([np.zeros((0, 4, 2), np.float32), *(done.missed for done in placed)]),
        missed_colour=inks.missed,
        underlines=(*underlines, *(line for done in placed for line in done.underlines)),
        sentences=tuple(sentences),
    )


def _heading(title: str, told: str, asked: Asked, page: Page) -> None:
    """What the picture is of, and what its numbers are, as the first lines of a page."""
    page.y += _HEAD
    # Bold type is wider than what lines are broken by.
    for line in wrap(title, _TITLE, (page.layout.width - 2 * MARGIN) / 1.1, page.measure) if title else ():
        page.labels.append(Label(line, MARGIN, page.y + 17.0, _TITLE, "ink", bold=True))
        page.y += _TITLE_LINE
    if told:
        page.text(unbroken(told), "ink")
    page.text(counts_sentence(asked))
    page.y += _AIR


def _is_wide(layout: Layout) -> bool:
    return layout.width >= _WIDE


def _size(layout: Layout) -> int:
    return _SIZES[0] if _is_wide(layout) else _SIZES[1]


def _set(shown: Shown, score: str, first: int, inks: Inks, page: Page) -> SetSentence:
    """A sentence as the next thing on a page, its score at the left of its first line, or above it where a picture is narrow."""
    is_wide, width = _is_wide(page.layout), page.layout.width - 2 * MARGIN
    left = MARGIN + (_BESIDE if is_wide else 0.0)
    top = page.y
    if not is_wide:
        page.labels.append(Label(score, MARGIN, page.y + 13.0, SMALL, "ink", bold=True))
        top += LINE
    done = set_sentence(shown, left, top, width - (left - MARGIN), _size(page.layout), first, inks, page.measure)
    if is_wide:
        page.labels.append(Label(score, MARGIN, done.words[0].baseline, SMALL, "ink", bold=True))
    page.y = done.bottom
    return done


def score_text(shown: Shown, asked: Asked) -> str:
    """A sentence's score: "2 of 3" where that is what was counted, else in the measure's unit."""
    hits = [case.is_hit for case in shown.cases]
    if asked.unit == "accuracy" and hits and None not in hits and abs(sum(hits) / len(hits) - shown.score) < 1e-3:
        return f"{sum(hits)} of {len(hits)}"
    return value_text(asked.unit, shown.score)


def _side_name(asked: Asked, side: Side) -> str:
    names = {"accuracy": ("Best", "Worst"), "share": ("Most", "Least")}.get(asked.unit, ("Highest", "Lowest"))
    return names[side == "worst"]


def _legend(evidence: Evidence, inks: Inks, page: Page) -> list[Underline]:
    """What arcs and lines mean, as the next lines of a page."""
    if not (evidence.best or evidence.worst):
        return []
    strands = [strands_of(shown) for shown in (*evidence.best, *evidence.worst)]
    faint = "; the strongest of many stand forward" if any(each.has_faint for each in strands) else ""
    runs = "arcs run from the word that looks: above back, below ahead"
    full = f"{runs}; the stronger, the more weight"
    has_room = page.measure(full, SMALL, False) <= page.layout.width - 2 * MARGIN
    page.text(f"{full if has_room else runs}{faint}")  # that a strong arc is a heavy one goes without saying; a line is worth more
    if evidence.measured.measure.unit != "accuracy":
        return []
    flow, lines = Flow(page), []
    for is_there, colour, is_dashed, text in (
        (any(each.reached for each in strands), inks.right, False, "rightly looked at"),
        (any(each.unreached for each in strands), inks.missed, True, "missed"),
        (any(arc.sort == "wrong" for each in strands for arc in each.arcs), inks.wrong, False, "looked at instead"),
    ):
        if is_there:
            x = flow.place(_SAMPLE + 6.0, text)
            lines.append(Underline(x, x + _SAMPLE, page.y + 9.0, colour, is_dashed))
    flow.end()
    return lines


def _arcs(evidence: Evidence, placed: Sequence[SetSentence], inks: Inks) -> Arcs:
    """The arcs of all sentences, weakest first."""
    strands = [(arc, done.words[0].index) for done in placed for arc in done.arcs]
    weight = np.array([arc.weight for arc, _ in strands], np.float32)
    strength = np.array([arc.strength for arc, _ in strands], np.float32)
    colours = {"right": 0, "wrong": 1, "other": 2}
    colour = np.array([colours[arc.sort] for arc, _ in strands], np.intp)
    is_told = (colour < colours["other"]) & (strength == 1)
    curve = np.concatenate([np.zeros((0, 4, 2), np.float32), *(done.curve for done in placed)])
    opacity = (0.14 + 0.82 * np.clip(weight, 0, 1) ** np.float32(0.7)) * strength
    width = np.where(is_told, 1.0 + _WIDEST * np.clip(weight, 0, 1), 1.0)
    order = np.lexsort((weight, colour < colours["other"], strength))
    return Arcs(
        head=np.full(len(strands), evidence.head, np.intp),
        query=np.array([first + arc.query for arc, first in strands], np.intp)[order],
        key=np.array([first + arc.key for arc, first in strands], np.intp)[order],
        weight=weight[order],
        opacity=opacity[order].astype(np.float32),
        width=width[order].astype(np.float32),
        colour=colour[order],
        curve=curve[order],
        colours=(inks.right, inks.wrong, inks.other),
    )


def _description(evidence: Evidence, title: str, told: str) -> str:
    """The picture in words: its heading, and each sentence with its score."""
    asked = evidence.measured.measure
    parts = [f"{title}: {told}."]
    for side, every in (("best", evidence.best), ("worst", evidence.worst)):
        listed = "; ".join(f"{shortened(_text(shown), 80)} ({score_text(shown, asked)})" for shown in every)
        if every:
            parts.append(f"{_side_name(asked, side)} of {count_of(evidence.measured.n_text, 'text')}: {listed}.")
    return " ".join(parts)


def _text(shown: Shown) -> str:
    """A sentence as it is read."""
    return "".join(unit if glued else f" {unit}" for unit, glued in zip(shown.units, shown.glued, strict=True)).strip()
