"""The picture of the steps drawn smaller as a whole: on paper small type is read well, and a tall figure is not wanted."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from attnviz.scene.scene import Box, Label
from attnviz.scene.steps.scene import Connector, Rule

if TYPE_CHECKING:
    from attnviz.scene.scene import Measure
    from attnviz.scene.steps.scene import StepsScene

# 12 px of small type become 9 and 8, which are 6.75 and 6 pt: smaller is hard to read.
SIZES: Final = (1.0, 0.75, 2 / 3)
_DRAWN: Final = ("labels", "dots", "bands", "stages", "strips", "numbers", "words", "bars", "connectors", "rules", "rows", "heads")
# Of what is drawn, the fields that are lengths; those that hold a box or a label are found by what they hold.
_LENGTHS: Final = ("x", "y", "radius", "top", "height", "left", "right", "bottom", "baseline")


def larger_measure(measure: Measure, size: float) -> Measure:
    """The measure for a picture that is drawn smaller by `size` afterwards: of the type that is then painted, in lengths before."""

    def measured(text: str, pixels: int, bold: bool) -> float:
        return measure(text, _type(pixels, size), bold) / size

    return measured


def smaller(scene: StepsScene, size: float) -> StepsScene:
    """A scene with all of its lengths times `size`, its type to the next whole pixel."""
    if size == 1.0:
        return scene
    drawn = {field.name: _shrunk(getattr(scene, field.name), size) for field in fields(scene) if field.name in _DRAWN}
    return replace(scene, width=round(scene.width * size, 6), height=scene.height * size, **drawn)


def _shrunk(value: Any, size: float) -> Any:
    """Anything that is drawn, smaller; what has no length is as it was."""
    if isinstance(value, tuple):
        return tuple(_shrunk(one, size) for one in value)
    if isinstance(value, Connector):
        return replace(value, points=tuple((x * size, y * size) for x, y in value.points))
    if not is_dataclass(value):
        return value
    held = {f.name: getattr(value, f.name) for f in fields(value)}
    made = {name: one * size for name, one in held.items() if name in _LENGTHS}
    made |= {name: _shrunk(one, size) for name, one in held.items() if isinstance(one, Box | Label | Rule)}
    if isinstance(value, Label):
        made["size"] = _type(value.size, size)
    return replace(value, **made)


def _type(pixels: int, size: float) -> int:
    return round(pixels * size)
