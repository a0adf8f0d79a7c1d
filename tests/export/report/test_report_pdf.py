"""The PDF of a report: A4 pages of text that can be found, fonts inside it, an outline, and the same bytes each time."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pypdf
import pytest

from attnviz.export.report.document import Figure, Heading, References, Table
from attnviz.export.report.pages import pages_of
from attnviz.export.report.pdf import pdf_bytes
from attnviz.export.report.pdf_file import Section, finish_pdf
from attnviz.export.report.writing import write_report
from attnviz.paint.fonts import text_width
from tests.export.report.reports import ORIGIN, made_up_report, nasty_roles, table_with
from tests.probing.made_up import made_up_roles

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.export.report.document import Document

pytestmark = pytest.mark.usefixtures("qapp")
_AGAIN = """
import hashlib
from attnviz.paint.headless import start_painting
start_painting()
from attnviz.export.report.pages import pages_of
from attnviz.export.report.pdf import pdf_bytes
from tests.export.report.reports import made_up_report
from tests.probing.made_up import made_up_roles
print(hashlib.sha256(pdf_bytes(made_up_report(made_up_roles(1, 2, with_roles=False)))).hexdigest())
"""


@pytest.fixture(scope="module")
def document(qapp: object) -> Document:
    del qapp
    return made_up_report(made_up_roles(6, 12, 2))


@pytest.fixture(scope="module")
def reader(document: Document, tmp_path_factory: pytest.TempPathFactory) -> pypdf.PdfReader:
    path = tmp_path_factory.mktemp("pdf") / "x.pdf"
    write_report(document, path)
    return pypdf.PdfReader(path, strict=True)


@pytest.fixture(scope="module")
def spaced(reader: pypdf.PdfReader) -> list[str]:
    return [page.extract_text() for page in reader.pages]


@pytest.fixture(scope="module")
def texts(spaced: list[str]) -> list[str]:
    return [squeezed(text) for text in spaced]


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def entries(outline: list[object]) -> list[pypdf.generic.Destination]:
    """All entries in the order in which they are read."""
    found: list[pypdf.generic.Destination] = []
    for one in outline:
        found += entries(one) if isinstance(one, list) else [one]
    return found


def fonts_of(reader: pypdf.PdfReader) -> list[pypdf.generic.DictionaryObject]:
    return [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]


def test_all_pages_are_a4_and_say_which_of_how_many_they_are(reader: pypdf.PdfReader, texts: list[str]) -> None:
    for number, (page, text) in enumerate(zip(reader.pages, texts, strict=True), 1):
        assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx((595, 842), abs=1)
        assert f"{number}/{len(texts)}" in text


def test_each_word_of_tables_and_captions_can_be_found(texts: list[str], document: Document) -> None:
    whole = "".join(texts)
    for block in document.blocks:
        if isinstance(block, Table):
            for word in {word for row in block.rows for cell in row for word in cell.split()}:
                assert squeezed(word) in whole
        if isinstance(block, Table | Figure):
            assert squeezed(block.caption)[:40] in whole


def test_letters_are_found_as_they_are_typed(spaced: list[str]) -> None:
    """Qt's own tables have a ligature as one letter and a tab for a space."""
    text = "\n".join(spaced)
    assert "How it was measured" in text
    assert "final vectors" in text
    assert "first token" in text
    assert "\t" not in text
    assert not re.search("[\ufb00-\ufb06]", text)


