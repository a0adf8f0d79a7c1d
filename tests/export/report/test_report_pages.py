"""Filling pages: everything in its order, nothing cut or past the edge, headings with what they head, tables under their titles."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.export.report.document import (
    Column,
    Command,
    Document,
    Facts,
    Figure,
    Heading,
    Listing,
    Paragraph,
    Reference,
    References,
    Table,
    bound,
)
from attnviz.export.report.pages import HEIGHT, pages_of
from attnviz.export.report.rows import column_widths
from attnviz.export.report.strip import ROOM, SMALL
from attnviz.export.report.strips import strips_of
from attnviz.scene.page import MARGIN
from attnviz.scene.scene import Scene
from attnviz.scene.theme import load_theme
from tests.scene.pictures import stand_in_measure

MEASURE = stand_in_measure
KNOWN = "a is the attention 53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379 of → 78 % heads".split()
WORDS = st.lists(st.sampled_from(KNOWN), min_size=1)
TEXT = st.builds(" ".join, WORDS)
SHORT = st.builds(lambda words: " ".join(words[:4]), WORDS)


def scene(width: float, height: float) -> Scene:
    return Scene(width=width, height=height, theme=load_theme("light"), labels=(), dots=(), bands=(), description="a picture")


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = draw(st.lists(st.builds(Column, SHORT, st.sampled_from(["left", "right"])), min_size=1, max_size=6))
    rows = draw(st.lists(st.tuples(*(SHORT for _ in columns)), max_size=60))
    marks = draw(st.sampled_from([(), ("#ff0000",) * len(rows)]))
    return Table(draw(SHORT), tuple(columns), tuple(rows), marks)


BLOCKS = st.one_of(
    st.builds(Heading, SHORT, st.sampled_from([2, 3])),
    st.builds(Paragraph, TEXT, st.booleans()),
    st.builds(Listing, st.lists(TEXT, min_size=1, max_size=4).map(tuple)),
    st.builds(Facts, st.lists(st.tuples(SHORT, TEXT), max_size=5).map(tuple)),
    tables(),
    st.builds(Figure, TEXT, st.builds(scene, st.sampled_from([300.0, 672.0, 1400.0]), st.floats(10, 3_000))),
    st.builds(Command, TEXT),
    st.builds(References, st.lists(st.builds(Reference, TEXT, st.sampled_from(["", "https://x.org/1"])), max_size=3).map(tuple)),
)
DOCUMENTS = st.builds(Document, SHORT, SHORT, TEXT, st.lists(BLOCKS, max_size=12).map(tuple), st.just("{}"))


@settings(max_examples=40)
@given(DOCUMENTS)
def test_pages_have_all_strips_in_their_order_and_only_titles_of_columns_twice(document: Document) -> None:
    wanted = list(strips_of(document, HEIGHT, MEASURE))
    found = [strip for page in pages_of(document, MEASURE) for _, strip in page.strips]
    at = 0
    for place, strip in enumerate(found):
        if at < len(wanted) and strip == wanted[at]:
            at += 1
        else:
            assert strip in found[place + 1].head
    assert at == len(wanted)


@settings(max_examples=40)
@given(DOCUMENTS)
def test_nothing_reaches_beyond_a_page_or_into_what_stands_below_it(document: Document) -> None:
    for page in pages_of(document, MEASURE):
        end = 0.0
        for y, strip in page.strips:
            assert y >= end - 0.01
            end = y + strip.height
            assert end <= HEIGHT + 0.01
            for picture in strip.pictures:
                assert picture.left >= -MARGIN
                assert picture.left + picture.scale * picture.scene.width <= ROOM + MARGIN + 0.01
                assert picture.top + picture.scale * picture.scene.height <= strip.height + 0.01
                assert 0 < picture.scale <= 1


@settings(max_examples=40)
@given(DOCUMENTS)
def test_no_page_ends_with_what_holds_on_to_the_next(document: Document) -> None:
    pages = pages_of(document, MEASURE)
    for page in pages[:-1]:
        chunk = []
        for _, strip in reversed(page.strips):
            if chunk and not strip.holds:
                break
            chunk.append(strip)
        # Only where all that holds together is more than a page.
        assert not page.strips[-1][1].holds or len(chunk) == len(page.strips)


def test_a_heading_goes_to_the_next_page_with_the_picture_below_it() -> None:
    first = Figure("one", scene(672, HEIGHT - 300))
    document = Document("t", "", "l", (first, Heading("second"), Figure("two", scene(672, 400))), "{}")
    pages = pages_of(document, MEASURE)
    assert [[mark.text for _, strip in page.strips for mark in strip.marks] for page in pages] == [["t"], ["second"]]


def test_a_long_table_has_its_titles_on_each_page() -> None:
    table = Table("long", (Column("Head"), Column("Score", "right")), tuple((f"L0.H{at}", "1 %") for at in range(300)))
    pages = pages_of(Document("t", "", "l", (table,), "{}"), MEASURE)
    assert len(pages) > 5
    for page in pages:
        texts = [label.text for _, strip in page.strips for label in strip.labels]
        assert texts.count("Head") == 1
        rows = [text for text in texts if text.startswith("L0.H")]
        assert len(rows) >= 2
        assert texts.index("Head") < texts.index(rows[0])


def test_a_short_table_is_not_torn_apart() -> None:
    table = Table("short", (Column("Head"),), tuple((f"H{at}",) for at in range(12)))
    for height in range(500, int(HEIGHT), 60):
        pages = pages_of(Document("t", "", "l", (Figure("f", scene(300, height)), table), "{}"), MEASURE)
        names = {label.text: number for number, page in enumerate(pages) for _, strip in page.strips for label in strip.labels}
        assert len({names[f"H{at}"] for at in range(12)}) == 1


@settings(max_examples=40)
@given(tables(), st.floats(400, ROOM))
def test_columns_fill_the_room_and_are_wide_enough_for_each_word(table: Table, room: float) -> None:
    widths = column_widths(table, room, MEASURE)
    cells = [[column.title, *(row[at] for row in table.rows)] for at, column in enumerate(table.columns)]
    longest = [max(MEASURE(word, SMALL, False) for text in column for word in bound(text).split(" ")) for column in cells]
    free = room - 14.0 * (len(widths) - 1)
    if sum(longest) + 4 * len(longest) <= free:
        assert sum(widths) <= free + 0.01
        assert all(width >= word for width, word in zip(widths, longest, strict=True))


def test_columns_that_have_room_for_all_break_nothing() -> None:
    table = Table("t", (Column("Head"), Column("Role"), Column("Cases", "right")), (("L0.H1", "object → verb", "1,297"),))
    for width, text in zip(column_widths(table, ROOM, MEASURE), table.rows[0], strict=True):
        assert width >= MEASURE(text, SMALL, False)


def test_a_picture_that_is_too_tall_is_made_smaller_with_its_caption_below() -> None:
    document = Document("t", "", "l", (Heading("h"), Figure("caption", scene(672, 5_000))), "{}")
    page = pages_of(document, MEASURE)[-1]
    (picture,) = (picture for _, strip in page.strips for picture in strip.pictures)
    assert picture.scale < 0.2
    assert page.strips[-1][1].labels[0].text == "Figure 1. caption"
    assert page.strips[0][1].marks[0].text == "h"


def test_what_is_copied_keeps_the_lines_and_how_far_they_are_set_in() -> None:
    strips = list(strips_of(Document("t", "", "l", (Command("@misc{x,\n  title = {y}\n}"),), "{}"), HEIGHT, MEASURE))[-3:]
    labels = [strip.labels[0] for strip in strips]
    assert [label.text for label in labels] == ["@misc{x,", "title = {y}", "}"]
    assert labels[1].x > labels[0].x == labels[2].x
