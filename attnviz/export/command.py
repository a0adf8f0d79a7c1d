"""The command that writes a figure, or the numbers of a picture, again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from attnviz.engine.tokenizer import readable
from attnviz.export.against import against_options
from attnviz.scene.pictures import COMPARED
from attnviz.session.head_roles import marks_roles
from attnviz.session.sight import heads_of, is_one_map, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attnviz.engine.changes import HeadAt, WeightAt
    from attnviz.engine.trace import Trace
    from attnviz.export.figure import Paper
    from attnviz.probing.summary import RoleSummary
    from attnviz.session.run import Run
    from attnviz.session.view import View


def figure_command(run: Run, view: View, path: Path, paper: Paper, roles: RoleSummary | None = None) -> str:
    """The `attnviz render`, or of two runs the `attnviz compare`, that makes this figure, for a shell; roles: as last measured."""
    words = [*_begun("render", run, view), "--view", view.picture, "--layer", str(view.layer), *_view(run, view)]
    if view.picture == "grid":
        words += [*_grid(view), *(["--roles"] if marks_roles(run, view, roles) else [])]
    words += _heads(heads_of(run.trace, view), view)
    if view.threshold.kind == "mass":
        words += ["--strongest", f"{100 * view.threshold.value:g}"]
    else:
        words += ["--min-weight", f"{view.threshold.value:g}"]
    words += ["--width", f"{paper.width:g}in", "--dpi", str(paper.dpi), "--theme", paper.theme, "--background", paper.background]
    return shlex.join([*words, "-o", str(path)])


def numbers_command(run: Run, view: View, path: Path, is_shown_only: bool) -> str:
    """The `attnviz attend`, or of two runs the `attnviz compare`, that writes these numbers, for a shell."""
    if is_shown_only and _is_compared(run, view):
        words = [*_begun("compare", run, view), "--view", view.picture, "--layer", str(view.layer), *_view(run, view)]
        return shlex.join([*words, *_heads(heads_of(run.trace, view), view), "-o", str(path)])
    words = ["attnviz", "attend", *_what(run, view)]
    if is_shown_only:
        words += ["--view", view.picture, *_view(run, view)]
        words += [] if view.picture == "grid" else ["--layers", str(view.layer)]
        heads = heads_of(run.trace, view)
        if view.picture == "steps":
            heads = heads[:1]  # whose numbers they are
        words += _heads(heads, view) if view.picture != "grid" or is_one_map(run.trace, view) else []
    return shlex.join([*words, "-o", str(path)])


def _is_compared(run: Run, view: View) -> bool:
    return run.against is not None and view.picture in COMPARED


def _begun(verb: str, run: Run, view: View) -> Iterator[str]:
    """A command up to what is run; that of a picture of two runs compares them."""
    if not _is_compared(run, view):
        yield from ("attnviz", verb, *_what(run, view))
    else:
        yield from (
            "attnviz",
            "compare",
            *_what(run, view),
            *against_options(_what(run, view), _what(run.against, view)),
            "--setting",
            view.setting,
        )


def _what(run: Run, view: View) -> Iterator[str]:
    yield from ("--model", str(run.model.path))
    # With an equals sign a text may begin with a dash.
    yield f"--text={readable(run.request.text)}"
    if run.request.pair is not None:
        yield f"--pair={readable(run.request.pair)}"
    if run.trace.has_other_heads:
        yield from ("--head-count", str(run.trace.head_count))
    yield from _changes(run.trace)
    if run.request.written:
        yield from ("--written", ",".join(map(str, run.request.written)))
    if len(run.trace.kinds) > 1:
        yield from ("--attention", kind_of(run.trace, view))


def _changes(trace: Trace) -> Iterator[str]:
    """The options for what is changed of the heads, tokens by their positions."""
    changes = trace.changes
    if changes.muted:
        yield from ("--mute", ",".join(_place(trace, at) for at in sorted(changes.muted)), "--muting", changes.muting)
    for at, value in changes.strengths:
        yield from ("--strength", f"{_place(trace, at)}={value!r}")
    for at, value in changes.weights:
        yield from ("--weight", f"{_place(trace, at)}:#{at.query}>#{at.key}={value!r}")


def _place(trace: Trace, at: HeadAt | WeightAt) -> str:
    """A head as the options name it, with the kind of attention where a model has several."""
    return f"{f'{at.kind}:' if len(trace.kinds) > 1 else ''}L{at.layer}.H{at.head}"


def _view(run: Run, view: View) -> Iterator[str]:
    """The options of a view, those alone that are not as at first."""
    if view.focus is not None:
        yield from ("--focus", f"#{view.focus}")
    if view.quantity != "attention":
        yield from ("--quantity", view.quantity)
    yield from ("--sinks", ",".join(sorted(view.sinks.kinds)), "--treat", view.sinks.treatment)
    if view.between != "all":
        yield from ("--texts", view.between)
    for option, is_on in (("--mean", view.is_mean), ("--words", view.words)):
        if is_on:
            yield option
    if view.is_log is not None:
        yield "--log" if view.is_log else "--no-log"


def _heads(heads: list[int], view: View) -> list[str]:
    return ["--heads", ",".join(map(str, heads))] if view.heads is not None and heads else []


def _grid(view: View) -> Iterator[str]:
    if view.grid.summary is not None:
        yield from ("--summary", view.grid.summary)
        yield from ("--sort",) if view.grid.is_sorted else ()
        yield from ("--least", str(view.grid.least)) if view.grid.least is not None else ()
        yield from ("--most", str(view.grid.most)) if view.grid.most is not None else ()
