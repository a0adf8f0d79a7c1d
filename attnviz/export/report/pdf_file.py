"""Finishing a PDF as Qt writes it: an outline, links, text that can be searched, and the same bytes for the same pages.

Qt writes the time and a random number into each file and numbers its fonts' objects in the order of a hash table, which is another
one in each process. Its tables from glyphs to letters, for searching and copying, have a tab where a space is, and one letter for a
ligature. Source of the form: ISO 32000-1, sections 7.5, 9.10.3, 12.3.3 and 12.5.6.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_REFERENCE: Final = re.compile(rb"\b(\d+) 0 R\b")
_STREAM: Final = re.compile(rb"\bstream\r?\n")
_CODE: Final = re.compile(rb"<(0009|FB0[0-6])>")
_LETTERS: Final = {
    b"0009": " ",
    **{f"FB0{at}".encode(): word for at, word in enumerate(("ff", "fi", "fl", "ffi", "ffl", "st", "st"))},
}


@dataclass(frozen=True)
class Section:
    """An entry of the outline: where a heading stands. level: from 1; page: from 0; y: points from the page's lower edge."""

    level: int
    text: str
    page: int
    y: float


@dataclass(frozen=True)
class Region:
    """Where a click opens an address: left, bottom, right, top in points from the page's lower left corner."""

    page: int
    corners: tuple[float, float, float, float]
    address: str


def finish_pdf(pdf: bytes, info: dict[str, str], sections: Sequence[Section], regions: Iterable[Region]) -> bytes:
    """The file of the same pages, with an outline and links. info: what it says of itself, such as its Title."""
    objects, root = _read(pdf)
    pages = [int(number) for number in _REFERENCE.findall(objects[_named(objects[root], b"Pages")])]
    objects = {number: _searchable(body) for number, body in objects.items()}
    for page, number in enumerate(pages):
        own = [_link(region) for region in regions if region.page == page]
        objects[_named(objects[number], b"Annots")] = b"[ %s ]" % b" ".join(own)
    first = max(objects) + 1
    outline = _outline(sections, pages, first)
    objects |= outline
    # Its metadata are those of `info` and the time; its names are none.
    catalog = re.sub(rb"/(Metadata|Names) \d+ 0 R\s*", b"", objects[root])
    told = b"/Lang (en)\n/ViewerPreferences << /DisplayDocTitle true >>\n"
    told += b"/Outlines %d 0 R\n/PageMode /UseOutlines\n" % first if outline else b""
    objects[root] = catalog.rstrip().removesuffix(b">>") + told + b">>"
    about = max(objects) + 1
    objects[about] = b"<<\n%s>>" % b"".join(b"/%s %s\n" % (name.encode(), _string(value)) for name, value in info.items() if value)
    return _written(objects, root, about, pdf[: pdf.index(b"1 0 obj")])


