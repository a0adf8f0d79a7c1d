"""The verb that writes a report of what a model's heads do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.cli.interrupt import interruptible
from attnviz.cli.measuring import KEPT, add_what_to_measure, measure
from attnviz.cli.options import add_output
from attnviz.errors import Cancelled

if TYPE_CHECKING:
    import argparse


def add_report(parser: argparse.ArgumentParser) -> None:
    """The options of `attnviz report`."""
    add_what_to_measure(parser)
    parser.add_argument("--text", metavar="T", help="also show the clearest heads in a sentence of your own")
    parser.add_argument("--author", metavar="NAME", default="", help="whose report it is (default: nobody's)")
    parser.add_argument("--date", metavar="DATE", default="", help="the report's date, such as 2026-05-01 (default: none)")
    add_output(parser, "x.html or x.pdf; the ending says the form")
    parser.set_defaults(run=report)


def report(options: argparse.Namespace) -> int:
    """Measure, and write the report. What cannot be read or written is said before anything is computed."""
    from attnviz.corpus.opening import open_corpus
    from attnviz.export.report.forms import check_report_path
    from attnviz.session.request import check_text

    check_report_path(options.output)
    if options.text is not None:
        check_text(options.text)
    corpus = open_corpus(options.corpus)
    model, found = measure(options, corpus)

    from attnviz.paint.headless import start_painting

    start_painting()
    from attnviz.export.report.making import make_report

    try:
        with interruptible() as cancelled:
            make_report(model, found, options.output, options.text, cancelled, options.author, options.date)
    except (Cancelled, KeyboardInterrupt):
        raise Cancelled(KEPT) from None
    return 0
