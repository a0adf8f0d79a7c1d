"""What each figure shall reach; nothing here is a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from tests.benchmarks.rows import Row


@dataclass(frozen=True)
class Target:
    """What a row's ratio, or attnviz's own figure, shall be at the most, or at the least. what: the rows that it holds for, * for
    anything."""

    section: str
    what: str
    bound: float
    of: Literal["ratio", "own"] = "ratio"
    is_least: bool = False


# Milliseconds that a picture of so many tokens may take to follow: BertViz takes 10 to 50 times as long.
_PICTURE: Final = {15: 33.0, 128: 100.0, 512: 400.0}
_FRAME: Final = 16.0

# The first that fits a row is its target.
TARGETS: Final = (
    Target("engine", "*tokens", 0.5),
    Target("engine", "*500 tokens, share of a large product's rate", 60.0, "own", is_least=True),
    Target("engine", "*, difference of attention", 1e-4, "own"),
    Target("typing", "*a token is added", 0.5),
    Target("typing", "*the last token changes", 0.5),
    Target("picture", "*hover a token", _FRAME, "own"),
    *(
        Target("picture", f"{n} tokens, {what}", most, "own")
        for n, most in _PICTURE.items()
        for what in ("repaint", "toggle a head", "change the layer")
    ),
    Target("grid", "512 tokens, another text", 1_000.0, "own"),
    Target("grid", "512 tokens, a frame while scrolling", _FRAME, "own"),
    Target("start", "time to the first picture", 0.25),
    Target("start", "memory by then", 0.5),
    Target("size", "float32, time to the first attention", 1.5),
)


def target_of(row: Row) -> Target | None:
    """The target of a row; None where none was set."""
    return next((one for one in TARGETS if one.section == row.section and fnmatchcase(row.what, one.what)), None)


def is_met(row: Row) -> bool | None:
    """Whether a row reaches its target; None without one, or without the figure that it is of."""
    target = target_of(row)
    if target is None:
        return None
    figure = row.ratio if target.of == "ratio" else row.own
    if figure is None:
        return None
    return figure.value >= target.bound if target.is_least else figure.value <= target.bound
