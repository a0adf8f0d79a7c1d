"""Rows of text set in columns."""

from __future__ import annotations

import sys
from textwrap import wrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_GAP: Final = "  "
_WIDTH: Final = 110


def in_columns(rows: Sequence[Sequence[str]], to_the_right: Collection[int] = ()) -> list[str]:
    """The rows as lines; to_the_right: numbers of the columns that are set flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if at in to_the_right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(_GAP.join(cells).rstrip())
    return lines


def cleaned(text: str) -> str:
    """Without what would move the cursor: names and words come from files."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def print_lines(lines: Iterable[str]) -> None:
    """Print them, cleaned, with a "?" for a sign that the terminal's encoding has not."""
    encoding = sys.stdout.encoding or "utf-8"
    print("\n".join(map(cleaned, lines)).encode(encoding, "replace").decode(encoding))


def in_lines(text: str) -> list[str]:
    """A long sentence in several lines, the later ones set in."""
    return wrap(text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
