"""The HTML of a report: one whole page that loads nothing, whatever the names and sentences in it are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from attnviz.export.report.document import Figure, Heading, Table
from attnviz.export.report.html import inline_svg
from attnviz.export.report.writing import write_report
from tests.export.report.reports import NASTY_SHOWN, Page, made_up_report, nasty_roles
from tests.probing.made_up import made_up_roles

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.export.report.document import Document

pytestmark = pytest.mark.usefixtures("qapp")


def written(document: Document, folder: Path) -> str:
    write_report(document, folder / "x.html")
    return (folder / "x.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def document(qapp: object) -> Document:
    del qapp
    return made_up_report(made_up_roles(6, 12, 2))


@pytest.fixture(scope="module")
def page(document: Document, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(written(document, tmp_path_factory.mktemp("html")))


@pytest.fixture(scope="module")
def nasty(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> str:
    del qapp
    return written(made_up_report(nasty_roles()), tmp_path_factory.mktemp("nasty"))


def test_ids_are_unique_and_each_link_inside_leads_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    inside = [attributes["href"][1:] for _, attributes, _ in page.all("a") if attributes["href"].startswith("#")]
    assert inside
    assert set(inside) <= set(ids)


@pytest.mark.parametrize("which", ["page", "nasty"])
def test_nothing_is_loaded_from_anywhere(which: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(which)
    text = found if isinstance(found, str) else None
    page = Page(text) if text is not None else found
    for tag, attributes, _ in page.elements:
        assert tag not in ("script", "link", "iframe", "object", "embed", "img", "use", "foreignobject", "base")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href", "xlink:href", "data", "srcset"):
                is_own = value.startswith("#") or (tag == "image" and value.startswith("data:image/png;base64,"))
                assert is_own or (tag == "a" and value.startswith("https://")), (tag, value)
            if name == "style":
                assert "url(" not in value
    (_, _, style), *others = page.all("style")
    assert not others
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = (one["content"] for _, one, _ in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy


def test_the_page_has_a_language_a_title_and_one_first_heading(page: Page, document: Document) -> None:
    assert [attributes.get("lang") for _, attributes, _ in page.all("html")] == ["en"]
    assert [text for _, _, text in page.all("title")] == [document.title]
    assert [text for _, _, text in page.all("h1")] == [document.title]
    headings = [(int(tag[1]), text.replace("\xa0", " ")) for tag, _, text in page.all("h2", "h3")]
    assert headings == [(block.level, block.text) for block in document.blocks if isinstance(block, Heading)]


def test_each_picture_is_named_for_those_who_do_not_see_it(page: Page, document: Document) -> None:
    scenes = [block.scene for block in document.blocks if isinstance(block, Figure)]
    pictures = page.all("svg")
    assert len(scenes) > 5
    assert [attributes["aria-label"] for _, attributes, _ in pictures] == [scene.description for scene in scenes]
    assert all(attributes["role"] == "img" for _, attributes, _ in pictures)
    assert len(page.all("figcaption")) == len(scenes)
    assert not page.all("desc")


def test_each_picture_keeps_its_size_and_shape(page: Page, document: Document) -> None:
    scenes = [block.scene for block in document.blocks if isinstance(block, Figure)]
    for (_, attributes, _), scene in zip(page.all("svg"), scenes, strict=True):
        shape = [float(number) for number in attributes["viewbox"].split()]
        assert shape == pytest.approx([0, 0, scene.width, scene.height], abs=0.1)
        assert float(attributes["width"]) == pytest.approx(scene.width, abs=0.1)


def test_each_table_has_titles_with_scope_and_rows_of_one_length(page: Page, document: Document) -> None:
    tables = [block for block in document.blocks if isinstance(block, Table)]
    assert len(page.all("table")) == len(tables)
    scopes = [attributes.get("scope") for _, attributes, _ in page.all("th")]
    assert set(scopes) == {"col", "row"}
    assert scopes.count("row") == sum(len(table.rows) for table in tables)
    assert scopes.count("col") == sum(len(table.columns) for table in tables)
    assert len(page.all("td")) == sum(len(row) - 1 for table in tables for row in table.rows)
    cells = [text.replace("\xa0", " ") for tag, attributes, text in page.all("th", "td") if attributes.get("scope") != "col"]
    assert cells == [cell for table in tables for row in table.rows for cell in row]


def test_markup_in_names_and_sentences_is_text(nasty: str) -> None:
    page = Page(nasty)
    assert [text for _, _, text in page.all("title")] == [f"What the heads of model {NASTY_SHOWN} do"]
    assert [text for _, _, text in page.all("h1")] == [f"What the heads of model {NASTY_SHOWN} do"]
    assert any(text == NASTY_SHOWN for _, _, text in page.all("dd"))
    assert not page.all("i", "b")
    assert any("<i>" in text for _, _, text in page.all("text"))
    assert "<i>" in "".join(attributes["aria-label"] for _, attributes, _ in page.all("svg"))


def test_no_letter_is_in_the_page_that_no_page_may_hold(nasty: str) -> None:
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", nasty)


def test_numbers_and_their_signs_of_per_cent_stay_on_one_line(page: Page) -> None:
    shown = "".join(text for _, _, text in page.all("p", "li", "td", "caption", "figcaption"))
    assert "\xa0%" in shown
    assert not re.search(r"\d %", shown)


def test_what_is_copied_stays_as_it_is(page: Page, document: Document) -> None:
    commands = [text for _, _, text in page.all("code")]
    assert commands == [block.text for block in document.blocks if type(block).__name__ == "Command"]


def test_an_svg_gets_ids_of_its_own_and_loses_its_title() -> None:
    svg = (
        b'<?xml version="1.0"?>\n<svg width="1mm" height="1mm" viewBox="0 0 10 20.5" xmlns="x">\n<title>T</title>\n<desc>D</desc>\n'
        b'<defs>\n<clipPath id="c1"/></defs><g clip-path="url(#c1)"><a xlink:href="#c1"/></g>\n</svg>\n'
    )
    found = inline_svg(svg, "figure-2-", 'say "hi"')
    assert 'id="figure-2-c1"' in found
    assert "url(#figure-2-c1)" in found
    assert 'href="#figure-2-c1"' in found
    assert "<title>" not in found
    assert "<desc>" not in found
    assert 'aria-label="say &quot;hi&quot;"' in found
    assert 'width="10" height="20.5"' in found


def test_it_prints_with_pages_that_cut_nothing(page: Page) -> None:
    (_, _, style), *_ = page.all("style")
    printed = style[style.index("@media print") :]
    assert re.search(r"figure, tr[^{]*\{ break-inside: avoid;", printed)
    assert "break-after: avoid" in printed
    assert "table-header-group" in printed


def test_the_same_report_gives_the_same_bytes(document: Document, tmp_path: Path) -> None:
    again = made_up_report(made_up_roles(6, 12, 2))
    assert written(document, tmp_path) == written(again, tmp_path)
