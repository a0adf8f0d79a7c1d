"""All that a report takes, from a model and what its heads do to the file."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from attnviz.engine.blas import keep_to_one_thread
from attnviz.engine.tokenizer import readable
from attnviz.errors import Cancelled, never
from attnviz.export.report.content import clearest, report_of
from attnviz.export.report.facts import Origin, model_facts
from attnviz.export.report.forms import check_report_path
from attnviz.export.report.writing import write_report
from attnviz.library.discovery import default_model
from attnviz.library.minilm import MINILM
from attnviz.paint.fonts import text_width
from attnviz.probing.evidence import evidence_for
from attnviz.session.request import Request, check_text
from attnviz.session.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.probing.roles import HeadRoles

# Texts of each kind in a picture of evidence, best and worst.
N_TEXT: Final = 3


def make_report(
    model: Model,
    roles: HeadRoles,
    path: Path,
    text: str | None = None,
    cancelled: Callable[[], bool] = never,
    author: str = "",
    date: str = "",
) -> None:
    """Read the evidence and the text, make the report and write it to `path`. Needs Qt ready to paint; any thread.

    roles: of `model`; text: a sentence to show in which heads do their jobs. The same input gives the same bytes.
    Raises ExportError for a path that cannot be written or ends neither in .html nor in .pdf, InputError for a text that cannot be
    read, ModelError, Cancelled; then nothing is written.
    """
    check_report_path(path)
    keep_to_one_thread()
    run = None if text is None else _run(model, text, cancelled)
    evidence = []
    for role in clearest(roles):
        evidence.append(evidence_for(model, roles, role.layer, role.head, role.measure.key, N_TEXT, cancelled))
    origin = Origin(report_command(model, roles, path, text, author, date), author, date)
    document = report_of(roles, evidence, model_facts(model, roles.kind), text_width, run, origin)
    if cancelled():
        raise Cancelled
    write_report(document, path)


def report_command(model: Model, roles: HeadRoles, path: Path, text: str | None, author: str = "", date: str = "") -> str:
    """The `attnviz report` that writes it again, for a shell."""
    is_default = model.path == default_model()
    words = ["attnviz", "report", "--model", MINILM.name if is_default else str(model.path)]
    if roles.corpus.path is not None:
        words += ["--corpus", str(roles.corpus.path)]
    if roles.importance is None:
        words += ["--muted", "0"]
    else:
        words += ["--muted", str(roles.importance.n_text)]
    # With an equals sign a text may begin with a dash.
    words += [f"{name}={readable(value)}" for name, value in (("--text", text), ("--author", author), ("--date", date)) if value]
    return " ".join(map(_quoted, [*words, "-o", path.name]))


def _quoted(word: str) -> str:
    """A word for a shell, as it is read most easily: a sentence with an apostrophe between double quotes."""
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)


def _run(model: Model, text: str, cancelled: Callable[[], bool]) -> Run:
    """The model's run of a text, as it was trained."""
    check_text(text)
    request, trace = Request(model.path, text), model.trace(text, cancelled=cancelled)
    return Run(request, model, trace, 1.0, 0.0, trace, request)
