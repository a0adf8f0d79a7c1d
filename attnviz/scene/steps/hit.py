"""What of the steps lies under the pointer. Pure geometry, no painting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attnviz.scene.numbers import number
from attnviz.scene.scene import Box
from attnviz.scene.steps.arithmetic import TOLD_DIGITS, times_of

if TYPE_CHECKING:
    from attnviz.scene.steps.scene import RowBox, Stage, StepsScene, Strip


@dataclass(frozen=True)
class Hit:
    """stage: the one under the point; tip: what is said of the cell, number or word there; outline: of that cell or number; row:
    of the table; head: that can be picked; is_copy: the point is where the stage is copied."""

    stage: Stage | None = None
    tip: str | None = None
    outline: Box | None = None
    row: RowBox | None = None
    head: int | None = None
    is_copy: bool = False


NOTHING = Hit()


def hit_at(scene: StepsScene, x: float, y: float) -> Hit:
    """Everything that lies under a point of the scene."""
    copying = next((stage for stage in scene.stages if stage.copy.holds(x, y)), None)
    stage = copying or next((stage for stage in scene.stages if stage.box.holds(x, y)), None)
    tip, outline = _told(scene, x, y)
    return Hit(
        stage=stage,
        tip=tip,
        outline=outline,
        row=next((row for row in scene.rows if row.box.holds(x, y)), None),
        head=next((head.head for head in scene.heads if head.box.holds(x, y)), None),
        is_copy=copying is not None,
    )


def _told(scene: StepsScene, x: float, y: float) -> tuple[str | None, Box | None]:
    for strip in scene.strips:
        if strip.stage is not None and strip.box.holds(x, y):
            return _cell(strip, x)
    for one in scene.numbers:
        if one.box.holds(x, y):
            how = f"\n{one.how}" if one.how else ""
            return f"{one.what}: {number(one.value, TOLD_DIGITS)}{how}", one.box
    for word in scene.words:
        if word.box.holds(x, y):
            return word.meaning, None
    return None, None


def _cell(strip: Strip, x: float) -> tuple[str, Box]:
    """The cell under a point of a strip: its vector, the place of its number in it, and the number."""
    box, n_cell = strip.box, len(strip.cells)
    width = (box.right - box.left) / n_cell
    cell = min(int((x - box.left) / width), n_cell - 1)
    place = int(strip.cells[cell])
    tip = f"{strip.what}, number {strip.first + place}: {number(float(strip.values[place]))}"
    if strip.parts is not None:
        weight, vector = strip.parts
        tip += f"\n{times_of(weight, float(vector[place]), float(strip.values[place]))}"
    if n_cell < len(strip.values):
        starts = np.append(np.arange(n_cell) * len(strip.values) // n_cell, len(strip.values)) + strip.first
        tip += f"\nthe largest of numbers {starts[cell]} to {starts[cell + 1] - 1}"
    return tip, Box(box.left + cell * width, box.top, box.left + (cell + 1) * width, box.bottom)