def _read(pdf: bytes) -> tuple[dict[int, bytes], int]:
    """The objects by their numbers, and the catalog's number."""
    start = int(re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", pdf)[1])
    table = re.match(rb"xref\s+0 (\d+)\s+", pdf[start:])
    entries = [pdf[start + table.end() + 20 * at :][:20] for at in range(int(table[1]))]
    places = sorted((int(entry[:10]), number) for number, entry in enumerate(entries) if entry[17:18] == b"n")
    ends = [place for place, _ in places[1:]] + [start]
    bodies = {number: pdf[place:end] for (place, number), end in zip(places, ends, strict=True)}
    objects = {number: body[body.index(b"obj") + 3 : body.rindex(b"endobj")].strip(b"\n") for number, body in bodies.items()}
    return objects, _named(pdf[start:], b"Root")


def _named(text: bytes, name: bytes) -> int:
    """The number of the object that a dictionary has under a name."""
    return int(re.search(rb"/%s (\d+) 0 R" % name, text)[1])


def _searchable(body: bytes) -> bytes:
    """A table from glyphs to letters as a reader searches for them; anything else as it is."""
    if b"begincmap" not in body:
        return body
    text = body[_STREAM.search(body).end() : body.rindex(b"endstream")]
    mended = _CODE.sub(lambda found: b"<%s>" % _LETTERS[found[1]].encode("utf-16-be").hex().encode(), text)
    return b"<< /Length %d >>\nstream\n%sendstream" % (len(mended), mended)


def _link(region: Region) -> bytes:
    corners = b" ".join(b"%.2f" % corner for corner in region.corners)
    action = b"<< /S /URI /URI (%s) >>" % region.address.encode("ascii")
    return b"<< /Type /Annot /Subtype /Link /Rect [%s] /Border [0 0 0] /A %s >>" % (corners, action)


def _outline(sections: Sequence[Section], pages: Sequence[int], first: int) -> dict[int, bytes]:
    """The objects of the outline from number `first` on, which is its root; none without sections."""
    if not sections:
        return {}
    parents: list[int] = []  # of each section, -1 for the root
    for at, section in enumerate(sections):
        before = [other for other in range(at) if sections[other].level < section.level]
        parents.append(before[-1] if before else -1)
    children = {parent: [at for at, own in enumerate(parents) if own == parent] for parent in (-1, *range(len(sections)))}
    number = {at: first + 1 + at for at in range(-1, len(sections))}
    objects = {first: b"<< /Type /Outlines%s >>" % _ends(children[-1], number, is_open=True)}
    for parent, own in children.items():
        for place, at in enumerate(own):
            section = sections[at]
            dest = b"[%d 0 R /XYZ 0 %.2f null]" % (pages[section.page], section.y)
            beside = b" /Prev %d 0 R" % number[own[place - 1]] if place else b""
            beside += b" /Next %d 0 R" % number[own[place + 1]] if place + 1 < len(own) else b""
            inside = _ends(children[at], number, is_open=False)
            told = _string(section.text), number[parent], beside, inside, dest
            objects[number[at]] = b"<< /Title %s /Parent %d 0 R%s%s /Dest %s >>" % told
    return objects


def _ends(children: Sequence[int], number: dict[int, int], is_open: bool) -> bytes:
    """The first and last of an entry's children, and how many of them are seen at first."""
    if not children:
        return b""
    count = len(children) if is_open else -len(children)
    return b" /First %d 0 R /Last %d 0 R /Count %d" % (number[children[0]], number[children[-1]], count)


def _string(text: str) -> bytes:
    return b"<%s>" % ("\ufeff" + text).encode("utf-16-be", "replace").hex().upper().encode()


def _written(objects: dict[int, bytes], root: int, about: int, start: bytes) -> bytes:
    """The file, its objects numbered from the catalog on in the order in which they are named; what nothing names is left out."""
    numbers = _order(objects, (root, about))
    out, places, n_font = bytearray(start), [], 0
    for old, new in numbers.items():
        head, stream = _parted(objects[old])
        head = _REFERENCE.sub(lambda found: b"%d 0 R" % numbers[int(found[1])], head)
        if b"/FontName" in head:
            # Each embedded part of a font has six letters of its own.
            head = re.sub(rb"/FontName /[A-Z]{6}\+", b"/FontName /AAAA%c%c+" % (65 + n_font // 26 % 26, 65 + n_font % 26), head)
            n_font += 1
        places.append(len(out))
        out += b"%d 0 obj\n%s%s\nendobj\n" % (new, head, stream)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    sum_ = sha256(out).hexdigest()[:32].encode()
    end = b"trailer\n<<\n/Size %d\n/Info %d 0 R\n/Root %d 0 R\n/ID [<%s> <%s>]\n>>\n"
    end %= (len(places) + 1, numbers[about], numbers[root], sum_, sum_)
    return bytes(out) + b"xref\n0 %d\n0000000000 65535 f \n%s%sstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, table, end, len(out))


def _order(objects: dict[int, bytes], starts: Iterable[int]) -> dict[int, int]:
    """The new numbers by the old ones."""
    numbers: dict[int, int] = {}
    waiting = list(reversed(list(starts)))
    while waiting:
        number = waiting.pop()
        if number not in numbers:
            numbers[number] = len(numbers) + 1
            waiting += [int(found) for found in reversed(_REFERENCE.findall(_parted(objects[number])[0]))]
    return numbers


def _parted(body: bytes) -> tuple[bytes, bytes]:
    """What stands before an object's stream, and the stream, which may hold anything."""
    found = _STREAM.search(body)
    return (body, b"") if found is None else (body[: found.start()], body[found.start() :])
