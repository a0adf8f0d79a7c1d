"""Rows as an aligned table to read, and as Markdown for README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.benchmarks.targets import is_met, target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.rows import Row, Spread, Unit

NONE: Final = "\N{EN DASH}"
MET: Final = {True: "met", False: "not met", None: ""}
MARKDOWN_HEAD: Final = ("| What | attnviz | beside it | ratio | target |", "|---|---|---|---|---|")
MARKS: Final = ("<!-- speed -->\n", "<!-- /speed -->\n")
# Digits behind the point by unit; a time below a hundred of its unit has one.
_DIGITS: Final[dict[Unit, int]] = {"s": 2, "GiB": 2, "exponent": 2, "bytes": 1, "MiB": 0, "%": 0, "count": 0}


def written(spread: Spread | None, unit: Unit) -> str:
    """A figure with its unit, or a dash."""
    if spread is None:
        return NONE
    value = spread.value
    if unit == "difference":
        return f"{value:.0e}"
    number = f"{value:,.{_DIGITS.get(unit, 1 if value < 100 else 0)}f}"
    return number if unit in ("count", "exponent") else f"{number} {unit}"


def beside_of(row: Row) -> str:
    """What stands beside attnviz's figure."""
    return row.beside_word or written(row.beside, row.unit)


def ratio_of(row: Row) -> str:
    """The ratio with the quartiles that its rounds had."""
    if row.ratio is None:
        return NONE
    ratio = row.ratio
    return f"{ratio.value:.2f}" + (f" ({ratio.low:.2f}\N{EN DASH}{ratio.high:.2f})" if ratio.n > 1 else "")


def target_words(row: Row) -> str:
    """What the row shall reach, as it is printed."""
    target = target_of(row)
    if target is None:
        return NONE
    sign = "\N{GREATER-THAN OR EQUAL TO}" if target.is_least else "\N{LESS-THAN OR EQUAL TO}"
    unit = "" if target.of == "ratio" or row.unit in ("count", "exponent", "difference") else f" {row.unit}"
    return f"{sign} {target.bound:,g}{unit}"


def text_table(title: str, beside: str, rows: Sequence[Row]) -> str:
    """A section: its title, then a line for each row, columns aligned."""
    head = ["", "attnviz", beside or NONE, "ratio", "target", ""]
    cells = [
        head,
        *(
            [row.what, written(row.own, row.unit), beside_of(row), ratio_of(row), target_words(row), MET[is_met(row)]]
            for row in rows
        ),
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]

    def aligned(line: list[str]) -> str:
        return "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))])

    return "\n".join([title, *(aligned(line).rstrip() for line in cells)])


def markdown_table(sections: Sequence[tuple[str, str, Sequence[Row]]]) -> str:
    """The rows for README's page: sections, each (title, what it is held against, rows)."""
    lines = list(MARKDOWN_HEAD)
    for title, beside, rows in sections:
        shown = [row for row in rows if row.in_page]
        if shown:
            lines.append(f"| **{title}**{f', beside it {beside}' if beside else ''} | | | | |")
        for row in shown:
            met = MET[is_met(row)]
            target = target_words(row) + (f", {met}" if met else "")
            lines.append(f"| {row.what} | {written(row.own, row.unit)} | {beside_of(row)} | {ratio_of(row)} | {target} |")
    return "\n".join(lines)


def put_in_page(page: str, table: str) -> str:
    """The page with the table between its marks, in place of what was there; the table alone where it has none."""
    if not all(mark in page for mark in MARKS):
        return table
    before, _, rest = page.partition(MARKS[0])
    return f"{before}{MARKS[0]}{table}{MARKS[1]}{rest.partition(MARKS[1])[2]}"
