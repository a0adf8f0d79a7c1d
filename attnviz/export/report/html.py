"""A report as one HTML file, which needs nothing besides: no network, no fonts, no script."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from attnviz.export.report.document import (
    Command,
    Facts,
    Figure,
    Heading,
    Listing,
    Paragraph,
    References,
    Table,
    bound,
    caption_of,
    numbered,
)
from attnviz.resources import resource_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from attnviz.export.report.document import Block, Document, Reference
    from attnviz.scene.scene import Scene

_STYLE: Final = "report/report.css"
# Nothing may be fetched, whatever a name or a sentence has in it.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# What no page may hold, not even escaped.
_NOT_IN_HTML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def html_bytes(document: Document, svg_of: Callable[[Scene], bytes]) -> bytes:
    """The whole file. svg_of: a scene as an SVG file."""
    return "\n".join(_lines(document, svg_of)).encode()


def _lines(document: Document, svg_of: Callable[[Scene], bytes]) -> Iterator[str]:
    title = _text(document.title)
    yield from ("<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">')
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta name="description" content="{_exact(document.lead)}">'
    yield f'<meta name="provenance" content="{_exact(document.facts)}">'
    yield f"<title>{title}</title>"
    yield f"<style>\n{resource_path(_STYLE).read_text(encoding='utf-8')}</style>"
    yield from ("</head>", "<body>", "<main>", "<header>", f"<h1>{title}</h1>")
    if document.byline:
        yield f'<p class="byline">{_text(document.byline)}</p>'
    yield from (f'<p class="lead">{_text(document.lead)}</p>', "</header>")
    yield from _contents(document)
    for block, number in numbered(document.blocks):
        yield from _block(block, number, svg_of)
    yield from ("</main>", "</body>", "</html>", "")


def _contents(document: Document) -> Iterator[str]:
    """The sections to go to."""
    yield '<nav aria-label="Contents"><ol>'
    for block, number in numbered(document.blocks):
        if isinstance(block, Heading) and block.level == 2:
            yield f'<li><a href="#section-{number}">{_text(block.text)}</a></li>'
    yield "</ol></nav>"


def _block(block: Block, number: int, svg_of: Callable[[Scene], bytes]) -> Iterator[str]:
    match block:
        case Heading(text, level):
            yield f'<h{level} id="section-{number}">{_text(text)}</h{level}>'
        case Paragraph(text, is_quiet):
            yield f"<p{' class=quiet' if is_quiet else ''}>{_text(text)}</p>"
        case Listing(items):
            yield f"<ul>{''.join(f'<li>{_text(item)}</li>' for item in items)}</ul>"
        case Facts(rows):
            yield f'<dl class="facts">{"".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in rows)}</dl>'
        case Table():
            yield from _table(block, number)
        case Figure(_, scene):
            yield f'<figure id="figure-{number}">'
            yield f'<div class="scrolls" tabindex="0" role="group" aria-label="Figure {number}">'
            yield inline_svg(svg_of(scene), f"figure-{number}-", scene.description)
            yield f"</div><figcaption>{_text(caption_of(block, number))}</figcaption></figure>"
        case Command(text):
            yield f'<pre tabindex="0"><code>{_exact(text)}</code></pre>'
        case References(items):
            yield f'<ul class="references">{"".join(f"<li>{_reference(one)}</li>" for one in items)}</ul>'


def _reference(one: Reference) -> str:
    link = f' <a href="{_exact(one.address)}">{_exact(one.address)}</a>' if one.address else ""
    return f"{_text(one.text)}{link}"


def _table(table: Table, number: int) -> Iterator[str]:
    yield f'<div class="scrolls" tabindex="0" role="group" aria-label="Table {number}"><table id="table-{number}">'
    yield f"<caption>{_text(caption_of(table, number))}</caption>"
    sides = [" class=number" if column.align == "right" else "" for column in table.columns]
    titles = (f'<th scope="col"{side}>{_text(column.title)}</th>' for column, side in zip(table.columns, sides, strict=True))
    yield f"<thead><tr>{''.join(titles)}</tr></thead>"
    yield "<tbody>"
    for at, (name, *cells) in enumerate(table.rows):
        dot = f'<span class="dot" style="background:{table.marks[at] or "transparent"}"></span>' if table.marks else ""
        rest = "".join(f"<td{side}>{_text(cell)}</td>" for cell, side in zip(cells, sides[1:], strict=True))
        yield f'<tr{" class=marked" if dot else ""}><th scope="row"{sides[0]}>{dot}{_text(name)}</th>{rest}</tr>'
    yield "</tbody></table></div>"


def inline_svg(svg: bytes, before: str, description: str) -> str:
    """An SVG file as a part of a page: named for those who do not see it, its ids its own by `before`."""
    text = _NOT_IN_HTML.sub("\N{REPLACEMENT CHARACTER}", svg.decode())
    body = text[text.index("<svg") :].strip()
    width, height = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', body).groups()
    # A title would show wherever the pointer rests, and the facts of a figure are those of the page.
    body = re.sub(r"<title>.*?</title>\s*|<desc>.*?</desc>\s*|<defs>\s*</defs>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{before}", body)
    for idle in (' vector-effect="none"', ' transform="matrix(1,0,0,1,0,0)"', ' font-style="normal"'):
        body = body.replace(idle, "")
    body = re.sub(r"\n\s*\n", "\n", body)
    start = f'<svg role="img" aria-label="{_exact(description)}" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'{start} xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{body[body.index(">") + 1 :]}'


def _text(text: str) -> str:
    """Text to be read."""
    return _exact(bound(text))


def _exact(text: str) -> str:
    """Text as it stands, for what is copied, or for an attribute in quotes."""
    return escape(_NOT_IN_HTML.sub("\N{REPLACEMENT CHARACTER}", text))
