"""Paints an arc diagram: its arcs, its tokens, and the numbers of the token in focus."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from attnviz.paint.fonts import font, text_width
from attnviz.paint.page import paint_lines, paint_page, see_through
from attnviz.paint.paths import cubic_path
from attnviz.scene.arcs.focus import arcs_in_focus, focus_labels, other_ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attnviz.scene.scene import Arcs, ArcScene, Box, TokenBox

# Steps of opacity that hairlines are sorted into: one path and one pen each, in place of one per arc.
_LEVELS = 24
_PLATE = 0.82  # how much of the paper lies between a row of text and the arcs that cross it


def ground_strength(scene: ArcScene) -> float:
    """How much of the other arcs is left while a token is in focus: less the more there are of them."""
    return 0.12 if len(scene.arcs) > 300 else 0.2


def paint_arc_scene(scene: ArcScene, painter: QPainter, hairline: float = 1.0) -> None:
    """The whole picture, in its focus if it has one. hairline: the width of the thinnest arcs, logical pixels;
    0 means one device pixel, Qt's fast path."""
    if scene.focus is None:
        paint_arcs(scene, painter, hairline)
    else:
        in_focus = arcs_in_focus(scene)
        paint_arcs(scene, painter, hairline, ~in_focus, ground_strength(scene))
        paint_arcs(scene, painter, hairline, in_focus)
    paint_text(scene, painter)


def paint_arcs(
    scene: ArcScene,
    painter: QPainter,
    hairline: float = 1.0,
    chosen: NDArray[np.bool_] | None = None,
    strength: float = 1.0,
    beneath: bool = False,
) -> None:
    """The arcs, or the `chosen` ones ([arc]), weakest first; strength: 0 to 1, multiplies their opacity.

    beneath: put hairlines under what is there, on an image without a ground; they have to be weaker than what is.
    """
    arcs = scene.arcs
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    shown = np.ones(len(arcs), bool) if chosen is None else chosen
    level = _levels(arcs)
    # On a dense screen one device pixel is a thinner line; more opacity makes up for it.
    dense = 1.0 if hairline else painter.device().devicePixelRatio() ** 0.7
    order = hairlines(arcs)
    groups = _groups(order[shown[order]], level, arcs.colour)
    if beneath:
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationOver)
    for group in reversed(groups) if beneath else groups:
        colour = see_through(arcs.colours[arcs.colour[group[0]]], strength * dense * level[group[0]] / _LEVELS)
        painter.setPen(QPen(colour, hairline))
        # A wide line is filled as a shape, and one shape of many arcs takes twice the time of many (512 tokens at 300 dpi:
        # 11.9 s against 5.6); a device-wide one is drawn at once, and the calls are what counts.
        for part in (group,) if not hairline else np.split(group, range(1, len(group))):
            painter.drawPath(cubic_path(arcs.curve[part]))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    for arc in np.flatnonzero(shown & (arcs.width > 1.0)):
        pen = QPen(see_through(arcs.colours[arcs.colour[arc]], strength * float(arcs.opacity[arc])), float(arcs.width[arc]))
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawPath(cubic_path(arcs.curve[arc : arc + 1]))


def paint_text(scene: ArcScene, painter: QPainter, sight: Box | None = None) -> None:
    """Tokens, bands, captions, notes and, for a token in focus, its numbers; sight: the part of the picture that is seen, tokens
    out of which need not be painted."""
    numbers = focus_labels(scene, text_width)
    paint_page(scene, painter)
    _paint_tokens(scene, painter, sight)
    paint_lines([label for label, _ in numbers], [dot for _, dot in numbers], scene.theme, painter)


def _paint_plates(scene: ArcScene, tokens: Sequence[TokenBox], painter: QPainter) -> None:
    """Some paper behind each row of a text of several, so that it can be read where arcs pass under it."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(see_through(scene.theme.paper, _PLATE))
    for _, row in itertools.groupby(tokens, key=lambda box: box.row):
        first, *others = row
        left, right = first.left - 4, (others[-1] if others else first).right + 4
        painter.drawRoundedRect(QRectF(left, first.top + 2, right - left, first.bottom - first.top - 4), 4, 4)


def _paint_tokens(scene: ArcScene, painter: QPainter, sight: Box | None) -> None:
    # Of 500 tokens a window has some 100 in sight, and each takes 10 us whether or not it has.
    tokens = [box for box in scene.tokens if sight is None or (box.bottom >= sight.top and box.top <= sight.bottom)]
    if any(box.row for box in scene.tokens):
        _paint_plates(scene, tokens, painter)
    attended = set(other_ends(scene)[arcs_in_focus(scene)].tolist()) if scene.focus is not None else None
    for box in tokens:  # before the letters, whose tails may reach down to the line
        if box.joined:
            _paint_join(scene, box, painter)
    for box in tokens:
        if box.index == scene.focus:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(scene.theme.focus_ground))
            painter.drawRoundedRect(QRectF(box.left - 5, box.top, box.right - box.left + 10, box.bottom - box.top), 5, 5)
        quiet = box.is_quiet or (attended is not None and box.index != scene.focus and box.index not in attended)
        ink = scene.theme.accent if box.index == scene.focus else scene.theme.faint if quiet else scene.theme.ink
        painter.setPen(QColor(ink))
        painter.setFont(font(scene.font_size))
        painter.drawText(QPointF(box.left, box.baseline), box.text)


def _paint_join(scene: ArcScene, box: TokenBox, painter: QPainter) -> None:
    """A hairline under a piece and the one before it, so that a word in pieces is underlined as one."""
    before = scene.token_at(box.index - 1)
    painter.setPen(QPen(QColor(scene.theme.hairline), 1.0))
    y = box.bottom - 3.0
    painter.drawLine(QPointF(before.left if before is not None else box.left, y), QPointF(box.right, y))


def hairlines(arcs: Arcs) -> NDArray[np.intp]:
    """The arcs that are no wider than a hairline in the order in which they are painted: by steps of opacity, the weakest first,
    and within a step by colour."""
    thin = np.flatnonzero(arcs.width <= 1.0)
    return thin[np.lexsort((arcs.colour[thin], _levels(arcs)[thin]))]


def _levels(arcs: Arcs) -> NDArray[np.intp]:
    return np.ceil(arcs.opacity * _LEVELS).astype(np.intp)


def _groups(order: NDArray[np.intp], level: NDArray[np.intp], colour: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Arcs in that order, in groups of one opacity and colour."""
    if not order.size:
        return []
    begins = (np.diff(level[order]) != 0) | (np.diff(colour[order]) != 0)
    return np.split(order, np.flatnonzero(begins) + 1)
