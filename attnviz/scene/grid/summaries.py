"""The numbers that say what kind of head a head is, in words."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Final

from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from attnviz.session.grid_choice import SummaryName

# Within a line of text: "lowest entropy".
SUMMARY_WORDS: Final[dict[SummaryName, str]] = {
    "entropy": "entropy",
    "distance": "mean distance",
    "sink_share": "share on sinks",
}
# At the foot of a grid.
SUMMARY_LINES: Final[dict[SummaryName, str]] = {
    "entropy": "entropy of what is shown of a row, in nats, the mean of all rows",
    "distance": "mean distance from query to key, in tokens",
    "sink_share": "share of a row that falls on the tokens that count as sinks, the mean of all rows",
}
# What a number says of a head, for somebody who meets it for the first time.
SUMMARY_MEANINGS: Final[dict[SummaryName, str]] = {
    "entropy": "0 where it looks at one token only",
    "distance": "how many tokens away it looks",
    "sink_share": "of its weight goes to the sinks",
}
_NONE: Final = "\N{EN DASH}"  # of cross-attention, whose two texts have no common place to count from
_NUMBERS: Final[dict[SummaryName, str]] = {"entropy": "{:.2f}", "distance": "{:.1f}", "sink_share": "{:.0%}"}
_PHRASES: Final[dict[SummaryName, str]] = {
    "entropy": "entropy {} nats",
    "distance": "mean distance {}",
    "sink_share": "{} on sinks",
}


def summary_number(name: SummaryName, value: float) -> str:
    """ "1.02", "2.3", "61 %"; a dash for a number that is not defined."""
    return _NONE if isnan(value) else _NUMBERS[name].format(value).replace("%", " %")


def summary_phrase(name: SummaryName, value: float) -> str:
    """ "entropy 1.02 nats", "mean distance 2.3", "61 % on sinks"."""
    return _PHRASES[name].format(summary_number(name, value))


def cell_name(layer: int, head: int) -> str:
    """ "L3.H1"; "L3" for a map of several heads together."""
    return f"L{layer}" if head == MEAN else f"L{layer}.H{head}"
