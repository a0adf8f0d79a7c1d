"""The verb that reads a corpus and says what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from attnviz.cli.columns import in_columns, in_lines, print_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from attnviz.corpus.balance import Balance, Reach
    from attnviz.corpus.corpus import Corpus

_MEANINGS: Final = (
    "Distances are in words: least / median / most. The best offset is the one place, so many words off, that is right most often."
)
_MENTIONS: Final = {"pronouns": {"pronoun"}, "later mentions": {"name", "noun"}}


def add_corpus(parser: argparse.ArgumentParser) -> None:
    """The options of `attnviz corpus`."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, help="its file, x.jsonl or x.conllu (default: the bundled one)"
    )
    parser.set_defaults(run=corpus)


def corpus(options: argparse.Namespace) -> int:
    """Read a corpus, so that what is wrong in it is said, and print what it holds."""
    from attnviz.corpus.balance import balance_of
    from attnviz.corpus.opening import open_corpus

    opened = open_corpus(options.file)
    print_lines(corpus_lines(opened, balance_of(opened)))
    return 0


def corpus_lines(opened: Corpus, balance: Balance) -> list[str]:
    """What a corpus holds, as lines of text."""
    lines = [
        f"{opened.name}{f'  {opened.path}' if opened.path else ''}",
        *([opened.about] if opened.about else []),
        f"SHA-256 {opened.sha256}",
        _size_line(balance),
    ]
    if balance.relations:
        lines += ["", *_relation_lines(balance)]
    remarks = _remarks(balance)
    lines += ["", *remarks] if remarks else []
    if balance.mentions:
        lines += ["", *_mention_lines(balance)]
    from attnviz.scene.words import count_of

    partners = balance.partners
    if partners.n:
        lines += [
            "",
            f"{count_of(partners.n, 'pair')} of sentences that differ in the word that decides: "
            f"{partners.antecedent} with another antecedent, {partners.sense} with another sense",
        ]
    return lines


def _size_line(balance: Balance) -> str:
    """ "1 sentence of 4 words"; of several how long they are."""
    from attnviz.scene.words import count_of

    sentences, words = count_of(balance.n_sentence, "sentence"), count_of(balance.n_word, "word")
    least, median, most = balance.words
    if least == most:
        return f"{sentences} of {count_of(least, 'word')}{'' if balance.n_sentence == 1 else ' each'}"
    return f"{sentences}, {words}; {least} to {most} in a sentence, median {median}"


def _relation_lines(balance: Balance) -> list[str]:
    heads = ("RELATION", "FROM THE FIRST WORD TO THE SECOND", "CASES", "SENTENCES", "FIRST BEFORE", "DISTANCE", "BEST OFFSET")
    rows = [heads]
    for one in balance.relations:
        relation = one.relation
        share = f"{one.forward:.0%}".replace("%", " %")
        rows.append((relation.name, relation.title(True), f"{one.n:,}", f"{one.n_sentence:,}", share, *_reach_cells(one.reach)))
    return in_columns(rows, range(2, len(heads)))


def _mention_lines(balance: Balance) -> list[str]:
    heads = ("MENTION", "CASES", "SENTENCES", "WITH A CHOICE", "NEAREST IS RIGHT", "DISTANCE", "BEST OFFSET")
    rows = [heads]
    for one in balance.mentions:
        nearest = "" if one.nearest is None else f"{one.nearest:.0%}".replace("%", " %")
        rows.append((one.kind, f"{one.n:,}", f"{one.n_sentence:,}", f"{one.n_choice:,}", nearest, *_reach_cells(one.reach)))
    return in_columns(rows, range(1, len(heads)))


def _reach_cells(reach: Reach) -> tuple[str, str]:
    """The distances (least, median, most) and what the best fixed offset explains."""
    explained = f"{100 * reach.explained:.0f} % at {reach.offset:+d}"
    return f"{reach.least} / {reach.median} / {reach.most}", explained


def _remarks(balance: Balance) -> list[str]:
    """What a person who writes a corpus has to know of it besides."""
    from attnviz.probing.measures import LEAST_CASES, LEAST_TEXTS

    lines = [_MEANINGS] if balance.relations or balance.mentions else []
    for one in balance.relations:
        if one.relation.nearest > 1:
            counts = " ".join(f"{apart}:{n}" for apart, n in one.reach.counts.items())
            lines += in_lines(f"Distances of {one.relation.name}, with how many have each: {counts}")
    few = [one.relation.name for one in balance.relations if one.n < LEAST_CASES or one.n_sentence < LEAST_TEXTS]
    lines += _list(few, f"Too few for a role, which asks for {LEAST_CASES} cases in {LEAST_TEXTS} sentences: ")
    kinds = {one.kind for one in balance.mentions}
    never = [relation.name for relation in balance.never]
    never += [name for name, any_of in _MENTIONS.items() if not kinds & any_of]
    return lines + _list(never, "Never in this corpus, and so not measured: ")


def _list(names: Sequence[str], what: str) -> list[str]:
    return in_lines(what + ", ".join(names)) if names else []
