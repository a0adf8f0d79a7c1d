"""Numbers of a session file that lie in their ranges; all that was not made by the program itself goes through here."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.engine.changes import STRONGEST, Changes
from attnviz.engine.tokenizer import TEXT_LIMIT
from attnviz.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.session.request import Request
    from attnviz.session.state import Wish

# What is large enough for every model, and small enough to be counted through.
_MOST_HEADS: Final = 1 << 14
_LARGEST: Final = (1 << 31) - 1
_LARGEST_SEED: Final = (1 << 128) - 1  # of analysis.prediction.sampled


def sound(wish: Wish) -> Wish:
    """The same wish, with its changes of heads in order. Raises InputError, which names what lies out of its range."""
    for name, value, least, most in _numbers_of(wish):
        if value is not None and not least <= value <= most:
            shown = f"{value:g}" if isinstance(value, float) else f"{value}"[:20]
            end = "more" if most == math.inf else f"{most:,}"
            raise InputError(f'"{name}" is {shown} and must be {least:,} to {end}; correct it, or save the session again.')
    heads, against = wish.view.heads, wish.against
    if heads is not None and max(heads.heads, default=0) >= heads.of:
        raise InputError(f'"view.heads" has a head {max(heads.heads)} of {heads.of}; correct it, or save the session again.')
    if against is not None and against.kind == "kept":
        kept = against.kept
        if kept is None or kept.writing is not None or kept.against is not None:
            raise InputError('"against.kept" must be one run by itself; correct it, or save the session again.')
        against = replace(against, kept=replace(kept, changes=in_order(kept.changes)))
    return replace(wish, changes=in_order(wish.changes), against=against)


def in_order(changes: Changes) -> Changes:
    """The same changes as `with_…` would have made them: sorted, one entry each, none that changes nothing."""
    strengths = sorted((at, value) for at, value in dict(changes.strengths).items() if value != 1.0)
    return replace(changes, strengths=tuple(strengths), weights=tuple(sorted(dict(changes.weights).items())))


def _numbers_of(wish: Wish) -> Iterator[tuple[str, float | None, float, float]]:
    """Each number of a wish by its name, with the least and the most that it may be; texts count by their length."""
    view, against = wish.view, wish.against
    yield "length of text", len(wish.text), 0, TEXT_LIMIT
    yield from _of_run("", wish)
    yield "n_shown", wish.n_shown, 0, _LARGEST
    yield "seed", wish.seed, 0, _LARGEST_SEED
    if against is not None:
        yield "length of against.text", len(against.text), 0, TEXT_LIMIT
        if against.kept is not None:
            yield "length of against.kept.text", len(against.kept.text), 0, TEXT_LIMIT
            yield from _of_run("against.kept.", against.kept)
    yield "view.layer", view.layer, 0, _LARGEST
    yield "view.focus", view.focus, 0, _LARGEST
    yield "view.threshold.value", view.threshold.value, 0, 1
    yield "view.temperature", view.temperature, 0, 1e6
    yield "view.grid.least", view.grid.least, -1e30, 1e30
    yield "view.grid.most", view.grid.most, -1e30, 1e30
    if view.heads is not None:
        yield "view.heads.of", view.heads.of, 1, _MOST_HEADS
        yield from (("view.heads.heads", head, 0, _MOST_HEADS) for head in view.heads.heads)
    if view.arc is not None:
        yield "view.arc.query", view.arc.query, 0, _LARGEST
        yield "view.arc.key", view.arc.key, 0, _LARGEST


def _of_run(before: str, run: Wish | Request) -> Iterator[tuple[str, float | None, float, float]]:
    yield f"length of {before}pair", len(run.pair or ""), 0, TEXT_LIMIT
    yield f"{before}head_count", run.head_count, 1, _LARGEST
    yield from ((f"{before}written", number, 0, _LARGEST) for number in run.written)
    changes, place = run.changes, f"{before}changes."
    for at in changes.muted:
        yield from ((f"{place}muted", number, 0, _LARGEST) for number in at[1:])
    for name, entries, most in (("strengths", changes.strengths, STRONGEST), ("weights", changes.weights, 1.0)):
        for at, value in entries:
            yield from ((f"{place}{name}", number, 0, _LARGEST) for number in at[1:])
            yield f"{place}{name}", value, 0.0, most
