"""The view that a command's options describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.errors import InputError

if TYPE_CHECKING:
    import argparse

    from attnviz.analysis.edges import Threshold
    from attnviz.engine.config import Kind
    from attnviz.session.grid_choice import GridChoice
    from attnviz.session.run import Run
    from attnviz.session.view import View


def is_told(options: argparse.Namespace) -> bool:
    """Whether the options ask for what a picture shows rather than for all that a run left."""
    names = ("view", "heads", "focus", "quantity", "mean", "words", "sinks", "treat", "specials", "texts")
    return options.log is not None or any(getattr(options, name) not in (None, False) for name in names)


def view_of(options: argparse.Namespace, run: Run, layer: int, threshold: Threshold) -> View:
    """The view of a run that the options describe. Raises InputError for a layer, head or token that is not there."""
    from attnviz.session.view import HeadChoice, Sinks, View

    kind = kind_of_options(options, run)
    n_head = run.trace.head_count_of(kind)
    heads = None if options.heads is None else frozenset(_in_range(head, n_head, "Head", run) for head in options.heads)
    treatment = options.treat or ("show" if options.specials else "hide")
    return View(
        layer=_in_range(layer, run.trace.n_layer_of(kind), "Layer", run),
        heads=None if heads is None else HeadChoice(heads, n_head),
        focus=None if options.focus is None else token_of(options.focus, run, kind),
        threshold=threshold,
        kind=kind,
        picture=options.view or "matrix",
        quantity=options.quantity or "attention",
        is_mean=options.mean,
        words=options.words,
        sinks=Sinks(options.sinks if options.sinks is not None else frozenset({"special"}), treatment),
        between=options.texts or "all",
        is_log=options.log,
        grid=_grid(options),
    )


def _grid(options: argparse.Namespace) -> GridChoice:
    """What a grid says of its heads; `attend`, which writes all of it, does not ask. Raises InputError for an order or a filter by
    nothing."""
    from attnviz.session.grid_choice import GridChoice

    if "summary" not in options:
        return GridChoice()
    if options.summary is None and (options.sort or options.least is not None or options.most is not None):
        raise InputError("Order or filter the heads by what? Name it with --summary.")
    return GridChoice(options.summary, options.sort, options.least, options.most)


def kind_of_options(options: argparse.Namespace, run: Run) -> Kind | None:
    """The attention of an encoder-decoder that was asked for. Raises InputError if the model has none of that kind."""
    if options.attention is not None and options.attention not in run.trace.kinds:
        raise InputError(f"{run.model.name} has no {options.attention} attention; it has {', '.join(run.trace.kinds)}.")
    return options.attention


def threshold_of(options: argparse.Namespace) -> Threshold:
    """Which arcs are drawn. Raises InputError for a limit outside its range."""
    from attnviz.analysis.edges import Threshold

    if options.min_weight is not None:
        if not 0.0 <= options.min_weight <= 1.0:
            raise InputError(f"--min-weight {options.min_weight:g}: weights lie between 0 and 1.")
        return Threshold("weight", options.min_weight)
    if not 0.0 < options.strongest <= 100.0:
        raise InputError(f"--strongest {options.strongest:g}: choose a share above 0 and up to 100 percent.")
    return Threshold("mass", options.strongest / 100)


def _in_range(number: int, n: int, what: str, run: Run) -> int:
    if not 0 <= number < n:
        kind = f"{what.lower()}s 0 to {n - 1}" if n > 1 else f"just {what.lower()} 0"
        raise InputError(f"{what} {number} does not exist; {run.model.name} has {kind} in this run.")
    return number


def token_of(wanted: str, run: Run, kind: Kind | None) -> int:
    """The position in the picture of a token given by its text, as shown or as spelled, or by its number."""
    from attnviz.session.sight import tokens_of
    from attnviz.session.view import View

    pieces = tokens_of(run.trace, View(kind=kind))
    if wanted.startswith("#") and wanted[1:].isdecimal() and int(wanted[1:]) < len(pieces):
        return int(wanted[1:])
    for index, piece in enumerate(pieces):
        if wanted in (piece.shown, piece.text):
            return index
    if wanted.isdecimal() and int(wanted) < len(pieces):
        return int(wanted)
    raise InputError(f'There is no token "{wanted}"; the tokens are: {" ".join(piece.text for piece in pieces[:40])}')
