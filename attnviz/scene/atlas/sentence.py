"""One sentence of the evidence: its words in lines, with arcs over and under them and what is underlined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from attnviz.scene.arcs.rows import PlacedToken, Rows
from attnviz.scene.atlas.courses import LINE, courses_of
from attnviz.scene.atlas.evidence_scene import EvidenceWord, Underline
from attnviz.scene.atlas.strands import strands_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.probing.evidence import Shown
    from attnviz.scene.atlas.strands import Strand, Strands
    from attnviz.scene.scene import Measure

_BLANK, _GLUED = 0.62, 0.10  # before a word, by its type's size
_SHARES: Final = (0.70, 0.76, 0.82, 0.88, 0.94)
_UNDER: Final = 2.0  # between the tails of letters and an underline
_SECOND: Final = 4.0  # between two underlines of one word
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class Inks:
    """The colours of what is looked at as it should be, of what should be, of what is chosen instead, and of all else."""

    right: str
    missed: str
    wrong: str
    other: str


@dataclass(frozen=True)
class SetSentence:
    """A sentence in its place on the page. arcs: what each of `curve`, [arc, 4, 2], is the course of; missed: [arc, 4, 2];
    bottom: the y below it."""

    words: tuple[EvidenceWord, ...]
    underlines: tuple[Underline, ...]
    arcs: tuple[Strand, ...]
    curve: Float32
    missed: Float32
    bottom: float


def set_sentence(
    shown: Shown, left: float, top: float, width: float, size: int, first: int, inks: Inks, measure: Measure
) -> SetSentence:
    """A sentence from (left, top) on, at most `width` wide. first: the index of its first word in the picture."""
    strands = strands_of(shown)
    texts = [_fitted(text, width, size, measure) for text in shown.units]
    advances = [max(measure(text, size, unit in strands.asked), 4.0) for unit, text in enumerate(texts)]
    rows = _balanced(_between_blanks(shown.glued), advances, width, size)
    n = len(strands.arcs)
    pairs = [*((arc.query, arc.key) for arc in strands.arcs), *strands.missed]
    courses = courses_of(pairs, rows, left, top, width)
    words = tuple(_words(texts, strands, rows, courses.tops, left, first))
    is_arc: NDArray[np.bool_] = courses.pair < n
    return SetSentence(
        words=words,
        underlines=tuple(_underlines(strands, words, size, inks)),
        arcs=tuple(strands.arcs[pair] for pair in courses.pair[is_arc]),
        curve=courses.curve[is_arc],
        missed=courses.curve[~is_arc],
        bottom=courses.bottom,
    )


def _fitted(text: str, width: float, size: int, measure: Measure) -> str:
    """The text of a word, its end cut off where it is wider than a line."""
    if measure(text, size, True) <= width:
        return text
    return next((text[:n] + _CUT for n in range(len(text) - 1, 0, -1) if measure(text[:n] + _CUT, size, True) <= width), _CUT)


def _balanced(parts: Sequence[Sequence[int]], advances: Sequence[float], width: float, size: int) -> Rows:
    """The words in as few lines as they need, of about one length, so that the last one is not left with a word or two."""
    rows = _fill(parts, advances, width, size)
    for share in _SHARES if rows.n_row > 1 else ():
        narrower = _fill(parts, advances, share * width, size)
        if narrower.n_row == rows.n_row and all(place.right <= width for place in narrower.places):
            return narrower
    return rows


def _fill(parts: Sequence[Sequence[int]], advances: Sequence[float], width: float, size: int) -> Rows:
    """The words in lines, broken at blanks; where what stands between two blanks is wider than a line, anywhere in it.

    parts: the units between one blank and the next; advances: [unit] their widths.
    """
    places: list[PlacedToken] = []
    row, x = 0, 0.0
    for part in parts:
        whole = sum(advances[unit] for unit in part) + _GLUED * size * (len(part) - 1)
        x += _BLANK * size if x else 0.0
        if x and x + whole > width:
            row, x = row + 1, 0.0
        for unit in part:
            x += _GLUED * size if unit != part[0] and x else 0.0
            if x and x + advances[unit] > width:
                row, x = row + 1, 0.0
            places.append(PlacedToken(unit, x, x + advances[unit], row))
            x += advances[unit]
    return Rows(size, tuple(places), row + 1)


def _between_blanks(glued: Sequence[bool]) -> list[list[int]]:
    """The units between one blank and the next."""
    parts: list[list[int]] = []
    for unit, is_glued in enumerate(glued):
        if parts and is_glued:
            parts[-1].append(unit)
        else:
            parts.append([unit])
    return parts


def _words(texts: Sequence[str], strands: Strands, rows: Rows, tops: Float32, left: float, first: int) -> Iterator[EvidenceWord]:
    size = rows.font_size
    involved = strands.asked | strands.reached | strands.unreached | strands.chosen
    for place in rows.places:
        unit, top = place.index, float(tops[place.row])
        baseline, bottom = top + 0.5 * LINE * size + 0.36 * size, top + LINE * size
        ink = "ink" if unit in involved or not involved else "muted"
        yield EvidenceWord(
            index=first + unit,
            text=texts[unit],
            unit=unit,
            left=left + place.left,
            right=left + place.right,
            top=top,
            baseline=baseline,
            bottom=bottom,
            row=place.row,
            ink=ink,
            bold=unit in strands.asked,
        )


def _underlines(strands: Strands, words: Sequence[EvidenceWord], size: int, inks: Inks) -> Iterator[Underline]:
    """Lines under words; of a word that is missed and chosen too, for two cases, one below the other."""
    for units, colour, is_dashed, above in (
        (strands.reached, inks.right, False, frozenset()),
        (strands.chosen, inks.wrong, False, strands.reached),
        (strands.unreached, inks.missed, True, strands.chosen),
    ):
        for unit in sorted(units):
            word = words[unit]
            y = word.baseline + 0.26 * size + _UNDER + _SECOND * (unit in above)
            yield Underline(word.left, word.right, y, colour, is_dashed)
