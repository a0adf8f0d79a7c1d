"""What a report says of the model, the corpus and itself before and behind all results."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz import __version__
from attnviz.analysis.bootstrap import DRAWS, LEVEL
from attnviz.corpus.balance import balance_of
from attnviz.export.report.document import Command, Facts, Heading, Paragraph
from attnviz.export.report.method import generated_line
from attnviz.probing.measures import LEAST_CASES, LEAST_TEXTS, MARGIN
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.corpus.balance import Balance
    from attnviz.engine.model import Model
    from attnviz.export.report.document import Block
    from attnviz.probing.roles import HeadRoles

_MOST_IDS: Final = 8
_KINDS: Final = {"encoder": "the encoder's", "decoder": "the decoder's", "cross": "of the decoder to the encoder"}


@dataclass(frozen=True)
class Origin:
    """Where a report comes from. command: what writes it again, "" where nothing does; author, date: "" where nobody says."""

    command: str = ""
    author: str = ""
    date: str = ""


def model_facts(model: Model, kind: str) -> Facts:
    """What the model is; kind: of the attention that was measured."""
    config = model.config
    stack = config.stack_of(kind)
    shared = f", keys and values of {stack.n_kv_head} shared" if stack.n_kv_head != stack.n_head else ""
    looks = "looks back alone (causal)" if stack.looks[0].is_causal else "looks both ways"
    whose = f"{_KINDS[kind]} attention was measured, " if len(config.kinds) > 1 else ""
    rows = (
        ("Model", model.name),
        ("Family", config.family),
        ("Layers and heads", f"{count_of(stack.n_layer, 'layer')} of {count_of(stack.n_head, 'head')}{shared}"),
        ("Width", f"{stack.d_model:,} numbers a token, {stack.d_head:,} a head"),
        ("Vocabulary", count_of(config.n_vocab, "token")),
        ("Attention", f"{whose}{looks}; reads {count_of(config.n_position, 'token')} at most"),
        ("File", str(model.path)),
        ("Weights, SHA-256", model.sha256),
    )
    return Facts(rows)


def corpus_facts(roles: HeadRoles) -> Facts:
    """What it was measured over, and what of that could not be asked."""
    corpus, balance = roles.corpus, balance_of(roles.corpus)
    least, median, most = balance.words
    n_read = sum(text.sentence is not None for text in roles.plan.texts)
    rows = [
        ("Corpus", corpus.name),
        *([("About", corpus.about)] if corpus.about else []),
        ("Sentences", f"{balance.n_sentence:,}, of {least} to {most} words, median {median}; {n_read:,} were read"),
        *_gold(balance),
        ("Besides", generated_line(roles)),
        *((("Left out" if at == 0 else ""), line) for at, line in enumerate(left_out_lines(roles))),
        ("File", str(corpus.path) if corpus.path else "comes with attnviz"),
        ("SHA-256", corpus.sha256),
    ]
    return Facts(tuple(rows))


def _gold(balance: Balance) -> Iterator[tuple[str, str]]:
    if balance.relations:
        told = ", ".join(f"{one.relation.title(True)} {one.n:,}" for one in balance.relations)
        yield "Relations", f"{sum(one.n for one in balance.relations):,} pairs of words: {told}"
    if balance.mentions:
        told = ", ".join(f"{one.kind} {one.n:,}" for one in balance.mentions)
        yield "Mentions", f"{sum(one.n for one in balance.mentions):,} with an antecedent: {told}"
    if balance.partners.n:
        yield "Partners", f"{count_of(balance.partners.n, 'pair')} of sentences that differ in the word that decides"


def left_out_lines(roles: HeadRoles) -> list[str]:
    """What could not be asked, each with the reason; that it is nothing, where it is nothing."""
    left_out, too_long = roles.plan.left_out, roles.plan.too_long
    lines = []
    if too_long:
        more = f" and {len(too_long) - _MOST_IDS:,} more" if len(too_long) > _MOST_IDS else ""
        lines.append(
            f"{count_of(len(too_long), 'sentence')} that the model cannot read whole: {', '.join(too_long[:_MOST_IDS])}{more}"
        )
    if left_out.words:
        first = f"; the first in {left_out.example}" if left_out.example else ""
        lines.append(f"{count_of(left_out.words, 'pair')} of words that the tokenizer does not tell apart{first}")
    if left_out.ahead:
        lines.append(f"{count_of(left_out.ahead, 'link')} that look ahead, which a model that looks back alone cannot")
    if left_out.rest:
        lines.append(f"{count_of(left_out.rest, 'link')} to the first token, which is a resting place")
    return lines or ["nothing"]


def settings_blocks(roles: HeadRoles) -> Iterator[Block]:
    """What the numbers depend on besides model and corpus."""
    importance = roles.importance
    muted = "left out" if importance is None else f"heads muted in turn on {count_of(importance.n_text, 'sentence')}"
    yield Heading("Settings and versions")
    yield Facts(
        (
            ("Rule", f"{100 * MARGIN:.0f} points above the baseline, {LEAST_CASES} cases, {LEAST_TEXTS} texts"),
            ("Intervals", f"{100 * LEVEL:.0f} %, {DRAWS:,} draws of whole texts"),
            ("Importance", muted),
            ("attnviz", __version__),
            ("NumPy, Python", f"{np.__version__}, {platform.python_version()}"),
        )
    )


def again_blocks(roles: HeadRoles, title: str, origin: Origin) -> Iterator[Block]:
    """How to cite it, and how to make it again."""
    yield Heading("How to cite this report, and how to make it again")
    who = f"{origin.author}{f' ({origin.date})' if origin.date else ''}. " if origin.author else ""
    when = f", {origin.date}" if origin.date and not origin.author else ""
    yield Paragraph(
        f"{who}{title}. Report made with attnviz {__version__}{when}. Weights with the SHA-256 {roles.model_sha256[:16]}… and "
        f"{count_of(len(roles.corpus.sentences), 'sentence')} of {roles.corpus.name}, {roles.corpus.sha256[:16]}… (whole above)."
    )
    yield Command(_bibtex(roles, title, origin))
    if origin.command:
        yield Paragraph("The same model, corpus and version of the program give the same numbers with this command:")
        yield Command(origin.command)


def _bibtex(roles: HeadRoles, title: str, origin: Origin) -> str:
    note = f"Weights SHA-256 {roles.model_sha256[:16]}, corpus SHA-256 {roles.corpus.sha256[:16]}"
    fields = {"title": title, "author": origin.author, "date": origin.date, "howpublished": f"attnviz {__version__}", "note": note}
    lines = (f"  {name} = {{{_bibtex_text(value)}}}," for name, value in fields.items() if value)
    return "\n".join(("@misc{attnviz-report,", *lines, "}"))


def _bibtex_text(text: str) -> str:
    """A text between braces, its special letters as themselves."""
    return "".join(f"\\{letter}" if letter in "#$%&_" else "" if letter in "{}\\" else letter for letter in text)