def test_fonts_are_inside_the_file_as_outlines(reader: pypdf.PdfReader) -> None:
    fonts = fonts_of(reader)
    assert fonts
    for font in fonts:
        assert font["/Subtype"] == "/Type0"
        (inner,) = (one.get_object() for one in font["/DescendantFonts"])
        descriptor = inner["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)
    tags = {font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()["/FontName"] for font in fonts}
    assert all(re.fullmatch(r"/[A-Z]{6}\+.+", tag) for tag in tags)


def test_headings_stand_in_their_order(texts: list[str], document: Document) -> None:
    whole, at = "".join(texts), 0
    for block in document.blocks:
        if isinstance(block, Heading):
            at = whole.index(squeezed(block.text), at) + 1


def test_the_outline_has_all_headings_and_leads_to_their_pages(
    reader: pypdf.PdfReader, texts: list[str], document: Document
) -> None:
    found = entries(reader.outline)
    headings = [block for block in document.blocks if isinstance(block, Heading)]
    assert [entry.title for entry in found] == [document.title, *(heading.text for heading in headings)]
    pages = [reader.get_destination_page_number(entry) for entry in found]
    assert pages == sorted(pages)
    for heading, page in zip(headings, pages[1:], strict=True):
        assert squeezed(heading.text) in texts[page]


def test_references_can_be_clicked(reader: pypdf.PdfReader, document: Document) -> None:
    (references,) = (block for block in document.blocks if isinstance(block, References))
    links = [link.get_object() for page in reader.pages for link in page.get("/Annots", [])]
    assert [link["/A"]["/URI"] for link in links] == [item.address for item in references.items if item.address]
    for link in links:
        left, bottom, right, top = map(float, link["/Rect"])
        assert 0 < left < right < 595
        assert 0 < bottom < top < 842
        assert top - bottom == pytest.approx(12, abs=1)


def test_it_says_what_it_is_and_nothing_of_when(reader: pypdf.PdfReader, document: Document) -> None:
    told = reader.metadata
    assert told.title == document.title
    assert told.author == f"{ORIGIN.author}, {ORIGIN.date}"
    assert told["/Keywords"] == document.facts
    assert told.creation_date is None
    assert told.modification_date is None
    assert reader.xmp_metadata is None
    catalog = reader.trailer["/Root"]
    assert catalog["/Lang"] == "en"


def test_the_title_and_its_names_are_whole_however_hard(tmp_path: Path) -> None:
    document = made_up_report(nasty_roles())
    write_report(document, tmp_path / "x.pdf")
    reader = pypdf.PdfReader(tmp_path / "x.pdf", strict=True)
    assert reader.metadata.title == document.title.replace("\ud83d", "?")
    assert "<i>" in "".join(page.extract_text() for page in reader.pages)


def test_a_model_of_32_by_32_heads_has_all_its_roles_on_its_pages() -> None:
    document = made_up_report(made_up_roles(32, 32, 1))
    rows = table_with(document, "Head", "Role").rows
    assert len(rows) > 500
    pages = pages_of(document, text_width)
    labels = [label.text.replace("\xa0", " ") for page in pages for _, strip in page.strips for label in strip.labels]
    at = labels.index("The heads with a role")
    for head, role, score, *_ in rows:
        at = labels.index(head, at) + 1
        assert role in labels[at : at + 2]
        assert score in labels[at : at + 3]
    assert len(pypdf.PdfReader(io.BytesIO(pdf_bytes(document))).pages) == len(pages)


def test_the_same_report_gives_the_same_bytes_in_any_process(document: Document) -> None:
    """Qt orders the fonts' objects by a hash that is another one in each process."""
    assert pdf_bytes(document) == pdf_bytes(made_up_report(made_up_roles(6, 12, 2)))
    sums = {
        subprocess.run([sys.executable, "-c", _AGAIN], capture_output=True, text=True, check=True, env=environment).stdout
        for environment in environments()
    }
    assert len(sums) == 1


def environments() -> list[dict[str, str]]:
    plain = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.pathsep.join(sys.path)}
    return [{**plain, "QT_HASH_SEED": "0"}, plain]


def object_(number: int, body: bytes) -> bytes:
    return b"%d 0 obj\n%s\nendobj\n" % (number, body)


def small_pdf(order: list[int]) -> bytes:
    """A file as Qt writes one, its objects in some order."""
    bodies = {
        1: b"<<\n/Title (x)\n/CreationDate (D:20261125215423Z)\n>>",
        2: b"<<\n/Type /Metadata\n/Length 3\n>>\nstream\nuid\nendstream",
        3: b"<<\n/Type /Catalog\n/Pages 4 0 R\n/Names 5 0 R\n/Metadata 2 0 R\n>>",
        4: b"<<\n/Type /Pages\n/Kids \n[\n6 0 R\n]\n/Count 1\n>>",
        5: b"<<\n>>",
        6: b"<<\n/Type /Page\n/Parent 4 0 R\n/Contents 8 0 R\n/Annots 7 0 R\n/MediaBox [0 0 595 842]\n>>",
        7: b"[ ]",
        8: b"<<\n/Length 9 0 R\n>>\nstream\n1 0 R endobj stream\nendstream",
        9: b"20",
    }
    out, places = b"%PDF-1.4\n%\xe2\xe3\n", {}
    # Qt's first object is always its first.
    for number in [1, *(one for one in order if one != 1)]:
        places[number] = len(out)
        out += object_(number, bodies[number])
    table = b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(places))
    end = b"trailer\n<<\n/Size 10 \n/Info 1 0 R\n/Root 3 0 R\n/ID [ <00> <00> ]\n>>\nstartxref\n%d \n%%%%EOF\n" % len(out)
    return out + b"xref\n0 10\n0000000000 65535 f \n" + table + end


@pytest.mark.parametrize("order", [[2, 3, 4, 5, 6, 7, 8, 9], [9, 8, 7, 6, 5, 4, 3, 2], [4, 2, 9, 3, 8, 5, 7, 6]], ids=str)
def test_objects_in_another_order_make_the_same_file(order: list[int]) -> None:
    done = finish_pdf(small_pdf(order), {"Title": "é", "Author": ""}, [], [])
    assert done == finish_pdf(small_pdf(sorted(order)), {"Title": "é", "Author": ""}, [], [])
    reader = pypdf.PdfReader(io.BytesIO(done), strict=True)
    assert reader.metadata == {"/Title": "é"}
    # What a stream holds is no reference, whatever it looks like.
    assert reader.pages[0].get_contents().get_data().rstrip() == b"1 0 R endobj stream"
    assert b"uid" not in done


def test_an_outline_has_each_section_inside_the_one_before_it_of_a_lower_level() -> None:
    sections = [Section(level, f"s{at}", 0, 700 - 10.0 * at) for at, level in enumerate([1, 2, 3, 3, 2, 3, 1])]
    done = finish_pdf(small_pdf([2, 3, 4, 5, 6, 7, 8, 9]), {}, sections, [])

    def nested(outline: list[object]) -> list[object]:
        return [nested(one) if isinstance(one, list) else one.title for one in outline]

    assert nested(pypdf.PdfReader(io.BytesIO(done), strict=True).outline) == ["s0", ["s1", ["s2", "s3"], "s4", ["s5"]], "s6"]
