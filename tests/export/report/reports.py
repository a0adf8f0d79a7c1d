"""Reports of made-up roles, and pages read back."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from attnviz.export.report.content import clearest, report_of
from attnviz.export.report.document import Facts, Table
from attnviz.export.report.facts import Origin
from attnviz.paint.fonts import text_width
from tests.probing.made_up import made_up_evidence, made_up_roles

if TYPE_CHECKING:
    from attnviz.export.report.document import Document
    from attnviz.probing.roles import HeadRoles

NASTY: Final = "<script>alert(1)</script> & \"q\" 'a' ]]> --> \x07 你好 \ud83d first"
# What of it can be written anywhere.
NASTY_SHOWN: Final = NASTY.replace("\x07", "\ufffd").replace("\ud83d", "\ufffd")
MODEL: Final = Facts((("Model", "made up"), ("Weights, SHA-256", 64 * "a")))
ORIGIN: Final = Origin("attnviz report --model made-up -o x.html", "Ada Lovelace", "2026-05-01")
VOID: Final = ("meta", "br", "hr", "img", "link", "input")


def made_up_report(roles: HeadRoles, origin: Origin = ORIGIN) -> Document:
    """The report of made-up roles, with made-up evidence; needs Qt."""
    evidence = [made_up_evidence(roles, role.layer, role.head, role.measure.key) for role in clearest(roles)]
    return report_of(roles, evidence, MODEL, text_width, origin=origin)


def nasty_roles() -> HeadRoles:
    """Roles of a model and a corpus with the hardest names, and words that are markup."""
    roles = made_up_roles(2, 4, seed=3)
    corpus = replace(roles.corpus, name=f"corpus {NASTY}", about=NASTY)
    texts = []
    for text in roles.plan.texts:
        tokens = [replace(token, shown=f"<i>{token.shown}&amp;") for token in text.encoding.tokens]
        texts.append(replace(text, encoding=type(text.encoding)(tuple(tokens), 0)))
    return replace(roles, model=f"model {NASTY}", plan=replace(roles.plan, corpus=corpus, texts=tuple(texts)))


def tables_of(document: Document) -> list[Table]:
    """Its tables."""
    return [block for block in document.blocks if isinstance(block, Table)]


def table_with(document: Document, *titles: str) -> Table:
    """The only table with these column titles, first of all."""
    (found,) = (table for table in tables_of(document) if tuple(column.title for column in table.columns)[: len(titles)] == titles)
    return found


class Page(HTMLParser):
    """An HTML page read strictly: each tag is closed in its turn.

    elements: (tag, attributes, text inside) in the order of their starts.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(page)
        self.close()
        assert not self._open, [self.elements[at][0] for at in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, tag
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for at in self._open:
            self.elements[at][2].append(data)

    def all(self, *tags: str) -> list[tuple[str, dict[str, str | None], str]]:
        """The elements with one of these tags, with all text inside."""
        return [(tag, attributes, "".join(text)) for tag, attributes, text in self.elements if tag in tags]
