"""The verbs that run a model on a text: its attention as numbers, and as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.cli.running import run_of, say_what_if
from attnviz.cli.view import is_told, kind_of_options, threshold_of, view_of
from attnviz.errors import InputError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from attnviz.probing.summary import RoleSummary
    from attnviz.session.run import Run
    from attnviz.session.view import View

_ONE_HEAD = "The steps are those of one head; name one with --heads, such as --heads 1."


def attend(options: argparse.Namespace) -> int:
    """Write a run's numbers, or what a picture of it shows."""
    from attnviz.analysis.edges import Threshold
    from attnviz.export.numbers import save_numbers
    from attnviz.export.shown import save_shown

    _check_output(options.output)
    if is_told(options) and options.logits:
        raise InputError("A picture shows no scores over the vocabulary; leave out --logits, or the options of the picture.")
    layers = _check_layers(options) if is_told(options) else None
    run = run_of(options)
    if is_told(options):
        layers = layers or list(range(run.trace.n_layer_of(kind_of_options(options, run))))
        views = [view_of(options, run, layer, Threshold()) for layer in layers]  # each checked
        save_shown(run, views[0], options.output, layers)
    else:
        save_numbers(run, options.output, options.layers, options.logits, kind_of_options(options, run))
    say_what_if(run)
    return 0


def render(options: argparse.Namespace) -> int:
    """Draw a picture of a run."""
    from attnviz.session.lengths import inches

    _check_output(options.output)
    if not 1 <= options.dpi <= 4_800:
        raise InputError(f"{options.dpi} dpi cannot be drawn; choose from 1 to 4800.")
    if options.layer is None and options.view != "grid":
        raise InputError("Which layer? Name it with --layer; only the grid draws all of them.")
    threshold = threshold_of(options)
    width = inches(options.width)
    run = run_of(options)
    view = view_of(options, run, options.layer or 0, threshold)
    roles = _roles_of(options, run, view) if options.roles else None

    from attnviz.paint.headless import start_painting

    start_painting()
    from attnviz.export.figure import Paper, save_figure

    usual = "transparent" if options.transparent else "white" if options.theme == "light" else "theme"
    background = options.background or usual
    save_figure(run, view, options.output, Paper(width, options.dpi, options.theme, background), roles)
    say_what_if(run)
    return 0


def _roles_of(options: argparse.Namespace, run: Run, view: View) -> RoleSummary:
    """What was measured of a run's model, for a grid that marks it. Raises InputError where there is nothing to mark, or nothing
    that marks it."""
    from attnviz.probing.summary import kept_summary
    from attnviz.scene.role_words import why_none_line
    from attnviz.session.head_roles import marks_roles, why_no_roles

    if view.picture != "grid":
        raise InputError("Roles are marked on the grid alone; leave out --roles, or add --view grid.")
    summary = kept_summary(run.model.sha256)
    if summary is None:
        begin = f"attnviz roles --model {options.model}"
        raise InputError(f"The roles of {run.model.name}'s heads are not measured yet; measure them first: {begin}")
    if not marks_roles(run, view, summary):
        why = why_no_roles(run, view, summary)
        reason = "this grid shows several heads as one" if why is None else f"roles are {why_none_line(why)}"
        raise InputError(f"There are no roles to mark: {reason}; leave out --roles.")
    return summary


def _check_layers(options: argparse.Namespace) -> list[int]:
    """The layers that were named for what a picture shows; none where it shows all of them. Raises InputError for a choice that
    the picture has not."""
    layers = options.layers or []
    is_one_map = options.mean or options.quantity == "rollout"
    if options.view == "grid" and (layers or (options.heads is not None and not is_one_map)):
        raise InputError("The grid has all layers and heads; leave out --layers and --heads.")
    if options.view == "steps" and len(layers) != 1:
        raise InputError("The steps are those of one layer; name it with --layers, such as --layers 3.")
    if options.view == "steps" and options.heads is not None and len(options.heads) > 1:
        raise InputError(_ONE_HEAD)
    return layers


def _check_output(path: Path) -> None:
    """Refuse before the work what would fail after it."""
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: there is no such folder; make it or choose another.")
