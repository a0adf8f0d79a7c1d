"""Wishes of every kind, as hypothesis draws them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from hypothesis import strategies as st

from attnviz.analysis.between import Between
from attnviz.analysis.edges import Threshold
from attnviz.engine.changes import Changes, HeadAt, Muting, WeightAt
from attnviz.engine.config import Kind
from attnviz.session.comparing import kept, other_text, trained
from attnviz.session.grid_choice import GridChoice, SummaryName
from attnviz.session.request import Request
from attnviz.session.state import Wish
from attnviz.session.view import Arc, HeadChoice, Panel, PictureKind, Quantity, Setting, SinkKind, Sinks, Treatment, View

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SMALL = st.integers(0, 40)
# Lone surrogates too: a pasted half emoji brings them. Not in twos, which are one character.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(["\ud83d broken", "a\udc80", "\x00\r\n"])
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\x00"), min_size=1, max_size=12)
PATHS = st.lists(NAMES | st.just("caf\udce9"), min_size=1, max_size=3).map(lambda names: Path("/", *names))


def one_of(literal: object) -> SearchStrategy[str]:
    """One of the words of a Literal."""
    return st.sampled_from(get_args(literal))


HEADS_AT = st.builds(HeadAt, one_of(Kind), SMALL, SMALL)
WEIGHTS_AT = st.builds(WeightAt, one_of(Kind), SMALL, SMALL, SMALL, SMALL)


@st.composite
def changes(draw: st.DrawFn) -> Changes:
    made = Changes(draw(st.frozensets(HEADS_AT, max_size=4)), draw(one_of(Muting)))
    for at, strength in draw(st.lists(st.tuples(HEADS_AT, st.floats(0, 2)), max_size=4)):
        made = made.with_strength(at, strength)
    for at, weight in draw(st.lists(st.tuples(WEIGHTS_AT, st.floats(0, 1)), max_size=4)):
        made = made.with_weight(at, weight)
    return made


@st.composite
def head_choices(draw: st.DrawFn) -> HeadChoice:
    of = draw(st.integers(1, 40))
    return HeadChoice(draw(st.frozensets(st.integers(0, of - 1), max_size=6)), of)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
VIEWS = st.builds(
    View,
    layer=SMALL,
    heads=st.none() | head_choices(),
    focus=st.none() | SMALL,
    threshold=st.builds(Threshold, st.sampled_from(["mass", "weight"]), st.floats(0, 1)),
    kind=st.none() | one_of(Kind),
    picture=one_of(PictureKind),
    quantity=one_of(Quantity),
    is_mean=st.booleans(),
    words=st.booleans(),
    sinks=st.builds(Sinks, st.frozensets(one_of(SinkKind)), one_of(Treatment)),
    between=one_of(Between),
    is_log=st.none() | st.booleans(),
    grid=st.builds(
        GridChoice, st.none() | one_of(SummaryName), st.booleans(), st.none() | st.floats(-9, 9), st.none() | st.floats(-9, 9)
    ),
    arc=st.none() | st.builds(Arc, SMALL, SMALL),
    panel=one_of(Panel),
    temperature=st.floats(0, 10),
    setting=one_of(Setting),
)
COUNTS = st.none() | st.integers(1, 64)
WRITTEN = st.lists(st.integers(0, 50_000), max_size=5).map(tuple)
REQUESTS = st.builds(Request, PATHS, TEXTS, st.none() | TEXTS, COUNTS, changes(), WRITTEN)
AGAINST = st.just(trained()) | st.builds(kept, REQUESTS) | st.builds(other_text, TEXTS)
WISHES = st.builds(
    Wish,
    model=st.none() | PATHS,
    text=TEXTS,
    pair=st.none() | TEXTS,
    head_count=COUNTS,
    changes=changes(),
    written=WRITTEN,
    n_shown=st.none() | SMALL,
    against=st.none() | AGAINST,
    seed=st.integers(0, 2**64),
    view=VIEWS,
)
