"""What of a matrix lies under the pointer. Pure geometry, no painting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.scene.matrix.scene import weight_text
from attnviz.scene.matrix.sides import AWAY, way_of
from attnviz.scene.numbers import signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.matrix.scene import Cells, MatrixScene
    from attnviz.scene.scene import Measure


@dataclass(frozen=True)
class Spot:
    """A cell of a panel, or a token beside the rows or above the columns; None for what it is not."""

    panel: int | None = None
    row: int | None = None
    column: int | None = None

    def token(self, scene: MatrixScene) -> int | None:
        """The position of its token: of a cell the query's, else that of the token itself."""
        if self.row is not None:
            return scene.queries.positions[self.row]
        return None if self.column is None else scene.keys.positions[self.column]


NOWHERE = Spot()


def spot_at(scene: MatrixScene, placed: Sequence[Cells], x: float, y: float, measure: Measure) -> Spot:
    """What lies at a point while the cells of each panel lie as `placed`."""
    for number, (panel, cells) in enumerate(zip(scene.panels, placed, strict=True)):
        row, column = cells.row_at(y), cells.column_at(x)
        if row is not None and column is not None:
            return Spot(number, row, column)
        left, top = cells.room[:2]
        if row is not None and panel.has_row_labels and left - scene.row_room - 2 * AWAY <= x < left:
            return Spot(row=row)
        rise = top - y
        if panel.has_column_labels and 0 < rise <= scene.column_room + 2 * AWAY:
            column = cells.column_at(x - (rise if _is_slanted(scene, cells, measure) else 0.0))
            if column is not None:
                return Spot(column=column)
    return NOWHERE


def spot_text(scene: MatrixScene, spot: Spot) -> str | None:
    """What the pointer says of a cell: query, key, head and weight, on which texts of either direction do not turn."""
    if spot.panel is None or spot.row is None or spot.column is None:
        return None
    panel = scene.panels[spot.panel]
    query, key = scene.queries.texts[spot.row], scene.keys.texts[spot.column]
    looks = f"{_isolated(query)} \N{RIGHTWARDS ARROW} {_isolated(key)}   {panel.title}"
    if scene.masked is not None and scene.masked[spot.row, spot.column]:
        return f"{looks}   not seen: it comes after"
    weight = float(panel.weights[spot.row, spot.column])
    if panel.both is None:
        return f"{looks}   {_written(weight, scene)}"
    of_a, of_b = (_written(weight, scene) for weight in panel.both.at(spot.row, spot.column))
    return f"{looks}   {_written(weight, scene, is_signed=True)}   A {of_a}, B {of_b}"


def _written(weight: float, scene: MatrixScene, is_signed: bool = False) -> str:
    if scene.quantity == "norms":
        return weight_text(weight, scene.quantity, is_signed)
    return signed(weight, 3) if is_signed else f"{weight:.3f}"


def _is_slanted(scene: MatrixScene, cells: Cells, measure: Measure) -> bool:
    return way_of(scene.keys, cells.columns, cells.width, scene.column_space, measure) == "slanted"


def _isolated(text: str) -> str:
    """The text with a direction of its own (Unicode Standard Annex 9, isolates)."""
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"
