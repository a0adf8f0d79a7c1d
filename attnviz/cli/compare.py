"""The verb that runs a model twice, or two models, and sets both runs against each other."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attnviz.cli.options import add_figure, add_view, add_what_to_run
from attnviz.cli.running import run_request, say_what_if, say_what_is_left_out
from attnviz.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.session.run import Run
    from attnviz.session.view import View

FIGURES: Final = (".png", ".svg", ".pdf")
NUMBERS: Final = (".npz", ".json", ".csv")
# What is read, which stays when --with-trained takes back what is changed of the heads.
_READ: Final = ("model", "text", "pair", "write", "written", "temperature", "seed")
_HEAD_CHANGES: Final = ("mute", "muting", "strength", "weight")


def add_compare(parser: argparse.ArgumentParser) -> None:
    """The options of `attnviz compare`."""
    add_what_to_run(parser)
    against = parser.add_argument_group("to say what that run, A, is compared with: B is the same as A but for these")
    against.add_argument("--with-trained", action="store_true", help="the model as it was trained, its heads unchanged")
    add_what_to_run(_Mirror(against))
    parser.add_argument("--layer", metavar="L", type=int, help="the layer to show, from 0; for the measures also that one alone")
    parser.add_argument("--view", choices=("arcs", "matrix"), default="arcs", help="how to draw both (default: arcs)")
    parser.add_argument("--setting", choices=("side", "difference"), default="side", help="both, or A less B (default: side)")
    add_view(parser)
    add_figure(parser)
    parser.add_argument("--measures", action="store_true", help="print a table of measures, as is done without -o and --cosines")
    parser.add_argument(
        "--cosines",
        metavar="TOKEN",
        help="print the cosine of a token's vectors in A and in B, layer by layer; by text or #position",
    )
    forms = ", ".join(f"x{ending}" for ending in (*FIGURES, *NUMBERS))
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help=f"{forms}; the ending says the form")
    parser.set_defaults(run=compare)


class _Mirror:
    """Takes the options of what to run and adds each for B, as --with-…, None where it is not given."""

    def __init__(self, group: argparse._ArgumentGroup) -> None:
        self._group = group

    def add_argument(self, name: str, **how: Any) -> None:
        """Add one; which attention is shown is one for both."""
        if name == "--attention":
            return
        how = {**how, "default": None, "required": False, "help": f"as {name}"}
        self._group.add_argument(f"--with-{name.removeprefix('--')}", **how)

    def add_argument_group(self, title: str) -> _Mirror:
        """The same: all of B's options stand together."""
        del title
        return self


def compare(options: argparse.Namespace) -> int:
    """Run both, then draw them, write their numbers or print their measures."""
    _check(options)
    from attnviz.session.lengths import inches

    width = inches(options.width)
    run = _runs(options)
    view = _view(options, run)
    if options.output is not None and options.output.suffix.lower() in FIGURES:
        _draw(options, run, view, width)
    elif options.output is not None:
        from attnviz.export.shown import save_shown

        save_shown(run, view, options.output)
    if options.cosines is not None:
        print("\n".join(_cosine_lines(options, run, view)))
    if options.measures or (options.output is None and options.cosines is None):
        from attnviz.scene.compare.printed import measure_lines

        print("\n".join(measure_lines(run, view, options.layer is not None)))
    for one in (run, run.against):
        say_what_if(one)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raises InputError for what cannot be compared, drawn or written, before anything is computed."""
    if not options.with_trained and not _given(options):
        raise InputError("Compare with what? Say it with --with-trained, --with-text, --with-head-count or --with-model.")
    if options.output is None:
        return
    if not options.output.parent.is_dir():
        raise InputError(f"{options.output.parent}: there is no such folder; make it or choose another.")
    if options.output.suffix.lower() not in (*FIGURES, *NUMBERS):
        raise InputError(f"{options.output}: the ending says the form; use one of {', '.join((*FIGURES, *NUMBERS))}.")
    if options.layer is None:
        raise InputError("Which layer? Name it with --layer; the measures alone are of all of them.")
    if not 1 <= options.dpi <= 4_800:
        raise InputError(f"{options.dpi} dpi cannot be drawn; choose from 1 to 4800.")


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """B's own options, by the names that A's have."""
    own = {name.removeprefix("with_"): value for name, value in vars(options).items() if name.startswith("with_")}
    return {name: value for name, value in own.items() if name != "trained" and value is not None}


def _runs(options: argparse.Namespace) -> Run:
    """A, with B as what it is compared with."""
    from attnviz.session.run import Runner

    runner = Runner()
    run = run_request(runner, options)
    other = run_request(runner, options_of_other(options, run.request.written))
    for one in (run, other):
        say_what_is_left_out(one)
    return replace(run, against=other, request=replace(run.request, against=other.request.alone()))


def options_of_other(options: argparse.Namespace, written: Sequence[int]) -> argparse.Namespace:
    """B's options as A's are named; written: what stands behind A's text."""
    given = _given(options)
    plain = argparse.ArgumentParser(allow_abbrev=False)
    add_what_to_run(plain)
    usual = vars(plain.parse_args(["--text", ""]))
    other = dict(vars(options))
    if options.with_trained or "model" in given:
        other.update({name: value for name, value in usual.items() if name not in (*_READ, "attention")})
    if "head_count" in given:
        other.update({name: usual[name] for name in _HEAD_CHANGES})
    if {"text", "pair"} & set(given):
        other["weight"] = None  # positions mean nothing in another text
    is_another_text = bool({"text", "pair", "model"} & set(given))
    other.update(write=0, written=None if is_another_text else ",".join(map(str, written)))
    other.update(given)
    if other["pair"] == "":
        other["pair"] = None
    return argparse.Namespace(**other)


def _view(options: argparse.Namespace, run: Run) -> View:
    from attnviz.cli.view import threshold_of, view_of

    return replace(view_of(options, run, options.layer or 0, threshold_of(options)), setting=options.setting)


def _draw(options: argparse.Namespace, run: Run, view: View, width: float) -> None:
    from attnviz.paint.headless import start_painting

    start_painting()
    from attnviz.export.figure import Paper, save_figure

    usual = "transparent" if options.transparent else "white" if options.theme == "light" else "theme"
    save_figure(run, view, options.output, Paper(width, options.dpi, options.theme, options.background or usual))


def _cosine_lines(options: argparse.Namespace, run: Run, view: View) -> list[str]:
    from attnviz.cli.view import token_of
    from attnviz.scene.compare.printed import cosine_lines

    token = token_of(options.cosines, run, view.kind)
    lines = cosine_lines(run, replace(view, focus=token, setting="side"))
    if lines is None:
        raise InputError(f'"{options.cosines}" of A has no counterpart in B; name a token that both have.')
    return lines
