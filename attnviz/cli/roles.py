"""The verb that measures what each head of a model does over a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from attnviz.cli.columns import print_lines
from attnviz.cli.measuring import add_what_to_measure, measure
from attnviz.cli.options import add_paper
from attnviz.errors import InputError

if TYPE_CHECKING:
    import argparse

    from attnviz.corpus.corpus import Corpus
    from attnviz.export.figure import Paper
    from attnviz.probing.roles import HeadRoles

FIGURES: Final = (".png", ".svg", ".pdf")
NUMBERS: Final = (".json", ".csv")


def add_roles(parser: argparse.ArgumentParser) -> None:
    """The options of `attnviz roles`."""
    add_what_to_measure(parser)
    figures = parser.add_argument_group("to draw a figure")
    figures.add_argument(
        "--colour",
        metavar="WHAT",
        help="what the colours are: role, importance, or the score of one measure by its key in the JSON file, such as "
        'induction or "obj>" (default: role)',
    )
    add_paper(figures)
    forms = ", ".join(f"x{ending}" for ending in (*FIGURES, *NUMBERS))
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help=f"{forms}; the ending says the form (default: a table)")
    parser.set_defaults(run=roles)


def roles(options: argparse.Namespace) -> int:
    """Measure, then draw a figure, write the numbers, or print a table."""
    from attnviz.corpus.opening import open_corpus

    _check(options)
    corpus = open_corpus(options.corpus)
    _check_colour(options, corpus)
    paper = _paper(options) if _is_figure(options) else None
    model, found = measure(options, corpus)
    if paper is not None:
        _draw(options, found, paper)
    elif options.output is not None:
        from attnviz.export.roles_tables import save_roles

        save_roles(found, options.output)
    else:
        from attnviz.cli.roles_lines import role_lines

        print_lines(role_lines(found, len(model.config.kinds) > 1))
    return 0


def _is_figure(options: argparse.Namespace) -> bool:
    return options.output is not None and options.output.suffix.lower() in FIGURES


def _check(options: argparse.Namespace) -> None:
    """Raises InputError for what cannot be written or drawn, before anything is computed."""
    if options.output is not None:
        if not options.output.parent.is_dir():
            raise InputError(f"{options.output.parent}: there is no such folder; make it or choose another.")
        if options.output.suffix.lower() not in (*FIGURES, *NUMBERS):
            raise InputError(f"{options.output}: the ending says the form; use one of {', '.join((*FIGURES, *NUMBERS))}.")
    if options.colour is not None and not _is_figure(options):
        raise InputError(f"--colour is for a figure; name one with -o, such as -o roles{FIGURES[0]}.")
    if not 1 <= options.dpi <= 4_800:
        raise InputError(f"{options.dpi} dpi cannot be drawn; choose from 1 to 4800.")


def _check_colour(options: argparse.Namespace, corpus: Corpus) -> None:
    """Raises InputError for a colour that nothing has."""
    from attnviz.probing.measures import measures_of
    from attnviz.scene.atlas.choice import IMPORTANCE, ROLE

    keys = [measure.key for measure in measures_of(corpus.relations)]
    if options.colour is not None and options.colour not in (ROLE, IMPORTANCE, *keys):
        raise InputError(f'--colour "{options.colour}": choose {ROLE}, {IMPORTANCE} or a measure: {", ".join(keys)}.')
    if options.colour == IMPORTANCE and options.muted == 0:
        raise InputError(f"--colour {IMPORTANCE} needs heads to be muted; leave out --muted 0.")


def _paper(options: argparse.Namespace) -> Paper:
    """What a figure is drawn on. Raises InputError or ExportError for what no figure can have."""
    from attnviz.session.lengths import inches

    width = inches(options.width)

    from attnviz.export.figure import Paper, page_of

    usual = "transparent" if options.transparent else "white" if options.theme == "light" else "theme"
    paper = Paper(width, options.dpi, options.theme, options.background or usual)
    page_of(paper)
    return paper


def _draw(options: argparse.Namespace, found: HeadRoles, paper: Paper) -> None:
    """Raises InputError for the score of a measure that has no case."""
    measured = found.by_key.get(options.colour)
    if measured is not None and not measured.n_case:
        raise InputError(f"--colour {options.colour}: there is no score to draw, {measured.why_none}; choose another measure.")

    from attnviz.paint.headless import start_painting

    start_painting()
    from attnviz.export.roles_figure import save_roles_figure
    from attnviz.scene.atlas.choice import ROLE, AtlasChoice

    save_roles_figure(found, AtlasChoice(options.colour or ROLE), options.output, paper)
