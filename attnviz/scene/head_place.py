"""Where a head stands on a picture that has a place for each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeadPlace:
    """Ends in whole pixels of the picture; right and bottom are outside. row, column: its line, and its place in the line."""

    layer: int
    head: int
    left: int
    top: int
    right: int
    bottom: int
    row: int
    column: int
